"""What goes to a platform for one student: the number, the comment, the file, or why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.gradebook import Gradebook, HandedIn
from grader.locale import T, Text, Translator
from grader.report.words import points_text
from grader.result import State

# What nobody could judge is no zero, not even a provisional one.
UNDECIDED = (State.UNREADABLE, State.GRADER_ERROR)


class ExportError(Exception):
    """A file that cannot be filled: one line (what, which value, what to do)."""

    def __init__(self, text: Text) -> None:
        super().__init__(Translator("en")(text))
        self.text = text


@dataclass(frozen=True)
class Mark:
    """One student's standing.

    Attributes:
        result: the latest result.json.
        handed_in: what the platform calls the student.
        report: the HTML report.
    """

    result: Mapping[str, Any]
    handed_in: HandedIn
    report: Path

    @property
    def student(self) -> str:
        """The student's id in our files."""
        return str(self.result["student"]["id"])

    def value(self, maximum: Decimal, assignment: Assignment, provisional: bool) -> Decimal | None:
        """Return the grade on a platform's scale, None while anything waits for a person.

        Args:
            maximum: the platform's; it must be that of the course's scale, or all the points.
            provisional: give the lowest grade that it can still be.

        Raises:
            ExportError: the platform counts to another maximum.
        """
        scale = Decimal(str(assignment.spec.scale.maximum))
        points = Decimal(assignment.total) / 100
        if maximum not in (scale, points):
            raise ExportError(
                T(
                    "the platform counts to {maximum}, and this course to {scale} (or {points} "
                    "points); change the maximum there",
                    maximum=str(maximum), scale=f"{scale.normalize():f}",
                    points=f"{points.normalize():f}",
                )
            )  # fmt: skip
        grade, earned = self.result["grade"], self.result["points"]
        if self.result["state"] in UNDECIDED or (grade["value"] is None and not provisional):
            return None
        if maximum == scale:
            found = grade["range"][0] if grade["value"] is None else grade["value"]
            return Decimal(str(found))
        deduction = Decimal(str(self.result["late"]["deduction"])) * points / scale
        left = max(Decimal(str(earned["earned"])) - deduction, Decimal(0))
        return left.quantize(Decimal("0.01"), ROUND_HALF_UP)

    def waits(self, value: Decimal | None) -> Text | None:
        """Return why there is no grade to write, None where there is one."""
        if self.result["state"] in UNDECIDED:
            return T("{student}: could not be graded; a person must look.", student=self.student)
        if value is None:
            return T("{student}: written answers wait for a person.", student=self.student)
        return None

    def comment(self, say: Translator, file: str) -> str:
        """Return the few words beside the grade, and what the markers wrote."""
        return "\n".join([self._points(say, file), *self._comments(say)])

    def _points(self, say: Translator, file: str) -> str:
        points = self.result["points"]
        pending = T(
            " Points that still wait for a person: {pending}.",
            pending=spoken(points["pending"], say),
        )
        return say(
            T(
                "{earned} of {total} points.{pending} Your report: {file}",
                earned=spoken(points["earned"], say), total=spoken(points["total"], say),
                pending=pending if points["pending"] else "", file=file,
            )
        )  # fmt: skip

    def _comments(self, say: Translator) -> Iterator[str]:
        for number, answer in enumerate(self.result["answers"], start=1):
            written = [mark["comment"] for mark in (answer["marks"] or {}).values()]
            if any(written):
                said = T("Question {number}", number=number)
                yield f"{say(said)}: {' '.join(filter(None, written))}"


def marks(folder: Path, gradebook: Gradebook) -> Iterator[Mark]:
    """Yield each student's standing, in the order of their ids."""
    for result in gradebook.results():
        student = str(result["student"]["id"])
        report = folder / "students" / student / "report.html"
        yield Mark(result, gradebook.register.handed_in(student), report)


def spoken(points: float, say: Translator) -> str:
    """Return points as the reports write them."""
    return points_text(round(points * 100), say)


def spoken_mark(mark: Mapping[str, Any], say: Translator) -> str:
    """Return what a person gave for one criterion of an answer, with the level and the comment."""
    of = f"{spoken(mark['points'], say)} / {spoken(mark['possible'], say)}"
    return " ".join(filter(None, (f"{mark['title']}: {of}, {mark['level']}.", mark["comment"])))


def number(text: str) -> Decimal | None:
    """Return the number that a platform wrote, with a point or a comma; None if it is none."""
    if not re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*", text):
        return None
    return Decimal(text.strip().replace(",", "."))
