"""Scoring anew: what a run left is judged again, in processes side by side; nothing runs.

Each process reads the gradebook and writes students' files; who asked writes the gradebook.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Self, TypeVar

from grader.batch.desk import Desk
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.loading import load_assignment
from grader.result import Student
from grader.sampling import wanted

Answer = TypeVar("Answer")
AHEAD = 4  # students that wait at each other process
FEW = 8  # fewer are scored before another process has started


def score(desk: Desk, student: Student) -> str | int:
    """Write a student's files from what the latest run left; return the result.json.

    Returns:
        A number where that must be done elsewhere: how many trainings from other seeds are
        missing, or 0 where judging failed.
    """
    kept = desk.gradebook.gathered(student.id)
    if kept is None:
        return 0
    if kept.notebook is not None and not kept.fault:
        try:
            missing = len(set(wanted(desk.assignment, kept.evidence)))
        except Exception:  # noqa: BLE001 - the border between students
            return 0
        if missing:
            return missing
    result, failed = desk.write(student, kept, ran=False)
    return 0 if failed else json.dumps(result, ensure_ascii=False)


def rescored(
    desk: Desk, students: Sequence[Student], processes: int
) -> Iterator[tuple[Student, str | int]]:
    """Yield each student with what `score` returns; 0 where a process was lost.

    This process begins with the first student, the others, which start meanwhile, with the last.
    """
    if len(students) < FEW or processes < 2:
        yield from ((student, score(desk, student)) for student in students)
        return
    left = deque(students)
    begun: dict[Future[str | int], Student] = {}
    with scorers(desk, processes - 1) as pool:
        while left:
            # not all at once and then cancelled: a pool that breaks chokes on cancelled work
            with suppress(BrokenProcessPool):
                while len(left) > 1 and len(begun) < AHEAD * (processes - 1):
                    begun[pool.submit(_score, left[-1])] = left[-1]
                    left.pop()
            student = left.popleft()
            yield student, score(desk, student)
            for future in [future for future in begun if future.done()]:
                yield begun.pop(future), _found(future)
        yield from ((student, _found(future)) for future, student in begun.items())


def scorers(desk: Desk, processes: int) -> ProcessPoolExecutor:
    """Return processes with a desk of their own each, for `rescored` and `rewritten`."""
    words = (desk.out, desk.assignment.folder, desk.language, desk.dataset)
    return ProcessPoolExecutor(processes, get_context("spawn"), _open, words)


class Scorers:
    """One of the `scorers`' processes, begun anew where it was lost."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pool = scorers(desk, 1)

    def submit(self, do: Callable[..., Answer], *given: object) -> Future[Answer]:
        """Have something done there."""
        return self._pool.submit(do, *given)

    def result(self, do: Callable[..., Answer], *given: object) -> Answer:
        """Have something done there and wait for it; once more where the process was lost."""
        try:
            return self._pool.submit(do, *given).result()
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = scorers(self._desk, 1)
            return self._pool.submit(do, *given).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()


def rewritten(student: Student) -> tuple[str, bool]:
    """In one of the `scorers`: write a student's files from what stands in the gradebook.

    Returns:
        The result.json, and whether judging failed.
    """
    entry = _desks[0].gradebook.entry(student.id)
    result, failed = _desks[0].write(entry.student, entry.gathered, ran=False)
    return json.dumps(result, ensure_ascii=False), failed


def _found(future: Future[str | int]) -> str | int:
    try:
        return future.result()
    except BrokenProcessPool:
        return 0


_desks: list[Desk] = []  # of this process: one, from its start on


def _open(out: Path, folder: Path, language: str, dataset: Dataset) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    os.nice(5)  # somebody may be marking beside it
    _desks.append(Desk(load_assignment(folder), dataset, Gradebook(out), out, language))


def _end_with_parent() -> None:
    """A pool's process waits forever for work where who asked was killed."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _score(student: Student) -> str | int:
    return score(_desks[0], student)
