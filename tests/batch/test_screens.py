"""What is told while a class is graded: how long it takes, and who is doing what."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.batch.board import Asked, Board
from grader.batch.classroom import Outcome, Waiting
from grader.batch.screens.live import LiveScreen
from grader.batch.screens.pace import Pace
from grader.batch.screens.plain import PlainScreen
from grader.delegation.service import Load
from grader.intake import Submission
from grader.locale import Translator
from grader.result import Student
from tests.factories import outcome
from tests.test_watching import ledger


def submission(name: str) -> Submission:
    return Submission(Student(name, name), f"{name}.ipynb", lambda: b"")


class TestPace:
    """Measured times, and epochs that nobody has trained before."""

    def test_nothing_is_known_before_the_first_has_ended(self) -> None:
        assert Pace(30, 2, 50).left_s(Load(), Asked(0, (3, 4))) is None

    def test_epochs_that_running_notebooks_will_still_ask_for(self) -> None:
        """The first trained all of its 50 epochs, at 6 s; the second has 20 of them to go."""
        now = [0.0]
        pace = Pace(10, 2, 50, clock=lambda: now[0])
        now[0] = 160.0  # 150 of each trainer; 10 were the kernel's
        pace.finished(Load((), 0, 60, 50, 300.0), Asked(50))

        trained = Load((), 0, 60, 50, 300.0)
        new = 50 / 80  # the second's 30 were remembered
        expected = (8 * 50 + 20) * new * 6.0 / 2 + (8 + 0.5) * 10
        assert pytest.approx(expected) == pace.left_s(trained, Asked(50, (30,)))

    def test_one_that_asks_for_little_says_little_of_the_others(self) -> None:
        """A notebook that broke at once does not make the rest free."""
        now = [0.0]
        pace = Pace(3, 1, 50, clock=lambda: now[0])
        now[0] = 12.0
        pace.finished(Load((), 0, 2, 2, 10.0), Asked(2))

        left_s = pace.left_s(Load((), 0, 2, 2, 10.0), Asked(2, (0,)))
        assert pytest.approx((50 + 26) * 5.0 + 1.5 * 2) == left_s

    def test_later_ones_find_more_in_the_memory(self) -> None:
        """The guess follows the latest submissions."""
        now = [0.0]
        pace = Pace(100, 1, 50, clock=lambda: now[0])
        load = Load((), 0, 60, 50, 20.0)  # 50 epochs in all, by the first one
        for number in range(8):
            now[0] += 10
            pace.finished(load, Asked(50 * (number + 1)))

        left_s = pace.left_s(load, Asked(400))
        assert pytest.approx(92 * (80 - 20) / 8) == left_s


def test_a_board_adds_up_what_was_asked_for() -> None:
    """Of those that have ended together, of the running ones one by one."""
    board = Board()
    for name, epochs in (("ana", 10), ("bruno", 4), ("carla", 3)):
        board.begins(submission(name)).begin(Path(), ledger(epochs))
    board.ends(submission("ana"))

    assert Asked(10, (4, 3)) == board.asked()


def ended(student: Submission, result: dict[str, Any]) -> Outcome:
    return Outcome(1, 3, student, result)


def test_a_terminal_shows_who_does_what(tmp_path: Path) -> None:
    """Below the lines: counts, each notebook with its cell, what trainers do."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    screen = LiveScreen(Translator("es"), console, trainers=2, epochs=50)
    board = Board(screen.running)
    three = tuple(submission(name) for name in ("ana", "bruno", "carla"))
    screen.begins(Waiting(three, (), ()), board)
    board.load = lambda: Load(("epoch", "epoch", "measure"), 4, 10, 5, 20.0)
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
    screen = PlainScreen(Translator("en"), Console(file=stream, width=200, highlight=False), 1, 50)
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
