"""Trains a share of what is remembered once more, and compares byte for byte."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.delegation.memory import Memory, Remembered
from grader.delegation.service import Service


@dataclass(frozen=True)
class Audit:
    """How many epochs were trained again, of how many, and which came out otherwise."""

    checked: int
    remembered: int
    different: tuple[str, ...]
    gone: int


def audit(
    memory: Memory,
    open_service: Callable[[Memory], Service],
    share: float,
    say: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Repeat a share of the remembered epochs in a memory of their own.

    Args:
        share: from 0 to 1; at least one epoch is repeated where there is one.

    Raises:
        TrainerFault: the trainer failed.
    """
    different, gone = [], 0
    with (
        tempfile.TemporaryDirectory(prefix="audit-") as folder,
        open_service(Memory(Path(folder) / "memory")) as service,
    ):
        epochs = memory.epochs(service.keys)
        chosen = random.sample(epochs, min(len(epochs), max(1, math.ceil(share * len(epochs)))))
        for number, one in enumerate(chosen, start=1):
            blobs = [memory.blob(one.state.weights), memory.blob(one.state.optimizer)]
            if None in blobs:
                gone += 1
                continue
            if not _same(service, one, [blob for blob in blobs if blob is not None]):
                different.append(one.made["weights"])
            say(f"{number} of {len(chosen)} trained again, {len(different)} different")
    return Audit(len(chosen) - gone, len(epochs), tuple(different), gone)


def _same(service: Service, one: Remembered, blobs: list[bytes]) -> bool:
    again = service.epoch(one.plan, one.state, one.seed, blobs=blobs)
    after = {
        "weights": again.state.weights,
        "optimizer": again.state.optimizer,
        "seeds": again.state.seeds,
        "metrics": again.metrics,
    }
    return after == {name: one.made[name] for name in after}
