"""What an instructor sees while a class is graded: progress, a small table, where to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.batch.board import Board
from grader.batch.classroom import Outcome, Waiting
from grader.batch.screens.pace import Pace
from grader.intake import Intake, Submission
from grader.locale import Readable, T, Text, Translator
from grader.result import Student

SOURCES = {
    "moodle": T("a download of Moodle"),
    "canvas": T("a download of Canvas"),
    "gradescope": T("an export of Gradescope"),
    "nbgrader": T("nbgrader's tree"),
    "folder": T("a folder of notebooks"),
}


class Screen(Protocol):
    """What is told of a class, in this order; `running` from several threads."""

    def taken(self, intake: Intake) -> None: ...

    def begins(self, waiting: Waiting, board: Board) -> None: ...

    def running(self, submission: Submission) -> None: ...

    def seeds(self, count: int) -> None: ...

    def finished(self, outcome: Outcome) -> None: ...

    def stopping(self) -> None: ...

    def ends(
        self, summaries: Sequence[Mapping[str, Any]], missing: Iterable[Student], out: Path
    ) -> None: ...


class PlainScreen:
    """Prints lines; it may be called from several threads."""

    def __init__(self, say: Translator, console: Console, trainers: int, epochs: int) -> None:
        self.say, self.console = say, console
        self.board = Board()
        self.pace = Pace(0, trainers, epochs)
        self.done = 0

    def taken(self, intake: Intake) -> None:
        """Say how the source was understood, what was not taken and why."""
        self._tell(
            T(
                "Read as {source}. Submissions: {count}.",
                source=SOURCES[intake.source], count=len(intake.submissions),
            )
        )  # fmt: skip
        for one in intake.ignored:
            self._print(f"{one.shown}: {self.say(one.reason)}", style="dim")
        for notice in intake.notices:
            self._tell(notice, style="bold")

    def begins(self, waiting: Waiting, board: Board) -> None:
        """Say what is left to do on a folder that was graded before."""
        self.board = board
        self.pace = Pace(len(waiting.to_run), self.pace.trainers, self.pace.epochs)
        if waiting.kept or waiting.to_score:
            self._tell(
                T(
                    "{kept} stand as they are, {scored} are scored anew from what their run left, "
                    "{run} must run.",
                    kept=len(waiting.kept), scored=len(waiting.to_score), run=len(waiting.to_run),
                )
            )  # fmt: skip

    def running(self, submission: Submission) -> None:
        """Say that a submission begins."""
        self._print(self.say(T("{name}: running", name=submission.name)), style="dim")

    def stopping(self) -> None:
        """Say what happens after Ctrl-C."""
        self._tell(T("Finishing what runs; press Ctrl-C again to stop now."), style="bold")

    def seeds(self, count: int) -> None:
        """Say how many trainings from other seeds come next."""
        self._tell(T("Trainings from other seeds still to do: {count}.", count=count))

    def finished(self, outcome: Outcome) -> None:
        """Say what a submission that ran has earned, and how long the rest will take."""
        self.done = outcome.number
        if outcome.how != "run":
            return
        self.pace.finished(self.board.load(), self.board.asked())
        points = outcome.result["points"]
        said = T(
            "{number} of {total}: {name}, {points}",
            number=outcome.number, total=outcome.of, name=outcome.submission.name,
            points=outcome.result["problem"] or self._points(points["earned"], points["possible"]),
        )  # fmt: skip
        left = self.left()
        self._print("; ".join([self.say(said), *([self.say(left)] if left else [])]))

    def left(self) -> Text | None:
        """Return how long the rest will take; None at the end, and while it is unknown."""
        left_s = self.pace.left_s(self.board.load(), self.board.asked())
        if left_s is None or self.pace.ran >= self.pace.to_run:
            return None
        if left_s < 60:
            return T("less than a minute left")
        return T("about {minutes} min left", minutes=round(left_s / 60))

    def ends(
        self, summaries: Sequence[Mapping[str, Any]], missing: Iterable[Student], out: Path
    ) -> None:
        """Print the table of the class, and which files to open."""
        for student in missing:
            self._tell(T("{name}: handed in no notebook", name=student.name))
        table = Table(box=None, pad_edge=False)
        for header in (T("student"), T("state"), T("points"), T("grade so far")):
            table.add_column(self.say(header), justify="left", overflow="fold")
        for one in summaries:
            low, high = (self.say.number(value, 1) for value in one["grade"][1:])
            table.add_row(
                escape(one["student"]),
                one["state"],
                self._points(one["earned"], one["possible"]),
                low if low == high else f"{low} – {high}",
            )
        self.console.print(table)
        if not summaries:
            return
        example = out / "students" / summaries[0]["student"] / "report.html"
        self._tell(
            T(
                "Open a report, such as {path}; all points stand in {csv}.",
                path=str(example), csv=str(out / "grades.csv"),
            ),
            soft_wrap=True,
        )  # fmt: skip

    def _points(self, earned: float, possible: float) -> str:
        return f"{self.say.number(earned, 2)} / {self.say.number(possible, 0)}"

    def _tell(self, text: Readable, **how: Any) -> None:
        self._print(self.say(text), **how)

    def _print(self, text: str, **how: Any) -> None:
        self.console.print(escape(text), **how)
