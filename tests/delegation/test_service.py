"""The service trains each thing once, for whoever asks, and survives what kills a trainer."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from grader.calibrate import plan as calibration_plan
from grader.calibrate import trainings
from grader.dataset.store import Dataset
from grader.delegation import Memory, Service
from grader.delegation.memory import Keys
from grader.loading import default_folder, load_assignment
from grader.recipes import Plan, State
from grader.sandbox import Level, open_sandbox
from grader.trainer import Busy, Refused, Trainer, TrainerFault

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

ASSIGNMENT = load_assignment(default_folder())
SPLITS = {"train": (0, 60_000), "test": (60_000, 70_000)}


def small(units: int = 16, count: int = 2000, **training: object) -> Plan:
    """A baseline of a few units on the first rows."""
    made = calibration_plan(ASSIGNMENT, next(trainings(ASSIGNMENT, 1, 1)), SPLITS)
    nodes = [
        node.model_copy(update={"config": {**node.config, "units": units}})
        if node.config.get("units") == 128
        else node
        for node in made.recipe.nodes
    ]
    return made.model_copy(
        update={
            "recipe": made.recipe.model_copy(update={"nodes": nodes}),
            "data": made.data.model_copy(update={"rows": [[0, count]], "count": count}),
            "training": made.training.model_copy(update=training),
        }
    )


class Trainers:
    """Opens trainers of one memory and remembers them."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.dataset, self.memory = dataset, Memory(folder)
        self.opened: list[Trainer] = []

    def __call__(self, slot: int) -> Trainer:
        sandbox = open_sandbox(Level.STANDARD, 300 + slot)
        self.opened.append(Trainer(sandbox, self.dataset, self.memory, 900, 120))
        return self.opened[-1]

    def service(self, slots: int = 1) -> Service:
        return Service(self.memory, self, slots, self.dataset.sha256)


@pytest.fixture
def trainers(dataset: Dataset, tmp_path: Path) -> Trainers:
    return Trainers(dataset, tmp_path / "memory")


def begun(service: Service, plan: Plan) -> State:
    start = service.start(plan, plan.training.draws)
    assert start.weights is not None
    return State(weights=start.weights, optimizer=start.optimizer, learning_rate=0.001)


def chain(service: Service, plan: Plan, epochs: int) -> list[State]:
    states = [begun(service, plan)]
    for seed in range(epochs):
        states.append(service.epoch(plan, states[-1], seed).state)
    return states


def test_what_was_trained_is_remembered_without_a_trainer(trainers: Trainers) -> None:
    """A second service answers from memory and starts no trainer; the states are the same."""
    plan = small()
    with trainers.service() as service:
        first = chain(service, plan, 3)
        measured = service.measure(plan.recipe, plan.data, first[-1].weights, "test", False)
    assert 1 == len(trainers.opened)
    with trainers.service() as service:
        again = chain(service, plan, 3)
        measured_again = service.measure(plan.recipe, plan.data, again[-1].weights, "test", False)
        assert service.load.trained == 0

    assert (first, measured) == (again, measured_again)
    assert 1 == len(trainers.opened)


def test_several_who_ask_get_one_training(trainers: Trainers) -> None:
    """Eight threads ask for one chain at the same time: each epoch is trained once."""
    plan = small(units=12)
    results: list[list[State]] = []
    with trainers.service(slots=2) as service:
        threads = [
            threading.Thread(target=lambda: results.append(chain(service, plan, 3)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert 1 + 3 == service.load.trained
    assert 8 == len(results)
    assert all(one == results[0] for one in results)


def test_two_requests_at_once_get_two_trainers(trainers: Trainers) -> None:
    """One trainer is idle: it takes the first, and the second does not wait for it."""
    with trainers.service(slots=2) as service:
        begun(service, small(units=10))
        assert 1 == len(trainers.opened)
        with service._changed:
            threads = [
                threading.Thread(target=begun, args=(service, small(units))) for units in (11, 12)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.3)  # both wait for the lock now
        for thread in threads:
            thread.join()

        assert (2, 3) == (len(service._threads), service.load.trained)


def test_two_services_on_one_memory_share_what_they_train(trainers: Trainers) -> None:
    """Two controllers at once: the trainer that comes second waits for the first one's result."""
    plan = small(units=14)
    with trainers.service() as one, trainers.service() as other:
        results: list[list[State]] = []
        threads = [
            threading.Thread(target=lambda s=service: results.append(chain(s, plan, 4)))
            for service in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert results[0] == results[1]


@pytest.mark.parametrize(
    "delay_s",
    [0.2, *(pytest.param(delay_s, marks=pytest.mark.long) for delay_s in (0.0, 0.6, 2.0))],
)
def test_a_trainer_that_is_killed_costs_the_running_epoch(
    trainers: Trainers, delay_s: float
) -> None:
    """Another one is started and the request repeated; what was trained before stays."""
    plan = small(units=64, count=60_000)
    with trainers.service() as service:
        state = service.epoch(plan, begun(service, plan), 0).state

        def kill() -> None:
            time.sleep(delay_s)
            trainers.opened[-1]._running.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        first = service.epoch(plan, state, 1)
        killer.join()
        second = service.epoch(plan, first.state, 2)
        trained = service.load.trained

    assert (2, 4) == (len(trainers.opened), trained)
    trainers.memory.clear()
    with trainers.service() as service:
        state = service.epoch(plan, begun(service, plan), 0).state
        assert first.state == service.epoch(plan, state, 1).state
        assert second.state == service.epoch(plan, first.state, 2).state


def test_a_refusal_is_told_and_harms_nobody(trainers: Trainers) -> None:
    """What the trainer will not build is refused; the next request is served."""
    plan = small()
    wrong = plan.recipe.nodes[1].model_copy(update={"config": {"units": 10**9}})
    bad = plan.model_copy(
        update={
            "recipe": plan.recipe.model_copy(
                update={"nodes": [plan.recipe.nodes[0], wrong, plan.recipe.nodes[2]]}
            )
        }
    )
    with trainers.service() as service:
        with pytest.raises(Refused, match="units"):
            service.start(bad, None)
        state = begun(service, plan)
        with pytest.raises(Refused, match="not here"):
            service.epoch(plan, state.model_copy(update={"weights": "0" * 64}), 1)
        service.epoch(plan, state, 1)

    assert 1 == len(trainers.opened)


def test_what_is_trained_elsewhere_is_asked_for_now_and_then(trainers: Trainers) -> None:
    """Meanwhile the trainer does what else there is to do, and rests."""
    asked: list[str] = []

    class Elsewhere:
        def ask(self, request: dict[str, object], blobs: object) -> dict[str, object]:
            asked.append(str(request["op"]))
            if request["op"] == "start" and len(asked) < 4:
                raise Busy
            return {"weights": None, "optimizer": "0" * 64}

        def close(self) -> None:
            pass

    with Service(trainers.memory, lambda slot: Elsewhere(), 1, "data") as service:  # type: ignore[arg-type,return-value]
        starting = threading.Thread(target=service.start, args=(small(), None))
        starting.start()
        while not asked:
            time.sleep(0.001)
        service.info()
        starting.join()

    assert (["info", *["start"] * 3], "start", "start") == (sorted(asked), asked[0], asked[-1])


def test_trainers_that_never_start_are_a_fault(trainers: Trainers) -> None:
    """After three tries the caller hears of it, and the service stays usable."""
    tries: list[int] = []

    def broken(slot: int) -> Trainer:
        tries.append(slot)
        raise TrainerFault("no room")

    with (
        Service(trainers.memory, broken, 1, "data") as service,
        pytest.raises(TrainerFault, match="no room"),
    ):
        service.info()
    assert 3 == len(tries)


def test_the_key_has_what_changes_a_training_and_nothing_else() -> None:
    """Names, initializers and the first learning rate are not in it; rows and batches are."""
    plan = small()
    named = plan.model_copy(
        update={
            "recipe": plan.recipe.model_copy(
                update={
                    "nodes": [
                        node.model_copy(update={"variables": [7]}) for node in plan.recipe.nodes
                    ]
                }
            )
        }
    )
    rate = plan.training.optimizer.model_copy(update={"settings": {"learning_rate": 0.5}})

    key = Keys("fashion").plan
    assert key(plan) == key(named)
    assert key(plan) == key(small(optimizer=rate))
    assert key(plan) == key(small(draws=[]))
    different = [small(units=17), small(count=1999), small(batch_size=33), small(shuffle=False)]
    assert 5 == len({key(one) for one in (plan, *different)})


def test_the_same_row_numbers_of_another_dataset_are_other_rows() -> None:
    """One memory serves all assignments: what was trained on one dataset is not another's."""
    plan, state = small(), State(weights="a" * 64, optimizer="b" * 64, learning_rate=0.1)
    one, other = Keys("fashion"), Keys("digits")

    assert one.plan(plan) != other.plan(plan)
    assert one.epoch("plan", state, 1) != other.epoch("plan", state, 1)
    measured = (plan.recipe, "a" * 64, plan.data, "test", False)
    assert one.measure(*measured) != other.measure(*measured)
