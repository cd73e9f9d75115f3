"""Real kernels behind real walls, on the real dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.execution import Execution, execute
from grader.loading import default_folder, load_assignment
from grader.sandbox import Level, open_sandbox
from grader.watching import Watching

LOAD = """
import numpy as np, tensorflow as tf
from tensorflow import keras
(train_images, train_labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
x, y = train_images[:2000] / 255.0, train_labels[:2000]
x_test, y_test = test_images[:500] / 255.0, test_labels[:500]
def net(units=16, **compiled):
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(),
                              keras.layers.Dense(units, activation="relu"),
                              keras.layers.Dense(10, activation="softmax")])
    model.compile(**({"optimizer": "adam", "loss": "sparse_categorical_crossentropy",
                      "metrics": ["accuracy"]} | compiled))
    return model
"""

Run = Callable[..., Execution]


def notebook(*cells: str) -> dict[str, Any]:
    """A cleaned notebook of these code cells."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "id": f"c{place}", "metadata": {}, "source": source, "outputs": [],
             "execution_count": None}
            for place, source in enumerate(cells)
        ],
    }  # fmt: skip


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    return load_assignment(default_folder())


def limited(assignment: Assignment, **limits: int) -> Assignment:
    """The assignment with other limits."""
    spec = assignment.spec.model_copy(
        update={"limits": assignment.spec.limits.model_copy(update=limits)}
    )
    return assignment.model_copy(update={"spec": spec})


@pytest.fixture(scope="module")
def run_cells(
    tmp_path_factory: pytest.TempPathFactory,
    assignment: Assignment,
    dataset: Dataset,
    service: Service,
) -> Run:
    """Run code cells in a fresh kernel behind the walls; later cells see the earlier ones."""
    sandbox = open_sandbox(Level.STANDARD, slot=60)

    def run(
        *cells: str, level: Level = Level.STANDARD, local: bool = False,
        watching: Watching | None = None, **limits: int,
    ) -> Execution:  # fmt: skip
        folder: Path = tmp_path_factory.mktemp("run")
        walls = sandbox if level is Level.STANDARD else open_sandbox(level)
        return execute(
            walls, notebook(*cells), limited(assignment, **limits), dataset, folder, service,
            local, watching,
        )  # fmt: skip

    return run
