"""`grader grade` on a folder: its preconditions, and the way through a class."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment
from grader.batch.board import Board
from grader.batch.classroom import grade_class, needs_attention, sort
from grader.batch.desk import Desk
from grader.batch.engines import Engine, Stopped, UsageProblem
from grader.batch.engines.local import LocalEngine
from grader.batch.interrupts import finishing
from grader.batch.lock import locked
from grader.batch.machine import Machine, default_kernels, default_workers, need_walls
from grader.batch.screens import open_screen
from grader.dataset.store import Dataset
from grader.delegation import Memory
from grader.delegation.audit import Audit, audit
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.grading import open_service
from grader.intake import Intake, People, read_roster, read_worksheet, submissions
from grader.locale import T
from grader.sandbox import Level, probe


@dataclass(frozen=True)
class Asked:
    """What `grader grade` was asked to do.

    Attributes:
        source: what `intake.submissions` takes.
        out: the class's folder (design.md, *Output folder*).
        workers: trainers at the same time; as many as the machine carries by default.
        worksheet: Moodle's grading worksheet, for names and times.
        roster: a table of the class, for names and times.
        engine: `local` or `dask`; `scheduler` is the latter's address or file.
        as_json: progress as JSON lines for programs.
        allow_reduced: grade behind the reduced walls where the standard ones are not offered.
    """

    source: Path
    out: Path
    language: str
    workers: int | None = None
    train_in_kernel: bool = False
    worksheet: Path | None = None
    roster: Path | None = None
    engine: str = "local"
    scheduler: str | None = None
    as_json: bool = False
    allow_reduced: bool = False


def grade_folder(asked: Asked, assignment: Assignment, dataset: Dataset) -> bool:
    """Grade a class; return whether a person must look at some.

    Raises:
        WallsError: something must run, and this machine offers no walls.
        IntakeError: there is nothing to grade at the source.
        UsageProblem: the engine is not installed, or its scheduler's address cannot be.
        Occupied: another process grades into this folder.
        Stopped: our side failed in a way that the next submission would meet too.
    """
    engine, begun = _engine(asked, assignment, dataset), (asked.out / FILE).exists()
    if begun and _waits(asked.out):
        engine.prepare()  # beside the reading of the class
    intake = submissions(asked.source, assignment.spec.notebook, _people(asked, assignment))
    with engine:
        if not begun:
            engine.ready()
        try:
            return _graded(asked, assignment, dataset, intake, engine)
        except OSError as error:  # a full or read-only disk
            raise Stopped.by(error) from error


def _waits(folder: Path) -> bool:
    with Gradebook(folder) as gradebook:
        return gradebook.register.waits()


def _graded(
    asked: Asked, assignment: Assignment, dataset: Dataset, intake: Intake, engine: Engine
) -> bool:
    trainers = asked.workers or default_workers()
    asked.out.mkdir(parents=True, exist_ok=True)
    with (
        locked(asked.out),
        Gradebook(asked.out, assignment, asked.language) as gradebook,
        open_screen(asked.language, asked.as_json, trainers, assignment.spec.epochs) as screen,
        finishing(screen.stopping) as stop,
    ):
        desk = Desk(assignment, dataset, gradebook, asked.out, asked.language)
        board = Board(screen.running)
        screen.taken(intake)
        gradebook.register.hand_in(intake)
        waiting = sort(intake.submissions, desk, engine)
        screen.begins(waiting, board)
        if waiting.to_run:
            engine.ready()
        try:
            for outcome in grade_class(waiting, desk, engine, trainers, board, screen.seeds, stop):
                screen.finished(outcome)
        except Stopped:
            with suppress(OSError):
                _write_class(asked, assignment, gradebook, intake)
            raise
        _write_class(asked, assignment, gradebook, intake)
        summaries = gradebook.summaries()
        screen.ends(summaries, gradebook.register.missing(), asked.out)
    if stop.is_set():
        raise Stopped(T("grading was interrupted; start it again to go on"))
    taken = {one.student.id for one in intake.submissions}
    return bool(intake.notices) or any(
        needs_attention(one) for one in summaries if one["student"] in taken
    )


def _write_class(
    asked: Asked, assignment: Assignment, gradebook: Gradebook, intake: Intake
) -> None:
    from grader.batch.page import write_class  # draws: matplotlib takes half a second

    if intake.whole:
        gradebook.register.set_class(intake)
    write_class(asked.out, assignment, gradebook, asked.language)


def _engine(asked: Asked, assignment: Assignment, dataset: Dataset) -> Engine:
    if asked.engine == "local":
        workers = asked.workers or default_workers()
        level = need_walls(Level.REDUCED) if asked.allow_reduced else Level.STANDARD
        machine = Machine(
            level, workers, default_kernels(level), train_in_kernel=asked.train_in_kernel
        )
        return LocalEngine(assignment, dataset, machine)
    if asked.allow_reduced:
        raise UsageProblem("--allow-reduced: every worker of a cluster needs the standard walls")
    if asked.scheduler is None:
        raise UsageProblem("--engine dask: give --scheduler with its address or its file")
    try:
        from grader.batch.engines.dask import DaskEngine
    except ImportError as error:
        raise UsageProblem("--engine dask: Dask is not installed; install grader[dask]") from error
    return DaskEngine(assignment, asked.scheduler, asked.workers, asked.train_in_kernel)


def _people(asked: Asked, assignment: Assignment) -> People:
    due = assignment.spec.due
    if asked.roster is not None:
        return read_roster(asked.roster, due)
    return read_worksheet(asked.worksheet, due) if asked.worksheet is not None else People()


def audit_memory(
    assignment: Assignment, dataset: Dataset, share: float, say: Callable[[str], None]
) -> Audit:
    """Repeat a share of the remembered trainings (see `delegation.audit`)."""
    level = probe().level
    return audit(
        Memory(),
        lambda memory: open_service(assignment, dataset, level, memory=memory),
        share,
        say,
    )
