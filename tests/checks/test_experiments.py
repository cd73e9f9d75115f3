"""Which training serves which experiment."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.experiments import Judged, assign
from grader.checks.judging import Outcome
from grader.evidence import Note
from grader.findings import Status
from grader.locale import T
from grader.wire import OWN_LOOP
from tests.factories import (
    cell,
    dense,
    evidence,
    finding,
    mlp,
    node,
    perfect,
    recipe,
    run,
    spanish,
    statuses,
    unknown_data,
    verdict,
)

ASPECTS = ("architecture", "compile", "epochs", "accuracy", "gap")
OTHER = mlp(64)


def judged(run_id: int, worth: int) -> Judged:
    outcome = Outcome(Status.PASSED, T("{text}", text=""), T("{text}", text=""))
    return Judged(run(run_id), {"architecture": outcome}, worth)


def assigned(table: list[dict[int, int]]) -> list[int | None]:
    return assign([[judged(run_id, worth) for run_id, worth in row.items()] for row in table])


def test_four_trainings_serve_four_experiments() -> None:
    """The complete notebook earns all points."""
    found = verdict(perfect())

    assert {"baseline": 1, "wide": 2, "longer": 3, "deep": 4} == found.experiments
    assert 7000 == sum(one.earned for one in found.findings)


def test_findings_stand_in_the_order_of_the_assignment() -> None:
    """A report can list findings as they come."""
    names = [one.check for one in verdict(perfect()).findings]

    assert ["data.loaded", "data.explored"] == names[:2]
    assert 30 == len(names) == len(set(names))


def test_one_chain_serves_two_experiments() -> None:
    """Ten epochs and ten more of the same variables are the baseline and the longer training."""
    second = run(2, epochs=20, chain=1, epochs_before=10)

    assert {"baseline": 1, "wide": None, "longer": 2, "deep": None} == verdict(
        evidence(run(1), second)
    ).experiments


def test_a_longer_training_of_500_units_counts_too() -> None:
    """The longer training may be of either architecture."""
    found = verdict(evidence(run(1), run(2, mlp(500), epochs=20)))

    assert (2, None) == (found.experiments["longer"], found.experiments["wide"])


def test_one_training_never_serves_two_experiments() -> None:
    """One fit of 20 epochs serves one experiment; the other text says where it counts."""
    found = verdict(evidence(run(1, epochs=20)))

    assert [1] == [number for number in found.experiments.values() if number is not None]
    text = spanish(finding(evidence(run(1, epochs=20)), "longer.epochs").observed)
    assert "ya cuenta para «Línea base" in text


def test_a_training_that_fits_nothing_is_not_said_to_fit() -> None:
    """A model of another width counts as the baseline's attempt; elsewhere it is said to differ."""
    text = spanish(finding(evidence(run(1, mlp(64))), "wide.epochs").observed)

    assert "ya cuenta" not in text
    assert "esperaba Dense(500, relu) y encontré Dense(64, relu)" in text


def test_a_training_loop_of_the_notebooks_own_waits_for_a_person() -> None:
    """What was trained step by step is no fit; it is never said that nothing was done."""
    note = Note(kind="note", id=9, cell=7, what=OWN_LOOP)
    seen = replace(evidence(run(1), cells=(cell(1), cell(7))), notes=(note,))
    found = {name: finding(seen, f"{name}.epochs") for name in ("baseline", "deep")}

    assert ("passed", "needs_review", 7) == (
        found["baseline"].status,
        found["deep"].status,
        found["deep"].cell,
    )
    assert [("unverifiable_model", True)] == [
        (flag.kind, "En la celda [2]" in spanish(flag.detail)) for flag in verdict(seen).flags
    ]


def test_the_training_that_earns_most_is_taken() -> None:
    """A repeated experiment counts with its best training."""
    good, bad = run(1, test=0.88), run(2, test=0.84)

    assert 1 == verdict(evidence(good, bad)).experiments["baseline"]


def test_between_equals_the_latest_is_taken() -> None:
    """Two trainings with the same points: the second counts."""
    assert 2 == verdict(evidence(run(1), run(2))).experiments["baseline"]


def test_a_fault_of_ours_does_not_push_a_training_aside() -> None:
    """Points that only our fault withholds count as earned when trainings are compared."""
    faulty, poor = run(1, measured=None, fault=True), run(2, epochs=5)
    found = verdict(evidence(faulty, poor))

    assert 1 == found.experiments["baseline"]


def test_another_model_with_as_many_layers_is_an_attempt() -> None:
    """A model that matches nothing but has as many Dense layers earns what it has right."""
    other = evidence(run(model=OTHER))
    found = statuses(other)

    assert 1 == verdict(other).experiments["baseline"]
    assert ("failed", "passed", "passed", "skipped", "skipped") == tuple(
        found[f"baseline.{aspect}"] for aspect in ASPECTS
    )


def test_a_model_with_another_depth_is_no_attempt() -> None:
    """Five Dense layers are nearer to no experiment; the nearest is shown."""
    deep = run(model=mlp(500, 500, 500, 500))
    found = finding(evidence(deep), "deep.architecture")

    assert "not_attempted" == found.status
    assert "Hay una capa de más: Dense(500, relu)" in spanish(found.observed)


def test_a_model_of_another_experiment_is_no_attempt() -> None:
    """The 500-unit model is no failed baseline."""
    found = verdict(evidence(run(model=mlp(500))))

    assert None is found.experiments["baseline"]
    assert found.experiments["wide"] == 1


def test_nothing_trained_is_not_attempted() -> None:
    """Without any training all twenty aspects are not attempted."""
    found = statuses(evidence())

    assert {"not_attempted"} == {
        status for name, status in found.items() if name.split(".")[1] in ASPECTS
    }


def test_ten_epochs_are_no_attempt_at_twenty() -> None:
    """The text says how many epochs there were and from where on it counts."""
    two = evidence(run(1), run(2))
    text = spanish(finding(two, "longer.epochs").observed)

    assert "durante 10 épocas; a partir de 11 épocas cuenta" in text


def test_eleven_epochs_are_an_attempt_at_twenty() -> None:
    """From `attempt_epochs` on a training counts and earns its part."""
    found = finding(evidence(run(1), run(2, epochs=11)), "longer.epochs")

    assert ("partial", 150) == (found.status, found.earned)


def test_a_training_that_died_at_once_is_explained() -> None:
    """A fit that ended in an error before its first epoch is named with its error."""
    dead = run(1, epochs=0, epochs_asked=10, error="ValueError: shapes do not fit")
    found = finding(evidence(dead), "baseline.architecture")

    assert ("not_attempted", 1) == (found.status, found.cell)
    assert "ValueError: shapes do not fit" in spanish(found.observed)


def test_a_training_cut_before_its_first_epoch_is_explained() -> None:
    """The time limit is named, and not the error that an interrupt became."""
    cut = run(1, epochs=0, epochs_asked=10, error="KeyboardInterrupt")
    found = finding(evidence(cut, cells=(cell(1, status="timeout"),)), "baseline.architecture")
    text = spanish(found.observed)

    assert "límite de tiempo" in text and "KeyboardInterrupt" not in text


def test_a_dead_training_beside_another_is_explained_too() -> None:
    """Where another training ran, the dead one of this architecture is still told."""
    dead = run(2, mlp(500), epochs=0, epochs_asked=10, error="InterruptedError")
    text = spanish(finding(evidence(run(1), dead), "wide.epochs").observed)

    assert "InterruptedError" in text


def test_unrecognised_data_are_judged_and_explained() -> None:
    """A model on unknown data serves its experiment; all of its points wait, and are explained."""
    odd = run(data=unknown_data(), measured=None, trained_by="kernel (unverified)", start=None)
    found = statuses(evidence(odd))

    assert {"needs_review"} == {found[f"baseline.{aspect}"] for aspect in ASPECTS}
    text = spanish(finding(evidence(odd), "baseline.architecture").observed)
    assert "Dense(128, relu)" in text and "no se reconocieron" in text


def test_what_no_trainer_repeated_earns_nothing() -> None:
    """Of a training that no trainer repeated, only a person can say that it earns points."""
    word = run(trained_by="kernel (unverified)", measured=None)
    poor = run(model=mlp(64), trained_by="kernel (unverified)", measured=None)
    found = verdict(evidence(word)).findings

    assert [] == [one.check for one in found if one.basis == "measured" and one.earned]
    assert "failed" == finding(evidence(poor), "baseline.architecture").status
    assert "needs_review" == finding(evidence(word), "data.scaled").status


def test_an_unclear_model_may_serve() -> None:
    """A model with a layer of its own is taken for the experiment it may be."""
    own = recipe(
        node("Flatten"),
        dense(128, "relu"),
        node("__main__.Mine", custom=True),
        dense(10, "softmax"),
    )
    found = statuses(evidence(run(model=own, measured=None, trained_by="kernel (unverified)")))

    assert "needs_review" == found["baseline.architecture"]


def test_a_stopped_notebook_says_why_nothing_is_there() -> None:
    """Where cells were not run, the text names the cell that ended it."""
    cells = (cell(3), cell(4, status="timeout"), cell(5, status="not_run"))
    text = spanish(finding(evidence(cells=cells), "baseline.architecture").observed)

    assert "se detuvo en la celda [2] (tardó más que el límite de tiempo)" in text


def test_cells_with_errors_are_named() -> None:
    """An error before the training explains why there is none."""
    cells = (cell(3, status="error", error="NameError"), cell(4))
    text = spanish(finding(evidence(cells=cells), "deep.accuracy").observed)

    assert "[1] (NameError)" in text


worths = st.lists(
    st.dictionaries(st.integers(1, 9), st.integers(0, 1600), max_size=6), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=60)
@given(worths)
def test_no_training_is_given_twice(table: list[dict[int, int]]) -> None:
    """However the points lie, a run serves one experiment, and only one it may serve."""
    taken = assigned(table)
    used = [number for number in taken if number is not None]

    assert len(used) == len(set(used))
    assert all(number is None or number in row for number, row in zip(taken, table, strict=True))


@settings(deadline=None, max_examples=60)
@given(worths)
def test_the_points_add_up_to_the_most(table: list[dict[int, int]]) -> None:
    """No other way to give runs to experiments earns more."""
    taken = assigned(table)

    def total(choice: tuple[Any, ...]) -> int:
        used = [number for number in choice if number is not None]
        if len(used) != len(set(used)):
            return -1
        return sum(row[one] for one, row in zip(choice, table, strict=True) if one is not None)

    best = max(total(choice) for choice in itertools.product(*[(None, *row) for row in table]))

    assert best == total(tuple(taken))


def test_thousands_of_trainings_are_assigned_quickly() -> None:
    """A notebook with very many fits costs no noticeable time."""
    row = [judged(number, number) for number in range(3000)]

    assert [2996, 2997, 2998, 2999] == sorted(one or 0 for one in assign([row] * 4))
