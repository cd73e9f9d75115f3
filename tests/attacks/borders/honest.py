"""Records and requests that pass, with something in every field."""

from __future__ import annotations

from typing import Any

from grader.recipes import plain
from tests.delegation.plans import PLAN, STATE
from tests.factories import measurement

WORD, NAME = "x", "a" * 64
COMPONENT = {"name": "adam", "standard": True, "settings": {"learning_rate": 0.001}}
LABELS = {"kind": "sparse", "classes": 10, "mismatched": 1, "given": "QUJD"}
DATA = {**plain(PLAN.data), "labels": LABELS, "text": WORD, "reason": WORD}
PART = {"name": "Adam", "settings": {"learning_rate": 0.001, "axis": [1, 2]}}
TRAINING = {
    **plain(PLAN.training),
    "order": [0, 1],
    "optimizer": {**PART, "schedule": {"name": "CosineDecay", "settings": {}}},
    "metrics": [PART],
    "class_weight": [[1, 2.0]],
    "draws": [PART],
    "tensorflow_seed": 7,
}
NODE = {"op": "Dense", "custom": False, "config": {"units": 10}, "inputs": [-1], "variables": [0]}
RECIPE = {"input_shape": [28, 28], "nodes": [NODE]}
WHOLE_PLAN = {"recipe": RECIPE, "data": DATA, "training": TRAINING}
WHOLE_STATE = {**plain(STATE), "seeds": [[1, 2]], "learning_rate": 0.001}
VALIDATION = {"data": DATA, "batch_size": 32}
FIT: dict[str, Any] = {
    "kind": "fit", "id": 1, "cell": 3, "chain": 1, "how": "fit", "model": WORD, "recipe": RECIPE,
    "reason": WORD, "data": DATA, "validation": DATA, "validation_split": 0.1, "batch_size": 32,
    "compiled": {"optimizer": COMPONENT, "loss": COMPONENT, "metrics": ["accuracy"]},
    "epochs_before": 0, "epochs_asked": 10, "epochs_run": 10, "stopped": False,
    "history": {"accuracy": [0.5, None]}, "before": WORD, "after": WORD, "training": TRAINING,
    "unsaid": WORD, "local": WORD, "delegated": 1, "seeds": [[1, 2]], "learning_rates": [0.1, None],
    "steps_before": 0, "kept": 10, "given": False, "seeded": ["python"], "seconds": 1.5,
    "error": WORD,
}  # fmt: skip
PLACE = {"id": 1, "cell": 3}
AXES = {
    "images": [0, None], "bars": 10, "colorbar": True, "texts": [WORD], "colors": ["#ff0000"],
}  # fmt: skip
MISTAKE = {"row": 1, "label": 2, "predicted": 3, "confidence": 0.5}


def _each(record: dict[str, Any], key: str, *values: Any) -> list[dict[str, Any]]:
    return [{**record, key: value} for value in values]


CELL = {
    "kind": "cell", "index": 0, "status": "ok", "seconds": 0.5, "error": WORD, "message": WORD,
    "outputs": [{"text": WORD}],
}  # fmt: skip
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "event": [
        FIT,
        *_each(FIT, "how", "train_on_batch", "gradient_tape"),
        *_each(FIT, "seeded", ["numpy"], ["tensorflow"]),
        {**FIT, "data": {**DATA, "rows": "AAAA", "labels": {**LABELS, "kind": "one-hot"}}},
        {
            "kind": "evaluate", **PLACE, "chain": 1, "epochs": 1, "data": DATA,
            "results": {"accuracy": 0.5},
        },
        {
            "kind": "predict", **PLACE, "chain": 1, "data": DATA, "shape": [1, 10],
            "row_sum": [1.0, 1.0], "argmax": [3],
        },
        {"kind": "figure", **PLACE, "axes": [AXES]},
        *_each({"kind": "seed", **PLACE}, "generator", "python", "numpy", "tensorflow"),
        {"kind": "note", **PLACE, "what": WORD, "detail": WORD},
        {"kind": "runtime", **PLACE, "keras": WORD, "tensorflow": WORD, "backend": WORD},
    ],
    "cell": [
        CELL,
        *_each(CELL, "status", "error", "timeout", "killed", "not_run"),
        {"kind": "end", "reason": WORD},
    ],
    "request": [
        {"op": "open", "plan": WHOLE_PLAN, "state": WHOLE_STATE, "before": 0,
         "validation": VALIDATION},
        {"op": "put"},
        {"op": "epoch", "fit": 0, "state": WHOLE_STATE, "validate_after": True},
        {"op": "evaluate", "fit": 0, "weights": NAME, "validation": VALIDATION},
        {"op": "fetch", "names": [NAME]},
        {"op": "close", "fit": 0, "weights": NAME},
        {"op": "clock", "begins": 0},
    ],
    "measurement": [{**plain(measurement()), "confusion": [[1, 2]], "mistakes": [MISTAKE]}],
    "start": [{"test_accuracy": 0.1, "test_loss": 2.3}],
}  # fmt: skip
