"""The grader as people run it: its commands, with a memory of trainings of the benchmark's own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks.processes import Usage, run

GRADER = (sys.executable, "-m", "grader")
ATTENTION = (0, 1)  # 1: a person must look at something
LANGUAGE = "en"


def grade(
    source: Path, out: Path, memory: Path, assignment: Path | None = None, log: Path | None = None
) -> Usage:
    """Run `grader grade` on a folder of notebooks, with as many workers as it takes by itself."""
    command = [*GRADER, "grade", source, "--out", out, "--lang", LANGUAGE]
    command += [] if assignment is None else ["--assignment", assignment]
    return run(command, {"GRADER_MEMORY": str(memory)}, log=log, good=ATTENTION)


def check(notebook: Path, out: Path, memory: Path) -> Usage:
    """Run `grader check` on one notebook; what it says goes beside the notebook."""
    command = [*GRADER, "check", notebook, "--out", out, "--lang", LANGUAGE]
    log = notebook.with_suffix(".check.log")
    return run(command, {"GRADER_MEMORY": str(memory)}, log=log, good=ATTENTION)


def fresh(*folders: Path) -> None:
    """Make folders empty."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def epochs_trained(memory: Path) -> int:
    """Return how many epochs a memory holds."""
    made = (json.loads(path.read_bytes())["made"] for path in memory.glob("entries/*/*.json"))
    return sum("optimizer" in one and "metrics" in one for one in made)


def epochs_asked(out: Path) -> int:
    """Return how many epochs the notebooks of a graded class have trained, by their results."""
    results = (json.loads(path.read_bytes()) for path in out.glob("students/*/result.json"))
    return sum(run["epochs"] for result in results for run in result["runs"])
