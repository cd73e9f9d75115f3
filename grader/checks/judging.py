"""What every check is given, what it answers, and how an answer becomes a finding.

A check is a function `Case -> Outcome`. It reads evidence and never runs, measures or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.assignment import Assignment, Check
from grader.evidence import CellRun, Evidence, Run
from grader.findings import Finding, Status
from grader.locale import Readable, T, Text

STEP = 25  # hundredths: partial points come in quarters of a point
BLOCKING = (Status.FAILED, Status.SKIPPED, Status.NOT_ATTEMPTED)
STOPPED = ("error", "timeout", "killed")


@dataclass(frozen=True)
class Case:
    """One check and all that it may look at.

    Attributes:
        chosen: the run that serves each experiment, None where no training was found.
    """

    assignment: Assignment
    evidence: Evidence
    check: Check
    chosen: Mapping[str, Run | None]

    @property
    def classes(self) -> int:
        """How many classes the dataset has."""
        return len(self.assignment.spec.dataset.classes)

    @property
    def train(self) -> tuple[int, int]:
        """Global row numbers of the training split, half-open."""
        return self.evidence.splits.get(self.assignment.spec.dataset.train, (0, 0))

    @property
    def test(self) -> tuple[int, int]:
        """Global row numbers of the test split, half-open."""
        return self.evidence.splits.get(self.assignment.spec.dataset.test, (0, 0))

    def said(self, name: str) -> Readable | str:
        """Return how a split is called in a sentence."""
        dataset = self.assignment.spec.dataset
        known = {dataset.train: T("the training data"), dataset.test: T("the test data")}
        return known.get(name, name)

    def split(self, name: str) -> tuple[int, int]:
        """Return the global row numbers of one split, half-open."""
        return self.evidence.splits.get(name, (0, 0))

    @property
    def used_runs(self) -> tuple[Run, ...]:
        """The runs that serve an experiment, each once."""
        return tuple({run.id: run for run in self.chosen.values() if run is not None}.values())


@dataclass(frozen=True)
class Outcome:
    """What one check says; points in hundredths."""

    status: Status
    expected: Readable
    observed: Readable
    earned: int = 0
    cell: int | None = None
    run: int | None = None
    hint: Readable | None = None
    remark: Readable | None = None


Judge = Callable[[Case], Outcome]


def graded(possible: int, share: float, **said: object) -> Outcome:
    """Return a passed, partial or failed outcome for a share (0 to 1) of the points."""
    earned = share_of(possible, share)
    status = Status.PASSED if share >= 1 else Status.PARTIAL if earned else Status.FAILED
    return Outcome(status, earned=earned, **said)  # type: ignore[arg-type]


def share_of(possible: int, share: float) -> int:
    """Return a share of the points in hundredths; less than all is rounded down to a quarter."""
    if share >= 1:
        return possible
    # the small number keeps 0.3 * 100 = 29.999… at 30 before rounding down
    return int(possible * max(share, 0.0) + 1e-9) // STEP * STEP


def guarded(judge: Judge, case: Case) -> Outcome:
    """Judge one case; what breaks in the check is ours, says so, and costs nobody points."""
    try:
        return judge(case)
    except Exception as error:  # noqa: BLE001 - the border: one broken check must not take the rest
        return Outcome(
            Status.GRADER_ERROR,
            expected=case.check.title.text,
            observed=T(
                "This check broke while it looked at your notebook ({error}). "
                "It is a fault of the grader, not yours; your points wait until it is repaired.",
                error=f"{type(error).__name__}: {error}"[:200],
            ),
        )


def unread(check: Check) -> Outcome:
    """Return the outcome of a check whose evidence may be among records that were not read."""
    return _undecided(
        check,
        T(
            "The notebook left more records of its run than are read, and what this point asks for "
            "was not among those that were. A person decides."
        ),
        T(
            "Look for cells that call the model, or draw figures, thousands of times; one call "
            "with all the images says the same."
        ),
    )


def unseen(check: Check) -> Outcome:
    """Return the outcome of a check of a run whose record is gone: a person has to say."""
    return _undecided(
        check,
        T(
            "The notebook ran, but the record of its run is gone, so nothing is known about this "
            "point. A person decides."
        ),
        T(
            "Look for cells that end the notebook's process, or that write, move or delete files "
            "in the folder in which it runs."
        ),
    )


def _undecided(check: Check, observed: Text, hint: Text) -> Outcome:
    return Outcome(Status.NEEDS_REVIEW, check.title.text, observed, hint=hint)


def skipped(needed: Check) -> Outcome:
    """Return the outcome of a check whose prerequisite failed."""
    return Outcome(
        Status.SKIPPED,
        expected=T("First you need to pass “{title}”.", title=needed.title.text),
        observed=T("Not checked, because “{title}” has not passed yet.", title=needed.title.text),
        hint=needed.hint.text,
    )


def finding(check: Check, outcome: Outcome, reason: Readable | None = None) -> Finding:
    """Make an outcome a finding; `reason` says why evidence may be missing."""
    observed = outcome.observed
    missing = outcome.status is Status.NOT_ATTEMPTED or (
        outcome.status is Status.FAILED and check.basis == "observed"
    )
    if reason is not None and missing:
        observed = together(observed, reason)
    own_only = outcome.status in (Status.PASSED, Status.GRADER_ERROR)
    return Finding(
        check=check.name,
        status=outcome.status,
        basis=check.basis,
        earned=outcome.earned,
        possible=check.possible,
        title=check.title.text,
        expected=outcome.expected,
        observed=observed,
        cell=outcome.cell,
        run=outcome.run,
        hint=outcome.hint if own_only else outcome.hint or check.hint.text,
        remark=outcome.remark,
    )


def together(*sentences: Readable | None) -> Readable:
    """Return one text that says all the sentences one after the other."""
    said = [sentence for sentence in sentences if sentence is not None]
    if not said:
        raise ValueError("no sentence to say")
    whole = said[0]
    for sentence in said[1:]:
        whole = T("{first} {second}", first=whole, second=sentence)
    return whole


def all_of(sentences: list[Readable]) -> Readable | None:
    """Return the sentences as one text, None when there is none."""
    return together(*sentences) if sentences else None


def epochs(count: int) -> Readable:
    """Return a number of epochs in words."""
    return T("1 epoch") if count == 1 else T("{count} epochs", count=count)


def why_missing(evidence: Evidence) -> Readable | None:
    """Say which cell ended the notebook early, or which ended in an error; None when none did."""
    stopped = [cell for cell in evidence.cells if cell.status in STOPPED]
    unrun = next((cell for cell in evidence.cells if cell.status == "not_run"), None)
    if unrun is not None:
        before = [cell for cell in stopped if cell.index < unrun.index]
        if not before:
            first = evidence.called(unrun.index)
            return T("The notebook stopped early: from {cell} on nothing was run.", cell=first)
        last = before[-1]
        return T(
            "The notebook stopped at {cell} ({how}), so the cells after it were not run.",
            cell=evidence.called(last.index),
            how=_how(last),
        )
    if stopped:
        cells = [
            T("[{number}] ({how})", number=evidence.number(cell.index), how=_how(cell))
            for cell in stopped[:4]
        ]
        return T("Not every cell ran to its end: {cells}.", cells=cells)
    return None


def _how(cell: CellRun) -> Readable | str:
    if cell.status == "timeout":
        return T("it took longer than the time limit")
    if cell.status == "killed":
        return T("the notebook's process ended, perhaps for lack of memory")
    return cell.error or T("it ended in an error")
