"""Concludes what was gathered of a student and writes the files; the gradebook is only read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered, conclude, template_of
from grader.locale import T
from grader.notebook import Notebook
from grader.report.files import write_student
from grader.result import Graded, Student, result_json


@dataclass(frozen=True)
class Desk:
    """One class's assignment, gradebook and folder."""

    assignment: Assignment
    dataset: Dataset
    gradebook: Gradebook
    out: Path
    language: str
    template: Notebook | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "template", template_of(self.assignment))

    def write(
        self, student: Student, gathered: Gathered, *, ran: bool
    ) -> tuple[Gathered, dict[str, Any]]:
        """Write a student's files; return what they rest on, and the result.json.

        Where judging or the report fails, what they rest on is our fault, and one poisoned
        submission does not stop the class.

        Args:
            ran: the notebook has run since the files were written (`report.files`).
        """
        marks = self.gradebook.overrides(student.id)

        def written(gathered: Gathered) -> Graded:
            graded = conclude(self.assignment, self.template, gathered, student, overrides=marks)
            write_student(self.out, gathered, graded, self.language, self.dataset, ran)
            return graded

        try:
            graded = written(gathered)
        except OSError:
            raise  # a full disk is nobody's submission
        except Exception as error:  # noqa: BLE001 - the border between students
            said = T(
                "The grader failed: {problem}. This is our fault and costs no points.",
                problem=f"{type(error).__name__}: {error}",
            )
            gathered = replace(gathered, problem=said, fault=True)
            graded = written(gathered)
        return gathered, result_json(graded, self.language)
