"""The trainer builds from an allow-list, measures what is really there, and refuses the rest."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.sandbox import Level, open_sandbox
from grader.trainer import Refused, Trainer, TrainerFault

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(300)]

TABLE = [value / 255 for value in range(256)]


def dense(
    units: Any, activation: str = "linear", variables: tuple[int, ...] = (0, 1), source: int = 0
) -> dict[str, Any]:
    config = {"units": units, "activation": activation, "use_bias": True}
    return {"op": "Dense", "config": config, "inputs": [source], "variables": list(variables)}


def flat(*nodes: dict[str, Any]) -> dict[str, Any]:
    flatten = {"op": "Flatten", "config": {}, "inputs": [-1], "variables": []}
    return {"input_shape": [28, 28], "nodes": [flatten, *nodes]}


def packed(*arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{f"v{place}": array for place, array in enumerate(arrays)})
    return stream.getvalue()


def request(recipe: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "op": "measure", "recipe": recipe, "table": TABLE, "row_shape": [28, 28], "rows": [[0, 1000]],
        "test": "test", "from_logits": False, "before": False, "after": True, **changes,
    }  # fmt: skip


LINEAR = flat(dense(10, "softmax"))


def weights(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.05, (784, 10)).astype("float32"), random.normal(0, 0.1, 10).astype(
        "float32"
    )


def expected_accuracy(
    kernel: np.ndarray,
    bias: np.ndarray,
    pristine: Pristine,
    rows: range,
    table: list[float] = TABLE,
) -> float:
    """The same linear model, computed with NumPy alone."""
    images = np.asarray(table, "float32")[pristine.images(rows)].reshape(-1, 784)
    return float(((images @ kernel + bias).argmax(axis=1) == pristine.labels(rows)).mean())


def test_measures_what_numpy_computes(trainer: Trainer, pristine: Pristine) -> None:
    """Accuracies on the trained rows and on the whole test split are those of the variables."""
    kernel, bias = weights()
    answer = trainer.ask(request(LINEAR), [packed(kernel, bias)])["measured"]

    assert answer["train_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(1000)), abs=0.002
    )
    assert answer["test_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(60_000, 70_000)), abs=0.0005
    )
    assert 7850 == answer["parameters"]


def test_confusion_and_mistakes_agree(trainer: Trainer, pristine: Pristine) -> None:
    """The confusion matrix has each test image once; mistakes are real and the surest first."""
    answer = trainer.ask(request(LINEAR), [packed(*weights(1))])["measured"]
    confusion, mistakes = np.array(answer["confusion"]), answer["mistakes"]

    assert (10_000, [1000] * 10) == (confusion.sum(), confusion.sum(axis=1).tolist())
    assert answer["test_accuracy"] == pytest.approx(np.trace(confusion) / 10_000)
    assert [int(pristine.labels([one["row"]])[0]) for one in mistakes] == [
        one["label"] for one in mistakes
    ]
    assert all(one["label"] != one["predicted"] for one in mistakes)
    assert [one["confidence"] for one in mistakes] == sorted(
        (one["confidence"] for one in mistakes), reverse=True
    )


def test_uses_the_notebooks_own_pixel_values(trainer: Trainer, pristine: Pristine) -> None:
    """A model of raw pixels is fed raw pixels."""
    kernel, bias = weights(2)
    table = [float(value) for value in range(256)]
    answer = trainer.ask(request(LINEAR, table=table), [packed(kernel, bias)])["measured"]

    assert answer["test_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(60_000, 70_000), table), abs=0.001
    )


def test_start_and_end_are_measured_in_one_request(trainer: Trainer) -> None:
    """With two states the first is the start."""
    first, second = packed(*weights(3)), packed(*weights(4))
    both = trainer.ask(request(LINEAR, before=True), [first, second])
    alone = trainer.ask(request(LINEAR), [first])

    assert both["start"]["test_accuracy"] == alone["measured"]["test_accuracy"]
    assert both["measured"]["test_accuracy"] != alone["measured"]["test_accuracy"]


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"input_shape": [28, 28], "nodes": []}, "1 to 100 nodes"),
        (flat({"op": "Lambda", "config": {}, "inputs": [0]}), "allow-list"),
        (flat({"op": "os.system", "custom": True, "config": {}, "inputs": [0]}), "allow-list"),
        (flat({**dense(10), "config": {"units": 10, "kernel_initializer": "x"}}), "kernel_initializer"),
        (flat(dense(10, "__import__")), "activation"),
        (flat(dense(10**9)), "units"),
        (flat(dense(60_000)), "more than 5000000"),
        (flat(dense(-1)), "units"),
        (flat(dense(True)), "units"),
        (flat(dense(10, source=7)), "earlier nodes"),
        ({"input_shape": [10**6], "nodes": [dense(10)]}, "out of range"),
        ({"input_shape": [28, 28], "nodes": [{"op": "Flatten", "config": {}, "inputs": [-1]}] * 101}, "1 to 100"),
    ],
)  # fmt: skip
def test_refuses_what_is_not_on_the_allow_list(
    trainer: Trainer, recipe: dict[str, Any], words: str
) -> None:
    """Unknown layers, settings and sizes are refused by name before anything is built."""
    with pytest.raises(Refused, match=words):
        trainer.ask(request(recipe), [packed(*weights())])


def bomb() -> bytes:
    """An array whose header claims 40 GB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": (10**10,)}
        )
        archive.writestr("v0.npy", header.getvalue())
    return stream.getvalue()


def objects() -> bytes:
    """An array of objects, which NumPy would unpickle."""
    stream = io.BytesIO()
    np.savez(stream, v0=np.array([{}], dtype=object))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not a zip", "npz"),
        (b"", "npz"),
        (packed(weights()[0]), "no variable 1"),
        (packed(weights()[0].T, weights()[1]), "shape"),
        (packed(weights()[0] * np.nan, weights()[1]), "finite"),
        (bomb(), "claims the shape"),
        (objects(), "object"),
    ],
)
def test_refuses_bad_variables(trainer: Trainer, data: bytes, words: str) -> None:
    """Files that are not what `np.savez` makes of these variables are refused, not half read."""
    with pytest.raises(Refused, match=words):
        trainer.ask(request(LINEAR), [data])


def test_a_fault_of_ours_says_so(trainer: Trainer) -> None:
    """A request that breaks the trainer's own code is a fault, and the trainer goes on."""
    with pytest.raises(TrainerFault, match="KeyError"):
        trainer.ask({"op": "measure", "recipe": LINEAR})

    assert "3." in trainer.ask({"op": "info"})["keras"]


def test_an_answer_has_a_deadline(dataset: Dataset) -> None:
    """A measurement that takes too long is a fault of ours, not a wait for ever."""
    sandbox = open_sandbox(Level.STANDARD, slot=65)
    with (
        Trainer(sandbox, dataset, wall_s=300, answer_s=0.2) as hurried,
        pytest.raises(TrainerFault, match="stopped"),
    ):
        hurried.ask(request(LINEAR), [packed(*weights())])
