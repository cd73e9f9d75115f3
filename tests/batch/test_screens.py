"""What is told while a class is graded: how long it takes, and who is doing what."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.batch.board import Board
from grader.batch.classroom import Outcome, Waiting
from grader.batch.screens.live import LiveScreen
from grader.batch.screens.pace import Pace
from grader.batch.screens.plain import PlainScreen
from grader.delegation.service import Load
from grader.intake import Submission
from grader.locale import Translator
from grader.result import Student
from tests.factories import outcome


def submission(name: str) -> Submission:
    return Submission(Student(name, name), f"{name}.ipynb", lambda: b"")


class TestPace:
    """Measured times, and trainings that nobody has done before."""

    def test_nothing_is_known_before_the_first_has_ended(self) -> None:
        assert Pace(30, 2).left_s(Load(), running=2) is None

    def test_what_waits_and_what_is_still_to_come(self) -> None:
        """Ten trainings of 6 s for the first; then none: only what kernels take is left."""
        now = [0.0]
        pace = Pace(10, 2, clock=lambda: now[0])
        now[0] = 40.0
        first = Load((), 0, 10, 6.0)  # 30 s of two trainers; 10 s were the kernel's
        pace.finished(first)

        expected = 8 * 10 * 6.0 / 2 + (8 + 0.5) * 10
        assert pytest.approx(expected) == pace.left_s(first, running=1)
        pending = Load(("epoch",), 3, 10, 6.0)
        assert pytest.approx(expected + 4 * 6.0 / 2) == pace.left_s(pending, running=1)

    def test_later_ones_find_more_in_the_memory(self) -> None:
        """The guess follows the latest submissions."""
        now = [0.0]
        pace = Pace(100, 1, clock=lambda: now[0])
        for _ in range(8):
            now[0] += 10
            pace.finished(Load((), 0, 4, 5.0))  # four trainings in all, by the first one

        left_s = pace.left_s(Load((), 0, 4, 5.0), running=0)
        assert left_s is not None
        assert pytest.approx(92 * (80 - 20) / 8) == left_s


def ended(student: Submission, result: dict[str, Any]) -> Outcome:
    return Outcome(1, 3, student, result)


def test_a_terminal_shows_who_does_what(tmp_path: Path) -> None:
    """Below the lines: counts, each notebook with its cell, what trainers do."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    screen = LiveScreen(Translator("es"), console, trainers=2)
    board = Board(screen.running)
    three = tuple(submission(name) for name in ("ana", "bruno", "carla"))
    screen.begins(Waiting(three, (), ()), board)
    board.load = lambda: Load(("epoch", "epoch", "measure"), 4, 10, 2.0)
    watching = board.begins(three[0])
    watching.job = tmp_path
    (tmp_path / "cell").write_text("12")

    with console.capture() as shown:
        console.print(screen._picture())
    said = shown.get()

    assert "0 terminados · 1 en ejecución · 2 en espera" in said
    assert "ana" in said and "celda 12" in said
    assert "2 entrenando una época, 1 midiendo; peticiones en espera: 4" in said
    board.ends(three[0])
    screen.finished(ended(three[0], outcome()))
    board.begins(three[1])
    with console.capture() as shown:
        console.print(screen._picture())
    assert "1 terminados · 1 en ejecución · 1 en espera" in shown.get()


def test_elsewhere_lines_say_it() -> None:
    """A line when one begins and one when it has ended, without any control character."""
    stream = io.StringIO()
    screen = PlainScreen(Translator("en"), Console(file=stream, width=200, highlight=False), 1)
    board = Board(screen.running)
    ana = submission("[ana]")
    screen.begins(Waiting((ana,), (), ()), board)
    board.begins(ana)
    board.ends(ana)
    screen.finished(ended(ana, outcome()))

    assert ["[ana].ipynb: running", "1 of 3: [ana].ipynb, 58.50 / 70"] == (
        stream.getvalue().splitlines()
    )
    assert "\x1b" not in stream.getvalue()
