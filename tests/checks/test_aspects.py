"""compile, epochs, accuracy and gap of one run: every status, with the distance in the text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.evidence import Compiled, Component, Note
from grader.findings import Finding
from grader.recipes import Labels
from tests.factories import (
    RAW,
    TRAIN,
    UNIT,
    assignment,
    cell,
    compiled,
    data,
    dense,
    evaluation,
    evidence,
    finding,
    measurement,
    mlp,
    node,
    recipe,
    run,
    spanish,
    unknown_data,
    verdict,
)


def adam(rate: float) -> Compiled:
    """Adam with a learning rate of its own."""
    optimizer = Component(name="adam", standard=True, settings={"learning_rate": rate})
    return compiled().model_copy(update={"optimizer": optimizer})


ONE_HOT = data(labels=Labels(kind="one-hot", classes=10, mismatched=0))


def judged(name: str, *runs: Any, **said: Any) -> Finding:
    return finding(evidence(*runs, **said), name)


@pytest.mark.parametrize(
    "metric", ["accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy"]
)
def test_every_accuracy_is_the_metric(metric: str) -> None:
    """The metric may have any of its names."""
    found = judged("baseline.compile", run(compiled=compiled(metrics=[metric])))

    assert ("passed", 200) == (found.status, found.earned)


@pytest.mark.parametrize(
    ("given", "status", "earned"),
    [
        (compiled("sgd"), "partial", 100),
        (compiled(metrics=[]), "partial", 100),
        (compiled("sgd", metrics=["loss"]), "partial", 50),
        (compiled(loss="mean_squared_error"), "failed", 0),
        (compiled(loss="categorical_crossentropy"), "failed", 0),
        (compiled("mine", standard=False), "needs_review", 0),
        (None, "needs_review", 0),
    ],
)
def test_compile_short_of_what_was_asked(given: Compiled | None, status: str, earned: int) -> None:
    """Each shortfall halves; a wrong loss fails; parts of one's own wait for a person."""
    found = judged("baseline.compile", run(compiled=given))

    assert (status, earned) == (found.status, found.earned)


def test_one_hot_labels_fit_their_loss() -> None:
    """One-hot labels with categorical_crossentropy are as good as class numbers with sparse."""
    right = run(data=ONE_HOT, compiled=compiled(loss="categorical_crossentropy"))
    wrong = run(data=ONE_HOT)

    assert "passed" == judged("baseline.compile", right).status
    assert "failed" == judged("baseline.compile", wrong).status


def test_softmax_beside_from_logits_is_remarked() -> None:
    """Softmax in the model and in the loss passes with a word about it."""
    found = judged("baseline.compile", run(compiled=compiled(from_logits=True)))

    assert "passed" == found.status
    assert "quita from_logits=True" in spanish(found.remark)


def test_logits_alone_are_not_remarked() -> None:
    """Logits with from_logits=True are right, so nothing is said about two softmaxes."""
    model = recipe(node("Flatten"), dense(128, "relu"), dense(10))
    found = judged("baseline.compile", run(model=model, compiled=compiled(from_logits=True)))

    assert ("passed", None) == (found.status, found.remark)


@pytest.mark.parametrize(
    ("epochs", "status", "earned"),
    [(10, "passed", 200), (14, "passed", 200), (9, "partial", 175), (5, "partial", 100),
     (2, "partial", 25), (1, "failed", 0)],
)  # fmt: skip
def test_epochs_earn_in_proportion(epochs: int, status: str, earned: int) -> None:
    """Fewer epochs earn their part, rounded down to a quarter of a point."""
    found = judged("baseline.epochs", run(epochs=epochs))

    assert (status, earned) == (found.status, found.earned)


def test_missing_epochs_are_counted_in_the_text() -> None:
    """The text says how many epochs there were and how many are missing."""
    found = judged("baseline.epochs", run(epochs=9))

    assert "Este modelo se entrenó durante 9 épocas. Necesitas 1 época más." == spanish(
        found.observed
    )


def test_many_epochs_pass_with_a_hint() -> None:
    """Half as many again and more passes, with a hint to make a new model."""
    found = judged("baseline.epochs", run(epochs=15))

    assert ("passed", 200) == (found.status, found.earned)
    assert "modelo nuevo" in spanish(found.hint)


def test_epochs_of_a_chain_add_up() -> None:
    """Earlier fits of the same variables count, and the text says from where."""
    first = run(1)
    second = run(2, epochs=20, chain=1, epochs_before=10)
    found = judged("longer.epochs", first, second)

    assert ("passed", 2) == (found.status, found.run)
    assert "10 de antes y 10 en esta celda" in spanish(found.observed)


def test_early_stopping_passes() -> None:
    """A callback that stopped a fit of enough epochs passes with a remark."""
    found = judged("baseline.epochs", run(epochs=6, epochs_asked=10, stopped=True))

    assert "passed" == found.status
    assert "callback" in spanish(found.remark)


def test_stopping_a_fit_that_was_too_short_is_no_excuse() -> None:
    """A callback that stopped a fit of five epochs leaves it short of ten."""
    found = judged("baseline.epochs", run(epochs=3, epochs_asked=5, stopped=True))

    assert ("partial", 50) == (found.status, found.earned)


def test_early_stopping_is_still_an_attempt_at_a_longer_training() -> None:
    """A fit of 20 epochs that stopped at 8 serves the experiment with 20 epochs."""
    stopped = run(9, epochs=8, epochs_asked=20, stopped=True)
    found = judged("longer.epochs", run(1), stopped)

    assert ("passed", 9) == (found.status, found.run)


def test_an_error_in_the_middle_is_told() -> None:
    """A fit that ended in an error earns its epochs and the text names the error."""
    found = judged(
        "baseline.epochs", run(epochs=5, epochs_asked=10, error="ResourceExhaustedError")
    )

    assert ("partial", 100) == (found.status, found.earned)
    assert "ResourceExhaustedError" in spanish(found.observed)


def test_a_training_that_the_time_limit_cut_is_told_so() -> None:
    """Nobody is told the name of the error that an interrupt became."""
    cut = run(epochs=5, epochs_asked=10, error="KeyboardInterrupt")
    found = finding(evidence(cut, cells=(cell(cut.fit.cell, status="timeout"),)), "baseline.epochs")

    assert ("partial", 100) == (found.status, found.earned)
    assert "El límite de tiempo detuvo el entrenamiento." in spanish(found.observed)
    assert "KeyboardInterrupt" not in spanish(found.observed)


def test_what_came_after_a_training_did_not_cut_it() -> None:
    """A training of five epochs was asked for as such; the time limit met something else."""
    short = run(epochs=5, epochs_asked=5)
    cells = (cell(short.fit.cell, status="timeout"),)
    found = finding(evidence(short, cells=cells), "baseline.epochs")

    assert ("partial", 100) == (found.status, found.earned)
    assert "límite de tiempo" not in spanish(found.observed)


@pytest.mark.parametrize(
    ("accuracy", "status", "earned"),
    [(0.871, "passed", 400), (0.95, "passed", 400), (0.8709, "partial", 375),
     (0.846, "partial", 200), (0.8215, "failed", 0), (0.821, "failed", 0), (0.1, "failed", 0)],
)  # fmt: skip
def test_accuracy_is_linear_between_the_thresholds(
    accuracy: float, status: str, earned: int
) -> None:
    """All points from the threshold on, none five points below, quarters between."""
    found = judged("baseline.accuracy", run(test=accuracy))

    assert (status, earned) == (found.status, found.earned)


def test_accuracy_tells_the_distance() -> None:
    """The text has the measured value and the distance to the threshold, with a decimal comma."""
    found = judged("baseline.accuracy", run(test=0.861))

    said = "0,8610 con los datos de prueba: 0,0100 por debajo de lo que da todos los puntos."
    assert said in spanish(found.observed)


def test_shuffled_labels_have_their_own_hint() -> None:
    """Labels that do not belong to their images explain a low accuracy."""
    mixed = data(labels=Labels(kind="sparse", classes=10, mismatched=54_000))
    found = judged("baseline.accuracy", run(test=0.1, data=mixed))

    assert "no corresponden a sus imágenes (54\u202f000)" in spanish(found.hint)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"data": data(table=RAW)}, "Divide las imágenes de entrenamiento y las de prueba"),
        ({"data": data(table=[value * 2 for value in UNIT])}, "no van de 0 a 1"),
        ({"epochs": 4}, "entrénalo durante 10 épocas"),
        ({"data": data([[0, 9_000]])}, "9000 de las 60\u202f000 imágenes"),
        ({"compiled": adam(0.5)}, "(learning_rate) es 0,5"),
        ({"batch_size": 4096}, "lotes de 4096 imágenes"),
        ({}, "60 000 imágenes escaladas"),
    ],
)
def test_a_low_accuracy_has_the_hint_of_its_cause(told: Any, said: str) -> None:
    """The first thing out of the ordinary is what to try; else the check's own hint."""
    found = judged("baseline.accuracy", run(test=0.5, **told))

    assert said in spanish(found.hint)


def test_a_large_gap_has_the_hint_of_its_cause() -> None:
    """Too many epochs, or too few images."""
    long = judged("baseline.gap", run(train=0.95, epochs=15))
    small = judged("baseline.gap", run(train=0.95, data=data([[0, 9_000]])))
    plain = judged("baseline.gap", run(train=0.95))

    assert "llama a fit una sola vez, con 10 épocas" in spanish(long.hint)
    assert "se aprende de memoria" in spanish(small.hint)
    assert "exactamente 10 épocas" in spanish(plain.hint)


def test_a_fault_of_ours_gives_no_advice() -> None:
    """Who has done nothing wrong has nothing to try."""
    assert judged("baseline.accuracy", run(measured=None, fault=True)).hint is None


@pytest.mark.parametrize(
    ("train", "status", "earned"),
    [(0.91, "passed", 200), (0.80, "passed", 200), (0.93, "failed", 0)],
)
def test_gap_passes_up_to_its_limit(train: float, status: str, earned: int) -> None:
    """A small or negative gap passes, one above the limit fails."""
    found = judged("baseline.gap", run(train=train))

    assert (status, earned) == (found.status, found.earned)


def test_gap_tells_the_distance() -> None:
    """The text has both accuracies, the gap, and how far above the limit it is."""
    found = judged("baseline.gap", run(train=0.93))

    said = "la diferencia es 0,0500, y está 0,0110 por encima del límite"
    assert said in spanish(found.observed)


def test_gap_explains_the_number_that_fit_showed() -> None:
    """Where fit showed another training accuracy, the remark says why."""
    shown = run(history={"accuracy": [0.82, 0.905]})
    same = run(history={"accuracy": [0.82, 0.91]})

    assert "0,9050" in spanish(judged("baseline.gap", shown).remark)
    assert judged("baseline.gap", same).remark is None


@pytest.mark.parametrize("aspect", ["accuracy", "gap"])
def test_a_failed_architecture_skips_the_numbers(aspect: str) -> None:
    """Accuracy and gap of another model are not judged, and the text names the prerequisite."""
    found = judged(f"baseline.{aspect}", run(model=mlp(64)))

    assert ("skipped", 0) == (found.status, found.earned)
    assert "128 neuronas" in spanish(found.observed)


@pytest.mark.parametrize("aspect", ["accuracy", "gap"])
def test_without_calibration_a_person_decides(aspect: str) -> None:
    """No reference values: the measured numbers are shown and the points wait."""
    bare = assignment().model_copy(update={"calibration": None})
    found = finding(evidence(run()), f"baseline.{aspect}", bare)

    assert "needs_review" == found.status
    assert "0,8800" in spanish(found.observed)


@pytest.mark.parametrize("aspect", ["accuracy", "gap"])
def test_a_fault_of_ours_is_a_grader_error(aspect: str) -> None:
    """A trainer that failed costs nothing and makes the points pending."""
    faulty = run(measured=None, fault=True)

    assert "grader_error" == judged(f"baseline.{aspect}", faulty).status
    assert () == verdict(evidence(faulty)).flags


@pytest.mark.parametrize("aspect", ["accuracy", "gap"])
def test_training_on_test_rows_waits_for_a_person(aspect: str) -> None:
    """Test rows in the training data are flagged by name, and both numbers wait."""
    leaked = run(data=data([[0, 60_000], [60_000, 60_100]]))
    found = verdict(evidence(leaked))

    assert ["trained_on_test"] == [flag.kind for flag in found.flags]
    assert "test[0:100]" in spanish(found.flags[0].detail)
    assert "needs_review" == judged(f"baseline.{aspect}", leaked).status


def test_test_rows_in_an_earlier_fit_of_the_chain_count() -> None:
    """What the variables saw before counts for every later fit of them."""
    first = run(1, epochs=10, data=data([[60_000, 70_000]]))
    second = run(2, epochs=20, chain=1, epochs_before=10)
    flags = verdict(evidence(first, second)).flags

    assert {"trained_on_test"} == {flag.kind for flag in flags}
    assert 2 in {flag.run for flag in flags}


def test_weights_set_by_hand_earn_by_verification() -> None:
    """A chain whose weights were set otherwise earns what its training from fresh weights gave."""
    verified = run(given=True, trained_by="kernel (verified)")
    unverified = run(given=True, trained_by="kernel (unverified)")

    assert "passed" == judged("baseline.accuracy", verified).status
    assert () == verdict(evidence(verified)).flags
    assert "needs_review" == judged("baseline.accuracy", unverified).status
    assert "needs_review" == judged("baseline.gap", unverified).status


def test_a_pretrained_start_is_flagged() -> None:
    """A model that knew the test split before its first epoch is flagged, and earns verified."""
    verified = run(start=0.85, given=True, trained_by="kernel (verified)")
    found = verdict(evidence(verified))

    assert ["pretrained"] == [flag.kind for flag in found.flags]
    assert "passed" == judged("baseline.accuracy", verified).status
    assert "passed" == judged("baseline.gap", verified).status


def test_going_on_with_a_chain_is_not_pretrained() -> None:
    """A second fit starts well because the first one trained it."""
    second = run(2, epochs=20, chain=1, epochs_before=10, start=0.88)

    assert () == verdict(evidence(run(1), second)).flags


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            run(data=unknown_data(), measured=None, trained_by="kernel (unverified)"),
            "no se reconocieron",
        ),
        (run(measured=None, unmeasured="over the training budget"), "over the training budget"),
    ],
)
def test_unmeasured_models_show_their_claim(made: Any, words: str) -> None:
    """What could not be measured waits, says why, and shows the notebook's number as a claim."""
    claim = evaluation(results={"accuracy": 0.91})
    claim = claim.model_copy(
        update={"data": claim.data.model_copy(update={"table": made.fit.data.table})}
    )
    found = judged("baseline.accuracy", made, evaluations=(claim,))

    assert "needs_review" == found.status
    assert words in spanish(found.observed)
    assert "sin verificar" in spanish(found.observed)
    assert "unverifiable_model" in {flag.kind for flag in verdict(evidence(made)).flags}


def test_history_is_the_claim_without_an_evaluation() -> None:
    """Without `evaluate` the last epoch's value is shown."""
    found = judged("baseline.accuracy", run(measured=None, history={"accuracy": [0.5, 0.9]}))

    assert "0,9000 en su última época" in spanish(found.observed)


def test_a_claim_that_differs_is_flagged() -> None:
    """An evaluation of the same rows and moment must say what was measured."""
    honest = evaluation(results={"accuracy": 0.8805})
    other = evaluation(results={"accuracy": 0.95})

    assert () == verdict(evidence(run(), evaluations=(honest,))).flags
    assert ["claim_differs"] == [
        flag.kind for flag in verdict(evidence(run(), evaluations=(other,))).flags
    ]


def test_a_claim_about_other_pixels_is_not_compared() -> None:
    """Evaluating with unscaled images gives another number honestly."""
    raw = evaluation(data=data([[60_000, 70_000]], RAW), results={"accuracy": 0.5})

    assert () == verdict(evidence(run(), evaluations=(raw,))).flags


def test_a_claim_about_another_moment_is_not_compared() -> None:
    """An evaluation before the last epochs is about another state of the model."""
    early = evaluation(epochs=5, results={"accuracy": 0.5})

    assert () == verdict(evidence(run(), evaluations=(early,))).flags


def test_an_implausible_claim_is_flagged() -> None:
    """A claim above all reference trainings is flagged where the trainer did not train."""
    claim = evaluation(results={"accuracy": 0.99})
    local = run(trained_by="kernel (verified)", claimed=measurement(0.88))
    reached = run(trained_by="kernel (verified)", claimed=measurement(0.99))

    assert {"claim_differs", "implausible_accuracy"} == {
        flag.kind for flag in verdict(evidence(local, evaluations=(claim,))).flags
    }
    assert ["implausible_accuracy"] == [
        flag.kind for flag in verdict(evidence(reached, evaluations=(claim,))).flags
    ]
    assert () == verdict(evidence(run(), evaluations=())).flags


def test_a_claim_is_compared_with_the_notebooks_own_variables() -> None:
    """A verification trains other variables; their number says nothing about the claim."""
    local = run(test=0.87, trained_by="kernel (verified)", claimed=measurement(0.8805))
    unhanded = run(test=0.87, trained_by="kernel (verified)")
    claim = evaluation(results={"accuracy": 0.8805})

    assert () == verdict(evidence(local, evaluations=(claim,))).flags
    assert () == verdict(evidence(unhanded, evaluations=(claim,))).flags


@pytest.mark.parametrize(
    ("trained_by", "status"),
    [("kernel (verified)", "passed"), ("kernel (unverified)", "needs_review")],
)
def test_only_verified_local_fits_earn(trained_by: str, status: str) -> None:
    """Variables that the notebook handed over earn nothing by themselves."""
    local = run(trained_by=trained_by, data=data(TRAIN), claimed=measurement(0.99))

    assert status == judged("baseline.accuracy", local).status
    assert status == judged("baseline.gap", local).status


def test_the_median_of_three_seeds_can_only_raise_points() -> None:
    """Near the threshold two more seeds decide with it; a bad pair takes nothing away."""
    alone = judged("baseline.accuracy", run(test=0.868))
    raised = judged(
        "baseline.accuracy", run(test=0.868, samples=(measurement(0.875), measurement(0.88)))
    )
    kept = judged(
        "baseline.accuracy", run(test=0.868, samples=(measurement(0.80), measurement(0.80)))
    )

    assert ("partial", "passed") == (alone.status, raised.status)
    assert alone.earned == kept.earned
    assert "dos veces más, desde otros pesos al azar" in spanish(raised.remark)


def test_the_median_gap_of_three_seeds_can_only_help() -> None:
    """The gap has the same second chance."""
    wide = run(test=0.88, train=0.923)
    others = (measurement(0.88, 0.90), measurement(0.88, 0.91))

    assert "failed" == judged("baseline.gap", wide).status
    assert "passed" == judged("baseline.gap", replace(wide, samples=others)).status


def test_replaced_methods_are_flagged_in_words_that_accuse_nobody() -> None:
    """A replaced method is named with its cell, once, and takes no points."""
    notes = tuple(
        Note(kind="note", id=90 + place, cell=4, what="tampered", detail=name)
        for place, name in enumerate(("Model.fit", "Sequential.fit"))
    )
    found = verdict(evidence(run(), notes=notes, cells=(cell(3), cell(4))))

    assert ["tampered_recorder"] == [flag.kind for flag in found.flags]
    said = spanish(found.flags[0].detail)
    assert "Model.fit, Sequential.fit" in said and "la celda [2]" in said
    assert "passed" == judged("baseline.accuracy", run(), notes=notes).status


def test_a_last_fit_on_other_images_does_not_choose_the_gap() -> None:
    """Where an earlier fit's images show a larger difference, a person decides on the gap."""
    first = run(1, epochs=5, data=data([[0, 500]]), train=0.99)
    last = run(2, chain=1, epochs=10, epochs_before=5, train=0.88)
    found = [
        judged("baseline.gap", first, replace(last, earlier=earlier)).status
        for earlier in (None, 0.91, 0.99)
    ]

    assert ["passed", "passed", "needs_review"] == found
