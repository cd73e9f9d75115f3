"""Kernel and trainer train alike: one epoch at a time, from one start, under the same seeds."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.evidence import Fit
from grader.execution import Execution, execute
from grader.loading import default_folder, load_assignment
from grader.recipes import plain
from grader.sandbox import Level, open_sandbox
from grader.trainer import Trainer
from tests.kernel.conftest import LOAD, notebook

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

WAYS = {
    "list": "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])",
    "add": "m = keras.Sequential()\nm.add(keras.layers.Flatten(input_shape=(28, 28)))\nm.add(keras.layers.Dense(32, activation='relu'))\nm.add(keras.layers.Dense(10, activation='softmax'))",
    "functional": "i = keras.Input((28, 28)); h = keras.layers.Dense(32, activation='relu')(keras.layers.Flatten()(i)); m = keras.Model(i, keras.layers.Dense(10, activation='softmax')(h))",
    "other order": "salida = keras.layers.Dense(10, activation='softmax'); oculta = keras.layers.Dense(32, activation='relu'); m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), oculta, salida])",
    "draws before": "import random\nrandom.random(); np.random.rand(); tf.random.normal((2,)); keras.random.normal((2,))\nm = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])",
    "unbuilt": "m = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])",
}  # fmt: skip
FIT = "\nm.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\nm.fit(x, y, epochs=3, verbose=0)"
STATE = "import random\nantes = (random.getstate(), np.random.get_state()[1].tolist())\n"
AFTER = "\nprint('igual', antes == (random.getstate(), np.random.get_state()[1].tolist()), float(tf.random.uniform(())))"


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(default_folder())


@pytest.fixture(scope="module")
def execution(
    tmp_path_factory: pytest.TempPathFactory, assignment: Assignment, dataset: Dataset
) -> Execution:
    folder: Path = tmp_path_factory.mktemp("regime")
    seeded = f"keras.utils.set_random_seed(3)\n{WAYS['list']}{FIT}"
    traced = f"{WAYS['list']}\nm.compile('adam', 'sparse_categorical_crossentropy')\n{STATE}m.fit(x, y, epochs=2, verbose=0){AFTER}"
    cells = notebook(
        LOAD,
        *(way + FIT for way in WAYS.values()),
        traced,
        "print('sin fit', float(tf.random.uniform(())))",
        seeded,
    )
    return execute(open_sandbox(Level.STANDARD, slot=64), cells, assignment, dataset, folder)


def fits(execution: Execution) -> tuple[Fit, ...]:
    return execution.records.of(Fit)


def arrays(execution: Execution, name: str | None) -> Mapping[str, np.ndarray]:
    data = execution.variables(name)
    assert data is not None
    loaded: Mapping[str, np.ndarray] = np.load(io.BytesIO(data), allow_pickle=False)
    return loaded


def state(execution: Execution, fit: Fit) -> str:
    """The digest that the trainer gives: trained variables in the order of the nodes."""
    assert fit.recipe is not None
    values = arrays(execution, fit.after)
    digest = hashlib.sha256()
    for node in fit.recipe.nodes:
        for place in node.variables:
            digest.update(np.ascontiguousarray(values[f"v{place}"]).tobytes())
    return digest.hexdigest()


def train(trainer: Trainer, assignment: Assignment, fit: Fit, **changes: Any) -> list[str]:
    assert fit.recipe is not None
    request = {
        "op": "train", "recipe": plain(fit.recipe), "seed": assignment.spec.seed, "rows": fit.data.rows,
        "measure_rows": fit.data.rows, "table": fit.data.table, "row_shape": fit.data.row_shape, "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy", "from_logits": False, "batch_size": 32, "epochs": 3,
        "validation_split": 0.0, "order": "fresh", "marks": [], "test": "test", **changes,
    }  # fmt: skip
    return [reply["state"] for reply in trainer.follow(request) if "epoch" in reply]


def test_every_way_of_writing_it_starts_and_ends_equal(execution: Execution) -> None:
    """However the same layers are written, start and trained variables are the same bytes."""
    found = fits(execution)[: len(WAYS)]

    assert 1 == len(
        {
            tuple(value.tobytes() for value in arrays(execution, fit.before).values())
            for fit in found
        }
    )
    assert 1 == len({state(execution, fit) for fit in found})


def test_the_trainer_trains_the_same_bytes(
    execution: Execution, trainer: Trainer, assignment: Assignment
) -> None:
    """An unseeded fit in the kernel equals the trainer's training, epoch by epoch."""
    fit = fits(execution)[0]
    states = train(trainer, assignment, fit)

    assert state(execution, fit) == states[2]
    assert 3 == len(set(states))


def test_the_order_of_the_rows_is_fresh_in_every_epoch(
    execution: Execution, trainer: Trainer, assignment: Assignment
) -> None:
    """Keras's repeated order gives other variables: the fresh one is really in force."""
    fit = fits(execution)[0]

    assert state(execution, fit) not in train(trainer, assignment, fit, order="repeated")


def test_a_fit_leaves_no_trace_in_the_generators(execution: Execution) -> None:
    """Python's and NumPy's generators stand where they stood, TensorFlow's as without the fit."""
    traced, plain = (json_text(execution, place) for place in (1 + len(WAYS), 2 + len(WAYS)))

    assert "igual True" in traced
    assert traced.split()[-1] == plain.split()[-1]


def test_a_notebook_that_seeds_keeps_its_own_start(execution: Execution) -> None:
    """With a seed of its own a notebook gets Keras's own draws."""
    seeded, plain = fits(execution)[-1], fits(execution)[0]

    assert ["numpy", "python", "tensorflow"] == seeded.seeded
    assert (
        arrays(execution, seeded.before)["v0"].tobytes()
        != arrays(execution, plain.before)["v0"].tobytes()
    )


def json_text(execution: Execution, cell: int) -> str:
    return "".join(
        str(output.get("text", "")) for output in execution.records.cells[cell].outputs
    ).strip()
