"""Who may compute: as many runs at a time as there are cores; one that waits lets another go on.

Most of a run is waiting for a training that somebody else asked for first. While it waits, the next
notebook can begin: its kernel starts, and what only it needs reaches a trainer that has no work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Turns:
    """Turns to compute, `count` at a time. Runs that come back go before those that begin."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._returning = 0
        self._changed = threading.Condition()

    def take(self, *, back: bool) -> None:
        """Wait for a turn; `back` says that the run had one before."""
        with self._changed:
            self._returning += back
            self._changed.wait_for(lambda: self._free > 0 and (back or not self._returning))
            self._returning -= back
            self._free -= 1
            self._changed.notify_all()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Compute, as a trainer does: it goes before notebooks that begin."""
        self.take(back=True)
        try:
            yield
        finally:
            self.give()

    def give(self) -> None:
        """Let somebody else compute."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()


class Turn:
    """One run's turn; use it as a context manager around the run."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._lock = threading.Lock()
        self._waits = 0
        self._ended = False

    def __enter__(self) -> Self:
        self._turns.take(back=False)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True
            if not self._waits:
                self._turns.give()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Somebody else may compute while this run waits; several waits at a time count as one."""
        with self._lock:
            self._waits += 1
            if self._waits == 1 and not self._ended:
                self._turns.give()
        try:
            yield
        finally:
            self._come_back()

    def _come_back(self) -> None:
        with self._lock:
            if self._waits > 1 or self._ended:
                self._waits -= 1
                return
        self._turns.take(back=True)
        with self._lock:
            self._waits -= 1
            if self._waits or self._ended:  # another wait has begun meanwhile, or the run is over
                self._turns.give()
