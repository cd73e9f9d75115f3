"""Calibration: what is trained, how figures become thresholds, and that it goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.calibrate import VARIANTS, calibrate, plan, recipe, summary, trainings
from grader.dataset.store import Dataset
from grader.loading import default_folder, load_assignment
from grader.thresholds import Calibration

ASSIGNMENT = load_assignment(default_folder())


def test_equal_layers_share_their_trainings() -> None:
    """One training of 20 epochs serves the 10-epoch experiment of the same layers too."""
    plain = [one for one in trainings(ASSIGNMENT, 10, 3) if one.variant == "plain"]

    assert 30 == len(plain)
    assert {(10, 20), (10,)} == {tuple(sorted(one.marks)) for one in plain}
    assert {"baseline", "wide", "longer_128", "longer_500", "deep"} == {
        name for one in plain for names in one.marks.values() for name in names
    }


def test_variants_are_trained_where_the_plan_says() -> None:
    """Each honest variant has its seeds on the architectures of `variants_on` only."""
    found = Counter(
        (name, one.variant)
        for one in trainings(ASSIGNMENT, 1, 3)
        if one.variant != "plain"
        for names in one.marks.values()
        for name in names
    )

    assert {
        (name, variant): 3
        for name in ("baseline", "deep")
        for variant in VARIANTS
        if variant != "plain"
    } == found


def test_plans_follow_the_variant() -> None:
    """Validation takes the last rows away; logits and dropout change the recipe."""
    splits = {"train": (0, 60_000), "test": (60_000, 70_000)}
    made = {one.variant: plan(ASSIGNMENT, one, splits) for one in trainings(ASSIGNMENT, 1, 1)}

    assert [[0, 54_000]] == made["validation_split_10"].data.rows
    assert "linear" == made["logits"].recipe.nodes[-1].config["activation"]
    assert made["logits"].training.from_logits
    assert "Dropout" in [node.op for node in made["dropout"].recipe.nodes]
    assert 64 == made["batch_64"].training.batch_size
    assert made["plain"].training.tensorflow_seed is None
    assert made["repeated_order"].training.tensorflow_seed is not None


def test_recipes_are_chains() -> None:
    """Layers written as in assignment.toml become nodes that read each other."""
    made = recipe(("Flatten", "Dense(5, relu)", "Dense(10, softmax)"), (28, 28), None, False)

    assert [[-1], [0], [1]] == [node["inputs"] for node in made["nodes"]]


def figures(test: float, gap: float, sd: float = 0.001) -> dict[str, object]:
    def band(mean: float) -> dict[str, float]:
        return {"seeds": 3, "mean": mean, "sd": sd, "min": mean, "max": mean}

    return {
        "train_accuracy": band(test + gap),
        "test_accuracy": band(test),
        "gap": band(gap),
        "runs": [],
    }


def calibration(**architectures: dict[str, object]) -> Calibration:
    return Calibration.model_validate(
        {"environment": {}, "assignment_seed": 1, "architectures": architectures}
    )


def test_thresholds_are_three_spreads_from_the_most_unlucky_variant() -> None:
    """design.md: lowest mean - 3·max(sd, 0.003); highest gap + 3·max(sd, 0.003); 5 points to 0."""
    made = calibration(base={"plain": figures(0.88, 0.03), "repeated_order": figures(0.87, 0.05)})
    found = made.thresholds("base")

    assert found is not None
    assert (0.861, 0.811, 0.059) == (found.accuracy_full, found.accuracy_none, found.gap_limit)
    assert ((0.87, 0.88), (0.03, 0.05)) == (found.accuracy_band, found.gap_band)


def test_architectures_without_variants_take_the_larger_shift() -> None:
    """The shifts of the others apply, the worst of them."""
    made = calibration(
        base={"plain": figures(0.88, 0.03), "x": figures(0.87, 0.035)},
        deep={"plain": figures(0.89, 0.04), "x": figures(0.885, 0.06)},
        wide={"plain": figures(0.90, 0.05)},
    )
    found = made.thresholds("wide")

    assert found is not None
    assert (0.881, 0.079) == (found.accuracy_full, found.gap_limit)


def test_a_wide_spread_counts() -> None:
    """A standard deviation over 0.003 is used as it is."""
    found = calibration(base={"plain": figures(0.88, 0.03, sd=0.01)}).thresholds("base")

    assert found is not None
    assert 0.85 == found.accuracy_full


def test_what_was_not_calibrated_has_no_thresholds() -> None:
    """No figures, no thresholds: never a guess."""
    assert calibration().thresholds("base") is None


def test_summaries() -> None:
    """Mean, sample standard deviation and ends."""
    assert {"seeds": 3, "mean": 0.2, "sd": 0.1, "min": 0.1, "max": 0.3} == summary([0.1, 0.2, 0.3])


def test_the_committed_calibration_is_whole() -> None:
    """At least 10 seeds for each architecture and 3 for each variant, of this assignment's seed."""
    assert ASSIGNMENT.calibration is not None
    found = ASSIGNMENT.calibration.architectures
    wanted = {
        name for experiment in ASSIGNMENT.spec.experiments for name in experiment.architectures
    }

    assert wanted == set(found)
    assert ASSIGNMENT.spec.seed == ASSIGNMENT.calibration.assignment_seed
    assert all(variants["plain"].test_accuracy.seeds >= 10 for variants in found.values())
    for name in ASSIGNMENT.spec.calibration.variants_on:
        assert set(VARIANTS) == set(found[name])
        assert all(variant.test_accuracy.seeds >= 3 for variant in found[name].values())
        for variant in found[name].values():
            assert len({seed for seed, _, _ in variant.runs}) == variant.test_accuracy.seeds
            assert (
                summary([test for _, _, test in variant.runs])["mean"] == variant.test_accuracy.mean
            )


def small() -> Assignment:
    """One experiment of one epoch."""
    first = ASSIGNMENT.spec.experiments[0].model_copy(
        update={"epochs": 1, "architectures": {"tiny": ("Flatten", "Dense(10, softmax)")}}
    )
    plan = ASSIGNMENT.spec.calibration.model_copy(update={"variants_on": ()})
    spec = ASSIGNMENT.spec.model_copy(update={"experiments": (first,), "calibration": plan})
    return ASSIGNMENT.model_copy(update={"spec": spec})


@pytest.mark.tf
@pytest.mark.sandbox
@pytest.mark.timeout(300)
def test_calibration_goes_on_where_it_stopped(dataset: Dataset, tmp_path: Path) -> None:
    """A second call trains only what is missing, and one training is the same in every call."""
    lines: list[str] = []
    target = tmp_path / "calibration.json"
    calibrate(small(), dataset, target, seeds=1, variant_seeds=0, workers=1, say=lines.append)
    first = json.loads(target.read_text())["architectures"]["tiny"]["plain"]["runs"]
    calibrate(small(), dataset, target, seeds=2, variant_seeds=0, workers=1, say=lines.append)
    second = json.loads(target.read_text())["architectures"]["tiny"]["plain"]["runs"]

    assert ["1 trainings", "1 trainings"] == [
        line[:11] for line in lines if line.endswith("calibration.json")
    ]
    assert (1, 2) == (len(first), len(second))
    assert first[0] in second
    assert all(0.7 < accuracy < 0.9 for _, _, accuracy in second)
