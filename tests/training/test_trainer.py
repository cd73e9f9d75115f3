"""The trainer builds from an allow-list, measures what is really there, and refuses the rest."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.delegation import Memory
from grader.delegation.memory import name_of
from grader.sandbox import Level, open_sandbox
from grader.trainer import Refused, Trainer, TrainerFault

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(300)]

TABLE = [value / 255 for value in range(256)]


def dense(
    units: Any, activation: str = "linear", variables: tuple[int, ...] = (0, 1), source: int = 0
) -> dict[str, Any]:
    config = {"units": units, "activation": activation, "use_bias": True}
    return {"op": "Dense", "config": config, "inputs": [source], "variables": list(variables)}


def node(op: str, *inputs: int, **config: Any) -> dict[str, Any]:
    return {"op": op, "config": config, "inputs": list(inputs), "variables": []}


def reshape(source: int, *shape: int) -> dict[str, Any]:
    return node("Reshape", source, target_shape=list(shape))


def flat(*nodes: dict[str, Any]) -> dict[str, Any]:
    flatten = {"op": "Flatten", "config": {}, "inputs": [-1], "variables": []}
    return {"input_shape": [28, 28], "nodes": [flatten, *nodes]}


def packed(*arrays: np.ndarray) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def request(recipe: dict[str, Any], data: bytes = b"", **changes: Any) -> dict[str, Any]:
    """A measurement of these bytes as the recipe's weights."""
    seen = {"rows": [[0, 1000]], "table": TABLE, "row_shape": [28, 28]}
    asked = {
        "op": "measure", "recipe": recipe, "data": seen | changes.pop("seen", {}), "test": "test",
        "weights": name_of(data), "from_logits": False, **changes,
    }  # fmt: skip
    return asked | {"key": name_of(repr(asked).encode())}


def measured(trainer: Trainer, recipe: dict[str, Any], *arrays: np.ndarray, **changes: Any) -> Any:
    data = packed(*arrays)
    return trainer.ask(request(recipe, data, **changes), [data])


LINEAR = flat(dense(10, "softmax"))


def weights(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.05, (784, 10)).astype("float32"), random.normal(0, 0.1, 10).astype(
        "float32"
    )


def expected_accuracy(
    kernel: np.ndarray,
    bias: np.ndarray,
    pristine: Pristine,
    rows: range,
    table: list[float] = TABLE,
) -> float:
    """The same linear model, computed with NumPy alone."""
    images = np.asarray(table, "float32")[pristine.images(rows)].reshape(-1, 784)
    return float(((images @ kernel + bias).argmax(axis=1) == pristine.labels(rows)).mean())


def test_measures_what_numpy_computes(trainer: Trainer, pristine: Pristine) -> None:
    """Accuracies on the trained rows and on the whole test split are those of the variables."""
    kernel, bias = weights()
    answer = measured(trainer, LINEAR, kernel, bias)

    assert answer["train_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(1000)), abs=0.002
    )
    assert answer["test_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(60_000, 70_000)), abs=0.0005
    )
    assert 7850 == answer["parameters"]


def test_confusion_and_mistakes_agree(trainer: Trainer, pristine: Pristine) -> None:
    """The confusion matrix has each test image once; mistakes are real and the surest first."""
    answer = measured(trainer, LINEAR, *weights(1))
    confusion, mistakes = np.array(answer["confusion"]), answer["mistakes"]

    assert (10_000, [1000] * 10) == (confusion.sum(), confusion.sum(axis=1).tolist())
    assert answer["test_accuracy"] == pytest.approx(np.trace(confusion) / 10_000)
    assert [int(pristine.labels([one["row"]])[0]) for one in mistakes] == [
        one["label"] for one in mistakes
    ]
    assert all(one["label"] != one["predicted"] for one in mistakes)
    assert [one["confidence"] for one in mistakes] == sorted(
        (one["confidence"] for one in mistakes), reverse=True
    )


def test_uses_the_notebooks_own_pixel_values(trainer: Trainer, pristine: Pristine) -> None:
    """A model of raw pixels is fed raw pixels."""
    kernel, bias = weights(2)
    table = [float(value) for value in range(256)]
    answer = measured(trainer, LINEAR, kernel, bias, seen={"table": table})

    assert answer["test_accuracy"] == pytest.approx(
        expected_accuracy(kernel, bias, pristine, range(60_000, 70_000), table), abs=0.001
    )


def test_what_was_measured_is_kept(trainer: Trainer) -> None:
    """The second time the bytes need not come along: the first answer's state is not needed."""
    first = measured(trainer, LINEAR, *weights(3))
    second = measured(trainer, LINEAR, *weights(4))

    assert first["test_accuracy"] != second["test_accuracy"]
    with pytest.raises(Refused, match="not here"):
        trainer.ask(request(LINEAR, packed(*weights(5))))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"input_shape": [28, 28], "nodes": []}, "1 to 100 nodes"),
        (flat({"op": "Lambda", "config": {}, "inputs": [0]}), "allow-list"),
        (flat({"op": "os.system", "custom": True, "config": {}, "inputs": [0]}), "allow-list"),
        (flat({**dense(10), "config": {"units": 10, "kernel_initializer": "x"}}), "kernel_initializer"),
        (flat(dense(10, "__import__")), "activation"),
        (flat(dense(10**9)), "units"),
        (flat(dense(60_000)), "more than 5000000"),
        (flat(dense(-1)), "units"),
        (flat(dense(True)), "units"),
        (flat(dense(10, source=7)), "earlier nodes"),
        ({"input_shape": [10**6], "nodes": [dense(10)]}, "out of range"),
        ({"input_shape": [28, 28], "nodes": [{"op": "Flatten", "config": {}, "inputs": [-1]}] * 101}, "1 to 100"),
        (flat(dense(2500), reshape(1, 2500, 1), reshape(1, 1, 2500), node("Add", 2, 3)), "more than 5000000"),
        (flat(reshape(0, 784, 1), *(node("Concatenate", *[place] * 16, axis=1) for place in (1, 2, 3, 4))), "more than 5000000"),
        (flat(node("Concatenate", 0, 0, axis=0)), "none of a row's"),
        (flat({**dense(10), "config": {"units": 10, "kernel_regularizer": ["L2", -1.0]}}), "node 1"),
        (flat(dense(1), reshape(1), dense(10, source=2)), "no axis"),
        ({"input_shape": [28, 28, 1], "nodes": [node("Conv2D", -1, filters=4, kernel_size=["x", 3])]}, "pair of sizes"),
        ({"input_shape": [28, 28, 1], "nodes": [node("Conv2D", -1, filters=1, kernel_size=[3, 3], dilation_rate=[1000, 1000])]}, "pair of sizes"),
    ],
)  # fmt: skip
def test_refuses_what_is_not_on_the_allow_list(
    trainer: Trainer, recipe: dict[str, Any], words: str
) -> None:
    """Unknown layers, settings and sizes are refused by name before anything is built."""
    with pytest.raises(Refused, match=words):
        measured(trainer, recipe, *weights())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "this model's has"),
        (packed(weights()[0]), "this model's has"),
        (packed(*weights()) + b"1234", "this model's has"),
        (packed(weights()[0] * np.nan, weights()[1]), "finite"),
    ],
    ids=["nothing", "too little", "too much", "not finite"],
)
def test_refuses_bad_variables(trainer: Trainer, data: bytes, words: str) -> None:
    """Bytes that are not this model's variables are refused, not half read."""
    with pytest.raises(Refused, match=words):
        trainer.ask(request(LINEAR, data), [data])


@pytest.mark.parametrize("units", [1, 9, 1200])
def test_refuses_outputs_that_are_no_classes(trainer: Trainer, units: int) -> None:
    """A model of too few outputs cannot be measured, and one of too many is not tried."""
    kernel = np.zeros((784, units), "float32")
    with pytest.raises(Refused, match=rf"shape \({units},\), are no values of 10 classes"):
        measured(trainer, flat(dense(units)), kernel, kernel[0])


PART = {"name": "Adam", "settings": {"learning_rate": 0.001}}


def plan(**training: Any) -> dict[str, Any]:
    labels = {"kind": "sparse", "classes": 10, "mismatched": 0, "given": None}
    return {
        "recipe": LINEAR,
        "data": {"rows": [[0, 500]], "table": TABLE, "row_shape": [28, 28], "labels": labels},
        "training": {
            "order": None, "optimizer": PART, "metrics": [], "batch_size": 32, "shuffle": True,
            "loss": {"name": "SparseCategoricalCrossentropy", "settings": {}}, "class_weight": None,
            **training,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("training", "draws", "words"),
    [
        ({"optimizer": {"name": "Lambda", "settings": {}}}, None, "optimizer 'Lambda'"),
        ({"optimizer": {"name": "Adam", "settings": {"jit": 1}}}, None, "setting 'jit'"),
        ({"optimizer": {**PART, "schedule": {"name": "os", "settings": {}}}}, None, "schedule 'os'"),
        ({"loss": {"name": "eval", "settings": {}}}, None, "loss 'eval'"),
        ({"metrics": [{"name": "MeanMetricWrapper", "settings": {}}]}, None, "metric"),
        ({"order": [5, 5]}, None, "order"),
        ({}, [None, None], "draws"),
        ({}, [{"name": "Zeros", "settings": {}}], "draws"),
        ({}, [{"name": "IdentityInitializer", "settings": {}}] * 2, "initializer"),
        ({}, [{"name": "GlorotUniform", "settings": {"seed": "x"}}] * 2, "seed"),
        ({}, [{"name": "Constant", "settings": {"value": [0.0] * 64}}] * 2, "no number or word"),
    ],
    ids=lambda value: None if isinstance(value, dict | list) else value,
)  # fmt: skip
def test_refuses_trainings_that_are_not_on_the_allow_list(
    trainer: Trainer, training: dict[str, Any], draws: Any, words: str
) -> None:
    """Optimizers, losses, metrics and initializers come from lists; the trainer goes on."""
    asked = {"op": "start", "plan": plan(**training), "plan_key": words, "draws": draws}
    with pytest.raises(Refused, match=words):
        trainer.ask({**asked, "key": name_of(words.encode())})

    assert "3." in trainer.ask({"op": "info"})["keras"]


@pytest.mark.parametrize(("classes", "kept"), [(256, True), (257, False), (3, False)])
def test_refuses_labels_of_too_many_classes(trainer: Trainer, classes: int, kept: bool) -> None:
    """A column for each is made for each row; the trainer is asked for no more than 256."""
    one_hot = plan() | {"recipe": flat(dense(classes, "softmax"))}
    one_hot["data"]["labels"] |= {"kind": "one-hot", "classes": classes}
    one_hot["training"]["loss"] = {"name": "CategoricalCrossentropy", "settings": {}}
    asked = {"plan": one_hot, "plan_key": f"{classes} classes"}
    draws = [{"name": "Zeros", "settings": {}}] * 2
    key = name_of(f"{classes} classes".encode())
    with nullcontext() if kept else pytest.raises(Refused, match=f"labels of {classes} classes"):
        start = trainer.ask({"op": "start", **asked, "draws": draws, "key": key})
        state = {**start, "seeds": [], "learning_rate": 0.001}
        trainer.ask(
            {"op": "epoch", **asked, "state": state, "seed": 1, "key": name_of(b"x" * classes)}
        )


def test_refuses_a_batch_that_is_too_large(trainer: Trainer) -> None:
    """What all layers make of one batch is bounded before anything is allocated."""
    large = plan(batch_size=60_000) | {"recipe": flat(dense(6_000, "softmax"))}
    large["data"] |= {"rows": [[0, 60_000]]}
    asked = {"plan": large, "plan_key": "large"}
    draws = [{"name": "Zeros", "settings": {}}] * 2
    start = trainer.ask({"op": "start", **asked, "draws": draws, "key": name_of(b"large start")})
    state = {**start, "seeds": [], "learning_rate": 0.001}
    with pytest.raises(Refused, match="batch of 60000 rows is too large"):
        trainer.ask({"op": "epoch", **asked, "state": state, "seed": 1, "key": name_of(b"large")})


def test_what_would_take_too_long_is_seen_before() -> None:
    """Two million million multiply-adds: of all rows, and of all the optimizer's steps."""
    from grader.training.build import Built, RecipeError

    for rows, batch, work, parameters in ((60_000, 32, 4 * 10**7, 1), (60_000, 1, 1, 4 * 10**6)):
        Built(None, (), parameters, 1, work // 2).bear(rows, batch * 2)
        with pytest.raises(RecipeError, match="too long"):
            Built(None, (), parameters, 1, work).bear(rows, batch)


def test_refuses_what_would_take_too_long(trainer: Trainer) -> None:
    """Time is counted before it is spent: multiply-adds, and parameters times steps."""
    convolution = node("Conv2D", 0, filters=6000, kernel_size=[28, 28], padding="same")
    slow = {
        "input_shape": [28, 28],
        "nodes": [
            reshape(-1, 28, 28, 1),
            convolution,
            node("GlobalMaxPooling2D", 1),
            dense(10, source=2),
        ],
    }
    arrays = [
        np.zeros(shape, "float32") for shape in ((28, 28, 1, 6000), (6000,), (6000, 10), (10,))
    ]
    with pytest.raises(Refused, match="too long"):
        measured(trainer, slow, *arrays)


def test_a_fault_of_ours_says_so(trainer: Trainer) -> None:
    """A request that breaks the trainer's own code is a fault, and the trainer goes on."""
    with pytest.raises(TrainerFault, match="KeyError"):
        trainer.ask({"op": "measure", "recipe": LINEAR, "key": "k"})

    assert "3." in trainer.ask({"op": "info"})["keras"]


def test_an_answer_has_a_deadline(dataset: Dataset, tmp_path: Path) -> None:
    """A measurement that takes too long is a fault of ours, not a wait for ever."""
    sandbox = open_sandbox(Level.STANDARD, slot=65)
    memory = Memory(tmp_path / "memory")
    with (
        Trainer(sandbox, dataset, memory, wall_s=300, answer_s=0.2) as hurried,
        pytest.raises(TrainerFault, match="stopped"),
    ):
        measured(hurried, LINEAR, *weights())
