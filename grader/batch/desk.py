"""Concludes what was gathered of a student and writes the files; the gradebook is only read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import __version__
from grader.assignment import Assignment
from grader.batch.engines import Stopped
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook, HandedIn
from grader.grading import Gathered, Override, conclude, our_fault, template_of
from grader.keyfile import own_key
from grader.notebook import Notebook
from grader.result import Graded, Mark, Student, result_json
from grader.scoring import Late

if TYPE_CHECKING:
    from grader.signing import Key

Decided = tuple[tuple[Override, ...], tuple[Mark, ...]]  # by people


@dataclass(frozen=True)
class Desk:
    """One class's assignment, gradebook and folder; reports are signed where there is a key."""

    assignment: Assignment
    dataset: Dataset
    gradebook: Gradebook
    out: Path
    language: str
    template: Notebook | None = field(init=False)
    key: Key | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "template", template_of(self.assignment))
        object.__setattr__(self, "key", own_key())

    def scored_by(self, student: Student) -> str:
        """Return what a submission is scored by: assignment, language, key, name, marks, …"""
        late = self.gradebook.register.handed_in(student.id).late
        decided = self.gradebook.overrides(student.id), self.gradebook.marks.of(student.id)
        return self._scored_by(student, late, decided)

    def all_scored_by(self) -> Callable[[Student], str]:
        """Return `scored_by` for a whole class, which the gradebook is asked for once."""
        handed_in = self.gradebook.register.all_handed_in()
        marks = self.gradebook.marks.all()
        overrides: dict[str, tuple[Override, ...]] = {}
        for event in self.gradebook.events():
            overrides[event.student] = (*overrides.get(event.student, ()), event.override)

        def scored_by(student: Student) -> str:
            late = handed_in.get(student.id, HandedIn()).late
            decided = overrides.get(student.id, ()), marks.get(student.id, ())
            return self._scored_by(student, late, decided)

        return scored_by

    def stale(self) -> list[Student]:
        """Return whose files say something else than assignment, marks and the rest say now.

        Those with a fault of ours are not among them: they are done again by `grader grade`.
        """
        scored_by = self.all_scored_by()
        return [
            student
            for student, standing in self.gradebook.standings_of_students()
            if standing.scored and standing.scored != scored_by(student)
        ]

    def _scored_by(self, student: Student, late: Late, decided: Decided) -> str:
        ours = f"{self.assignment.sha256}{self.language}{__version__}"
        parts = f"{ours}{self.key.id if self.key else ''}{student.name!r}{late}{decided}"
        return hashlib.sha256(parts.encode()).hexdigest()

    def write(
        self, student: Student, gathered: Gathered, *, ran: bool
    ) -> tuple[dict[str, Any], bool]:
        """Write a student's files; return the result.json, and whether judging failed.

        Where judging or the report fails, the files say that the fault is ours, and one poisoned
        submission does not stop the class.

        Args:
            ran: the notebook has run since the files were written (`report.files`).

        Raises:
            OSError: the disk is full or read-only.
            Stopped: not even that can be written.
        """
        from grader.report.files import write_student  # draws: matplotlib takes half a second

        overrides = self.gradebook.overrides(student.id)
        marks = self.gradebook.marks.of(student.id)
        late = self.gradebook.register.handed_in(student.id).late

        def written(gathered: Gathered) -> Graded:
            graded = conclude(
                self.assignment, self.template, gathered, student, late, overrides, marks
            )
            write_student(self.out, gathered, graded, self.language, self.dataset, ran, self.key)
            return graded

        failed = False
        try:
            graded = written(gathered)
        except OSError:
            raise  # a full disk is nobody's submission
        except Exception as error:  # noqa: BLE001 - the border between students
            said = our_fault(f"{type(error).__name__}: {error}")
            failed = True
            graded = self._as_fault(written, replace(gathered, problem=said, fault=True))
        return result_json(graded, self.language), failed

    @staticmethod
    def _as_fault(written: Callable[[Gathered], Graded], gathered: Gathered) -> Graded:
        try:
            return written(gathered)
        except OSError:
            raise
        except Exception as error:  # every other student's report would meet it too
            raise Stopped.by(error) from error
