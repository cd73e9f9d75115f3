"""One class on one machine: workers side by side, one bad file never stops the others."""

from __future__ import annotations

import csv
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered, Grading, Override, conclude, template_of
from grader.intake import IntakeError, Submission, read_file
from grader.locale import T
from grader.notebook import Notebook
from grader.report.files import write_student
from grader.result import Graded, NotebookFile, State, Student, result_json
from grader.sandbox import Level
from grader.unreadable import Unreadable

MISSING = "missing"
COLUMNS = (
    "student",
    "name",
    "state",
    "earned",
    "possible",
    "pending",
    "total",
    "grade",
    "lowest",
    "highest",
)


@dataclass(frozen=True)
class Outcome:
    """One finished submission, with its place among all."""

    number: int
    of: int
    submission: Submission
    graded: Graded


class Stopped(Exception):
    """The batch cannot go on; what is done is kept in the gradebook and in the files."""


def grade_class(
    submissions: tuple[Submission, ...],
    assignment: Assignment,
    dataset: Dataset,
    level: Level,
    out: Path,
    language: str,
    workers: int,
    started: Callable[[Submission], None] = lambda submission: None,
) -> Iterator[Outcome]:
    """Grade each submission; yield each when its files and its row in the gradebook are written.

    Args:
        out: the class's folder (design.md, *Output folder*); made when it is missing.
        workers: submissions that run at the same time, each in walls of its own.
        started: called, in a worker's thread, when a submission begins.

    Raises:
        Stopped: our side failed in a way that the next submission would meet too.
    """
    waiting: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    for submission in submissions:
        waiting.put(submission)
    finished: queue.SimpleQueue[tuple[Submission, Gathered] | Exception] = queue.SimpleQueue()

    def work(slot: int) -> None:
        try:
            with Grading(assignment, dataset, level, slot) as grading:
                while True:
                    submission = waiting.get_nowait()
                    started(submission)
                    finished.put((submission, _gathered(grading, submission)))
        except queue.Empty:
            return
        except Exception as error:  # noqa: BLE001 - the thread's border: the batch stops and says so
            finished.put(error)

    # Sandboxes die with the thread that made them, so each worker keeps its own until the end.
    threads = [threading.Thread(target=work, args=(slot,), daemon=True) for slot in range(workers)]
    for thread in threads:
        thread.start()
    template = template_of(assignment)
    with Gradebook(out, assignment, language) as gradebook:
        for number in range(1, len(submissions) + 1):
            done = finished.get()
            if isinstance(done, Exception):
                raise Stopped(f"grading stopped: {type(done).__name__}: {done}") from done
            submission, gathered = done
            marks = gradebook.overrides(submission.student.id)
            gathered, graded = _concluded(assignment, template, gathered, submission, marks)
            write_student(out, gathered, graded, language, dataset)
            gradebook.add(graded.student, gathered, result_json(graded, language))
            yield Outcome(number, len(submissions), submission, graded)
    for thread in threads:
        thread.join()


def write_grades(
    path: Path, results: list[dict[str, Any]], missing: Iterable[Student] = ()
) -> None:
    """Write `grades.csv`: one row per student, decimals with a point, no thousands separator."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for result in results:
            points, grade = result["points"], result["grade"]
            value = "" if grade["value"] is None else grade["value"]
            writer.writerow(
                [
                    _inert(result["student"]["id"]),
                    _inert(result["student"]["name"]),
                    result["state"],
                ]
                + [points[key] for key in ("earned", "possible", "pending", "total")]
                + [value, *grade["range"]]
            )
        for student in missing:
            writer.writerow([_inert(student.id), _inert(student.name), MISSING] + [""] * 7)


def _gathered(grading: Grading, submission: Submission) -> Gathered:
    try:
        return grading.gather(read_file(submission.path), submission.name)
    except (IntakeError, Unreadable) as problem:
        return Gathered(NotebookFile(submission.name, ""), problem=problem.text)


def _concluded(
    assignment: Assignment,
    template: Notebook | None,
    gathered: Gathered,
    submission: Submission,
    marks: tuple[Override, ...],
) -> tuple[Gathered, Graded]:
    student = submission.student
    try:
        return gathered, conclude(assignment, template, gathered, student, overrides=marks)
    except Exception as error:  # noqa: BLE001 - one poisoned submission must not stop the class
        problem = f"{type(error).__name__}: {error}"
        said = T(
            "The grader failed: {problem}. This is our fault and costs no points.",
            problem=problem,
        )
        failed = replace(gathered, problem=said, fault=True)
        return failed, conclude(assignment, template, failed, student, overrides=marks)


def _inert(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r\n＝＋－＠" else text


def needs_attention(graded: Graded) -> bool:
    """Whether a person must look at this submission (written answers aside)."""
    return graded.state is not State.GRADED
