"""Ctrl-C while a class is graded: once to finish what runs, twice to stop now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType


@contextmanager
def finishing(tell: Callable[[], None]) -> Iterator[threading.Event]:
    """Set the event at the first interrupt, and let the second one through.

    Kernels and trainers run in sessions of their own, so that the terminal's Ctrl-C reaches this
    process only.

    Args:
        tell: called at the first one, in a thread of its own, to say what happens now.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    count = 0
    interrupts: SimpleQueue[bool] = SimpleQueue()

    # A handler may break into a write to the same stream, which no writer survives: it tells
    # nobody itself. Nor does it set the event twice, whose lock the first time may still hold.
    def interrupted(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt
        interrupts.put(True)
        stop.set()

    def listen() -> None:
        if interrupts.get():
            tell()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
        interrupts.put(False)
        listener.join()
