"""Fresh order of the rows in every epoch of an unseeded fit.

Stock Keras builds a fit's tf.data pipeline once, under one TensorFlow seed, and iterates it anew
in every epoch: the same order each time (`TFEpochIterator`). Here each epoch's pipeline is built
again under `wire.epoch_seed`: what one `fit` per epoch under that seed would do, with every
callback, log and state of the one `fit` untouched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import wire
from .seeds import EpochSeed


class Training:
    """One running fit, as its epoch iterator tells it.

    Args:
        epochs_before: epochs that these variables were already trained.
        seed: the assignment's seed, None to leave the order to Keras.
        started: called once, when the model is built and before its first step.
    """

    def __init__(self, epochs_before: int, seed: int | None, started: Callable[[], None]) -> None:
        self.epochs_before = epochs_before
        self.seed = seed
        self.started = started
        self.iterator: Any = None
        self.epochs = (
            -1
        )  # set to 0 by `reset`: Keras peeks at a batch before that, to build the model

    def next_epoch(self) -> None:
        """Build the coming epoch's data under its own seed."""
        if self.epochs < 0:
            return
        if self.epochs == 0:
            self.started()
        if self.seed is not None:
            with EpochSeed(wire.epoch_seed(self.seed, self.epochs_before + self.epochs)):
                _build(self.iterator)
        self.epochs += 1


class Epochs:
    """Patches Keras's epoch iterator; `training` is the fit that is running, if any."""

    def __init__(self, watch: Callable[[Any], Any]) -> None:
        self.training: Training | None = None
        self._watch = watch

    def install(self) -> None:
        """Wrap `TFEpochIterator`: the first one that a fit makes is the one it trains from."""
        from keras.src.backend.tensorflow.trainer import TFEpochIterator

        made, reset, iterate = (
            TFEpochIterator.__init__,
            TFEpochIterator.reset,
            TFEpochIterator.__iter__,
        )

        @functools.wraps(made)
        def __init__(iterator: Any, *args: Any, **kwargs: Any) -> None:
            made(iterator, *args, **kwargs)
            if self.training is not None and self.training.iterator is None:
                self.training.iterator = iterator
                iterator._distributed_dataset = self._watch(iterator._distributed_dataset)

        @functools.wraps(reset)
        def wrapped_reset(iterator: Any) -> Any:
            if self.training is not None and self.training.iterator is iterator:
                self.training.epochs = 0
            return reset(iterator)

        @functools.wraps(iterate)
        def __iter__(iterator: Any) -> Any:
            if self.training is not None and self.training.iterator is iterator:
                self.training.next_epoch()
            return iterate(iterator)

        TFEpochIterator.__init__ = __init__
        TFEpochIterator.reset = wrapped_reset
        TFEpochIterator.__iter__ = __iter__


def _build(iterator: Any) -> None:
    """Make the array pipeline again; other sources (generators, tf.data) keep their own order."""
    if type(iterator.data_adapter).__name__ != "ArrayDataAdapter":
        return
    dataset = iterator.data_adapter.get_tf_dataset()
    iterator._distributed_dataset = iterator._distribute_strategy.experimental_distribute_dataset(
        dataset
    )
    iterator._current_iterator = None
