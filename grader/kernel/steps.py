"""How many steps Keras takes in one call, and who looks between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

STEPS_PER_EXECUTION = 125
BATCH_METHODS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


@contextmanager
def larger_steps(model: Any, arguments: dict[str, Any], *functions: str) -> Iterator[None]:
    """Run many steps per call where no callback looks between them; results stay equal.

    Args:
        functions: the model's compiled functions that take these steps; Keras makes them anew.
    """
    steps = getattr(model, "steps_per_execution", None)
    if (
        steps != 1
        or getattr(model, "run_eagerly", True)
        or looks_at_batches(arguments.get("callbacks"))
    ):
        yield
        return
    _many(model, STEPS_PER_EXECUTION, functions)
    try:
        yield
    finally:
        _many(model, steps, functions)


def _many(model: Any, steps: int, functions: Sequence[str]) -> None:
    model.steps_per_execution = steps
    for name in functions:
        setattr(model, name, None)


def looks_at_batches(callbacks: Any) -> bool:
    """Whether a callback wants to hear of single batches."""
    from keras.callbacks import Callback

    if callbacks is None:
        return False
    given = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return any(
        not isinstance(callback, Callback)
        or name in vars(callback)
        or getattr(type(callback), name, None) is not getattr(Callback, name)
        for callback in given
        for name in BATCH_METHODS
        if not _saves_by_epoch(callback)
    )


def _saves_by_epoch(callback: Any) -> bool:
    """Keras's ModelCheckpoint has batch methods, which do nothing unless it counts batches."""
    from keras.callbacks import ModelCheckpoint

    return type(callback) is ModelCheckpoint and callback.save_freq == "epoch"
