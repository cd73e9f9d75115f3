"""`grader grade` on a folder: its preconditions, and the way through a class."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from grader.assignment import Assignment
from grader.batch.classroom import Machine, grade_class, needs_attention, sort, write_grades
from grader.batch.screen import Screen
from grader.dataset.store import Dataset
from grader.delegation import Memory
from grader.delegation.audit import Audit, audit
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.grading import TRAINER_SLOTS, open_service
from grader.intake import submissions
from grader.locale import Translator
from grader.sandbox import Level, WallsError, probe

MEMORY_EACH_MB = 3000
KERNEL_MB = 1500  # of a notebook whose trainings are delegated


def grade_folder(
    source: Path,
    out: Path,
    assignment: Assignment,
    dataset: Dataset,
    language: str,
    workers: int | None,
    train_in_kernel: bool = False,
) -> bool:
    """Grade a folder of notebooks; return whether a person must look at some.

    Raises:
        WallsError: something must run, and this machine offers no walls.
        IntakeError: there is nothing to grade at `source`.
    """
    intake = submissions(source, assignment.spec.notebook)
    walls = cache(_need_walls)  # attacking them takes a second, so only where something must run
    if not (out / FILE).exists():
        walls()
    out.mkdir(parents=True, exist_ok=True)
    screen = Screen(Translator(language))
    screen.ignored(intake.ignored)
    slots = workers or default_workers()
    machine = Machine(Level.STANDARD, slots, default_kernels(), train_in_kernel=train_in_kernel)

    def seeds(count: int) -> None:
        screen.seeds(count)
        if count:
            walls()

    attention = False
    with Gradebook(out, assignment, language) as gradebook:
        waiting = sort(intake.submissions, assignment, gradebook, machine, language)
        screen.begins(waiting)
        if waiting.to_run:
            walls()
        for outcome in grade_class(
            waiting, assignment, dataset, machine, gradebook, out, language, screen.running, seeds
        ):
            attention |= needs_attention(outcome.result)
            screen.finished(outcome)
        gradebook.add_missing(intake.missing)
        results, missing = gradebook.results(), gradebook.missing()
    write_grades(out / "grades.csv", results, missing)
    screen.ends(results, missing, out)
    return attention


def _need_walls() -> None:
    found = probe()
    if found.level is not Level.STANDARD:
        raise WallsError(
            "a class is graded behind walls only, "
            f"and this machine offers {found.level}: {found.reason}"
        )


def audit_memory(
    assignment: Assignment, dataset: Dataset, share: float, say: Callable[[str], None]
) -> Audit:
    """Repeat a share of the remembered trainings (see `delegation.audit`)."""
    level = probe().level
    return audit(
        Memory(), lambda memory: open_service(assignment, dataset, level, 1, memory), share, say
    )


def default_kernels() -> int:
    """Return how many notebooks are in flight: as many as memory holds, for most of them wait."""
    return max(1, min(TRAINER_SLOTS, _memory_mb() // KERNEL_MB))


def default_workers() -> int:
    """Return how many submissions this machine runs at the same time."""
    return max(1, min(os.cpu_count() or 1, _memory_mb() // MEMORY_EACH_MB))


def _memory_mb() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError, AttributeError):
        return MEMORY_EACH_MB
