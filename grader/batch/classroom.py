"""One class on one machine: kernels side by side, trainings shared, one bad file stops nobody.

What a notebook's run left is kept. Grading the same folder again judges it anew where the spec,
the thresholds or the language have changed, and runs only what has not run under this spec.
"""

from __future__ import annotations

import csv
import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader import __version__
from grader.assignment import Assignment
from grader.batch.desk import Desk
from grader.batch.rescoring import rescored
from grader.dataset.store import Dataset
from grader.delegation import Memory, Service
from grader.gradebook import Gradebook
from grader.grading import (
    Gathered,
    Grading,
    open_service,
    run_key,
)
from grader.intake import IntakeError, Submission, read_file
from grader.result import NotebookFile, State, Student
from grader.sampling import add_samples
from grader.sandbox import Level, WallsError
from grader.trainer import TrainerFault
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
    """One finished submission, with its place among all.

    Attributes:
        result: its result.json.
        how: `run`; `scored` from what an earlier run left; `kept`, because nothing has changed.
    """

    number: int
    of: int
    submission: Submission
    result: dict[str, Any]
    how: str = "run"


@dataclass(frozen=True)
class Machine:
    """How a class is run.

    Attributes:
        workers: trainers at the same time.
        kernels: notebooks at the same time; they mostly wait for trainings.
        memory: of trainings; the user's own by default.
        train_in_kernel: nothing is delegated; everything is verified.
    """

    level: Level
    workers: int
    kernels: int
    memory: Memory | None = None
    train_in_kernel: bool = False


@dataclass(frozen=True)
class Waiting:
    """What a class still needs."""

    to_run: tuple[Submission, ...]
    to_score: tuple[Submission, ...]
    kept: tuple[Submission, ...]
    scored: str


class Stopped(Exception):
    """The batch cannot go on; what is done is kept in the gradebook and in the files."""


def sort(
    submissions: Iterable[Submission],
    assignment: Assignment,
    gradebook: Gradebook,
    machine: Machine,
    language: str,
) -> Waiting:
    """Say which submissions must run, which are only scored anew, and which stand as they are."""
    under = run_key(assignment, machine.level, machine.train_in_kernel)
    scored = hashlib.sha256(f"{assignment.sha256}{language}{__version__}".encode()).hexdigest()
    standings = gradebook.standings()
    kinds: dict[str, list[Submission]] = {"run": [], "score": [], "keep": []}
    for submission in submissions:
        standing = standings.get(submission.student.id)
        if standing is None or standing.under != under or standing.notebook != _sha256(submission):
            kinds["run"].append(submission)
        else:
            kinds["keep" if standing.scored == scored else "score"].append(submission)
    return Waiting(tuple(kinds["run"]), tuple(kinds["score"]), tuple(kinds["keep"]), scored)


def grade_class(
    waiting: Waiting,
    assignment: Assignment,
    dataset: Dataset,
    machine: Machine,
    gradebook: Gradebook,
    out: Path,
    language: str,
    started: Callable[[Submission], None] = lambda submission: None,
    seeds: Callable[[int], None] = lambda count: None,
) -> Iterator[Outcome]:
    """Grade each submission; yield each when its files and its row in the gradebook are written.

    Args:
        out: the class's folder (design.md, *Output folder*).
        started: called, in a kernel's thread, when a submission begins.
        seeds: called, when somebody was scored anew, with how many trainings from other seeds
            are missing; they are done next.

    Raises:
        Stopped: our side failed in a way that the next submission would meet too.
    """
    of = len(waiting.to_run) + len(waiting.to_score) + len(waiting.kept)
    desk = Desk(assignment, dataset, gradebook, out, language)
    number = 0

    def keep(submission: Submission, gathered: Gathered, how: str) -> Outcome:
        kept, result = desk.write(submission.student, gathered, ran=how == "run")
        gradebook.add(submission.student, kept, result, waiting.scored)
        return Outcome(number, of, submission, result, how)

    for submission in waiting.kept:
        number += 1
        result = gradebook.entry(submission.student.id).result
        yield Outcome(number, of, submission, result, "kept")
    lacking: list[Submission] = []
    missing = 0
    to_score = {submission.student: submission for submission in waiting.to_score}
    for student, found in rescored(desk, list(to_score), machine.workers):
        submission = to_score[student]
        if isinstance(found, int):
            lacking.append(submission)
            missing += found
            continue
        number += 1
        gradebook.rescore(student, found, waiting.scored)
        yield Outcome(number, of, submission, json.loads(found), "scored")
    if waiting.to_score:
        seeds(missing)
    with open_service(
        assignment, dataset, machine.level, machine.workers, machine.memory
    ) as service:
        for submission in lacking:
            number += 1
            yield keep(submission, _sampled(submission, desk, service), "scored")
        for submission, gathered in _run(
            waiting.to_run, assignment, dataset, machine, service, started
        ):
            number += 1
            yield keep(submission, gathered, "run")


def _sampled(submission: Submission, desk: Desk, service: Service) -> Gathered:
    """What an earlier run left, with the seeds that the thresholds of today ask for."""
    gathered = desk.gradebook.entry(submission.student.id).gathered
    if gathered.notebook is None or gathered.fault:
        return gathered
    try:
        evidence = add_samples(service, desk.assignment, gathered.evidence)
    except (WallsError, TrainerFault, OSError):
        raise
    except Exception:  # noqa: BLE001 - the border between students; judging will say what it is
        return gathered
    return replace(gathered, evidence=evidence)


def _run(
    submissions: Iterable[Submission],
    assignment: Assignment,
    dataset: Dataset,
    machine: Machine,
    service: Service,
    started: Callable[[Submission], None],
) -> Iterator[tuple[Submission, Gathered]]:
    waiting: queue.SimpleQueue[Submission] = queue.SimpleQueue()
    for submission in submissions:
        waiting.put(submission)
    count = waiting.qsize()
    finished: queue.SimpleQueue[tuple[Submission, Gathered] | Exception] = queue.SimpleQueue()

    def work(slot: int) -> None:
        try:
            grading = Grading(
                assignment, dataset, machine.level, service, slot, machine.train_in_kernel
            )
            while True:
                submission = waiting.get_nowait()
                started(submission)
                finished.put((submission, _gathered(grading, submission)))
        except queue.Empty:
            return
        except Exception as error:  # noqa: BLE001 - the thread's border: the batch stops and says so
            finished.put(error)

    slots = range(min(machine.kernels, count))
    threads = [threading.Thread(target=work, args=(slot,), daemon=True) for slot in slots]
    for thread in threads:
        thread.start()
    for _ in range(count):
        done = finished.get()
        if isinstance(done, Exception):
            raise Stopped(f"grading stopped: {type(done).__name__}: {done}") from done
        yield done
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


def _sha256(submission: Submission) -> str:
    try:
        return hashlib.sha256(read_file(submission.path)).hexdigest()
    except (IntakeError, Unreadable):
        return ""


def _gathered(grading: Grading, submission: Submission) -> Gathered:
    try:
        return grading.gather(read_file(submission.path), submission.name)
    except (IntakeError, Unreadable) as problem:
        return Gathered(NotebookFile(submission.name, ""), problem=problem.text)


def _inert(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r\n＝＋－＠" else text


def needs_attention(result: dict[str, Any]) -> bool:
    """Whether a person must look at this submission (written answers aside)."""
    return bool(result["state"] != State.GRADED)
