"""What a form said → marks; nothing is written that was not shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.assignment import Question
from grader.gradebook.marks import Whose
from grader.result import Mark
from grader.review.sheets import Written

MAX_COMMENT = 2_000


class BadForm(Exception):
    """A form that none of our pages sends; the text says what is wrong."""


@dataclass(frozen=True)
class Decision:
    """What a marker decided on some answers at once.

    Attributes:
        points: by criterion, in hundredths; criteria that were left open are missing.
        comments: by criterion.
        seen: the version of each answer when it was shown.
    """

    points: Mapping[str, int]
    comments: Mapping[str, str]
    seen: Mapping[Whose, int]

    def marks(self, question: str, members: Sequence[Written]) -> list[tuple[str, Mark]]:
        """Return the marks of each member."""
        return [
            (
                one.student.id,
                Mark(question, criterion, points, self.comments.get(criterion, ""), answer=one.key),
            )
            for one in members
            for criterion, points in self.points.items()
        ]


def read_form(
    name: str, question: Question, members: Sequence[Written], form: Mapping[str, str]
) -> Decision:
    """Return what a form decided.

    Raises:
        BadForm: a level that the rubric does not have, or answers that were not shown.
    """
    points: dict[str, int] = {}
    for criterion in question.criteria:
        said = form.get(f"level.{criterion.id}")
        if said is None:
            continue
        if not said.isdecimal() or criterion.level(int(said)) is None:
            raise BadForm(f"{name}.{criterion.id}: {said!r} is no level of it")
        points[criterion.id] = int(said)
    comments = {
        criterion.id: form.get(f"comment.{criterion.id}", "").strip()[:MAX_COMMENT]
        for criterion in question.criteria
    }
    return Decision(points, comments, _seen(name, members, form.get("seen", "")))


def _seen(name: str, members: Sequence[Written], text: str) -> dict[Whose, int]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise BadForm("`seen` is no JSON; open the page again") from error
    shown = {one.student.id for one in members}
    if not isinstance(said, dict) or set(said) != shown:
        raise BadForm("the answers on this page have changed; open it again")
    if not all(type(number) is int for number in said.values()):
        raise BadForm("`seen` holds something that is no number; open the page again")
    return {(student, name): number for student, number in said.items()}
