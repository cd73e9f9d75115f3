"""Runs one notebook behind walls and brings back what it left: validated records, never objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader import wire
from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Budget, Door, Ledger, Passed, Service, Turn
from grader.records import Records, read_records, read_regular
from grader.sandbox import Ended, Job, Limits, Mount, Sandbox
from grader.staging import PACKAGE, stage_kernel_side
from grader.watching import Watching

START = (
    f"import sys; sys.path.insert(0, sys.argv[2]); from {PACKAGE}.kernel.driver import main; main()"
)
PAUSES = 3  # times what trainings may take: a run also waits for its turn to compute
MARGIN_S = 120  # the driver's own deadline comes first; this one does not trust it


@dataclass(frozen=True)
class Execution:
    """One run of a notebook.

    Attributes:
        records: what the recorder and the driver wrote.
        ended: how the sandbox ended.
        folder: the run folder; everything in it is hostile.
        trainings: what was trained for it, by the controller's own record.
        uploads: bytes of states that it brought itself, by name.
        refusals: what it asked for and did not get.
        waited_s: how long it waited for trainings; that time is not its own.
        began: at least one cell began, whatever became of the record.
    """

    records: Records
    ended: Ended
    folder: Path
    trainings: tuple[Passed, ...] = ()
    uploads: Mapping[str, bytes] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    waited_s: float = 0.0
    began: bool = False

    @property
    def reason(self) -> str:
        """Why the execution stopped: `finished`, or what ended it."""
        if self.ended.reason != "exited":
            return self.ended.reason
        return self.records.end.reason if self.records.end else "the run ended without a word"

    @property
    def cut(self) -> bool:
        """Whether neither the notebook nor a limit ended it: a process was killed, or fell over.

        What a notebook does to its own processes looks the same, and happens again.
        """
        end = self.records.end
        if self.ended.reason == "exited":
            # the system takes the largest process where the machine has too little memory
            killed = end is not None and end.reason == wire.KILLED and self.ended.oom_kills == 0
            return killed or end is None or end.reason.startswith("driver: ")
        return self.ended.reason == "killed"

    @property
    def lost(self) -> bool:
        """Whether cells ran, the run ended by itself, and nothing says what became of them.

        What a notebook does to the record of its run looks so. A driver that fell over says so.
        """
        ended_alone = self.ended.reason == "exited" and self.records.end is None
        return self.began and ended_alone and not self.records.cells

    def variables(self, name: str | None) -> bytes | None:
        """Return the bytes of a variables file that a record names, None where there is none."""
        if name is None or "/" in name or name.startswith("."):
            return None
        try:
            return read_regular(self.folder / wire.VARIABLES / name, wire.MAX_BLOB_BYTES)
        except (OSError, ValueError):  # ValueError: a name with a zero in it
            return None


def execute(
    sandbox: Sandbox,
    notebook: Mapping[str, Any],
    assignment: Assignment,
    dataset: Dataset,
    folder: Path,
    service: Service,
    train_in_kernel: bool = False,
    watching: Watching | None = None,
) -> Execution:
    """Run a cleaned notebook in a fresh kernel.

    Args:
        notebook: nbformat 4 as plain values, outputs and tags dropped (`notebook.to_run`).
        folder: an empty folder for this run; the kernel side sees its `job/` only.
        service: trains for it; with `train_in_kernel` the kernel trains by itself.
        watching: is told where the run is.

    Raises:
        WallsError: the walls could not be put up; ours, never the student's.
        StoreFull: the disk of the trainers' memory is full.
    """
    job = folder / "job"
    job.mkdir()
    (job / wire.NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    for name in (wire.EVENTS, wire.CELLS):
        (job / name).touch()  # a record that is not there afterwards was taken away
    limits = assignment.spec.limits
    budget = Budget(limits.fit_s, limits.trainings_s)
    ledger = Ledger(service, assignment.spec.seed, budget)
    if watching is not None:
        watching.begin(job, ledger)
    with Turn(service.turns) as turn, Door(ledger, folder / "door", turn) as door:
        sandbox.give(door.folder)
        offered = None if train_in_kernel else door
        with sandbox.start(_job(assignment, dataset, folder, offered)) as running:
            door.running = running
            ended = running.wait()
    if door.full is not None:
        raise door.full
    records = read_records(job)
    return Execution(
        records=records,
        ended=ended,
        folder=job,
        # one that is still being trained, for a thread that outlived its cell, changes no more
        trainings=tuple(replace(fit, states=[*fit.states]) for fit in ledger.fits),
        uploads=dict(ledger.uploads),
        refusals=tuple(ledger.refusals),
        waited_s=running.paused_s,
        began=door.began or bool(records.cells),
    )


def _job(assignment: Assignment, dataset: Dataset, folder: Path, door: Door | None) -> Job:
    """The kernel side: its run folder, its code, the dataset, and the door to the trainers."""
    limits, spec = assignment.spec.limits, assignment.spec
    job = folder / "job"
    mounts = [
        Mount(job, "/job", writable=True),
        Mount(stage_kernel_side(folder / "kernel"), "/k"),
        Mount(dataset.rows, "/data"),
        Mount(dataset.keras, f"/home/student/.keras/datasets/{spec.dataset.keras_folder}"),
    ]
    if door is not None and door.unix:
        mounts.append(Mount(door.folder, "/door"))

    def arguments(inside: Callable[[str], str]) -> list[str]:
        plan = {
            "seed": spec.seed,
            "cell_s": limits.cell_s,
            "notebook_s": limits.notebook_s,
            "door": door and door.address(inside),
        }
        (job / wire.PLAN).write_text(json.dumps(plan), encoding="utf-8")
        return ["-I", "-c", START, inside("/job"), inside("/k"), inside("/data")]

    return Job(
        argv=arguments,
        mounts=tuple(mounts),
        limits=Limits(
            wall_s=limits.notebook_s + MARGIN_S,
            memory_mb=limits.memory_mb,
            pauses_s=PAUSES * limits.trainings_s,
        ),
    )
