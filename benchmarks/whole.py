"""Benchmarks 8 to 10: what a whole class costs beside its trainings."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ours
from benchmarks.bench import Bench
from benchmarks.notebooks import write
from benchmarks.processes import Failed, Usage, run
from benchmarks.report import Section, seconds, table
from grader.batch.desk import Desk
from grader.batch.machine import default_kernels
from grader.dataset.store import open_dataset
from grader.gradebook import Entry, Gradebook
from grader.intake import submissions
from grader.loading import default_folder, load_assignment
from grader.result import Student

THROUGHPUT = "8 · A large class whose trainings are in the store"
JOURNAL = "9 · Ten thousand submissions in the gradebook"
CLUSTER = "10 · Two Dask workers beside two local ones"
RATIO_TARGET, RESUME_TARGET_S, PAGE_TARGET_S, PAGE_TARGET_MB, DASK_TARGET = 1.1, 2, 5, 10, 0.10
SIZES = (10, 100, 1000)
MANY = 10_000
ROUNDS = 3
LOAD = """(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, x_test = x / 255, x_test / 255"""
FIT = """layers = [keras.layers.Flatten(), keras.layers.Dense(128, "relu"),
          keras.layers.Dense(10, "softmax")]
model = keras.Sequential(layers)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=2, verbose=0)
model.evaluate(x_test, y_test, verbose=0)"""
CODE = ("import keras", LOAD, FIT)


@dataclass(frozen=True)
class Class:
    """A graded class: what its controller took, and the processor time behind walls."""

    count: int
    controller: Usage
    walls_s: float

    @property
    def cpu_each_s(self) -> float:
        return (self.controller.cpu_s + self.walls_s) / self.count


def throughput(bench: Bench) -> Section:
    """Grade ever larger classes of small notebooks; the one training is in the store."""
    folder = bench.folder("throughput")
    sizes = [bench.count(size, max(2, size // 100)) for size in SIZES]
    memory = folder / "memory"
    memory.mkdir(exist_ok=True)
    _graded(_class(folder / "warm", 1), folder / "warm-out", memory)
    done = []
    for size in sizes:
        bench.say(f"a class of {size}")
        done.append(_graded(_class(folder / f"class-{size}", size), folder / f"out-{size}", memory))
        took = done[-1].controller
        bench.say(f"{took.wall_s:.1f} s, controller {took.peak_mb:.0f} MiB")
    rows = [
        (
            f"{one.count:,}", seconds(one.controller.wall_s),
            f"{3600 * one.count / one.controller.wall_s:,.0f}", seconds(one.cpu_each_s, 2),
            seconds(one.controller.cpu_s / one.count, 3), f"{one.controller.peak_mb:,.0f} MiB",
        )
        for one in done
    ]  # fmt: skip
    before, last = done[-2], done[-1]
    ratio = last.cpu_each_s / before.cpu_each_s
    head = (
        "submissions",
        "wall",
        "per hour",
        "CPU each",
        "of it the controller",
        "controller, peak",
    )
    said = (
        "`grader grade` of notebooks that import Keras, load the data, train 128 units for two "
        "epochs (remembered) and evaluate: kernels, walls, measuring, reports, gradebook. "
        f"{default_kernels()} notebooks at the same time."
    )
    after = (
        f"Processor time for each submission, {last.count:,} : {before.count:,} = {ratio:.2f} "
        f"(target ≤ {RATIO_TARGET})."
    )
    return Section(THROUGHPUT, f"{said}\n\n{table(head, rows)}\n\n{after}")


def journal(bench: Bench) -> Section:
    """Fill a gradebook from stored evidence; start again on it after a kill; draw its page."""
    folder = bench.folder("journal")
    count, entry = bench.count(MANY, 100), seed_of(folder)
    source, out = folder / "notebooks", folder / "out"
    bench.say(f"{count:,} rows")
    (notebook,) = (folder / "seed").glob("*.ipynb")
    per_s = _fill(entry, notebook, source, out, count)
    (source / "zz-nueva.ipynb").write_text("no notebook")
    bench.say("killed at work, and again")
    resumed = [_resumed(source, out, folder / f"resume-{number}.log") for number in range(ROUNDS)]
    bench.say(f"resumed after {resumed}")
    page_s, page_mb, peak_mb = _page(out, folder / "page.json")
    rows = [
        ("rows written each second, one transaction each", f"{per_s:,.0f}", ""),
        ("start on the folder until the first submission runs", seconds(
            statistics.median(resumed), 2), f"≤ {RESUME_TARGET_S} s"),
        ("`index.html` and `grades.csv`", seconds(page_s, 2), f"≤ {PAGE_TARGET_S} s"),
        ("size of `index.html`", f"{page_mb:.1f} MB", f"≤ {PAGE_TARGET_MB} MB"),
        ("memory of the process that writes them, peak", f"{peak_mb:,.0f} MiB", ""),
    ]  # fmt: skip
    said = (
        f"{count:,} submissions in one gradebook, from the evidence of one real run. One more is "
        "new; the controller is killed while it runs, and the same command is started again."
    )
    return Section(JOURNAL, f"{said}\n\n{table(('what', 'figure', 'target'), rows)}")


def cluster(bench: Bench) -> Section:
    """Grade one class here and on two workers of a cluster, by turns."""
    folder = bench.folder("cluster")
    count, memory = bench.count(24, 4), folder / "memory"
    source = _class(folder / "class", count)
    memory.mkdir(exist_ok=True)
    _graded(source, folder / "warm-out", memory, "--workers", "2")
    kernels = max(1, min(4, default_kernels() // 2))
    here, there = [], []
    with _workers(folder, memory, kernels) as scheduler:
        for number in range(bench.count(ROUNDS, 1)):
            words = ("--engine", "dask", "--scheduler", str(scheduler), "--workers", "1")
            there.append(_wall_s(source, folder / f"dask-{number}", memory, *words))
            here.append(_wall_s(source, folder / f"local-{number}", memory, "--workers", "2"))
            bench.say(f"dask {there[-1]:.1f} s, local {here[-1]:.1f} s")
    local_s = statistics.median(here)
    dask_s = statistics.median(there)
    rows = [
        ("local, two trainers", seconds(local_s)),
        ("two workers, a trainer each", seconds(dask_s)),
    ]
    said = (
        f"The same class of {count} by turns, {len(there)} times each, all trainings in "
        f"the store; {kernels} notebooks at the same time on each worker, and on this machine "
        f"{default_kernels()}. The median:"
    )
    after = f"Overhead {100 * (dask_s / local_s - 1):+.0f} % (target ≤ {100 * DASK_TARGET:.0f} %)."
    return Section(CLUSTER, f"{said}\n\n{table(('', 'wall'), rows)}\n\n{after}")


def _class(folder: Path, count: int) -> Path:
    ours.fresh(folder)
    for number in range(count):
        cells: list[dict[str, object]] = [
            {"cell_type": "code", "id": f"c{place}", "metadata": {}, "outputs": [],
             "execution_count": None, "source": f"# {number}\n{code}"}
            for place, code in enumerate(CODE)
        ]  # fmt: skip
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        write(folder / f"alumna-{number:05}.ipynb", notebook)
    return folder


def _graded(source: Path, out: Path, memory: Path, *words: str) -> Class:
    ours.fresh(out)
    taken, log = out.with_suffix(".json"), out.with_suffix(".log")
    command = [sys.executable, "-m", "benchmarks.measured", taken, "grade", source, "--out", out]
    usage = run([*command, *words], {"GRADER_MEMORY": str(memory)}, log=log, good=ours.ATTENTION)
    own = json.loads(taken.read_text(encoding="utf-8"))
    results = [json.loads(path.read_bytes()) for path in out.glob("students/*/result.json")]
    if not results or any(len(one["runs"]) != 1 for one in results):
        raise Failed(f"{out}: not every notebook of the class has its one training")
    controller = Usage(usage.wall_s, own["cpu_s"], own["peak_mb"], usage.code)
    return Class(len(results), controller, own["walls_s"])


def _wall_s(source: Path, out: Path, memory: Path, *words: str) -> float:
    return _graded(source, out, memory, *words).controller.wall_s


def seed_of(folder: Path) -> Entry:
    """Run one small notebook, in `folder/seed`; return its grading."""
    memory = folder / "memory"
    memory.mkdir(parents=True, exist_ok=True)
    _graded(_class(folder / "seed", 1), folder / "seed-out", memory)
    with Gradebook(folder / "seed-out") as gradebook:
        (entry,) = gradebook.entries()
    return entry


def _fill(entry: Entry, notebook: Path, source: Path, out: Path, count: int) -> float:
    """Write a gradebook of `count` with its folder of notebooks; return rows for each second."""
    ours.fresh(source, out)
    for number in range(count):
        shutil.copyfile(notebook, source / f"alumna-{number:05}.ipynb")
    assignment = load_assignment(default_folder())
    with Gradebook(out, assignment, "es") as gradebook:
        gradebook.register.hand_in(submissions(source, assignment.spec.notebook))
        began = time.monotonic()
        desk = Desk(assignment, open_dataset(assignment.spec.dataset.spec), gradebook, out, "es")
        for number in range(count):
            name = f"alumna-{number:05}"
            student = Student(name, f"Alumna {number:05}")
            result = {**entry.result, "student": {"id": name, "name": student.name}}
            gradebook.add(student, entry.gathered, result, desk.scored_by(student))
        return count / (time.monotonic() - began)


def _resumed(source: Path, out: Path, log: Path) -> float:
    """Kill a controller as soon as it runs something; return how soon the next one does."""
    for _ in range(2):
        began = time.monotonic()
        process = _started(source, out, log)
        while '"running"' not in log.read_text(encoding="utf-8"):
            if process.poll() is not None:
                raise RuntimeError(f"nothing ran: {log.read_text(encoding='utf-8')[-500:]}")
            time.sleep(0.02)
        took_s = time.monotonic() - began
        process.send_signal(signal.SIGKILL)
        process.wait()
    return took_s


def _started(source: Path, out: Path, log: Path) -> subprocess.Popen[bytes]:
    words = [*ours.GRADER, "grade", str(source), "--out", str(out), "--json"]
    with log.open("wb") as stream:
        return subprocess.Popen(words, stdout=stream, stderr=stream, start_new_session=True)


def _page(out: Path, taken: Path) -> tuple[float, float, float]:
    """Write the class's page in a process of its own; return seconds, MB, and its peak in MiB."""
    code = (
        "import json, resource, sys, time\nfrom pathlib import Path\n"
        "from grader.batch.page import write_class\nfrom grader.gradebook import Gradebook\n"
        "from grader.loading import load_assignment\n"
        "out = Path(sys.argv[1])\nbegan = time.monotonic()\n"
        "with Gradebook(out) as book:\n"
        "    write_class(out, load_assignment(book.assignment_folder), book, 'es')\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "Path(sys.argv[2]).write_text(json.dumps([time.monotonic() - began, peak]))\n"
    )
    run([sys.executable, "-c", code, out, taken])
    took_s, peak_mb = json.loads(taken.read_text(encoding="utf-8"))
    return took_s, (out / "index.html").stat().st_size / 1e6, peak_mb


@contextmanager
def _workers(folder: Path, memory: Path, kernels: int) -> Iterator[Path]:
    """Start a scheduler and two workers on this machine; yield the scheduler's file."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    common = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    commands = (
        ["scheduler", "--port", "0", *common],
        ["worker", "--nworkers", "2", "--nthreads", str(kernels), "--memory-limit", "0", *common],
    )
    with (folder / "cluster.log").open("wb") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{name}", *words],
                env={**os.environ, "GRADER_MEMORY": str(memory)},
                stdout=log,
                stderr=log,
            )
            for name, *words in commands
        ]
    try:
        while not file.exists() or not file.stat().st_size:
            time.sleep(0.1)
        yield file
    finally:
        for process in started:
            process.terminate()
            process.wait(30)
