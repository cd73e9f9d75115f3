"""What a form said → marks; nothing is written that was not shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.gradebook.marks import Whose
from grader.locale import T, Text, Translator
from grader.result import Mark
from grader.review.sheets import Written
from grader.rubric.spec import Question

MAX_COMMENT = 2_000
Given = Mapping[str, Mapping[str, Mark]]  # by student and criterion


class BadForm(Exception):
    """A form that cannot be kept; the text says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(Translator("en")(text))
        self.text = text


@dataclass(frozen=True)
class Decision:
    """What a marker decided on some answers at once.

    Attributes:
        points: by criterion, in hundredths; criteria that were left open are missing.
        comments: by criterion.
        shown: by criterion, the points and the comment that the page had; what is as it was shown
            decides nothing, so that members of a group keep what they have of their own.
        seen: the version of each answer when it was shown.
    """

    points: Mapping[str, int]
    comments: Mapping[str, str]
    shown: Mapping[str, tuple[int | None, str]]
    seen: Mapping[Whose, int]

    def marks(
        self, question: str, members: Sequence[Written], given: Given
    ) -> Iterator[tuple[str, Mark]]:
        """Yield the new marks of each member."""
        for criterion, points in self.points.items():
            shown, comment = self.shown.get(criterion, (None, ""))
            said = self.comments.get(criterion, "")
            for one in members:
                before = given.get(one.student.id, {}).get(criterion)
                if before is not None and before.answer != one.key:
                    before = None
                mark = Mark(
                    question,
                    criterion,
                    before.points if before is not None and points == shown else points,
                    before.comment if before is not None and said == comment else said,
                    answer=one.key,
                )
                if not mark.repeats(before):
                    yield one.student.id, mark


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
            raise BadForm(
                T(
                    "{criterion}: {value} is no level of it; open the page again",
                    criterion=f"{name}.{criterion.id}", value=said[:20],
                )
            )  # fmt: skip
        points[criterion.id] = int(said)
    comments = {
        criterion.id: form.get(f"comment.{criterion.id}", "").strip()[:MAX_COMMENT]
        for criterion in question.criteria
    }
    shown = {
        criterion: (before, str(comment).strip())
        for criterion, (before, comment) in _plain(form.get("shown", "{}")).items()
    }
    return Decision(points, comments, shown, _seen(name, members, form.get("seen", "")))


def _seen(name: str, members: Sequence[Written], text: str) -> dict[Whose, int]:
    said = _plain(text)
    if set(said) != {one.student.id for one in members}:
        raise BadForm(T("the answers on this page have changed; open it again"))
    if not all(type(number) is int for number in said.values()):
        raise BadForm(T("this form is not as the page had it; open it again"))
    return {(student, name): number for student, number in said.items()}


def _plain(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadForm(T("this form is not as the page had it; open it again")) from error
    if not isinstance(said, dict):
        raise BadForm(T("this form is not as the page had it; open it again"))
    return said
