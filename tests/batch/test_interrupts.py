"""Ctrl-C finishes what runs and says so; twice stops at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.batch.interrupts import finishing
from tests.factories import ROOT

PROGRAM = """
import time
from grader.batch.interrupts import finishing
from rich.console import Console
from grader.batch.screens.plain import PlainScreen
from grader.locale import Translator

screen = PlainScreen(Translator("en"), Console(), 1, 1)
with finishing(screen.stopping) as stop:
    print("ready", flush=True)
    while not stop.wait(0.01):
        screen.console.print("1 of 2")
    print("stopping", flush=True)
    time.sleep({finishing_s})
print("finished")
"""


@contextmanager
def program(finishing_s: float) -> Iterator[subprocess.Popen[str]]:
    """A process that prints until it is interrupted, and then needs some time."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(finishing_s=finishing_s)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            wait_for(process, "ready")
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert any(word in line for line in process.stdout)


def test_one_interrupt_lets_a_program_finish() -> None:
    """A real signal, from another process."""
    with program(finishing_s=0.1) as process:
        process.send_signal(signal.SIGINT)
        said, problem = process.communicate(timeout=60)

    assert "Finishing what runs; press Ctrl-C again to stop now." in said
    assert (0, "", True) == (process.returncode, problem, said.endswith("finished\n"))


def test_a_second_interrupt_stops_a_program() -> None:
    with program(finishing_s=20) as process:
        process.send_signal(signal.SIGINT)
        wait_for(process, "stopping")
        process.send_signal(signal.SIGINT)
        said, problem = process.communicate(timeout=60)

    assert "finished" not in said
    assert problem.endswith("KeyboardInterrupt\n")


def test_what_is_told_may_need_what_was_interrupted() -> None:
    """The first signal comes while the stream is held: who tells waits for it, as others do."""
    stream, told = threading.Lock(), []

    def tell() -> None:
        told.append(stream.acquire(timeout=20))

    with finishing(tell) as stop, stream:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()

    assert [True] == told


def test_it_is_told_once_and_only_when_asked() -> None:
    told: list[int] = []
    with finishing(lambda: told.append(1)):
        pass
    assert [] == told
    with finishing(lambda: told.append(1)) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert [1] == told


def test_the_second_may_come_within_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the event is set: setting it takes a lock that one thread does not get twice."""
    with finishing(lambda: None) as stop:
        monkeypatch.setattr(stop, "set", lambda: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_the_signal_meant_before_it_means_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    threads = threading.active_count()
    with finishing(lambda: None):
        assert before is not signal.getsignal(signal.SIGINT)

    assert before is signal.getsignal(signal.SIGINT)
    assert threads == threading.active_count()


def test_only_the_main_thread_is_interrupted() -> None:
    """Elsewhere no handler can be set; the event is there and nobody sets it."""
    found = []

    def elsewhere() -> None:
        with finishing(lambda: None) as stop:
            found.append((stop.is_set(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert [(False, signal.getsignal(signal.SIGINT))] == found
