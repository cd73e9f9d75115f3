"""One class: what must run, what is only scored anew, what stands; each step in the gradebook.

What a notebook's run left is kept. Grading the same folder again judges it anew where the spec,
the thresholds or the language have changed, and runs only what has not run under this spec.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.batch.board import Board
from grader.batch.desk import Desk
from grader.batch.engines import Engine, Stopped, Task
from grader.batch.rescoring import rescored
from grader.grading import Gathered
from grader.intake import IntakeError, Submission
from grader.locale import T
from grader.result import State
from grader.unreadable import Unreadable

FAULTS = 3  # of ours in a row, after which the next submission would meet another


@dataclass(frozen=True)
class Outcome:
    """One finished submission, with its place among all.

    Attributes:
        result: its result.json.
        how: `run`, or `scored` from what an earlier run left.
        fault: it ended with a fault of ours.
    """

    number: int
    of: int
    submission: Submission
    result: dict[str, Any]
    how: str = "run"
    fault: bool = False


@dataclass(frozen=True)
class Waiting:
    """What a class still needs."""

    to_run: tuple[Submission, ...]
    to_score: tuple[Submission, ...]
    kept: tuple[Submission, ...]


def sort(submissions: Sequence[Submission], desk: Desk, engine: Engine) -> Waiting:
    """Say which submissions must run, which are only scored anew, and which stand as they are."""
    standings, unders = desk.gradebook.standings(), engine.unders
    scored_by = desk.all_scored_by()
    if any(one.student.id not in standings for one in submissions):
        engine.prepare()  # beside the reading of all notebooks, if it has not begun
    kinds: dict[str, list[Submission]] = {"run": [], "score": [], "keep": []}
    for submission in submissions:
        standing = standings.get(submission.student.id)
        ran = standing is not None and standing.under in unders
        if standing is None or not ran or standing.notebook != _sha256(submission):
            kinds["run"].append(submission)
        else:
            same = standing.scored == scored_by(submission.student)
            kinds["keep" if same else "score"].append(submission)
    return Waiting(tuple(kinds["run"]), tuple(kinds["score"]), tuple(kinds["keep"]))


def grade_class(
    waiting: Waiting,
    desk: Desk,
    engine: Engine,
    processes: int,
    board: Board,
    seeds: Callable[[int], None] = lambda count: None,
    stop: threading.Event | None = None,
) -> Iterator[Outcome]:
    """Grade what waits; yield each when its files and its row in the gradebook are written.

    Args:
        processes: that score anew side by side.
        board: names who runs.
        seeds: called, when somebody was scored anew, with how many trainings from other seeds
            are missing; they are done next.
        stop: once it is set, no further submission is run.

    Raises:
        Stopped: our side failed in a way that the next submission would meet too.
    """
    of = len(waiting.to_run) + len(waiting.to_score) + len(waiting.kept)
    gradebook, stop = desk.gradebook, stop or threading.Event()
    number = len(waiting.kept)
    tasks: list[Task] = []
    missing = 0
    to_score = {submission.student: submission for submission in waiting.to_score}
    for student, found in rescored(desk, list(to_score), processes):
        submission = to_score[student]
        if isinstance(found, int):
            tasks.append(Task(submission, gradebook.gathered(student.id)))
            missing += found
            continue
        number += 1
        gradebook.rescore(student, found, desk.scored_by(student))
        yield Outcome(number, of, submission, json.loads(found), "scored")
    if waiting.to_score:
        seeds(missing)
    tasks += [Task(submission) for submission in waiting.to_run]
    # they may meet the same fault: after all others, and not counted
    again = gradebook.faulty(task.submission.student.id for task in tasks)
    tasks.sort(key=lambda task: task.submission.student.id in again)
    faults = 0
    for task, gathered in engine.gathered(tasks, board, stop):
        number += 1
        outcome = _kept(desk, task, gathered, number, of)
        yield outcome
        if task.submission.student.id not in again:
            faults = faults + 1 if outcome.fault else 0
        if faults == FAULTS:
            raise Stopped(
                T(
                    "grading stopped: {count} submissions in a row met a fault of ours, the last "
                    "one: {problem} Mend it and start it again to go on",
                    count=FAULTS,
                    problem=outcome.result["problem"],
                )
            )


def _kept(desk: Desk, task: Task, gathered: Gathered, number: int, of: int) -> Outcome:
    """Write what a task brought: the files first, then the row that says that they are there."""
    student, ran = task.submission.student, task.earlier is None
    result, failed = desk.write(student, gathered, ran=ran)
    # what could not be judged is judged again by the next call
    desk.gradebook.add(student, gathered, result, "" if failed else desk.scored_by(student))
    how = "run" if ran else "scored"
    return Outcome(number, of, task.submission, result, how, failed or gathered.fault)


def _sha256(submission: Submission) -> str:
    try:
        return hashlib.sha256(submission.read()).hexdigest()
    except (IntakeError, Unreadable):
        return ""


def needs_attention(summary: Mapping[str, Any]) -> bool:
    """Whether a person must look at this submission (written answers aside)."""
    return bool(summary["state"] != State.GRADED)
