"""The class by student: what waits for a person, and the form that decides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.batch.override import decide
from grader.findings import Status
from grader.gradebook import GradebookError
from grader.locale import Translator
from grader.report.words import FLAGS, ICON, STATE, STATUS, points_text
from grader.result import State
from grader.review.marking import BadForm
from grader.review.sheets import Sheets

WAITS = tuple(status for status in Status if status.pending)
MAX_REASON = 500


@dataclass(frozen=True)
class Line:
    """One student of the list."""

    number: int
    word: str
    marked: int
    of: int
    waits: int
    name: str


@dataclass(frozen=True)
class Finding:
    """One finding with the form to decide it; `decided` and `because` are a person's."""

    check: str
    title: str
    icon: str
    word: str
    waits: bool
    earned: str
    possible: str
    facts: tuple[tuple[str, str], ...]
    decided: str
    because: str


class StudentPages:
    """Builds the values of the pages by student in one language."""

    def __init__(self, sheets: Sheets, say: Translator) -> None:
        self.sheets, self.say = sheets, say

    def everybody(self) -> dict[str, Any]:
        """Every student in blind order with what is done and what waits."""
        lines = []
        for short in self.sheets.gradebook.summaries():
            student, written = short["student"], self.sheets.written
            answers = [question for question in written if student in written[question]]
            marked = sum(student in self.sheets.done(question) for question in answers)
            waits = sum(found[0] in WAITS for found in short["findings"].values())
            lines.append(
                Line(
                    number=self.sheets.number(student),
                    word=self.say(STATE[State(short["state"])]),
                    marked=marked,
                    of=len(answers),
                    waits=waits + bool(short["problem"]),
                    name=short["name"],
                )
            )
        lines.sort(key=lambda line: (not line.waits, line.number))
        return {"students": lines}

    def one(self, student: str) -> dict[str, Any]:
        """One student's answers and findings, those that wait for a person first."""
        result = self.sheets.gradebook.result(student)
        decided = {one.check: one for one in self.sheets.gradebook.overrides(student)}
        findings = [self._finding(one, decided.get(one["check"])) for one in result["findings"]]
        number = self.sheets.number(student)
        low, high = result["grade"]["range"]
        return {
            "number": number,
            "count": len(self.sheets.students),
            "id": student,
            "name": result["student"]["name"],
            "state": self.say(STATE[State(result["state"])]),
            "problem": result["problem"],
            "flags": [(self.say(FLAGS[one["kind"]]), one["detail"]) for one in result["flags"]],
            "earned": self.say.number(result["points"]["earned"], 2),
            "total": self.say.number(result["points"]["total"], 2),
            "low": self.say.number(low, 1),
            "high": self.say.number(high, 1),
            "answers": list(self._answers(student)),
            "waiting": [one for one in findings if one.waits],
            "findings": [one for one in findings if not one.waits],
        }

    def _answers(self, student: str) -> Iterator[dict[str, Any]]:
        for place, (question, asked) in enumerate(self.sheets.questions.items(), start=1):
            if student not in self.sheets.written[question]:
                continue
            marks = self.sheets.marks(question, student)
            yield {
                "question": question,
                "place": place,
                "done": student in self.sheets.done(question),
                "points": points_text(sum(mark.points for mark in marks.values()), self.say)
                if marks
                else "–",
                "possible": points_text(asked.possible, self.say),
            }

    def _finding(self, one: Mapping[str, Any], decided: Any) -> Finding:
        status = Status(one["status"])
        return Finding(
            check=one["check"],
            title=one["title"],
            icon=ICON[status],
            word=self.say(STATUS[status]),
            waits=status.pending and decided is None,
            earned=self.say.number(one["earned"], 2),
            possible=self.say.number(one["possible"], 2),
            facts=tuple(
                (key, one[key])
                for key in ("expected", "observed", "where", "hint", "remark")
                if one[key]
            ),
            decided="" if decided is None else points_text(decided.points, self.say),
            because="" if decided is None else decided.because,
        )

    def decide(self, who: str, student: str, check: str, form: Mapping[str, str]) -> None:
        """Keep a person's points for a finding.

        Raises:
            BadForm: points that are no number or too many, or no reason.
        """
        said, because = form.get("points", "").strip(), form.get("because", "").strip()
        try:
            given = float(said.replace(",", "."))
        except ValueError as error:
            raise BadForm(f"{check}: {said[:20]!r} is no number of points") from error
        if not because:
            raise BadForm(f"{check}: say why, for the student and for whoever asks later")
        gradebook, assignment = self.sheets.gradebook, self.sheets.assignment
        try:
            decide(gradebook, assignment, student, check, given, because[:MAX_REASON], who)
        except GradebookError as error:
            raise BadForm(str(error)) from error
