"""What the recorder writes is written whole, whenever the interrupt comes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from grader.kernel.interrupts import held


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """As in a kernel; what is started in the background of a shell ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end() -> None:
    """The record is whole, and the cell is stopped after it."""
    written = []

    def write() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            written.append("record")

    with pytest.raises(KeyboardInterrupt):
        write()

    assert ["record"] == written


def test_handlers_are_put_back() -> None:
    """Without an interrupt nothing is left behind, after an error neither."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="of the recorder"), held():
        raise ValueError("of the recorder")

    assert before is signal.getsignal(signal.SIGINT)


def test_other_threads_hold_nothing() -> None:
    """Python lets only the main thread set handlers; in others the work is done all the same."""
    done = []

    def work() -> None:
        with held():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert [signal.getsignal(signal.SIGINT)] == done
