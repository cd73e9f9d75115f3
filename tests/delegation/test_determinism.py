"""Whoever writes the same model in another way starts from the same variables, and trains alike."""

from __future__ import annotations

import pytest

from grader.execution import Execution
from tests.kernel.conftest import LOAD, Run

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

LIST = "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])"
WAYS = {
    "list": LIST,
    "add": "m = keras.Sequential()\nm.add(keras.Input((28, 28)))\nm.add(keras.layers.Flatten())\nm.add(keras.layers.Dense(32, activation='relu'))\nm.add(keras.layers.Dense(10, activation='softmax'))",
    "input_shape": "m = keras.Sequential([keras.layers.Flatten(input_shape=(28, 28)), keras.layers.Dense(32, activation='relu'), keras.layers.Dense(10, activation='softmax')])",
    "no input": "m = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])",
    "build": "m = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])\nm.build((None, 28, 28))",
    "names": "m = keras.Sequential([keras.Input((28, 28), name='foto'), keras.layers.Flatten(name='a'), keras.layers.Dense(32, 'relu', name='b'), keras.layers.Dense(10, 'softmax', name='c')], name='red')",
    "tf.nn.relu": "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, tf.nn.relu), keras.layers.Dense(10, tf.nn.softmax)])",
    "functional": "i = keras.Input((28, 28)); h = keras.layers.Dense(32, activation='relu')(keras.layers.Flatten()(i)); m = keras.Model(i, keras.layers.Dense(10, activation='softmax')(h))",
    "separate activations": "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32), keras.layers.ReLU(), keras.layers.Dense(10), keras.layers.Activation('softmax')])",
    "reshape": "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Reshape((784,)), keras.layers.Dense(32, 'relu'), keras.layers.Dense(10, 'softmax')])",
    "subclass": "class Red(keras.Model):\n    def __init__(self):\n        super().__init__(); self.p = keras.layers.Flatten(); self.o = keras.layers.Dense(32, 'relu'); self.s = keras.layers.Dense(10, 'softmax')\n    def call(self, t): return self.s(self.o(self.p(t)))\nm = Red()",
    "numpy before": "np.random.rand(5)\n" + LIST,
    "other order": "salida = keras.layers.Dense(10, activation='softmax'); oculta = keras.layers.Dense(32, activation='relu'); m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), oculta, salida])",
    "an unused layer before": "keras.layers.Dense(32, activation='relu')\n" + LIST,
    "random before": "import random\nrandom.random()\n" + LIST,
    "keras.random before": "keras.random.normal((2,)); tf.random.normal((2,))\n" + LIST,
    "dropout between": "m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, 'relu'), keras.layers.Dropout(0.2), keras.layers.Dense(10, 'softmax')])",
}  # fmt: skip
OTHER_RECIPE = {"reshape", "dropout between"}
FIT = "\nm.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\nm.fit(x, y, epochs=3, verbose=0)"
STATE = "import random\nantes = (random.getstate(), np.random.get_state()[1].tolist())\n"
AFTER = "\nprint('igual', antes == (random.getstate(), np.random.get_state()[1].tolist()), float(tf.random.uniform(())))"


@pytest.fixture(scope="module")
def execution(run_cells: Run) -> Execution:
    traced = f"{LIST}\nm.compile('adam', 'sparse_categorical_crossentropy')\n{STATE}m.fit(x, y, epochs=2, verbose=0){AFTER}"
    return run_cells(
        LOAD,
        *(way + FIT for way in WAYS.values()),
        LIST + FIT + "\n" + FIT.split("\n")[-1],
        traced,
        "print('sin fit', float(tf.random.uniform(())))",
        f"keras.utils.set_random_seed(3)\n{LIST}{FIT}",
    )


def test_every_way_starts_from_the_same_variables(execution: Execution) -> None:
    """All 17 ways of writing the model have the same start."""
    starts = {name: execution.trainings[place].states[0].weights for place, name in enumerate(WAYS)}

    assert 17 == len(starts)
    assert 1 == len(set(starts.values())), starts


def test_the_same_recipe_is_trained_once(execution: Execution) -> None:
    """Fifteen of them are one training: the same states after every epoch."""
    ends = [
        execution.trainings[place].states[-1].weights
        for place, name in enumerate(WAYS)
        if name not in OTHER_RECIPE
    ]

    assert (15, 1) == (len(ends), len(set(ends)))


def test_a_second_fit_goes_on_where_the_first_ended(execution: Execution) -> None:
    """Three epochs and three more are a chain, whose first half is everybody's."""
    first, second = execution.trainings[len(WAYS) : len(WAYS) + 2]

    assert (first.number, 3, False) == (second.parent, second.before, second.given)
    assert execution.trainings[0].states[-1] == first.states[-1]
    assert second.states[0].weights == first.states[-1].weights


def test_a_fit_leaves_no_trace_in_the_generators(execution: Execution) -> None:
    """Python's and NumPy's generators stand where they stood, TensorFlow's as without the fit."""
    traced, plain = (printed(execution, place) for place in (2 + len(WAYS), 3 + len(WAYS)))

    assert "igual True" in traced
    assert traced.split()[-1] == plain.split()[-1]


def test_a_notebook_that_seeds_keeps_its_own_start(execution: Execution) -> None:
    """With a seed of its own a notebook gets Keras's own draws, and is delegated all the same."""
    seeded = execution.trainings[-1]

    assert seeded.plan.training.tensorflow_seed is not None
    assert seeded.states[0].weights != execution.trainings[0].states[0].weights
    assert (3, False) == (seeded.epochs, seeded.given)


def printed(execution: Execution, cell: int) -> str:
    outputs = execution.records.cells[cell].outputs
    return "".join(str(output.get("text", "")) for output in outputs).strip()
