"""What every benchmark gets: a folder to work in, how much to do, and somebody to tell."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.others import Others, Say
from benchmarks.processes import Usage

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """The frame of one run.

    Attributes:
        work: classes, memories and the other graders' environment; may stay between runs.
        quick: tiny counts, to try the scripts; the figures then mean nothing.
    """

    work: Path
    quick: bool
    say: Say
    others: Others

    def folder(self, name: str) -> Path:
        """Return a folder of this run's, made when it is missing."""
        path = self.work / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def count(self, full: int, quick: int) -> int:
        """Return how many of something this run takes."""
        return quick if self.quick else full


def mean_wall(usages: Iterable[Usage]) -> float:
    """Return the mean of the walls in seconds."""
    return statistics.fmean(usage.wall_s for usage in usages)


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return `count` items, evenly from the first to the last."""
    if count >= len(items):
        return list(items)
    step = (len(items) - 1) / max(count - 1, 1)
    return [items[round(number * step)] for number in range(count)]
