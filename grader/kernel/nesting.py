"""Calls inside calls: `fit` evaluates and calls its model, and only the outer one is watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Nesting:
    """True while a watched call goes on, in whatever thread."""

    def __init__(self) -> None:
        self._depths: dict[int, int] = {}

    def __bool__(self) -> bool:
        return any([*self._depths.values()])

    def begin(self) -> None:
        """No call goes on in this thread; an interrupt may have left one half done."""
        self._depths.pop(threading.get_ident(), None)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """A watched call goes on."""
        thread = threading.get_ident()
        before = self._depths.get(thread, 0)
        self._depths[thread] = before + 1
        try:
            yield
        finally:
            self._depths[thread] = before
