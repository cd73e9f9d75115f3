"""The recorder in a student's own kernel: it watches, and changes nothing that the notebook does.

Nobody's points rest on what it writes, and a student waits for it: it trains nothing, seeds
nothing, looks at an array once, and its faults never reach a cell or an import.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..dataset.identity import Pristine
from .data import Look, unrecognised
from .fits import FitWatch, name_counters
from .recorder import Recorder
from .seeds import NoSeeds

PREDICTIONS = 200  # of one cell that are looked at
LOOKS = 64  # rows that tell an array from another


class Glance(Look):
    """Looks at arrays, at each once; streams are not looked into."""

    def __init__(self, pristine: Pristine) -> None:
        super().__init__(pristine)
        self._known: dict[Any, dict[str, Any]] = {}

    def stream(self) -> Any:
        """Return that nothing is known: looking would be a step in the student's pipeline."""
        return unrecognised(0, "streams are not looked into here")

    def rows(self, array: np.ndarray, labels: np.ndarray | None) -> dict[str, Any]:
        """Return the record of an array; one that looks as it did before is not read again."""
        key = _look_of(array), None if labels is None else _look_of(labels)
        if key not in self._known:
            self._known[key] = super().rows(array, labels)
        return self._known[key]


class ObservedFit(FitWatch):
    """A fit that Keras trains as it would; what it did is written down."""

    def run(self, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Let Keras train, and write the record whatever happens."""
        __tracebackhide__ = True
        before = getattr(getattr(self.model, "history", None), "epoch", None)
        error: str | None = None
        if self.model.trainable_variables:
            self.recorder.quietly(self._begin_chain)
        try:
            return original(self.model, *args, **kwargs)
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            # Keras's History makes a new list when a training begins
            epochs = getattr(getattr(self.model, "history", None), "epoch", None)
            ran = len(epochs) if epochs is not None and epochs is not before else 0
            self.recorder.quietly(self._finish, ran, error)

    def _read(self) -> tuple[dict[str, Any] | None, list[Any]]:
        with _unnoticed():
            return super()._read()

    def _hand_over(self, data: dict[str, Any]) -> None:
        """Hand nothing over: nothing is measured or repeated."""


class Observer(Recorder):
    """Watches a student's own kernel.

    Args:
        cell_of: the index of the cell that IPython is about to run, None where there is none.
    """

    watch_fit = ObservedFit

    def __init__(self, job: Path, pristine: Pristine, cell_of: Callable[[Any], int | None]) -> None:
        super().__init__(job, pristine, NoSeeds(), Glance(pristine))
        self._number_of = cell_of
        self._predictions = 0  # in this cell

    def write_as(self, number: int, kind: str, **fields: Any) -> int:
        """Append one record; the folder may have been tidied away, which is no fault."""
        with contextlib.suppress(OSError):
            super().write_as(number, kind, **fields)
        return number

    def _prepare(self, ip: Any) -> None:
        """Leave the shell as it is."""

    def _conduct(self) -> None:
        """Leave Keras's pipelines and epochs as they are."""

    def _larger_steps(self, model: Any, arguments: dict[str, Any]) -> AbstractContextManager[None]:
        return nullcontext()

    def _cell_of(self, info: Any) -> int | None:
        return self._number_of(info)

    def _begin_cell(self, info: Any) -> None:
        self._predictions = 0
        super()._begin_cell(info)

    def _watch_keras(self, keras: ModuleType) -> None:
        if keras.backend.backend() == "tensorflow":
            self.quietly(super()._watch_keras, keras)

    def _watch_figures(self, backend_bases: ModuleType) -> None:
        self.quietly(super()._watch_figures, backend_bases)

    def _watched_batch(self, model: Any, arguments: dict[str, Any]) -> None:
        self._note_loop(model)

    def _stepped(self, optimizer: Any, arguments: dict[str, Any]) -> None:
        self.taped = None
        self._note_loop(optimizer)

    def _predicted(self, model: Any, x: Any, result: Any) -> None:
        self._predictions += 1
        if self._predictions <= PREDICTIONS:
            super()._predicted(model, x, result)


def _look_of(array: np.ndarray) -> tuple[Any, ...]:
    """Where an array lies and a few of its rows: enough to know it again within one session."""
    place = array.__array_interface__["data"][0]
    some = array[:: max(1, len(array) // LOOKS)] if array.ndim else array
    return (
        place, array.shape, array.strides, array.dtype.str,
        zlib.crc32(np.ascontiguousarray(some).tobytes()),
    )  # fmt: skip


@contextmanager
def _unnoticed() -> Iterator[None]:
    """Let nobody notice that a model of its own class is called once more, to be read."""
    counters = name_counters()
    before = dict(counters)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        counters.clear()
        counters.update(before)
