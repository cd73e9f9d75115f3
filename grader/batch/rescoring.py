"""Scoring anew: what a run left is judged again and its files are written, in processes side by
side. Nothing runs, and the gradebook is only read; whoever asked writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import conclude, template_of
from grader.loading import load_assignment
from grader.report.files import write_student
from grader.result import Student, result_json
from grader.sampling import wanted

FEW = 8  # fewer are scored before another process has started


class Desk:
    """Scores one student after the other.

    Args:
        out: the class's folder.
        folder: the assignment's.
    """

    def __init__(self, out: Path, folder: Path, language: str, dataset: Dataset) -> None:
        self.out, self.language, self.dataset = out, language, dataset
        self.assignment: Assignment = load_assignment(folder)
        self.template = template_of(self.assignment)
        self.gradebook = Gradebook(out)

    def score(self, student: Student) -> str | int:
        """Write a student's files; return the result.json.

        Returns:
            A number where that must be done elsewhere: of the trainings from other seeds that are
            missing, 0 where scoring failed.
        """
        try:
            gathered = self.gradebook.entry(student.id).gathered
            if gathered.notebook is not None and not gathered.fault:
                missing = len(set(wanted(self.assignment, gathered.evidence)))
                if missing:
                    return missing
            marks = self.gradebook.overrides(student.id)
            graded = conclude(self.assignment, self.template, gathered, student, overrides=marks)
            write_student(self.out, gathered, graded, self.language, self.dataset, ran=False)
            return json.dumps(result_json(graded, self.language), ensure_ascii=False)
        except Exception:  # noqa: BLE001 - the process's border: it is tried again where it is told
            return 0


def rescored(
    students: Sequence[Student], desk: tuple[Path, Path, str, Dataset], processes: int
) -> Iterator[str | int]:
    """Yield what `Desk.score` returns for each student, in their order.

    Args:
        desk: the arguments of `Desk`.
    """
    if len(students) < FEW or processes < 2:
        here = Desk(*desk)
        yield from map(here.score, students)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _open, desk) as pool:
        yield from pool.map(_score, students, chunksize=4)


_desks: list[Desk] = []  # of this process: one, from its start on


def _open(out: Path, folder: Path, language: str, dataset: Dataset) -> None:
    _desks.append(Desk(out, folder, language, dataset))


def _score(student: Student) -> str | int:
    return _desks[0].score(student)
