"""The class by student: what waits for a person, and the form that decides it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.assignment import Check
from grader.batch.override import decide
from grader.findings import Status
from grader.grading import Override
from grader.locale import T, Translator
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
    """One finding with the form to decide it.

    Attributes:
        seen: how often people decided it so far; `decided` and `because` are the latest's.
    """

    check: str
    title: str
    icon: str
    word: str
    waits: bool
    earned: str
    possible: str
    facts: tuple[tuple[str, str], ...]
    seen: int
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
            waits += self._open(short)
            lines.append(
                Line(
                    number=self.sheets.number(student),
                    word=self.say(STATE[State(short["state"])]),
                    marked=marked,
                    of=len(answers),
                    waits=waits,
                    name=short["name"],
                )
            )
        lines.sort(key=lambda line: (not line.waits, line.number))
        return {"students": lines}

    def _open(self, short: Mapping[str, Any]) -> int:
        """How many checks of a notebook that could not be read nobody has decided."""
        return len(self.sheets.assignment.spec.checks) - len(short["findings"])

    def one(self, student: str) -> dict[str, Any]:
        """One student's answers and findings, those that wait for a person first."""
        result = self.sheets.gradebook.result(student)
        decided = {one.check: one for one in self.sheets.gradebook.overrides(student)}
        judged = {one["check"]: one for one in result["findings"]}
        seen = Counter(one.check for one in self.sheets.gradebook.overrides(student))
        findings = [
            self._finding(judged.get(check.name) or self._unjudged(check, result), decided, seen)
            for check in self.sheets.assignment.spec.checks
        ]
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

    def _unjudged(self, check: Check, result: Mapping[str, Any]) -> dict[str, Any]:
        """A check of a notebook that could not be read: a person can decide it all the same."""
        return {
            "check": check.name,
            "title": self.say(check.title.text),
            "status": Status.NEEDS_REVIEW.value,
            "earned": 0,
            "possible": check.points,
            "observed": result["problem"] or "",
        }

    def _finding(
        self, one: Mapping[str, Any], decisions: Mapping[str, Override], seen: Mapping[str, int]
    ) -> Finding:
        status, decided = Status(one["status"]), decisions.get(one["check"])
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
                if one.get(key)
            ),
            seen=seen.get(one["check"], 0),
            decided="" if decided is None else points_text(decided.points, self.say),
            because="" if decided is None else decided.because,
        )

    def decide(self, who: str, student: str, check: str, form: Mapping[str, str]) -> None:
        """Keep a person's points for a finding.

        Raises:
            BadForm: points that are no number or too many, or no reason.
        """
        said, because = form.get("points", "").strip(), form.get("because", "").strip()
        gradebook, assignment = self.sheets.gradebook, self.sheets.assignment
        asked = assignment.check(check)
        possible, title = asked.points, self.say(asked.title.text)
        before = [one for one in gradebook.overrides(student) if one.check == check]
        if form.get("seen", "") != str(len(before)):
            raise BadForm(
                T(
                    "{title}: somebody else decided {points} points meanwhile ({reason}). Nothing "
                    "of yours was written; open the page again to decide.",
                    title=title, reason=before[-1].because if before else "–",
                    points=points_text(before[-1].points, self.say) if before else "–",
                )
            )  # fmt: skip
        try:
            given = float(said.replace(",", "."))
        except ValueError:
            given = math.nan
        if not 0 <= given <= possible:
            raise BadForm(
                T(
                    "{title}: “{value}” is no number of points from 0 to {possible}.",
                    title=title, value=said[:20], possible=self.say.number(possible, 2),
                )
            )  # fmt: skip
        if not because:
            raise BadForm(
                T("{title}: say why, for the student and for whoever asks later.", title=title)
            )
        decide(gradebook, assignment, student, check, given, because[:MAX_REASON], who)
