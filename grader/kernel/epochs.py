"""Keras's epoch iterators, watched: what `fit` iterates over can be attended, epoch by epoch.

Stock Keras builds a fit's tf.data pipeline once, under one TensorFlow seed, and iterates it anew
in every epoch: the same order each time (`TFEpochIterator`). In a local fit each epoch's pipeline
is built again under `wire.epoch_seed`: what one `fit` per epoch under that seed would do, with
every callback, log and state of the one `fit` untouched. In a delegated fit an epoch is one step,
which asks the trainer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .. import wire
from .seeds import EpochSeed

Step = tuple[int, int, Any]  # its first batch, its last one, what the step function takes


class Attendant(Protocol):
    """One running fit, as its epoch iterators tell it."""

    def was_made(self, iterator: Any) -> None:
        """An iterator was made."""

    def was_reset(self, iterator: Any) -> None:
        """An iterator begins anew."""

    def epoch(self, iterator: Any) -> Iterator[Step] | None:
        """An epoch begins; return its steps, or None for Keras's own."""


class Epochs:
    """Patches Keras's epoch iterator; `attendant` is the fit that is running, if any."""

    def __init__(self) -> None:
        self.attendant: Attendant | None = None

    def install(self) -> None:
        """Wrap `TFEpochIterator`."""
        import keras
        from keras.src.backend.tensorflow.trainer import TFEpochIterator

        # Before 3.11 one number stood for a step (keras/src/trainers/epoch_iterator.py)
        one_number = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 11)

        made, reset, iterate = (
            TFEpochIterator.__init__,
            TFEpochIterator.reset,
            TFEpochIterator.__iter__,
        )

        @functools.wraps(made)
        def __init__(iterator: Any, *args: Any, **kwargs: Any) -> None:
            made(iterator, *args, **kwargs)
            if self.attendant is not None:
                self.attendant.was_made(iterator)

        @functools.wraps(reset)
        def wrapped_reset(iterator: Any) -> Any:
            result = reset(iterator)
            if self.attendant is not None:
                self.attendant.was_reset(iterator)
            return result

        @functools.wraps(iterate)
        def __iter__(iterator: Any) -> Any:
            steps = self.attendant.epoch(iterator) if self.attendant is not None else None
            if steps is None:
                return iterate(iterator)
            return ((last, data) for _, last, data in steps) if one_number else steps

        TFEpochIterator.__init__ = __init__
        TFEpochIterator.reset = wrapped_reset
        TFEpochIterator.__iter__ = __iter__


class LocalEpochs:
    """A fit that trains in the kernel: each epoch in a fresh order, unless the notebook seeded.

    Args:
        epochs_before: epochs that these variables were already trained.
        seed: the assignment's seed, None to leave the order to Keras.
        watch: puts a look at the rows into a stream's pipeline.
        started: called once, when the model is built and before its first step.
        begins: called when each epoch begins.
    """

    def __init__(
        self,
        epochs_before: int,
        seed: int | None,
        watch: Callable[[Any], Any],
        started: Callable[[], None],
        begins: Callable[[], None],
    ) -> None:
        self.epochs_before, self.seed = epochs_before, seed
        self.watch, self.started, self.begins = watch, started, begins
        self.epochs = (
            -1
        )  # 0 from `reset` on: Keras peeks at a batch before that, to build the model
        self._iterator: Any = None

    def was_made(self, iterator: Any) -> None:
        """The first iterator that a fit makes is the one it trains from."""
        if self._iterator is None:
            self._iterator = iterator
            iterator._distributed_dataset = self.watch(iterator._distributed_dataset)

    def was_reset(self, iterator: Any) -> None:
        """Epochs count from here."""
        if iterator is self._iterator:
            self.epochs = 0

    def epoch(self, iterator: Any) -> Iterator[Step] | None:
        """Build the coming epoch's data under its own seed; Keras iterates over it."""
        if iterator is not self._iterator or self.epochs < 0:
            return None
        if self.epochs == 0:
            self.started()
        self.begins()
        if self.seed is not None:
            with EpochSeed(wire.epoch_seed(self.seed, self.epochs_before + self.epochs)):
                rebuild(iterator)
        self.epochs += 1
        return None


def rebuild(iterator: Any) -> None:
    """Make the array pipeline again; other sources (generators, tf.data) keep their own order."""
    if type(iterator.data_adapter).__name__ != "ArrayDataAdapter":
        return
    dataset = iterator.data_adapter.get_tf_dataset()
    iterator._distributed_dataset = iterator._distribute_strategy.experimental_distribute_dataset(
        dataset
    )
    iterator._current_iterator = None
