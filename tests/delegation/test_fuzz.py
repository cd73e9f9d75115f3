"""Plans that pass the schema and lie: a real trainer refuses them or trains them, and lives on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader import wire
from grader.dataset.store import Dataset
from grader.delegation import Memory, Service
from grader.recipes import Plan, State, plain
from grader.sandbox import Level, open_sandbox
from grader.trainer import Refused, Trainer
from tests.delegation.plans import PLAN

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(1800)]

LONG = bool(os.environ.get("GRADER_LONG"))
EXAMPLES = 1_000 if LONG else 25
ROWS = 64

ODD = st.sampled_from(
    [0, -1, 1, 2, 5000, 10**9, 2**70, 0.5, 1.5, -1e300, 1e308, "", "relu", "no", True, None, [],
     [0], [2], [2, 2], [-1, -1], [3, 3, 3], [10**9, 10**9], [2] * 64, ["L1", 1e9], ["L2", "x"],
     ["L2", -1.0], ["L1", 10**400], [1000, 1000]]
)  # fmt: skip
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "activation": st.sampled_from(["relu", "softmax", "linear", "tanh"]),
    "axis": st.sampled_from([-1, 1]),
    "filters": st.integers(1, 4),
    "kernel_size": st.sampled_from([[1, 1], [3, 3], 2]),
    "padding": st.sampled_from(["valid", "same"]),
    "pool_size": st.sampled_from([[2, 2], 2]),
    "rate": st.sampled_from([0.0, 0.25]),
    "scale": st.sampled_from([0.5, True]),
    "strides": st.sampled_from([[1, 1], [2, 2]]),
    "target_shape": st.sampled_from([[784], [28, 28, 1], [-1]]),
    "units": st.integers(1, 24),
}


MERGING = ("Add", "Average", "Concatenate")
DRAWN = {"Dense": 2, "Conv2D": 2, "BatchNormalization": 4, "LayerNormalization": 2}
RANDOM = ("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise")


@st.composite
def config(draw: st.DrawFn, names: tuple[str, ...], odds: int) -> dict[str, Any]:
    """Settings as they usually are, and `odds` times in twelve as nobody would write one."""
    made = {name: draw(USUAL[name]) for name in names if name in USUAL}
    for name in names:
        if draw(st.integers(1, 12)) <= odds:
            made[name] = draw(ODD)
    return made


@st.composite
def nodes(draw: st.DrawFn, odds: int) -> list[dict[str, Any]]:
    """A few layers of the allow-list, most of them one after the other, and often a real head."""
    made: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        op = draw(st.sampled_from([*wire.LAYERS, "Flatten", "Dense", "Conv2D", "Reshape"]))
        inputs = [number - 1] * (2 if op in MERGING else 1)
        if draw(st.integers(1, 12)) <= odds:
            inputs = draw(st.sampled_from([[], [number], [number - 1, -1], [99], inputs * 5]))
        made.append({"op": op, "config": draw(config(wire.LAYERS[op], odds)), "inputs": inputs})
    if not odds or draw(st.integers(0, 3)):
        last = len(made) - 1
        head = {"units": 10, "activation": "softmax"}
        made += [
            {"op": "Flatten", "inputs": [last]},
            {"op": "Dense", "config": head, "inputs": [last + 1]},
        ]
    return made


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan that the schema lets through: right, with one oddity or two, or full of them."""
    odds = draw(st.sampled_from([0, 0, 0, 1, 1, 4]))
    plan = plain(PLAN)
    plan["recipe"]["nodes"] = draw(nodes(odds))
    images = draw(st.booleans())
    shape: list[int] = [28, 28, 1] if images else [28, 28]
    if draw(st.integers(1, 12)) <= odds:
        shape = draw(st.sampled_from([[784], [0], [4096] * 4]))
    plan["recipe"]["input_shape"] = shape
    plan["data"] |= {"count": ROWS, "rows": [[0, ROWS]], "row_shape": shape}
    training = plan["training"]
    drawn = sum(DRAWN.get(node["op"], 0) for node in plan["recipe"]["nodes"])
    if draw(st.integers(1, 12)) <= odds:
        drawn += draw(st.sampled_from([-2, 200]))
    training["draws"] = (training["draws"] * 150)[:drawn]
    for part, allowed in (("optimizer", wire.OPTIMIZERS), ("loss", wire.LOSSES)):
        if draw(st.integers(1, 12)) <= 2 * odds:
            name = draw(st.sampled_from([*sorted(allowed), "Nobody"]))
            given = draw(config(allowed.get(name, ()), odds))
            training[part] = {"name": name, "settings": given}
    if draw(st.integers(1, 12)) <= odds:
        training["batch_size"] = draw(st.sampled_from([1, 7, 1_000_000]))
    try:
        return Plan.model_validate(plan)
    except ValidationError:
        assume(False)
        raise


class Opened:
    """A service with one trainer, and how many trainers that took."""

    def __init__(self, dataset: Dataset, memory: Memory) -> None:
        self.trainers = 0
        self._dataset, self._memory = dataset, memory
        self.service = Service(memory, self._open, 1, dataset.sha256)

    def _open(self, slot: int) -> Trainer:
        self.trainers += 1
        return Trainer(open_sandbox(Level.STANDARD, 310), self._dataset, self._memory, 1800, 120)


@pytest.fixture(scope="module")
def opened(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    one = Opened(dataset, Memory(tmp_path_factory.mktemp("fuzzed")))
    with one.service:
        yield one


@settings(
    max_examples=EXAMPLES,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(plan=plans())
def test_a_trainer_outlives_every_plan(opened: Opened, plan: Plan) -> None:
    """Start values, an epoch and a measurement: each is made or refused, by the same process."""
    service, plan = opened.service, plan.normal
    try:
        start = service.start(plan, plan.training.draws)
        generators = [[1, 2] for node in plan.recipe.nodes if node.op in RANDOM]
        state = State(
            weights=str(start.weights), optimizer=start.optimizer, seeds=generators,
            learning_rate=0.001,
        )  # fmt: skip
        after = service.epoch(plan, state, 1).state
        measured = service.measure(plan.recipe, plan.data, after.weights, "test", False)
    except Refused as refused:
        event(str(refused).partition(":")[0][:20])
    else:
        event("trained")
        assert 0 <= measured["test_accuracy"] <= 1

    assert 1 == opened.trainers
