"""The trainer's process: frames in on standard input, frames out on standard output.

Requests (`op`): `measure` (a recipe and its variables before and after a fit), `train` (a recipe
from fresh variables, for calibration; one reply for each epoch, then the measurement), `info`.
A request that cannot be served gets `{"error": …, "fault": …}`: `fault` is true when it is ours.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import tensorflow as tf

from .. import wire
from ..dataset.identity import Pristine
from .build import Built, RecipeError, build
from .fit import train
from .measure import Feed, measure, measure_start
from .variables import VariablesError, assign, read_variables


class Trainer:
    """Serves requests one after the other; keeps nothing between them."""

    def __init__(self, pristine: Pristine, replies: BinaryIO) -> None:
        self.pristine = pristine
        self.replies = replies

    def serve(self, requests: BinaryIO) -> None:
        """Answer until the controller closes the stream."""
        while True:
            try:
                message, blobs = wire.read_frame(requests)
            except EOFError:
                return
            self._reply(message, blobs)
            keras.backend.clear_session()

    def _reply(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
        try:
            answer = getattr(self, f"_{message['op']}")(message, blobs)
        except (RecipeError, VariablesError) as error:
            answer = {"error": str(error), "fault": False}
        except (
            Exception
        ) as error:  # the process border: whatever it was, the controller hears of it
            answer = {"error": f"{type(error).__name__}: {str(error)[:300]}", "fault": True}
        wire.write_frame(self.replies, answer)

    def _info(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        return {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}

    def _measure(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """`before`, `after`: whether the blobs hold that state; replies: `start`, `measured`."""
        built = build(message["recipe"])
        feed, test, logits = Feed.of(message), self._test(message), bool(message["from_logits"])
        answer: dict[str, Any] = {}
        states = list(blobs)
        if message["before"]:
            assign(built, message["recipe"], read_variables(states.pop(0)))
            answer["start"] = measure_start(built.model, feed, self.pristine, test, logits)
        if message["after"]:
            assign(built, message["recipe"], read_variables(states.pop(0)))
            answer["measured"] = measure(
                built.model, feed, self.pristine, message["rows"], test, logits
            )
        return answer

    def _train(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """Reply `{"epoch": n, "state": …}` each epoch, then `measured`: `marks` → measurement."""
        feed, test, logits = Feed.of(message), self._test(message), bool(message["from_logits"])
        measured: dict[str, Any] = {}
        for epoch, built in train(message, self.pristine):
            if epoch in message["marks"]:
                rows = message["measure_rows"]
                measured[str(epoch)] = measure(built.model, feed, self.pristine, rows, test, logits)
            wire.write_frame(self.replies, {"epoch": epoch, "state": state_of(built)})
        return {"measured": measured}

    def _test(self, message: Mapping[str, Any]) -> np.ndarray:
        start, stop = self.pristine.splits[message["test"]]
        return np.arange(start, stop, dtype=np.int32)


def state_of(built: Built) -> str:
    """Return the SHA-256 of the trained variables' bytes, in the order of the nodes."""
    digest = hashlib.sha256()
    for layer in built.layers:
        for variable in layer.trainable_variables:
            digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return digest.hexdigest()


def main() -> None:
    """Serve frames; the argument is the folder with the pristine rows."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not spoil a frame
    Trainer(Pristine.open(Path(sys.argv[1])), replies).serve(sys.stdin.buffer)
