"""The checks: evidence in, findings out. Pure; one file for each family.

`KINDS` names every kind of check that assignment.toml may ask for. The five aspects of an
experiment are judged together, because which training serves which experiment depends on all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.checks.experiments import Choice, Trainings
from grader.checks.judging import (
    BLOCKING,
    Case,
    Outcome,
    finding,
    guarded,
    skipped,
    unread,
    unseen,
    why_missing,
)
from grader.checks.kinds import KINDS
from grader.evidence import Evidence, Run
from grader.findings import Finding, Flag, Status

__all__ = ["KINDS", "Verdict", "judge"]


@dataclass(frozen=True)
class Verdict:
    """What the checks say about one notebook.

    Attributes:
        findings: in the order of assignment.toml.
        experiments: the `id` of the run that serves each experiment, None where there is none.
        flags: what a person should look at.
    """

    findings: tuple[Finding, ...]
    experiments: dict[str, int | None]
    flags: tuple[Flag, ...]


def judge(assignment: Assignment, evidence: Evidence) -> Verdict:
    """Judge one notebook's evidence by every check of the assignment."""
    choice = _choose(assignment, evidence)
    runs: Mapping[str, Run | None] = {}
    flags: tuple[Flag, ...] = ()
    if not isinstance(choice, Exception):
        runs, flags = choice.runs, choice.flags
    reason = why_missing(evidence)
    findings: dict[str, Finding] = {}
    for check in assignment.spec.checks:
        case = Case(assignment, evidence, check, runs)
        outcome = _outcome(case, choice)
        blocking = [needed for needed in check.needs if findings[needed].status in BLOCKING]
        if blocking and outcome.status not in BLOCKING:
            outcome = skipped(assignment.check(blocking[0]))
        findings[check.name] = finding(check, outcome, reason)
    experiments = {one.id: _id(runs.get(one.id)) for one in assignment.spec.experiments}
    return Verdict(tuple(findings.values()), experiments, flags)


def _id(run: Run | None) -> int | None:
    return run.id if run else None


def _choose(assignment: Assignment, evidence: Evidence) -> Choice | Exception:
    try:
        return Trainings(assignment, evidence).choose()
    except Exception as error:  # noqa: BLE001 - the border: see `guarded`
        return error


def _outcome(case: Case, choice: Choice | Exception) -> Outcome:
    if case.evidence.lost:
        return unseen(case.check)
    found = _seen(case, choice)
    missing = found.status in (Status.FAILED, Status.PARTIAL, Status.NOT_ATTEMPTED)
    return unread(case.check) if case.evidence.unread and missing else found


def _seen(case: Case, choice: Choice | Exception) -> Outcome:
    if KINDS[case.check.kind].aspect:
        return guarded(lambda case: _of_experiment(case, choice), case)
    return guarded(KINDS[case.check.kind].judge, case)


def _of_experiment(case: Case, choice: Choice | Exception) -> Outcome:
    if isinstance(choice, Exception):
        raise choice
    experiment, _, aspect = case.check.name.partition(".")
    return choice.outcomes[experiment][aspect]
