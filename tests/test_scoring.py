"""Points and grades: exact, never a float, and no grade while anything waits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignment import Assignment, Check
from grader.findings import Finding, Status
from grader.locale import T
from grader.result import Answer, Mark, Score
from grader.scoring import DAY_S, Late, person_decides, score
from tests.factories import assignment, spanish

SETTLED = [Status.PASSED, Status.PARTIAL, Status.FAILED, Status.NOT_ATTEMPTED, Status.SKIPPED]


def found(check: Check, status: Status, earned: int = 0) -> Finding:
    text = T("{text}", text="")
    return Finding(check.name, status, check.basis, earned, check.possible, text, text, text)


def everything() -> list[Finding]:
    return [found(check, Status.PASSED, check.possible) for check in assignment().spec.checks]


def answers(share: Decimal | int = 1, leave_out: int = 0) -> list[Answer]:
    """All criteria marked with a share of their points, but for the first few of all."""
    left = leave_out
    made = []
    for name, question in assignment().rubric.questions.items():
        marks = {}
        for criterion in question.criteria:
            if left:
                left -= 1
            else:
                points = int(criterion.possible * share)
                marks[criterion.id] = Mark(name, criterion.id, points)
        made.append(Answer(name, "found", "cell id", "…", (), marks))
    return made


def changed(**late: Any) -> Assignment:
    """The assignment with another late policy; `scale` changes the scale."""
    real = assignment()
    scale = real.spec.scale.model_copy(update=late.pop("scale", {}))
    policy = real.spec.late.model_copy(
        update={"flat": 0.0, "per_day": 0.0, "at_most": 5.0, "refuse_after_days": None} | late
    )
    spec = real.spec.model_copy(update={"late": policy, "scale": scale})
    return real.model_copy(update={"spec": spec})


def test_everything_right_is_the_maximum() -> None:
    """All checks and all criteria: 5.0."""
    done = score(assignment(), everything(), answers())

    assert (10_000, 7_000, 0, 10_000) == (done.earned, done.possible, done.pending, done.total)
    assert (Decimal("5.0"), Decimal(0)) == (done.value, done.deduction)


def test_nothing_right_is_the_minimum() -> None:
    """No points at all: 0.0, and it is a grade."""
    nothing = [found(check, Status.FAILED) for check in assignment().spec.checks]

    assert Decimal("0.0") == score(assignment(), nothing, answers(0)).value


def test_without_marks_there_is_no_grade() -> None:
    """Written answers wait: the range says between what."""
    open_ = score(assignment(), everything(), [])

    assert None is open_.value
    assert (3_000, Decimal("3.5"), Decimal("5.0")) == (open_.pending, open_.lowest, open_.highest)


def test_one_criterion_without_a_mark_waits() -> None:
    """A question that is marked in part is pending in part."""
    open_ = score(assignment(), everything(), answers(leave_out=1))
    first = next(iter(assignment().rubric.questions.values())).criteria[0]

    assert (None, first.possible) == (open_.value, open_.pending)


def test_a_check_without_a_finding_waits() -> None:
    """What was not judged is never a zero: an unreadable notebook has all points pending."""
    unreadable = score(assignment(), [], [])

    assert (None, 0, 10_000) == (unreadable.value, unreadable.earned, unreadable.pending)
    assert (Decimal("0.0"), Decimal("5.0")) == (unreadable.lowest, unreadable.highest)


@pytest.mark.parametrize("status", [Status.NEEDS_REVIEW, Status.GRADER_ERROR])
def test_pending_findings_wait(status: Status) -> None:
    """A person or a repaired grader must decide first."""
    findings = everything()
    findings[2] = found(assignment().spec.checks[2], status)
    open_ = score(assignment(), findings, answers())

    assert (None, 400) == (open_.value, open_.pending)


def test_a_persons_mark_ends_the_waiting() -> None:
    """An override gives points, and nothing is pending any more."""
    findings = everything()
    findings[2] = found(assignment().spec.checks[2], Status.NEEDS_REVIEW).decided(300, "seen")
    done = score(assignment(), findings, answers())

    assert (9_900, 0) == (done.earned, done.pending)
    assert Decimal("5.0") == done.value


def test_marks_outside_a_criterion_are_cut() -> None:
    """A mark is never below zero or above what its criterion gives."""
    wild = [
        Answer(
            name,
            "found",
            None,
            "",
            (),
            {one.id: Mark(name, one.id, 99_999) for one in question.criteria},
        )
        for name, question in assignment().rubric.questions.items()
    ]

    assert 10_000 == score(assignment(), everything(), wild).earned


@pytest.mark.parametrize(
    ("earned", "grade"),
    [
        (8_900, "4.5"),
        (8_899, "4.4"),
        (8_700, "4.4"),
        (6_000, "3.0"),
        (5_900, "3.0"),
        (5_899, "2.9"),
    ],
)
def test_grades_are_rounded_half_up(earned: int, grade: str) -> None:
    """x.x5 goes up, and only then: 89 of 100 is 4.45, which is 4.5."""
    findings = everything()
    lost = 10_000 - earned
    kept: list[Finding] = []
    for finding in findings:
        less = min(lost, finding.possible)
        lost -= less
        status = Status.PARTIAL if finding.possible - less else Status.FAILED
        kept.append(found(assignment().check(finding.check), status, finding.possible - less))

    assert Decimal(grade) == score(assignment(), kept, answers()).value


def test_a_scale_may_begin_above_zero() -> None:
    """On a scale from 1 to 7 no points are 1.0 and all are 7.0."""
    chilean = changed(scale={"minimum": 1.0, "maximum": 7.0, "passing": 4.0})
    nothing = [found(check, Status.FAILED) for check in assignment().spec.checks]

    assert Decimal("1.0") == score(chilean, nothing, answers(0)).value
    assert Decimal("7.0") == score(chilean, everything(), answers()).value


def test_thirds_are_not_lost() -> None:
    """10 of 1200 hundredths on a scale of six points is exactly 0.05, which goes up."""
    six = changed(scale={"maximum": 6.0})
    names = ("architecture", "compile", "epochs", "gap")
    checks = tuple(six.check(f"baseline.{name}") for name in names)
    small = six.model_copy(
        update={
            "spec": six.spec.model_copy(update={"checks": checks}),
            "rubric": six.rubric.model_copy(update={"questions": {}}),
        }
    )
    findings = [found(check, Status.FAILED) for check in checks[1:]]

    assert 1_200 == small.total
    assert (
        Decimal("0.1") == score(small, [found(checks[0], Status.PARTIAL, 10), *findings], []).value
    )


def late(policy: dict[str, Any], when: Late) -> Score:
    return score(changed(**policy), everything(), answers(), when)


@pytest.mark.parametrize(
    ("policy", "when", "deduction"),
    [
        ({"flat": 0.5}, Late(), "0"),
        ({"flat": 0.5}, Late(by_s=0), "0"),
        ({"flat": 0.5}, Late(by_s=-3_600), "0"),
        ({"flat": 0.5}, Late(by_s=1), "0.5"),
        ({"flat": 0.5}, Late(late=True), "0.5"),
        ({"flat": 0.5}, Late(by_s=DAY_S, late=False), "0"),
        ({"per_day": 0.5}, Late(by_s=1), "0.5"),
        ({"per_day": 0.5}, Late(by_s=DAY_S), "0.5"),
        ({"per_day": 0.5}, Late(by_s=DAY_S + 1), "1.0"),
        ({"per_day": 0.5, "at_most": 1.5}, Late(by_s=30 * DAY_S), "1.5"),
        ({"flat": 0.2, "per_day": 0.1}, Late(by_s=2 * DAY_S), "0.4"),
        ({"per_day": 0.5, "refuse_after_days": 3}, Late(by_s=3 * DAY_S), "1.5"),
    ],
)
def test_lateness_is_deducted(policy: dict[str, Any], when: Late, deduction: str) -> None:
    """Flat once, each started day, at most so much; early, unknown or excused costs nothing."""
    done = late(policy, when)

    assert (Decimal(deduction), Decimal(5) - Decimal(deduction)) == (done.deduction, done.value)


def test_the_shipped_policy_deducts_half_a_point_a_day() -> None:
    """taller3: 0.5 for each started day, never more than 1.5."""
    day = score(assignment(), everything(), answers(), Late(by_s=60))
    month = score(assignment(), everything(), answers(), Late(by_s=30 * DAY_S))

    assert (Decimal("4.5"), Decimal("3.5")) == (day.value, month.value)


def test_late_by_an_unknown_time_is_for_a_person() -> None:
    """Only the flat part is certain; the range reaches to the largest deduction."""
    done = late({"flat": 0.2, "per_day": 0.5, "at_most": 1.5}, Late(late=True))

    assert (None, Decimal("0.2"), None) == (done.value, done.deduction, done.late_s)
    assert (Decimal("3.5"), Decimal("4.8")) == (done.lowest, done.highest)


def test_after_the_last_day_a_person_decides() -> None:
    """Too late for the policy: no grade, and the range goes down to the minimum."""
    policy = changed(per_day=0.5, refuse_after_days=3)
    done = score(policy, everything(), answers(), Late(by_s=3 * DAY_S + 1))

    assert (None, Decimal("0.0"), Decimal("3.0")) == (done.value, done.lowest, done.highest)
    assert "Días de retraso: 4;" in spanish(person_decides(policy, Late(by_s=3 * DAY_S + 1)))


def test_a_deduction_never_goes_below_the_scale() -> None:
    """The deduction stops at the minimum."""
    nothing = [found(check, Status.FAILED) for check in assignment().spec.checks]
    done = score(changed(flat=2.0), nothing, answers(0), Late(by_s=1))

    assert Decimal("0.0") == done.value


def test_the_deduction_comes_before_the_rounding() -> None:
    """4.845 − 0.26 is 4.585, which is 4.6; rounded first it would be 4.8 − 0.26, which is 4.5."""
    findings = everything()
    findings[0] = found(assignment().spec.checks[0], Status.PARTIAL, 90)
    findings[1] = found(assignment().spec.checks[1], Status.FAILED)
    done = score(changed(flat=0.26), findings, answers(), Late(by_s=1))

    assert Decimal("4.6") == done.value  # 96.9 points are 4.845; 4.845 − 0.26 = 4.585


def test_seconds_late_are_told() -> None:
    """Known seconds are shown, early is zero, unknown stays unknown."""
    told = [score(assignment(), [], [], when).late_s for when in (Late(90), Late(-5), Late())]

    assert [90, 0, None] == told


@st.composite
def findings_of(draw: st.DrawFn) -> list[Finding]:
    made = []
    for check in assignment().spec.checks:
        status = draw(st.sampled_from([*Status]))
        most = check.possible if status in (Status.PASSED, Status.PARTIAL) else 0
        if draw(st.booleans()):
            made.append(found(check, status, draw(st.integers(0, most))))
    return made


@st.composite
def answers_of(draw: st.DrawFn) -> list[Answer]:
    made = []
    for name, question in assignment().rubric.questions.items():
        marks = {
            one.id: Mark(name, one.id, draw(st.integers(0, one.possible)))
            for one in question.criteria
            if draw(st.booleans())
        }
        made.append(Answer(name, "found", None, "", (), draw(st.sampled_from([{}, marks]))))
    return made


lates = st.builds(
    Late,
    by_s=st.none() | st.integers(-(10**6), 10**7),
    late=st.none() | st.booleans(),
)
policies = st.fixed_dictionaries(
    {
        "flat": st.sampled_from([0.0, 0.25, 0.3, 1.0]),
        "per_day": st.sampled_from([0.0, 0.1, 0.5]),
        "at_most": st.sampled_from([1.0, 1.5, 5.0]),
        "refuse_after_days": st.sampled_from([None, 0, 7]),
    }
)


@settings(deadline=None, max_examples=150)
@given(findings_of(), answers_of(), lates, policies)
def test_scores_are_always_sound(
    findings: list[Finding], given_answers: list[Answer], when: Late, policy: dict[str, Any]
) -> None:
    """Earned and pending fit in the total, the range holds the value, pending means no value."""
    done = score(changed(**policy), findings, given_answers, when)

    assert 0 <= done.earned <= done.total
    assert 0 <= done.pending <= done.total - done.earned
    assert Decimal(0) <= done.lowest <= done.highest <= Decimal(5)
    assert done.value is None or done.lowest == done.value == done.highest
    assert not (done.pending and done.value is not None)
    assert Decimal(0) <= done.deduction <= Decimal(str(policy["at_most"]))


@settings(deadline=None, max_examples=60)
@given(findings_of(), answers_of(), lates)
def test_more_points_never_lower_a_grade(
    findings: list[Finding], given_answers: list[Answer], when: Late
) -> None:
    """Deciding everything for the student gives the highest end of the range."""
    open_ = score(assignment(), findings, given_answers, when)
    judged = {one.check: one for one in findings}
    generous = [
        judged[check.name]
        if check.name in judged and judged[check.name].status in SETTLED
        else found(check, Status.PASSED, check.possible)
        for check in assignment().spec.checks
    ]
    given = {one.question: one.marks for one in given_answers}
    full = [
        Answer(
            name,
            "found",
            None,
            "",
            (),
            {
                one.id: given[name].get(one.id, Mark(name, one.id, one.possible))
                for one in question.criteria
            },
        )
        for name, question in assignment().rubric.questions.items()
    ]

    assert open_.highest == score(assignment(), generous, full, when).highest
