"""`grader grade` as people see it: the preconditions, progress, a small table, where to look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.assignment import Assignment
from grader.batch.classroom import (
    Machine,
    Outcome,
    Waiting,
    grade_class,
    needs_attention,
    sort,
    write_grades,
)
from grader.dataset.store import Dataset
from grader.delegation import Memory
from grader.delegation.audit import Audit, audit
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.grading import TRAINER_SLOTS, open_service
from grader.intake import submissions
from grader.locale import Readable, T, Translator
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
    fresh = not (out / FILE).exists()
    if fresh:  # everybody must run
        _need_walls()
    out.mkdir(parents=True, exist_ok=True)
    console, say = Console(highlight=False), Translator(language)
    for ignored in intake.ignored:
        console.print(escape(f"{ignored.shown}: {say(ignored.reason)}"), style="dim")

    def seeds(count: int) -> None:
        console.print(
            escape(say(T("Trainings from other seeds still to do: {count}.", count=count)))
        )
        if count:
            _need_walls()

    slots = workers or default_workers()
    machine = Machine(Level.STANDARD, slots, default_kernels(), train_in_kernel=train_in_kernel)
    with Gradebook(out, assignment, language) as gradebook:
        waiting = sort(intake.submissions, assignment, gradebook, machine, language)
        if waiting.kept or waiting.to_score:
            console.print(escape(say(_again(waiting))))
        if waiting.to_run and not fresh:
            _need_walls()
        attention, began, ran = False, time.monotonic(), 0
        for outcome in grade_class(
            waiting,
            assignment,
            dataset,
            machine,
            gradebook,
            out,
            language,
            lambda submission: console.print(
                escape(say(T("{name}: running", name=submission.name))), style="dim"
            ),
            seeds,
        ):
            attention |= needs_attention(outcome.result)
            if outcome.how == "run":
                ran += 1
                seconds = (time.monotonic() - began) / ran * (len(waiting.to_run) - ran)
                console.print(escape(_line(outcome, seconds, say)))
        gradebook.add_missing(intake.missing)
        results, missing = gradebook.results(), gradebook.missing()
    write_grades(out / "grades.csv", results, missing)
    for student in missing:
        console.print(escape(say(T("{name}: handed in no notebook", name=student.name))))
    _print_class(console, results, out, say)
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


def _again(waiting: Waiting) -> Readable:
    return T(
        "{kept} stand as they are, {scored} are scored anew from what their run left, {run} must "
        "run.",
        kept=len(waiting.kept),
        scored=len(waiting.to_score),
        run=len(waiting.to_run),
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


def _line(outcome: Outcome, left: float, say: Translator) -> str:
    return say(
        T(
            "{number} of {total}: {name}, {points}; about {minutes:.0f} min left",
            number=outcome.number, total=outcome.of, name=outcome.submission.name,
            points=_points(outcome.result, say), minutes=left / 60,
        )
    )  # fmt: skip


def _points(result: dict[str, Any], say: Translator) -> str:
    if result["problem"] is not None:
        return str(result["problem"])
    points = result["points"]
    return f"{say.number(points['earned'], 2)} / {say.number(points['possible'], 0)}"


def _print_class(console: Console, results: list[dict], out: Path, say: Translator) -> None:  # type: ignore[type-arg]
    table = Table(box=None, pad_edge=False)
    headers = (T("student"), T("state"), T("points"), T("grade so far"))
    for header in headers:
        table.add_column(say(header), justify="left", overflow="fold")
    for result in results:
        points, grade = result["points"], result["grade"]
        low, high = (say.number(value, 1) for value in grade["range"])
        student = result["student"]["id"]
        table.add_row(
            escape(student),
            result["state"],
            f"{say.number(points['earned'], 2)} / {say.number(points['possible'], 0)}",
            low if low == high else f"{low} – {high}",
        )
    console.print(table)
    example = out / "students" / results[0]["student"]["id"] / "report.html"
    console.print(
        escape(
            say(
                T(
                    "Open a report, such as {path}; all points stand in {csv}.",
                    path=str(example),
                    csv=str(out / "grades.csv"),
                )
            )
        ),
        soft_wrap=True,
    )
