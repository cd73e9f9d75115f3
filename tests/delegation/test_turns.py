"""Turns to compute: never more at a time than there are, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from grader.delegation.turns import Turn, Turns

SOON_S = 5.0


class Crowd:
    """Counts who computes."""

    def __init__(self) -> None:
        self.now, self.most = 0, 0
        self._lock = threading.Lock()

    def compute(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1


def test_no_more_compute_than_there_are_turns() -> None:
    turns, crowd = Turns(2), Crowd()

    def run(_: int) -> None:
        with Turn(turns) as turn:
            for _ in range(3):
                crowd.compute()
                with turn.lent():
                    time.sleep(0.005)
            crowd.compute()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8), timeout=60))

    assert 2 == crowd.most
    assert free(turns, 2)


def test_a_run_that_waits_lets_another_begin() -> None:
    turns, began = Turns(1), threading.Event()

    def another() -> None:
        with Turn(turns):
            began.set()

    with Turn(turns) as turn:
        thread = threading.Thread(target=another)
        thread.start()
        assert not began.wait(0.05)
        with turn.lent():
            assert began.wait(SOON_S)
        thread.join(SOON_S)
    assert free(turns, 1)


def test_a_run_that_comes_back_goes_before_one_that_begins() -> None:
    turns, lent, gate = Turns(1), threading.Event(), threading.Event()
    order: list[str] = []

    def waiting() -> None:
        with Turn(turns) as turn:
            with turn.lent():
                lent.set()
                gate.wait(SOON_S)
            order.append("back")

    def new() -> None:
        with Turn(turns):
            order.append("new")

    first, second = threading.Thread(target=waiting), threading.Thread(target=new)
    first.start()
    assert lent.wait(SOON_S)
    with Turn(turns):
        second.start()
        time.sleep(0.05)
        gate.set()
        _until(lambda: turns._returning == 1)
    first.join(SOON_S)
    second.join(SOON_S)

    assert ["back", "new"] == order


def test_two_waits_at_a_time_are_one() -> None:
    turns = Turns(1)
    with Turn(turns) as turn:
        with turn.lent():
            with turn.lent():
                assert free(turns, 1)
            assert free(turns, 1)
        assert free(turns, 0)
    assert free(turns, 1)


def test_a_run_that_ends_while_it_waits_keeps_no_turn() -> None:
    """A deadline can end a run whose request is still on its way; its thread comes back later."""
    turns, gate, left = Turns(1), threading.Event(), threading.Event()
    turn = Turn(turns).__enter__()

    def wait() -> None:
        with turn.lent():
            gate.wait(SOON_S)
        left.set()

    thread = threading.Thread(target=wait)
    thread.start()
    _until(lambda: free(turns, 1))
    turn.__exit__(None, None, None)
    assert free(turns, 1)
    gate.set()
    assert left.wait(SOON_S)
    thread.join(SOON_S)
    assert free(turns, 1)


def free(turns: Turns, count: int) -> bool:
    """Whether so many turns are free."""
    return turns._free == count


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(int(SOON_S * 100)):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")
