"""Scoring anew: what a run left is judged again, in processes side by side; nothing runs.

Each process reads the gradebook and writes students' files; who asked writes the gradebook.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from grader.batch.desk import Desk
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.loading import load_assignment
from grader.result import Student
from grader.sampling import wanted

FEW = 8  # fewer are scored before another process has started


def score(desk: Desk, student: Student) -> str | int:
    """Write a student's files from what the latest run left; return the result.json.

    Returns:
        A number where that must be done elsewhere: how many trainings from other seeds are
        missing, or 0 where judging failed.
    """
    kept = desk.gradebook.entry(student.id).gathered
    if kept.notebook is not None and not kept.fault:
        missing = len(set(wanted(desk.assignment, kept.evidence)))
        if missing:
            return missing
    gathered, result = desk.write(student, kept, ran=False)
    return 0 if gathered is not kept else json.dumps(result, ensure_ascii=False)


def rescored(desk: Desk, students: Sequence[Student], processes: int) -> Iterator[str | int]:
    """Yield what `score` returns for each student, in their order; 0 where a process was lost."""
    if len(students) < FEW or processes < 2:
        yield from (score(desk, student) for student in students)
        return
    words = (desk.out, desk.assignment.folder, desk.language, desk.dataset)
    done = 0
    try:
        with ProcessPoolExecutor(processes, get_context("spawn"), _open, words) as pool:
            for found in pool.map(_score, students, chunksize=4):
                done += 1
                yield found
    except BrokenProcessPool:
        yield from [0] * (len(students) - done)


_desks: list[Desk] = []  # of this process: one, from its start on


def _open(out: Path, folder: Path, language: str, dataset: Dataset) -> None:
    _desks.append(Desk(load_assignment(folder), dataset, Gradebook(out), out, language))


def _score(student: Student) -> str | int:
    return score(_desks[0], student)
