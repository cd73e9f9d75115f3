"""The trainer's process: frames in on standard input, frames out on standard output.

Requests (`op`): `start` (draw start values), `epoch` (train one epoch from a state), `validate`,
`measure`, and `info`. All but `info` carry the `key` under which the answer is kept.
Answers are `{"made": …}`, `{"busy": true}` where another trainer is working on this key, or
`{"error": …, "fault": …}`: `fault` is true when it is ours, `full` when the memory takes no more.
"""

from __future__ import annotations

import errno
import os
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import tensorflow as tf

from .. import wire
from ..dataset.identity import Pristine
from ..pipelines import untune
from ..states import StateError, layout, name_of, unpack
from .build import RecipeError, build, refusing
from .live import Live, Rows
from .measure import Feed, measure
from .store import Busy, Store

KEPT_MODELS = 6


class Trainer:
    """Serves requests one after the other; what it keeps between them only saves time."""

    def __init__(self, pristine: Pristine, store: Store, replies: BinaryIO) -> None:
        self.pristine, self.store, self.replies = pristine, store, replies
        self.rows = Rows(pristine)
        self._live: OrderedDict[str, Live] = OrderedDict()

    def serve(self, requests: BinaryIO) -> None:
        """Answer until the controller closes the stream."""
        while True:
            try:
                message, blobs = wire.read_frame(requests)
            except EOFError:
                return
            wire.write_frame(self.replies, self._reply(message, blobs))
            self.store.sweep()

    def _reply(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        try:
            if message["op"] == "info":
                return {"made": self._info()}
            with self.store.working(message["key"]):
                made = getattr(self, f"_{message['op']}")(message, blobs)
                if "plan" in message:
                    self.store.keep_plan(message["plan_key"], message["plan"])
                asked = {name: message[name] for name in message if name not in ("plan", "key")}
                self.store.enter(message["key"], made, asked)
            return {"made": made}
        except Busy:
            return {"busy": True}
        except (RecipeError, StateError) as error:
            self._live.pop(message.get("plan_key", ""), None)  # it may be half changed
            return {"error": str(error), "fault": False}
        except OSError as error:
            self._live.clear()
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
            return {"error": str(error)[:300], "fault": True, "full": error.errno if full else None}
        except (
            Exception
        ) as error:  # the process border: whatever it was, the controller hears of it
            self._live.clear()
            return {"error": f"{type(error).__name__}: {str(error)[:300]}", "fault": True}

    def _info(self) -> dict[str, Any]:
        return {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}

    def _start(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """The start values that `draws` give, where there are any, and a fresh optimizer."""
        live = Live(message["plan"], self.rows)
        _, optimizer = live.leave()
        made: dict[str, Any] = {"optimizer": self.store.keep(optimizer), "weights": None}
        if message["draws"] is not None:
            made["weights"] = self.store.keep(live.start(message["draws"]))
        self._remember(message["plan_key"], live)
        return made

    def _epoch(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """Train one epoch from `state` under `seed`; keep the state after it."""
        live = self._brought(message, blobs)
        made = live.epoch(message["seed"])
        weights, optimizer = live.leave()
        return made | {
            "weights": self.store.keep(weights),
            "optimizer": self.store.keep(optimizer),
        }

    def _validate(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """Evaluate `state` on the rows of `validation`."""
        own = message["validation"]
        return {"metrics": self._brought(message, blobs).validate(own["data"], own["batch_size"])}

    def _measure(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        """Accuracy and loss of `weights` on the rows of `data` and on the test split."""
        built = build(message["recipe"])
        data = self._blob(message["weights"], blobs)
        if data is None:
            raise StateError(f"the state {message['weights'][:12]} is not here")
        weights, _ = layout(built.layers)
        unpack(data, weights)
        if not all(np.isfinite(variable.numpy()).all() for variable in weights):
            raise RecipeError("the weights are not finite numbers: the training diverged")
        start, stop = self.pristine.splits[message["test"]]
        with refusing("measure"):
            return measure(
                built,
                Feed.of(message["data"]),
                self.pristine,
                message["data"]["rows"],
                np.arange(start, stop, dtype=np.int32),
                bool(message["from_logits"]),
            )

    def _brought(self, message: Mapping[str, Any], blobs: Sequence[bytes]) -> Live:
        live = self._live.get(message["plan_key"]) or Live(message["plan"], self.rows)
        state = message["state"]
        weights, optimizer = (
            self._blob(state[part], blobs) if live.state[place] != state[part] else None
            for place, part in enumerate(("weights", "optimizer"))
        )
        live.into(weights, optimizer, state)
        self._remember(message["plan_key"], live)
        return live

    def _blob(self, name: str, blobs: Sequence[bytes]) -> bytes | None:
        """The bytes of a state: what came with the request, else from the store."""
        for data in blobs:
            if name_of(data) == name:
                return data
        return self.store.blob(name)

    def _remember(self, key: str, live: Live) -> None:
        self._live[key] = live
        self._live.move_to_end(key)
        while len(self._live) > KEPT_MODELS:
            self._live.popitem(last=False)


def main() -> None:
    """Serve frames; arguments: the pristine rows, the memory, its bounds in bytes and seconds."""
    rows, memory, most_bytes, most_s = sys.argv[1:5]
    replies = os.fdopen(os.dup(1), "wb")
    os.umask(0o002)  # trainers run as different users of one group
    os.dup2(2, 1)  # whatever prints must not spoil a frame
    untune()
    store = Store(Path(memory), int(most_bytes), float(most_s))
    Trainer(Pristine.open(Path(rows)), store, replies).serve(sys.stdin.buffer)
