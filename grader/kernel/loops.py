"""A loop over batches in one cell, by `train_on_batch` or a `GradientTape`, as one training.

The rows of every batch are recognised; how often each was seen gives the epochs. The trainer can
then train the same model for as many epochs, in an order of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import wire
from ..dataset.identity import describe, rows_of, runs
from ..states import layout, packed, read_seeds, slots
from .chains import digest
from .data import record_of
from .plans import training_of
from .recipes import NoRecipe, compiled_of, recipe_of, why_unsaid
from .seeds import TENSORFLOW

if TYPE_CHECKING:
    from .recorder import Recorder

ROWS_AT_ONCE = 4_096


@dataclass
class Taped:
    """One step under a `GradientTape`, as far as it was seen before its gradients were applied."""

    model: Any
    x: Any
    y: Any = None
    loss: Any = None
    weighted: bool = False


class AsCompiled:
    """A model as if it had been compiled with what a loop of the notebook's own uses."""

    compiled = True

    def __init__(self, model: Any, optimizer: Any, loss: Any) -> None:
        self._model = model
        self.optimizer, self.loss = optimizer, loss
        self._compile_metrics = None
        self._compile_config = SimpleNamespace(
            config=dict.fromkeys(("metrics", "loss_weights", "weighted_metrics"))
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


class LoopWatch:
    """One model's loop in one cell; begins before its first batch.

    Args:
        x: the first batch, from which an unbuilt model is built.
        compiled: what trains the model where it is not `compile`.
    """

    def __init__(
        self, recorder: Recorder, model: Any, x: Any, y: Any, compiled: AsCompiled | None = None
    ) -> None:
        self.recorder, self.model, self.compiled = recorder, model, compiled or model
        self.how = "train_on_batch" if compiled is None else "gradient_tape"
        self.began = time.monotonic()
        self.number = recorder.records + 1
        if compiled is None:
            model._symbolic_build(data_batch=(x, y, None))
        known = recorder.chains.of(model)
        self.epochs_before = known.epochs if known else 0
        self.given = known is not None and known.digest != digest(model)
        self.chain = recorder.chains.start(model, self.number)
        self.steps_before = int(self.compiled.optimizer.iterations.numpy())
        self.recipe, self.layers = recipe_of(model)
        weights, seeds = layout(self.layers)
        self.seeds = read_seeds(seeds)
        self.unsaid = why_unsaid(self.layers)
        self.largest = 0
        self._parts: list[tuple[Any, Any]] = []
        self._waiting = 0
        self._seen: list[dict[str, Any]] = []
        self._rows: list[np.ndarray] = []
        self._draws = recorder.seeds.draws()
        self._weights = weights
        self.before = self._save("before")
        recorder.records += 1  # the number is this loop's, whatever is recorded before it ends

    def batch(self, x: Any, y: Any, more: dict[str, Any]) -> None:
        """Look at one batch; `more` are the other arguments of the step."""
        if any(more.get(name) is not None for name in ("sample_weight", "class_weight")):
            self.unsaid = self.unsaid or "batches were weighted"
        images, labels = np.asarray(x), np.asarray(y)
        self.largest = max(self.largest, len(images))
        self._parts.append((images.astype(np.float32), labels))
        self._waiting += len(images)
        if self._waiting >= ROWS_AT_ONCE:
            self._look()

    def finish(self) -> None:
        """Write the record."""
        self._look()
        data, times = self._data()
        training = None
        if self.unsaid is None:
            try:
                arguments = {"batch_size": max(self.largest, 1)}
                training = training_of(self.compiled, self._weights, arguments, self._draws) | {
                    "tensorflow_seed": None
                }
            except NoRecipe as problem:
                self.unsaid = str(problem)[:250]
        self.chain.epochs += times
        self.chain.digest = digest(self.model)
        own = TENSORFLOW in self.recorder.seeds.by_notebook
        if training is not None and own:
            training["tensorflow_seed"] = self.recorder.seeds.tensorflow_seed()
        _, rate = slots(self.compiled.optimizer)
        learning_rate = None if rate is None else float(rate.numpy())
        self.recorder.write_as(
            self.number,
            "fit",
            chain=self.chain.id,
            how=self.how,
            model=type(self.model).__name__,
            recipe=self.recipe,
            compiled=compiled_of(self.compiled),
            data=data,
            batch_size=self.largest,
            epochs_before=self.epochs_before,
            epochs_asked=times,
            epochs_run=times,
            before=self.before,
            after=self._save("after"),
            training=training,
            unsaid=self.unsaid,
            local="the notebook trains batch by batch",
            seeds=self.seeds,
            learning_rates=[learning_rate] * times,
            steps_before=self.steps_before,
            given=self.given,
            seeded=sorted(self.recorder.seeds.by_notebook),
            seconds=round(time.monotonic() - self.began, 3),
        )

    def _look(self) -> None:
        if not self._parts:
            return
        images = np.concatenate([part[0] for part in self._parts])
        labels = np.concatenate([part[1] for part in self._parts])
        self._parts, self._waiting = [], 0
        found = record_of(images, labels, self.recorder.pristine)
        self._seen.append(found)
        if found["recognised"]:
            self._rows.append(rows_of(found["rows"]))

    def _data(self) -> tuple[dict[str, Any], int]:
        """All rows that were seen, each once, and how often each was: whole epochs."""
        unknown = next((one for one in self._seen if not one["recognised"]), None)
        if unknown is not None or not self._seen:
            return unknown or {"recognised": False, "count": 0, "reason": "no batch was seen"}, 1
        rows, counts = np.unique(np.concatenate(self._rows), return_counts=True)
        first = self._seen[0]
        if any(one["labels"] is None or one["labels"]["mismatched"] for one in self._seen):
            return {**first, "recognised": False, "reason": "labels do not belong to their rows"}, 1
        tables = np.array(
            [[np.nan if value is None else value for value in one["table"]] for one in self._seen]
        )
        table = np.nanmax(np.where(np.isnan(tables), -np.inf, tables), axis=0)
        if any(one["row_shape"] != first["row_shape"] for one in self._seen) or not np.all(
            np.isnan(tables) | (tables == table)
        ):
            return {**first, "recognised": False, "reason": "batches were scaled differently"}, 1
        known = [None if value == -np.inf else float(value) for value in table]
        data = {
            **first,
            "count": len(rows),
            "rows": runs(rows),
            "table": known,
            "text": describe(rows, self.recorder.pristine)[:300],
        }
        return data, max(1, round(float(counts.mean())))

    def _save(self, moment: str) -> str | None:
        data = packed(layout(self.layers)[0])
        if len(data) > wire.MAX_BLOB_BYTES:
            return None
        name = f"{self.number}-{moment}"
        (self.recorder.job / wire.VARIABLES / name).write_bytes(data)
        return name
