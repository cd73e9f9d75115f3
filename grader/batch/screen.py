"""What an instructor sees while a class is graded: progress, a small table, where to look."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.batch.classroom import Outcome, Waiting
from grader.intake import Ignored, Submission
from grader.locale import Readable, T, Translator
from grader.result import Student


class Screen:
    """Prints one class's progress; it may be called from several threads."""

    def __init__(self, say: Translator) -> None:
        self.say = say
        self.console = Console(highlight=False)
        self._to_run = self._ran = 0
        self._began = time.monotonic()

    def ignored(self, found: Iterable[Ignored]) -> None:
        """Say what was not taken, and why."""
        for one in found:
            self._print(f"{one.shown}: {self.say(one.reason)}", style="dim")

    def begins(self, waiting: Waiting) -> None:
        """Say what is left to do on a folder that was graded before."""
        self._to_run = len(waiting.to_run)
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

    def seeds(self, count: int) -> None:
        """Say how many trainings from other seeds come next."""
        self._tell(T("Trainings from other seeds still to do: {count}.", count=count))

    def finished(self, outcome: Outcome) -> None:
        """Say what a submission that ran has earned, and how long the rest will take."""
        if outcome.how != "run":
            return
        self._ran += 1
        each_s = (time.monotonic() - self._began) / self._ran
        self._tell(
            T(
                "{number} of {total}: {name}, {points}; about {minutes:.0f} min left",
                number=outcome.number, total=outcome.of, name=outcome.submission.name,
                points=str(outcome.result["problem"] or self._points(outcome.result)),
                minutes=each_s * (self._to_run - self._ran) / 60,
            )
        )  # fmt: skip

    def ends(
        self, results: Sequence[dict[str, Any]], missing: Iterable[Student], out: Path
    ) -> None:
        """Print the table of the class, and which files to open."""
        for student in missing:
            self._tell(T("{name}: handed in no notebook", name=student.name))
        table = Table(box=None, pad_edge=False)
        for header in (T("student"), T("state"), T("points"), T("grade so far")):
            table.add_column(self.say(header), justify="left", overflow="fold")
        for result in results:
            low, high = (self.say.number(value, 1) for value in result["grade"]["range"])
            table.add_row(
                escape(result["student"]["id"]),
                result["state"],
                self._points(result),
                low if low == high else f"{low} – {high}",
            )
        self.console.print(table)
        example = out / "students" / results[0]["student"]["id"] / "report.html"
        self._tell(
            T(
                "Open a report, such as {path}; all points stand in {csv}.",
                path=str(example), csv=str(out / "grades.csv"),
            ),
            soft_wrap=True,
        )  # fmt: skip

    def _points(self, result: dict[str, Any]) -> str:
        points = result["points"]
        return f"{self.say.number(points['earned'], 2)} / {self.say.number(points['possible'], 0)}"

    def _tell(self, text: Readable, **how: Any) -> None:
        self._print(self.say(text), **how)

    def _print(self, text: str, **how: Any) -> None:
        self.console.print(escape(text), **how)
