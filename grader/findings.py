"""What the checks say: one finding for each check, with its points in integer hundredths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from grader.locale import Readable

Basis = Literal["measured", "observed"]


class Status(StrEnum):
    """How a check ended; only the last two make its points pending."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    SKIPPED = "skipped"
    NEEDS_REVIEW = "needs_review"
    GRADER_ERROR = "grader_error"

    @property
    def pending(self) -> bool:
        """Whether a person or a repaired grader must still decide the points."""
        return self in (Status.NEEDS_REVIEW, Status.GRADER_ERROR)


@dataclass(frozen=True)
class Finding:
    """One check's outcome.

    Attributes:
        check: the check's name in assignment.toml, such as `baseline.accuracy`.
        earned, possible: points in hundredths; `earned` is 0 for a pending finding.
        title: the sentence that the student reads.
        expected, observed, hint: what was wanted, what was seen (with the distance), what to try.
        cell: the index of the notebook's cell to look at.
        run: the `id` of the run that was judged.
        remark: what is worth knowing although it costs nothing.
        overridden: why a person gave the points.
        alone: the points in hundredths that the run gave where a person gave others.
    """

    check: str
    status: Status
    basis: Basis
    earned: int
    possible: int
    title: Readable
    expected: Readable
    observed: Readable
    cell: int | None = None
    run: int | None = None
    hint: Readable | None = None
    remark: Readable | None = None
    overridden: str | None = None
    alone: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.earned <= self.possible:
            raise ValueError(f"{self.check}: {self.earned} of {self.possible} hundredths")
        if self.earned and self.status not in (Status.PASSED, Status.PARTIAL):
            raise ValueError(f"{self.check}: {self.status} cannot earn points")

    def decided(self, earned: int, because: str) -> Finding:
        """Return this finding with a person's points, which always win."""
        status = (
            Status.PASSED
            if earned == self.possible
            else Status.PARTIAL
            if earned
            else Status.FAILED
        )
        return replace(self, status=status, earned=earned, overridden=because, alone=self.earned)


@dataclass(frozen=True)
class Flag:
    """Something a person should look at; it says what was seen and accuses nobody."""

    kind: str
    detail: Readable
    run: int | None = None
