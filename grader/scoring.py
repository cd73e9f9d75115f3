"""Findings and marks → points → a grade on the course's scale. Pure; no float is ever summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from grader.assignment import Assignment
from grader.findings import Finding
from grader.locale import Readable, T
from grader.result import Answer, Mark, Score
from grader.rubric.spec import Question

DAY_S = 86_400


@dataclass(frozen=True)
class Late:
    """What the LMS says about lateness; files' dates are never asked.

    Attributes:
        by_s: seconds after the due date, negative when early, None when not known.
        late: whether the LMS calls it late, None when it does not say. False wins over `by_s`:
            an extension was granted.
    """

    by_s: int | None = None
    late: bool | None = None

    @property
    def counts(self) -> bool:
        """Whether it is known to be late."""
        if self.late is False:
            return False
        return self.by_s > 0 if self.by_s is not None else bool(self.late)

    @property
    def days(self) -> int | None:
        """Started days of lateness, None when it is late but not known by how much."""
        if not self.counts:
            return 0
        return None if self.by_s is None else -(-self.by_s // DAY_S)


UNKNOWN = Late()


def score(
    assignment: Assignment,
    findings: Sequence[Finding],
    answers: Sequence[Answer],
    late: Late = UNKNOWN,
) -> Score:
    """Return the points and the grade; `value` is None while anything waits for a person.

    A check without a finding waits too: what was not judged is never a zero.
    """
    questions = assignment.rubric.questions
    earned = sum(finding.earned for finding in findings)
    pending = _pending_checks(assignment, findings)
    marks = {answer.question: answer.marks for answer in answers}
    for name, question in questions.items():
        marked, waiting = _marked(question, marks.get(name, {}))
        earned += marked
        pending += waiting
    least, most = _deductions(assignment, late)
    lowest = _grade(assignment, earned, most)
    highest = _grade(assignment, earned + pending, least)
    decided = not pending and person_decides(assignment, late) is None
    return Score(
        earned=earned,
        possible=assignment.automatic,
        pending=pending,
        total=assignment.total,
        value=highest if decided else None,
        lowest=lowest,
        highest=highest,
        late_s=None if late.by_s is None else max(late.by_s, 0),
        deduction=least,
    )


def person_decides(assignment: Assignment, late: Late) -> Readable | None:
    """Return why a person must decide about lateness, None when the policy decides."""
    policy, days = assignment.spec.late, late.days
    if not late.counts:
        return None
    if days is None and (policy.per_day or policy.refuse_after_days is not None):
        return T(
            "The course platform says that this was handed in late, but not by how much, so a "
            "person decides."
        )
    if (
        days is not None
        and policy.refuse_after_days is not None
        and days > policy.refuse_after_days
    ):
        return T(
            "This was handed in {days} days late; after {limit} days a person decides.",
            days=days,
            limit=policy.refuse_after_days,
        )
    return None


def _pending_checks(assignment: Assignment, findings: Sequence[Finding]) -> int:
    judged = {finding.check for finding in findings}
    unjudged = sum(check.possible for check in assignment.spec.checks if check.name not in judged)
    waiting = sum(
        finding.possible
        for finding in findings
        if finding.status.pending and finding.overridden is None
    )
    return unjudged + waiting


def _marked(question: Question, marks: Mapping[str, Mark]) -> tuple[int, int]:
    """Points of the criteria that a person marked, and possible points of the others."""
    earned = waiting = 0
    for criterion in question.criteria:
        mark = marks.get(criterion.id)
        if mark is None:
            waiting += criterion.possible
        else:
            earned += min(max(mark.points, 0), criterion.possible)
    return earned, waiting


def _deductions(assignment: Assignment, late: Late) -> tuple[Decimal, Decimal]:
    """The deduction that is certain, and the largest it can become when a person decides."""
    policy = assignment.spec.late
    if not late.counts:
        return Decimal(0), Decimal(0)
    flat, per_day, at_most = (
        _decimal(value) for value in (policy.flat, policy.per_day, policy.at_most)
    )
    days = late.days
    certain = min(flat + per_day * (days or 0), at_most)
    if person_decides(assignment, late) is None:
        return certain, certain
    if policy.refuse_after_days is not None:
        return certain, _decimal(assignment.spec.scale.maximum)
    return certain, at_most


def _grade(assignment: Assignment, points: int, deduction: Decimal) -> Decimal:
    """Points (hundredths) on the scale, minus the deduction, in the range, rounded half up."""
    scale = assignment.spec.scale
    low, high = _decimal(scale.minimum), _decimal(scale.maximum)
    gained = points * (high - low) / assignment.total if assignment.total else Decimal(0)
    value = min(max(low + gained - deduction, low), high)
    return value.quantize(Decimal(1).scaleb(-scale.decimals), rounding=ROUND_HALF_UP)


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
