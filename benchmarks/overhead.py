"""Benchmark 4: all that a submission costs beside training, and a plain kernel beside it.

`python -m benchmarks.overhead NOTEBOOK MEMORY OUT REPEATS` measures one notebook whose trainings
are all in the memory, and prints JSON; as a process of its own, it is the controller alone.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import classes, ours
from benchmarks.bench import Bench
from benchmarks.cells import DATA, IMPORTS
from benchmarks.notebooks import Notebook, code, only, without_training, write
from benchmarks.others import keras_home
from benchmarks.ours import LANGUAGE
from benchmarks.processes import Usage, run
from benchmarks.report import Section, seconds, table, times
from grader.dataset.store import open_dataset
from grader.delegation import Memory
from grader.execution import execute
from grader.gradebook import Gradebook
from grader.grading import Grading, open_service
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook, to_run
from grader.report.files import write_student
from grader.result import Student, result_json
from grader.sandbox import probe

OVERHEAD = "4 · Overhead"
PLAIN_S = 9.5  # CPU seconds of a plain kernel, as the issue has them
REPEATS = 3
FITS = ("t3-baseline", "t3-wide", "t3-longer", "t3-deep")
STAGES = (
    "walls, driver, kernel start",
    "imports",
    "data cells",
    "four fits from memory",
    "evaluate, predict, figures",
)
T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """Processor and wall seconds of one part."""

    cpu_s: float
    wall_s: float


def overhead(bench: Bench) -> Section:
    """Measure a student of `same` with every training in the memory, then a plain kernel."""
    folder = bench.folder("check")
    memory, out = folder / "memory", folder / "out"
    repeats = bench.count(REPEATS, 1)
    own = classes.apart(bench.quick).notebook
    path = write(folder / "overhead.ipynb", own)
    bench.say("overhead: filling the memory")
    ours.check(path, out, memory)
    bench.say("overhead: the grader")
    command = [sys.executable, "-m", "benchmarks.overhead", str(path), str(memory), str(out)]
    found = json.loads(subprocess.check_output([*command, str(repeats)]))
    bench.say("overhead: a plain kernel")
    untrained = write(folder / "plain.ipynb", without_training(own))
    plain = [_plain(bench, untrained) for _ in range(repeats)]
    return Section(OVERHEAD, _text(found, plain, repeats))


def _plain(bench: Bench, notebook: Path) -> Usage:
    environment = {
        "JUPYTER_DATA_DIR": str(bench.work / "jupyter"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(bench.work / "ipython"),
        "KERAS_HOME": str(keras_home(bench.work)),
    }
    log = notebook.with_suffix(".log")
    return run([sys.executable, "-m", "benchmarks.plain", notebook], environment, log=log)


def _text(found: dict[str, Any], plain: list[Usage], repeats: int) -> str:
    stages = [Cost(**one) for one in found["stages"]]
    before = [Cost(0.0, 0.0), *stages]
    rows = [
        (
            f"kernel side: {stage}",
            seconds(one.cpu_s - last.cpu_s),
            seconds(one.wall_s - last.wall_s),
        )
        for stage, one, last in zip(STAGES, stages, before, strict=False)
    ]
    parts = {part: Cost(**cost) for part, cost in found["controller"].items()}
    rows += [
        (f"controller: {part}", seconds(cost.cpu_s, 2), seconds(cost.wall_s, 2))
        for part, cost in parts.items()
    ]
    total = stages[-1].cpu_s + sum(cost.cpu_s for cost in parts.values())
    plain_cpu = statistics.median(one.cpu_s for one in plain)
    plain_wall = statistics.median(one.wall_s for one in plain)
    wall = sum(cost.wall_s for cost in parts.values())
    rows += [
        ("**in all**", f"**{seconds(total)}**", f"**{seconds(wall)}**"),
        ("a plain kernel, the same cells", seconds(plain_cpu), seconds(plain_wall)),
    ]
    memory = [
        ("kernel side, all processes, file cache included", f"{found['kernel_mb']:,.0f} MiB"),
        ("controller", f"{found['controller_mb']:,.0f} MiB"),
        ("trainers", f"{found['trained']} answers were made" if found["trained"] else "none ran"),
        ("a plain kernel, its largest process", f"{max(one.peak_mb for one in plain):,.0f} MiB"),
    ]
    said = (
        "One student of benchmark 1, every training in the memory, nothing else at the same time; "
        f"medians of {repeats}. The kernel side's parts are differences between runs of ever more "
        "of its cells; the controller's first part is its own work while the kernel side runs, and "
        "its wall includes that; starting `grader` comes once for a class. "
        "The plain kernel is nbclient without walls on the same notebook, "
        "each `fit` on one batch once."
    )
    target = (
        f"Target: below a plain kernel, for which the issue has {PLAIN_S} s. Here it is "
        f"{times(total / plain_cpu)} of the plain kernel's processor time."
    )
    return "\n\n".join(
        [
            said, table(("part", "CPU", "wall"), rows), target,
            table(("peak memory", "how much"), memory),
        ]
    )  # fmt: skip


def stages(notebook: Notebook) -> list[Notebook]:
    """Return notebooks of ever more cells, in the order of `STAGES`."""
    nothing = {**notebook, "cells": [code("t3-nothing", "pass")]}
    some = [(), IMPORTS, (*IMPORTS, *DATA), (*IMPORTS, *DATA, *FITS)]
    return [nothing, *(only(notebook, kept) for kept in some[1:]), notebook]


def main(path: Path, memory: Path, out: Path, repeats: int) -> None:
    """Measure in this process and print JSON."""
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    level = probe().level
    with open_service(assignment, dataset, level, memory=Memory(memory)) as service:
        grading = Grading(assignment, dataset, level, service)
        sides = [
            [_ended(grading, part, path.name) for _ in range(repeats)]
            for part in stages(json.loads(path.read_bytes()))
        ]
        parts = _controller(grading, path, out, repeats)
        trained = service.load.trained
    found = {
        "stages": [asdict(_median([cost for cost, _ in side])) for side in sides],
        "controller": {name: asdict(_median(costs)) for name, costs in parts.items()},
        "kernel_mb": max(peak for side in sides for _, peak in side),
        "controller_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "trained": trained,
    }
    print(json.dumps(found))


def _ended(grading: Grading, notebook: Notebook, name: str) -> tuple[Cost, float]:
    """Run a notebook behind walls; return the kernel side's cost and its peak in MiB."""
    ready = to_run(read_notebook(json.dumps(notebook).encode(), name))
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        ended = execute(
            grading.sandbox, ready, grading.assignment, grading.dataset, Path(folder),
            grading.service,
        ).ended  # fmt: skip
    if ended.cpu_s is None or ended.peak_memory_mb is None:
        raise RuntimeError("nothing counts processor time and memory behind these walls")
    return Cost(ended.cpu_s, ended.seconds), ended.peak_memory_mb


def _controller(
    grading: Grading, path: Path, out: Path, repeats: int
) -> Mapping[str, Sequence[Cost]]:
    """Grade the whole notebook; return what each part costs this process."""
    student, dataset = Student("overhead", "Overhead"), grading.dataset
    parts: dict[str, list[Cost]] = {}

    def timed(part: str, call: Callable[[], T]) -> T:
        cpu, wall = time.process_time(), time.monotonic()
        made = call()
        cost = Cost(time.process_time() - cpu, time.monotonic() - wall)
        parts.setdefault(part, []).append(cost)
        return made

    with Gradebook(out, grading.assignment, LANGUAGE) as book:
        for _ in range(repeats):
            gathered = timed(
                "while the kernel side runs; measurements from memory",
                partial(grading.gather, path.read_bytes(), path.name),
            )
            graded = timed("checks and scoring", partial(grading.conclude, gathered, student))
            timed(
                "report, executed notebook",
                partial(write_student, out, gathered, graded, LANGUAGE, dataset),
            )
            result = result_json(graded, LANGUAGE)
            timed("gradebook", partial(book.add, student, gathered, result))
    return parts


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.cpu_s for cost in costs),
        statistics.median(cost.wall_s for cost in costs),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
