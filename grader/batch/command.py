"""`grader grade` as people see it: the preconditions, progress, a small table, where to look."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grader.assignment import Assignment
from grader.batch.classroom import Outcome, grade_class, needs_attention, write_grades
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.intake import submissions
from grader.locale import T, Translator
from grader.result import Graded
from grader.sandbox import Level, WallsError, probe

MEMORY_EACH_MB = 3000


def grade_folder(
    source: Path,
    out: Path,
    assignment: Assignment,
    dataset: Dataset,
    language: str,
    workers: int | None,
) -> bool:
    """Grade a folder of notebooks; return whether a person must look at some.

    Raises:
        WallsError: this machine offers no walls; a class is not graded without them.
        IntakeError: there is nothing to grade at `source`.
    """
    intake = submissions(source, assignment.spec.notebook)
    found = probe()
    if found.level is not Level.STANDARD:
        raise WallsError(
            "a class is graded behind walls only, "
            f"and this machine offers {found.level}: {found.reason}"
        )
    out.mkdir(parents=True, exist_ok=True)
    console, say = Console(highlight=False), Translator(language)
    for ignored in intake.ignored:
        console.print(escape(f"{ignored.shown}: {say(ignored.reason)}"), style="dim")
    began = time.monotonic()
    attention = False
    for outcome in grade_class(
        intake.submissions,
        assignment,
        dataset,
        found.level,
        out,
        language,
        workers or default_workers(),
        lambda submission: console.print(
            escape(say(T("{name}: running", name=submission.name))), style="dim"
        ),
    ):
        attention |= needs_attention(outcome.graded)
        console.print(escape(_line(outcome, time.monotonic() - began, say)))
    with Gradebook(out) as gradebook:
        gradebook.add_missing(intake.missing)
        entries, missing = gradebook.entries(), gradebook.missing()
    write_grades(out / "grades.csv", [entry.result for entry in entries], missing)
    for student in missing:
        console.print(escape(say(T("{name}: handed in no notebook", name=student.name))))
    _print_class(console, [entry.result for entry in entries], out, say)
    return attention


def default_workers() -> int:
    """Return how many submissions this machine runs at the same time."""
    return max(1, min(os.cpu_count() or 1, _memory_mb() // MEMORY_EACH_MB))


def _memory_mb() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError, AttributeError):
        return MEMORY_EACH_MB


def _line(outcome: Outcome, seconds: float, say: Translator) -> str:
    left = seconds / outcome.number * (outcome.of - outcome.number)
    return say(
        T(
            "{number} of {total}: {name}, {points}; about {minutes:.0f} min left",
            number=outcome.number, total=outcome.of, name=outcome.submission.name,
            points=_points(outcome.graded, say), minutes=left / 60,
        )
    )  # fmt: skip


def _points(graded: Graded, say: Translator) -> str:
    if graded.problem is not None:
        return say(graded.problem)
    score = graded.score
    return f"{say.number(score.earned / 100, 2)} / {say.number(score.possible / 100, 0)}"


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
