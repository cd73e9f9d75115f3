"""Benchmark 5: the trainer's seconds per epoch beside a floor measured on the same core.

`python -m benchmarks.limit CORE FOLDER EPOCHS UNITS…` measures one model and prints JSON; it runs
as a process of its own, held to one core, which the trainer inherits.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.report import Section, table, times
from grader.assignment import Assignment
from grader.calibrate import Training, plan
from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset, open_dataset
from grader.delegation import Memory, Service
from grader.delegation.service import epoch_seed
from grader.grading import open_service
from grader.loading import default_folder, load_assignment
from grader.recipes import State
from grader.sandbox import probe
from grader.thresholds import PLAIN

LIMIT = "5 · The limit"
MODELS: tuple[tuple[int, ...], ...] = ((128,), (500,), (500, 500, 500))
EPOCHS = 4
ANY = -1  # do not hold the process to a core


@dataclass(frozen=True)
class Speed:
    """Seconds of the first epoch, which builds the model, and of a later one (the median)."""

    first_s: float
    later_s: float


def limit(bench: Bench) -> Section:
    """Measure every model and its floor, one after the other, on the last core."""
    core = max(os.sched_getaffinity(0))
    rows = []
    for units in MODELS:
        bench.say(f"limit: {name(units)}")
        speed = seconds_per_epoch(bench, units, core)
        floor = _floor(units, core)
        total = floor["gemm_s"] + floor["adam_s"]
        rows.append(
            [
                name(units), f"{speed.later_s:.2f} s", f"{speed.first_s:.2f} s",
                f"{floor['gemm_s']:.2f} s ({floor['gflops']:.0f} GFLOP/s)",
                f"{floor['adam_s']:.2f} s ({floor['gb_per_s']:.0f} GB/s)", f"{total:.2f} s",
                times(speed.later_s / total),
            ]
        )  # fmt: skip
    head = (
        "hidden layers", "trainer, an epoch", "its first epoch", "floor: products",
        "floor: Adam's memory", "floor", "trainer / floor",
    )  # fmt: skip
    said = (
        "60,000 rows in batches of 32, one core for everything, the trainer behind its walls and "
        "its states written to the memory. The floor is the faster of NumPy's and TensorFlow's "
        "products with one thread at the layers' shapes (forward, gradient of the weights, and of "
        "the inputs from the second layer on), and 28 bytes for each parameter and step at the "
        "rate at which NumPy adds arrays of the model's own size. Everything else (activations, "
        "loss, metrics, gathering rows) counts as nothing in the floor."
    )
    return Section(LIMIT, f"{said}\n\n{table(head, rows)}")


def name(units: tuple[int, ...]) -> str:
    """Return the hidden layers as people write them."""
    return " → ".join(map(str, units))


def seconds_per_epoch(bench: Bench, units: tuple[int, ...], core: int = ANY) -> Speed:
    """Train some epochs from a cold memory, in a process of its own."""
    folder = bench.folder("limit-memory")
    epochs = 2 if bench.quick else EPOCHS
    command = [sys.executable, "-m", "benchmarks.limit", str(core), str(folder), str(epochs)]
    found = json.loads(subprocess.check_output([*command, *map(str, units)]))
    return Speed(**found)


def _floor(units: tuple[int, ...], core: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.floor", str(core), *map(str, units)]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    return found


def _speed(
    service: Service, assignment: Assignment, dataset: Dataset, units: tuple[int, ...], epochs: int
) -> Speed:
    layers = ("Flatten", *(f"Dense({one}, relu)" for one in units), "Dense(10, softmax)")
    training = Training(
        layers, "adam", "sparse_categorical_crossentropy", PLAIN, assignment.spec.seed, {}
    )
    asked = plan(assignment, training, Pristine.open(dataset.rows).splits)
    start = service.start(asked, asked.training.draws)
    assert start.weights is not None
    rate = asked.training.optimizer.settings["learning_rate"]
    assert isinstance(rate, float)
    state = State(weights=start.weights, optimizer=start.optimizer, seeds=[], learning_rate=rate)
    took = []
    for number in range(epochs):
        done = service.epoch(asked, state, epoch_seed(asked, training.seed, number))
        state = done.state
        took.append(done.seconds)
    return Speed(took[0], statistics.median(took[1:]))


def main(core: int, folder: Path, epochs: int, units: tuple[int, ...]) -> None:
    """Measure one model in this process's own service and print JSON."""
    if core != ANY:
        os.sched_setaffinity(0, {core})
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    memory = Memory(folder)
    memory.clear()
    with open_service(assignment, dataset, probe().level, memory=memory) as service:
        speed = _speed(service, assignment, dataset, units, epochs)
    print(json.dumps(asdict(speed)))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), tuple(map(int, sys.argv[4:])))
