"""`grader calibrate`: trains every experiment over many seeds and writes what honest work reaches.

Trainings run in the regime in which grading trains (a fresh order of the rows in every epoch),
and in the ways in which students honestly depart from the text (`VARIANTS`). Each training is
written down when it ends, so that a stopped calibration goes on where it was.
"""

from __future__ import annotations

import json
import math
import queue
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from grader import wire
from grader.assignment import Assignment
from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.delegation.service import epoch_seed
from grader.grading import open_service
from grader.recipes import Data, Labels, Part, Plan, Recipe, State
from grader.recipes import Training as Settings
from grader.sandbox import probe
from grader.sandbox.slots import free_slots
from grader.specfile import SpecError
from grader.thresholds import PLAIN
from grader.writing import write_whole

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    PLAIN: {},
    "validation_split_10": {"validation_split": 0.1},
    "validation_split_20": {"validation_split": 0.2},
    "batch_64": {"batch_size": 64},
    "batch_128": {"batch_size": 128},
    "dropout": {"dropout": 0.2},
    "one_hot": {"loss": "categorical_crossentropy"},
    "logits": {"from_logits": True},
    "repeated_order": {"order": "repeated"},
}
LAYER = re.compile(r"(?P<op>[A-Za-z0-9]+)(?:\((?P<size>\d+)(?:, *(?P<activation>\w+))?\))?$")
FIXED_COST = 200_000  # of an epoch, in the unit of a layer's products
RATES = {"sgd": 0.01}  # Keras's defaults; 0.001 for the others
Say = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """One training to do: it serves every architecture with the same layers and settings.

    Attributes:
        layers, optimizer, loss: as assignment.toml has them.
        marks: epochs after which to measure → the architectures that this calibrates.
    """

    layers: tuple[str, ...]
    optimizer: str
    loss: str
    variant: str
    seed: int
    marks: Mapping[int, tuple[str, ...]]

    def weight(self, inputs: int) -> float:
        """Arithmetic of the training, to estimate what is left; `inputs` values in one row."""
        found = [_layer(text)["size"] for text in self.layers]
        sizes = [inputs, *(int(size) for size in found if size)]
        products = sum(first * second for first, second in pairwise(sizes))
        return max(self.marks) * (products + FIXED_COST)


def calibrate(
    assignment: Assignment,
    dataset: Dataset,
    target: Path,
    seeds: int,
    variant_seeds: int,
    workers: int,
    say: Say,
) -> None:
    """Train what is missing in `target` and write it after each training.

    Args:
        seeds: trainings of each architecture; `variant_seeds` of each honest variant of the
            architectures named in assignment.toml's `calibration.variants_on`.
        workers: trainers at the same time.
        say: receives one line for each training done.
    """
    done = _load(target)
    todo = [
        training
        for training in trainings(assignment, seeds, variant_seeds)
        if not _is_done(done, training)
    ]
    say(f"{len(todo)} trainings to do in {workers} trainers; results go to {target}")
    waiting: queue.SimpleQueue[Training] = queue.SimpleQueue()
    inputs = math.prod(assignment.spec.dataset.shape)
    for training in sorted(todo, key=lambda one: -one.weight(inputs)):
        waiting.put(training)
    board = _Board(assignment, done, target, sum(one.weight(inputs) for one in todo), say)
    level = probe().level
    with free_slots(workers) as slots, open_service(assignment, dataset, level, slots) as service:
        threads = [
            threading.Thread(
                target=_work, args=(assignment, dataset, service, waiting, board), daemon=True
            )
            for _ in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if board.problem is not None:
        raise board.problem


def trainings(assignment: Assignment, seeds: int, variant_seeds: int) -> Iterator[Training]:
    """Name every training of a calibration; architectures of equal layers share one."""
    marks: dict[tuple[tuple[str, ...], str, str], dict[int, tuple[str, ...]]] = {}
    for experiment in assignment.spec.experiments:
        for name, layers in experiment.architectures.items():
            at = marks.setdefault((layers, experiment.optimizer, experiment.loss[0]), {})
            at[experiment.epochs] = (*at.get(experiment.epochs, ()), name)
    for key, at in marks.items():
        for variant in VARIANTS:
            own = at if variant == PLAIN else _with_variants(at, assignment)
            for number in range(seeds if variant == PLAIN else variant_seeds):
                seed = wire.derived_seed(assignment.spec.seed, "calibration", number)
                if own:
                    yield Training(*key, variant, seed, own)


def _with_variants(
    at: Mapping[int, tuple[str, ...]], assignment: Assignment
) -> dict[int, tuple[str, ...]]:
    wanted = assignment.spec.calibration.variants_on
    kept = {epoch: tuple(name for name in names if name in wanted) for epoch, names in at.items()}
    return {epoch: names for epoch, names in kept.items() if names}


def recipe(
    layers: Sequence[str], shape: Sequence[int], dropout: float | None, logits: bool
) -> dict[str, Any]:
    """Return the recipe of layers written as in assignment.toml."""
    nodes: list[dict[str, Any]] = []
    for place, text in enumerate(layers):
        match = _layer(text)
        config: dict[str, Any] = {}
        if match["op"] == "Dense":
            last = place == len(layers) - 1
            activation = "linear" if logits and last else match["activation"] or "linear"
            config = {"units": int(match["size"]), "activation": activation, "use_bias": True}
        nodes.append({"op": match["op"], "config": config, "inputs": [len(nodes) - 1]})
        if dropout and match["op"] == "Dense" and place < len(layers) - 1:
            nodes.append({"op": "Dropout", "config": {"rate": dropout}, "inputs": [len(nodes) - 1]})
    return {"input_shape": list(shape), "nodes": nodes}


def plan(assignment: Assignment, training: Training, splits: Mapping[str, tuple[int, int]]) -> Plan:
    """Return what the trainer is asked to train."""
    settings = VARIANTS[training.variant]
    first, last = splits[assignment.spec.dataset.train]
    kept = math.floor((last - first) * (1.0 - settings.get("validation_split", 0.0)))
    loss = settings.get("loss", training.loss)
    labels = Labels(
        kind="sparse" if loss.startswith("sparse") else "one-hot",
        classes=len(assignment.spec.dataset.classes),
        mismatched=0,
    )
    logits = bool(settings.get("from_logits", False))
    made = Recipe.model_validate(
        recipe(training.layers, assignment.spec.dataset.shape, settings.get("dropout"), logits)
    )
    repeated = settings.get("order") == "repeated"
    return Plan(
        recipe=made,
        data=Data(
            recognised=True,
            count=kept,
            rows=[[first, first + kept]],
            table=[float(np.float32(value / 255)) for value in range(256)],
            row_shape=list(assignment.spec.dataset.shape),
            labels=labels,
        ),
        training=Settings(
            optimizer=Part(
                name=class_of(training.optimizer, wire.OPTIMIZERS),
                settings={"learning_rate": RATES.get(training.optimizer, 0.001)},
            ),
            loss=Part(name=class_of(loss, wire.LOSSES), settings={"from_logits": logits}),
            metrics=[],
            batch_size=settings.get("batch_size", 32),
            draws=start_draws(made, training.seed),
            tensorflow_seed=training.seed if repeated else None,
        ),
    )


def start_draws(made: Recipe, seed: int) -> list[Part | None]:
    """Draw as an unseeded notebook does: Glorot kernels under derived seeds, zero biases."""
    draws: list[Part | None] = []
    seen: Counter[tuple[int, ...]] = Counter()
    size = math.prod(made.input_shape)
    for node in made.nodes:
        if node.op == "Dense":
            units = node.config["units"]
            assert isinstance(units, int)
            shape = (size, units)
            drawn = wire.initial_seed(seed, node.op, shape, seen[shape])
            seen[shape] += 1
            draws += [Part(name="GlorotUniform", settings={"seed": drawn}), Part(name="Zeros")]
            size = units
    return draws


def train(
    service: Service,
    assignment: Assignment,
    training: Training,
    splits: Mapping[str, tuple[int, int]],
) -> dict[str, Any]:
    """Train and measure after each of the training's marks; return epochs → measurement."""
    asked = plan(assignment, training, splits)
    start = service.start(asked, asked.training.draws)
    assert start.weights is not None
    dropouts = sum(node.op == "Dropout" for node in asked.recipe.nodes)
    rate = asked.training.optimizer.settings["learning_rate"]
    assert isinstance(rate, float)
    state = State(
        weights=start.weights,
        optimizer=start.optimizer,
        seeds=[[wire.derived_seed(training.seed, "dropout", n), 0] for n in range(dropouts)],
        learning_rate=rate,
    )
    measured = {}
    for epoch in range(max(training.marks)):
        state = service.epoch(asked, state, epoch_seed(asked, training.seed, epoch)).state
        if epoch + 1 in training.marks:
            measured[str(epoch + 1)] = service.measure(
                asked.recipe, asked.data, state.weights,
                assignment.spec.dataset.test, asked.training.from_logits,
            )  # fmt: skip
    return measured


def summary(values: Sequence[float]) -> dict[str, float | int]:
    """Return n, mean, standard deviation (n - 1), smallest and largest of fractions."""
    return {
        "seeds": len(values),
        "mean": round(statistics.fmean(values), 6),
        "sd": round(statistics.stdev(values), 6) if len(values) > 1 else 0.0,
        "min": round(min(values), 6),
        "max": round(max(values), 6),
    }


class _Board:
    """What is done: written after each training, with an estimate of what is left."""

    def __init__(
        self, assignment: Assignment, done: dict[str, Any], target: Path, weight: float, say: Say
    ) -> None:
        self.assignment, self.done, self.target, self.say = assignment, done, target, say
        self.weight, self.finished, self.began = weight, 0.0, time.monotonic()
        self.lock = threading.Lock()
        self.problem: Exception | None = None

    def add(
        self, training: Training, measured: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        with self.lock:
            for epochs, names in training.marks.items():
                figures = measured[str(epochs)]
                for name in names:
                    variants = self.done["architectures"].setdefault(name, {})
                    runs = variants.setdefault(training.variant, {}).setdefault("runs", [])
                    runs.append(
                        [
                            training.seed,
                            round(figures["train_accuracy"], 6),
                            round(figures["test_accuracy"], 6),
                        ]
                    )
                    runs.sort()
                    variants[training.variant].update(_figures(runs))
            self.done["environment"] = dict(environment)
            self.done["assignment_seed"] = self.assignment.spec.seed
            _write(self.target, self.done)
            self.finished += training.weight(math.prod(self.assignment.spec.dataset.shape))
            spent = time.monotonic() - self.began
            left = spent * (self.weight - self.finished) / self.finished
            self.say(
                f"{training.variant:20} {' → '.join(training.layers)}  seed {training.seed}  "
                f"about {left / 60:.0f} min left"
            )


def _work(
    assignment: Assignment, dataset: Dataset, service: Service, waiting: Any, board: _Board
) -> None:
    splits = Pristine.open(dataset.rows).splits
    try:
        environment = {**service.info(), "data_sha256": dataset.sha256}
        while board.problem is None:
            training = waiting.get_nowait()
            board.add(training, train(service, assignment, training, splits), environment)
    except queue.Empty:
        return
    except Exception as error:  # noqa: BLE001 - the border: the thread's caller raises it
        board.problem = error


def class_of(word: str, allowed: Mapping[str, Any]) -> str:
    """Return the class that Keras means by a word, such as Adam by `adam`."""
    for name in allowed:
        if word in (name, wire.snake(name), name.lower()):
            return name
    raise SpecError(f"experiments: {word!r} cannot be calibrated; it is not on the allow-list")


def _layer(text: str) -> re.Match[str]:
    match = LAYER.match(text)
    if match is None:
        raise SpecError(
            f"experiments: layer {text!r} cannot be calibrated; write Flatten or Dense(128, relu)"
        )
    return match


def _figures(runs: Sequence[Sequence[float]]) -> dict[str, Any]:
    return {
        "train_accuracy": summary([train for _, train, _ in runs]),
        "test_accuracy": summary([test for _, _, test in runs]),
        "gap": summary([round(train - test, 6) for _, train, test in runs]),
    }


def _is_done(done: Mapping[str, Any], training: Training) -> bool:
    return all(
        any(
            run[0] == training.seed
            for run in done["architectures"].get(name, {}).get(training.variant, {}).get("runs", [])
        )
        for names in training.marks.values()
        for name in names
    )


def _load(target: Path) -> dict[str, Any]:
    if not target.exists():
        return {"environment": {}, "assignment_seed": 0, "architectures": {}}
    loaded: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return loaded


def _write(target: Path, done: Mapping[str, Any]) -> None:
    write_whole(target, f"{json.dumps(done, indent=1, sort_keys=True)}\n".encode())
