"""Small pieces of evidence for tests; each is right unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.checks import Verdict, judge
from grader.evidence import (
    Axes,
    CellRun,
    Compiled,
    Component,
    Evaluation,
    Evidence,
    Figure,
    Fit,
    Measurement,
    Prediction,
    Run,
    Start,
)
from grader.findings import Finding
from grader.loading import load_assignment
from grader.locale import Translator
from grader.recipes import Data, Labels, Node, Recipe
from grader.thresholds import Band, Calibration, Variant

ROOT = Path(__file__).parent.parent
SPLITS = {"train": (0, 60_000), "test": (60_000, 70_000)}
TRAIN, TEST = [[0, 60_000]], [[60_000, 70_000]]
UNIT = [pixel / 255 for pixel in range(256)]
RAW = [float(pixel) for pixel in range(256)]
TWICE = [pixel / 255 / 255 for pixel in range(256)]
NAMES = [
    "Camiseta", "Pantalón", "Suéter", "Vestido", "Abrigo",
    "Sandalia", "Camisa", "Zapatilla", "Bolso", "Botín",
]  # fmt: skip


def band(mean: float, sd: float = 0.002) -> Band:
    """Figures of ten seeds around a mean."""
    return Band(seeds=10, mean=mean, sd=sd, min=mean - 2 * sd, max=mean + 2 * sd)


def calibration(test: float = 0.88, gap: float = 0.03) -> Calibration:
    """The same for every architecture: full points from 0.871 on, none at 0.821, gap 0.039."""
    variant = Variant(train_accuracy=band(test + gap), test_accuracy=band(test), gap=band(gap))
    names = ("baseline", "wide", "longer_128", "longer_500", "deep")
    return Calibration(
        environment={},
        assignment_seed=1,
        architectures={name: {"plain": variant} for name in names},
    )


@cache
def assignment() -> Assignment:
    """The real assignment with a calibration that never changes."""
    real = load_assignment(ROOT / "assignment")
    return real.model_copy(update={"calibration": calibration()})


def node(op: str, **config: Any) -> Node:
    """One operation; `custom=True` makes it one of the student's own."""
    custom = config.pop("custom", False)
    inputs = config.pop("inputs", [])
    return Node(op=op, custom=custom, config=config, inputs=inputs)


def dense(units: int, activation: str = "linear", **config: Any) -> Node:
    """A Dense layer."""
    return node("Dense", units=units, activation=activation, use_bias=True, **config)


def recipe(*nodes: Node, shape: Sequence[int] = (28, 28)) -> Recipe:
    """A chain of nodes; nodes that say their inputs keep them."""
    linked = [
        one if one.inputs else one.model_copy(update={"inputs": [place - 1]})
        for place, one in enumerate(nodes)
    ]
    return Recipe(input_shape=list(shape), nodes=linked)


def mlp(*hidden: int, shape: Sequence[int] = (28, 28)) -> Recipe:
    """Flatten, hidden layers with ReLU, ten classes with softmax."""
    layers = [dense(units, "relu") for units in hidden]
    return recipe(node("Flatten"), *layers, dense(10, "softmax"), shape=shape)


def data(rows: Any = None, table: Sequence[float | None] | None = None, **said: Any) -> Data:
    """Recognised rows, /255, with their own labels."""
    rows = TRAIN if rows is None else rows
    count = sum(max(run[-1] - run[0], 0) for run in rows) if isinstance(rows, list) else 1
    labels = Labels(kind="sparse", classes=10, mismatched=0)
    values: dict[str, Any] = {
        "recognised": True, "count": count, "rows": rows, "row_shape": [28, 28],
        "table": list(UNIT if table is None else table), "labels": labels, "text": "train[0:60000]",
    }  # fmt: skip
    return Data(**(values | said))


def unknown_data(count: int = 60_000) -> Data:
    """Rows that nobody recognised."""
    return Data(recognised=False, count=count, reason="no table maps the pixels")


def compiled(
    optimizer: str = "adam",
    loss: str = "sparse_categorical_crossentropy",
    metrics: Sequence[str] = ("accuracy",),
    standard: bool = True,
    **settings: Any,
) -> Compiled:
    """What `compile` was told."""
    return Compiled(
        optimizer=Component(name=optimizer, standard=standard),
        loss=Component(name=loss, standard=True, settings=settings),
        metrics=list(metrics),
    )


def measurement(test: float = 0.88, train: float = 0.91) -> Measurement:
    """What the trainer measured."""
    return Measurement(
        train_accuracy=train, train_loss=0.25, test_accuracy=test, test_loss=0.33,
        confusion=[], mistakes=[], parameters=101_770,
    )  # fmt: skip


def run(
    id: int = 1,
    model: Recipe | None = None,
    epochs: int = 10,
    *,
    test: float = 0.88,
    train: float = 0.91,
    start: float | None = 0.1,
    **said: Any,
) -> Run:
    """One fit of the baseline, trained by the trainer; fields of Run and Fit by name."""
    own = {
        key: said.pop(key)
        for key in ("trained_by", "measured", "claimed", "samples", "unmeasured", "fault")
        if key in said
    }
    before = said.get("epochs_before", 0)
    values: dict[str, Any] = {
        "kind": "fit", "id": id, "cell": id, "chain": id, "how": "fit", "model": "Sequential",
        "recipe": mlp(128) if model is None else model, "compiled": compiled(), "data": data(),
        "batch_size": 32, "epochs_before": before, "epochs_asked": epochs - before,
        "epochs_run": epochs - before, "seconds": 1.0,
    }  # fmt: skip
    fit = Fit(**(values | said))
    standing: dict[str, Any] = {
        "trained_by": "trainer",
        "measured": measurement(test, train),
        "start": None if start is None else Start(test_accuracy=start, test_loss=2.3),
    }
    return Run(fit=fit, epochs=epochs, **(standing | own))


def evaluation(id: int = 100, chain: int | None = 1, rows: Any = None, **said: Any) -> Evaluation:
    """A call of `evaluate` on the whole test split."""
    values: dict[str, Any] = {
        "kind": "evaluate", "id": id, "cell": id, "chain": chain, "epochs": 10,
        "data": data(TEST if rows is None else rows), "results": {"accuracy": 0.88, "loss": 0.33},
    }  # fmt: skip
    return Evaluation(**(values | said))


def prediction(id: int = 200, chain: int | None = 1, rows: Any = None, **said: Any) -> Prediction:
    """A call of `predict` on the whole test split; image 0 is class 9."""
    seen = data(TEST if rows is None else rows, labels=None)
    values: dict[str, Any] = {
        "kind": "predict", "id": id, "cell": id, "chain": chain, "data": seen,
        "shape": [seen.count, 10], "row_sum": (0.9999, 1.0001), "argmax": [9, 2, 1, 1],
    }  # fmt: skip
    return Prediction(**(values | said))


def axes(
    *images: int | None, bars: int = 0, texts: Sequence[str] = (), colorbar: bool = False
) -> Axes:
    """One set of axes."""
    return Axes(images=list(images), bars=bars, texts=list(texts), colorbar=colorbar)


def figure(id: int, *parts: Axes) -> Figure:
    """One drawn figure; its cell has the same number."""
    return Figure(kind="figure", id=id, cell=id, axes=list(parts))


def image_figure(id: int, row: int) -> Figure:
    """One image with its colour bar."""
    return figure(id, axes(row, colorbar=True), axes(colorbar=True))


def grid_figure(id: int = 300, first: int = 0, count: int = 25) -> Figure:
    """Images in order with their names."""
    parts = [axes(row, texts=[NAMES[row % 10]]) for row in range(first, first + count)]
    return figure(id, *parts)


def prediction_figure(id: int, first: int, count: int = 15) -> Figure:
    """Test images in order, each with its ten bars."""
    parts = [(axes(60_000 + row), axes(bars=10)) for row in range(first, first + count)]
    return figure(id, *(part for pair in parts for part in pair))


def cell(index: int, text: str = "", status: str = "ok", **said: Any) -> CellRun:
    """One cell that printed a text."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
    values: dict[str, Any] = {"kind": "cell", "index": index, "status": status, "seconds": 0.1}
    return CellRun(**(values | {"outputs": outputs} | said))


def evidence(*runs: Run, **said: Any) -> Evidence:
    """Evidence with these runs and nothing else unless told."""
    return Evidence(**({"runs": tuple(runs), "splits": dict(SPLITS)} | said))


def perfect() -> Evidence:
    """A notebook that did everything."""
    runs = (
        run(1),
        run(2, mlp(500)),
        run(3, epochs=20),
        run(4, mlp(500, 500, 500)),
    )
    cells = (
        cell(10, "(60000, 28, 28) (60000,)\n(10000, 28, 28) (10000,)"),
        cell(20, "Predicción: 9 Botín\nEtiqueta: 9 Botín"),
    )
    sources = tuple("np.argmax(predictions[0])" if index == 20 else "" for index in range(21))
    return evidence(
        *runs,
        evaluations=(evaluation(5),),
        predictions=(prediction(6), prediction(7, rows=[[60_001, 60_002]], argmax=[2])),
        figures=(
            image_figure(11, 100),
            image_figure(12, 60_100),
            grid_figure(13),
            prediction_figure(14, 0),
            prediction_figure(15, 15),
            figure(16, axes(bars=10, texts=NAMES)),
        ),
        cells=cells,
        sources=sources,
        labels=(9, 2, 1, 1),
    )


def verdict(found: Evidence, changed: Assignment | None = None) -> Verdict:
    """Judge evidence by the real assignment."""
    return judge(changed or assignment(), found)


def finding(found: Evidence, name: str, changed: Assignment | None = None) -> Finding:
    """Return one finding of the verdict."""
    return next(one for one in verdict(found, changed).findings if one.check == name)


def spanish(text: Any) -> str:
    """Return a text as a student reads it."""
    return Translator("es")(text)


def english(text: Any) -> str:
    """Return a text in its source language."""
    return Translator("en")(text)


def statuses(found: Evidence) -> Mapping[str, str]:
    """Return the status of every check by its name."""
    return {one.check: one.status.value for one in verdict(found).findings}


def outcome(student: str = "ana", **said: Any) -> dict[str, Any]:
    """A result.json as the gradebook keeps it, with whatever a test says."""
    plain: dict[str, Any] = {
        "schema": "grader/result/1",
        "student": {"id": student, "name": student.title()},
        "state": "graded",
        "problem": None,
        "points": {"earned": 58.5, "possible": 70.0, "pending": 30.0, "total": 100.0},
        "late": {"by_s": None, "deduction": 0.0},
        "grade": {"value": None, "range": [2.9, 4.4], "scale": "0.0–5.0"},
        "findings": [],
        "runs": [],
        "answers": [],
        "flags": [],
        "cells": [],
    }
    return plain | said
