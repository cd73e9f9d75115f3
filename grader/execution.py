"""Runs one notebook behind walls and brings back what it left: validated records, never objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import wire
from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.records import Records, read_records, read_regular
from grader.sandbox import Ended, Job, Limits, Mount, Sandbox
from grader.staging import PACKAGE, stage_kernel_side

START = (
    f"import sys; sys.path.insert(0, sys.argv[2]); from {PACKAGE}.kernel.driver import main; main()"
)
MARGIN_S = 120  # the driver's own deadline comes first; this one does not trust it


@dataclass(frozen=True)
class Execution:
    """One run of a notebook.

    Attributes:
        records: what the recorder and the driver wrote.
        ended: how the sandbox ended.
        folder: the run folder; everything in it is hostile.
    """

    records: Records
    ended: Ended
    folder: Path

    @property
    def reason(self) -> str:
        """Why the execution stopped: `finished`, or what ended it."""
        if self.ended.reason != "exited":
            return self.ended.reason
        return self.records.end.reason if self.records.end else "the run ended without a word"

    def variables(self, name: str | None) -> bytes | None:
        """Return the bytes of a variables file that a record names, None where there is none."""
        if name is None or "/" in name or name.startswith("."):
            return None
        try:
            return read_regular(self.folder / wire.VARIABLES / name, wire.MAX_BLOB_BYTES)
        except OSError:
            return None


def execute(
    sandbox: Sandbox,
    notebook: Mapping[str, Any],
    assignment: Assignment,
    dataset: Dataset,
    folder: Path,
) -> Execution:
    """Run a cleaned notebook in a fresh kernel.

    Args:
        notebook: nbformat 4 as plain values, outputs and tags dropped (`notebook.to_run`).
        folder: an empty folder for this run; the kernel side sees its `job/` only.

    Raises:
        WallsError: the walls could not be put up; ours, never the student's.
    """
    job, limits = folder / "job", assignment.spec.limits
    job.mkdir()
    plan = {"seed": assignment.spec.seed, "cell_s": limits.cell_s, "notebook_s": limits.notebook_s}
    (job / wire.PLAN).write_text(json.dumps(plan), encoding="utf-8")
    (job / wire.NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")
    running = sandbox.start(
        Job(
            argv=lambda inside: ["-I", "-c", START, inside("/job"), inside("/k"), inside("/data")],
            mounts=(
                Mount(job, "/job", writable=True),
                Mount(stage_kernel_side(folder / "kernel"), "/k"),
                Mount(dataset.rows, "/data"),
                Mount(
                    dataset.keras,
                    f"/home/student/.keras/datasets/{assignment.spec.dataset.keras_folder}",
                ),
            ),
            limits=Limits(wall_s=limits.notebook_s + MARGIN_S, memory_mb=limits.memory_mb),
        )
    )
    with running:
        ended = running.wait()
    return Execution(records=read_records(job), ended=ended, folder=job)
