"""The kernel's records beside the controller's own: what the controller knows is what counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from grader.delegation import Passed
from grader.evidence import Fit
from grader.execution import Execution
from grader.measuring import Measuring, merge
from grader.recipes import Data
from grader.records import Records
from grader.sandbox import Ended
from tests.delegation.plans import PLAN, STATE
from tests.factories import TEST, assignment, data, mlp

NOBODY: Any = SimpleNamespace()
ON_TEST = PLAN.model_copy(update={"data": data(TEST)})


def passed(number: int, parent: int | None = None, plan: Any = PLAN) -> Passed:
    before = 0 if parent is None else 1
    return Passed(number, plan, parent, before, [STATE, STATE])


def record(id: int, delegated: int | None, **said: Any) -> Fit:
    """The kernel's word on one fit."""
    values: dict[str, Any] = {
        "kind": "fit", "id": id, "cell": 1, "chain": id, "how": "fit", "model": "Sequential",
        "recipe": mlp(128), "compiled": None, "data": data(), "batch_size": 32, "epochs_before": 0,
        "epochs_asked": 1, "epochs_run": 1, "delegated": delegated, "seconds": 1.0,
    }  # fmt: skip
    return Fit(**(values | said))


def seen(*fits: Fit) -> list[tuple[int, int, Data]]:
    """Number, chain and rows of each training where the second goes on from one on test images."""
    merged = merge(fits, [passed(0, plan=ON_TEST), passed(1, parent=0)])
    return [(fit.id, fit.chain, fit.data) for fit, _ in merged]


def test_records_keep_their_numbers() -> None:
    """Where the records are in order they name the trainings."""
    assert [(3, 3, ON_TEST.data), (4, 3, PLAN.data)] == seen(record(3, 0), record(4, 1))


def test_no_number_puts_a_training_before_its_parent() -> None:
    """Whatever the records say or leave out, an ancestor comes first and in the same chain."""
    for fits in (
        [record(9, 0), record(5, 1)],
        [record(5, 0), record(5, 1)],
        [record(10**9, 0), record(5, 1)],
        [record(5, 1)],
        [record(0, 0), record(5, 1)],
        [record(10**9, 0), record(10**9, 1)],
        [],
    ):
        (first, chain, rows), (second, same, others) = seen(*fits)

        assert (ON_TEST.data, PLAN.data) == (rows, others)
        assert first < second and chain == same


def test_a_training_that_another_goes_on_from_is_no_claim() -> None:
    """That the trainer was lost hides no training whose weights it made for a later one."""
    lost = record(3, 0, local="the trainer was lost", data=data())

    assert [(3, 3, ON_TEST.data), (4, 3, PLAN.data)] == seen(lost, record(4, 1))
    ((fit, controllers),) = merge([lost], [passed(0, plan=ON_TEST)])
    assert (lost, None) == (fit, controllers)


def test_a_record_takes_no_other_training_away() -> None:
    """A claim stands in for the training it names, not for one with the same number."""
    lost = record(4, 0, local="the trainer was lost")
    merged = merge([lost, record(4, 1)], [passed(0), passed(1, plan=ON_TEST)])

    assert [None, 1] == sorted(
        (None if one is None else one.number for _, one in merged), key=lambda one: one or 0
    )


def test_of_trainings_without_end_the_last_are_measured(tmp_path: Path) -> None:
    """The others say so; a service that nobody may ask stands for all that would take time."""
    fits = [record(number, None, recipe=None) for number in range(65)]
    execution = Execution(
        Records(tuple(fits), (), None, ()), Ended("exited", 0, 1.0, None, None, 0, ""), tmp_path
    )
    runs = Measuring(NOBODY, assignment()).runs(execution)

    told = ["only the last 60" in str(run.unmeasured) for run in runs]
    assert [True] * 5 + [False] * 60 == told


def test_earlier_rows_without_end_are_taken_as_known_by_heart() -> None:
    """A model that trained on more sets of rows than are measured has no difference to the test."""
    last, *before = (record(number, None, data=data([[0, 99 - number]])) for number in range(10))

    assert 1.0 == Measuring(NOBODY, assignment())._on_earlier(last, before, "w")
