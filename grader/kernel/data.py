"""Which rows of the dataset an array, dataset or generator holds, as a record."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from ..dataset.identity import (
    MAX_ROWS,
    Labels,
    Pristine,
    describe,
    identify,
    identify_labels,
    runs,
)


def claims(value: Any) -> bool:
    """Whether a value holds numbers now: an array or eager tensor, not a symbolic one."""
    return isinstance(value, np.ndarray) or (hasattr(value, "numpy") and hasattr(value, "shape"))


def single_row(image: Any, pristine: Pristine) -> int | None:
    """Return the row number of one image's array, None where it is none of the dataset's."""
    array = np.ma.getdata(image)
    if array.size != math.prod(pristine.shape):
        return None
    found = identify(array.reshape(1, *pristine.shape), pristine)
    return int(found.rows[0]) if found is not None else None


class Look:
    """Looks at what `fit`, `evaluate` and `predict` are given."""

    def __init__(self, pristine: Pristine) -> None:
        self.pristine = pristine
        self._streaming: Seen | None = None

    def quietly_at(
        self, x: Any, y: Any, validation_split: float | None = None, *, watched: bool = False
    ) -> Any:
        """Return what `at` does; what cannot be looked at is unrecognised, and the reason said."""
        try:
            return self.at(x, y, validation_split, watched=watched)
        except Exception as error:
            return unrecognised(0, f"{type(error).__name__}: {error}"[:250])

    def at(
        self, x: Any, y: Any, validation_split: float | None = None, *, watched: bool = True
    ) -> Any:
        """Return the record of an array, or a `Seen` that fills while a stream is consumed.

        Args:
            validation_split: the share of rows at the end that a fit does not train on; Keras
                keeps the first floor(n·(1 - share))
                (keras/src/trainers/data_adapters/array_slicing.py).
            watched: the next pipeline that `watch` is given is this one's.
        """
        seen = None
        if x is None or not (claims(x) or isinstance(x, list)):
            seen = self.stream()
        if watched:
            self._streaming = seen
        if seen is not None:
            return seen
        array = np.asarray(x)
        labels = None if y is None else np.asarray(y)
        if validation_split and array.ndim:
            kept = math.floor(len(array) * (1.0 - validation_split))
            array, labels = array[:kept], None if labels is None else labels[:kept]
        return self.rows(array, labels)

    def stream(self) -> Any:
        """Return what is seen of a stream of batches."""
        return Seen(self.pristine)

    def rows(self, array: np.ndarray, labels: np.ndarray | None) -> dict[str, Any]:
        """Return the record of an array."""
        return record_of(array, labels, self.pristine)

    def watch(self, dataset: Any) -> Any:
        """Return the pipeline of a stream's batches with a look at each of the first epoch's."""
        seen, self._streaming = self._streaming, None
        if seen is None:
            return dataset
        import tensorflow as tf

        def look(*batch: Any) -> Any:
            flat = batch[0] if len(batch) == 1 and isinstance(batch[0], tuple) else batch
            given = [part for part in flat[:2] if tf.is_tensor(part)]
            with tf.control_dependencies([tf.py_function(seen.batch, given, [])]):
                return tf.nest.map_structure(tf.identity, batch if len(batch) > 1 else batch[0])

        return dataset.map(look, num_parallel_calls=1, deterministic=True)


class Seen:
    """Rows seen in the batches of a stream; repeated batches after the first pass add nothing."""

    def __init__(self, pristine: Pristine) -> None:
        self.pristine = pristine
        self.parts: list[tuple[np.ndarray, np.ndarray | None]] = []
        self.count = 0

    def batch(self, *parts: Any) -> None:
        """Keep one batch while there is room."""
        if self.count < self.pristine.count:
            x = np.asarray(parts[0])
            self.parts.append((x, np.asarray(parts[1]) if len(parts) > 1 else None))
            self.count += len(x)

    def record(self) -> dict[str, Any]:
        """Return the record of all rows seen."""
        if not self.parts:
            return unrecognised(0, "no batch was seen")
        images = np.concatenate([part[0] for part in self.parts])
        labels = None
        if all(part[1] is not None for part in self.parts):
            labels = np.concatenate([np.asarray(part[1]) for part in self.parts])
        return record_of(images, labels, self.pristine, once=True)


def record(data: Any) -> dict[str, Any]:
    """Return what `Look.at` found as a record."""
    return data.record() if isinstance(data, Seen) else data


def record_of(
    array: np.ndarray, labels: np.ndarray | None, pristine: Pristine, once: bool = False
) -> dict[str, Any]:
    """Return the record (`evidence.Data` as JSON) of rows, labels; `once` names each row once."""
    count = len(array) if array.ndim else 0
    if not count or count > MAX_ROWS:
        return unrecognised(count, "there are no rows" if not count else "there are too many rows")
    try:
        found = identify(array, pristine)
    except (ValueError, TypeError) as error:
        return unrecognised(count, f"not an array of numbers: {str(error)[:100]}")
    if found is None:
        return unrecognised(
            count, "these rows are not the dataset's, or every pixel was changed in another way"
        )
    match = None if labels is None else identify_labels(labels, found.rows, pristine)
    rows = np.unique(found.rows) if once else found.rows
    return {
        "recognised": True,
        "count": len(rows),
        "rows": runs(rows),
        "table": [None if value != value else float(value) for value in found.table],
        "row_shape": list(found.row_shape),
        "labels": None if match is None or labels is None else _labels(match, labels),
        "text": describe(rows, pristine)[:300],
        "reason": None,
    }


def _labels(match: Labels, labels: np.ndarray) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": match.kind, "classes": match.classes, "mismatched": match.mismatched, "given": None,
    }  # fmt: skip
    if match.mismatched:
        classes = labels.argmax(axis=1) if match.kind == "one-hot" else labels.reshape(-1)
        if classes.min() >= 0 and classes.max() < 256:
            said["given"] = base64.b64encode(classes.astype(np.uint8).tobytes()).decode("ascii")
    return said


def unrecognised(count: int, reason: str) -> dict[str, Any]:
    return {"recognised": False, "count": count, "text": "", "reason": reason}
