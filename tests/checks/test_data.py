"""The data: loaded, explored, scaled; what was seen and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.dataset.identity import runs as rows_form
from grader.evidence import Evidence
from grader.findings import Finding
from tests.factories import (
    RAW,
    TEST,
    TRAIN,
    TWICE,
    UNIT,
    axes,
    cell,
    data,
    dense,
    english,
    evaluation,
    evidence,
    figure,
    finding,
    image_figure,
    node,
    perfect,
    recipe,
    run,
    spanish,
    unknown_data,
)

SHAPES = "(60000, 28, 28) (10000, 28, 28)"
SHIFTED = [pixel / 127.5 - 1 for pixel in range(256)]
FLOORED = [float(pixel // 255) for pixel in range(256)]


def loaded(found: Evidence) -> Finding:
    return finding(found, "data.loaded")


def explored(found: Evidence) -> Finding:
    return finding(found, "data.explored")


def scaled(found: Evidence) -> Finding:
    return finding(found, "data.scaled")


def test_both_splits_in_use_are_loaded() -> None:
    """A training and an evaluation show both splits."""
    assert "passed" == loaded(evidence(run(), evaluations=(evaluation(),))).status


def test_figures_show_that_data_are_loaded() -> None:
    """Images drawn from both splits are enough."""
    drawn = evidence(figures=(image_figure(1, 5), image_figure(2, 60_005)))

    assert ("passed", 200) == (loaded(drawn).status, loaded(drawn).earned)


def test_one_split_is_half() -> None:
    """Only training images: half, and the text says what was not seen."""
    found = loaded(evidence(run()))

    assert ("partial", 100) == (found.status, found.earned)
    assert "ninguna de los datos de prueba" in spanish(found.observed)


def test_shuffled_rows_are_read() -> None:
    """Rows in any order, as the recorder writes them, are read."""
    order = np.random.default_rng(0).permutation(70_000)
    mixed = data(rows_form(order), count=70_000)

    assert "passed" == loaded(evidence(run(data=mixed))).status


def test_unknown_data_wait_for_a_person() -> None:
    """Data that were not recognised may be right."""
    odd = evidence(run(data=unknown_data(), measured=None))

    assert "needs_review" == loaded(odd).status


def test_nothing_seen_is_not_attempted() -> None:
    """No data anywhere: not attempted, with the hint of the assignment."""
    found = loaded(evidence())

    assert "not_attempted" == found.status
    assert "load_data" in spanish(found.hint)


def test_exploring_everything_passes() -> None:
    """Sizes printed, both images drawn, each with its colour bar."""
    found = explored(perfect())

    assert ("passed", 200) == (found.status, found.earned)


@pytest.mark.parametrize(
    "text",
    [
        SHAPES,
        "60.000 y 10.000",
        "60,000 / 10,000",
        "n = 60000\nm=10000",
        "(60000,28,28)(10000,28,28)",
    ],
)
def test_sizes_may_be_written_in_many_ways(text: str) -> None:
    """Shapes, sentences, and signs between thousands all show the sizes."""
    found = explored(evidence(cells=(cell(1, text),)))

    assert ("partial", 100) == (found.status, found.earned)


@pytest.mark.parametrize("text", ["160000 110000", "0.60000 0.10000", "600001"])
def test_other_numbers_are_no_sizes(text: str) -> None:
    """Digits inside another number do not count."""
    assert "not_attempted" == explored(evidence(cells=(cell(1, text),))).status


def test_an_image_without_colour_bar_is_half_of_it() -> None:
    """The part that misses its bar is named."""
    found = explored(
        evidence(
            figures=(figure(1, axes(100)), image_figure(2, 60_100)),
            cells=(cell(1, SHAPES),),
        )
    )

    assert ("partial", 175) == (found.status, found.earned)
    assert "la imagen 100 de los datos de entrenamiento no tiene barra de color" in spanish(
        found.observed
    )


def test_missing_parts_are_named() -> None:
    """Only one size was printed: the rest is listed."""
    found = explored(evidence(cells=(cell(1, "60000"),)))

    assert ("partial", 50) == (found.status, found.earned)
    assert "no se imprimió el tamaño de los datos de prueba (10\u202f000)" in spanish(
        found.observed
    )


def test_scaled_training_images_pass() -> None:
    """0–1 in training: all points, whatever the kernel says of its test images."""
    for tests in ((), (evaluation(),), (evaluation(data=data(TEST, RAW)),)):
        found = scaled(evidence(run(), evaluations=tests))

        assert ("passed", 400) == (found.status, found.earned)


def evaluated(tests: Any, **more: Any) -> Finding:
    return finding(evidence(run(**more), evaluations=(evaluation(data=tests),)), "evaluation.test")


def test_test_images_scaled_like_the_training_images_pass() -> None:
    """The same values; in another float type, too."""
    near = [value * (1 + 6e-8) for value in UNIT]

    assert ["passed", "passed"] == [evaluated(data(TEST, one)).status for one in (UNIT, near)]


def test_an_evaluation_with_test_images_left_raw_is_half() -> None:
    """Only the training images were scaled: half, and the cell and the values are named."""
    found = evaluated(data(TEST, RAW))

    assert ("partial", 150, 100) == (found.status, found.earned, found.cell)
    assert "valores originales, de 0 a 255" in spanish(found.observed)
    assert "igual que las de entrenamiento" in spanish(found.hint)


def test_a_better_evaluation_counts() -> None:
    """The mistake was seen and mended in another cell."""
    tests = (evaluation(data=data(TEST, RAW)), evaluation(data=data(TEST)))

    assert "passed" == finding(evidence(run(), evaluations=tests), "evaluation.test").status


def test_the_last_training_before_an_evaluation_is_the_one_to_compare() -> None:
    """Scaling that was repaired between two fits, or spoilt later, is no mistake of this call."""
    raw, unit = {"data": data(TRAIN, RAW)}, {"data": data(TRAIN)}
    for first, second, call in ((raw, unit, 4), (unit, raw, 2)):
        runs = run(1, chain=1, **first), run(3, epochs=20, chain=1, epochs_before=10, **second)
        found = finding(evidence(*runs, evaluations=(evaluation(call),)), "evaluation.test")

        assert ("passed", 300) == (found.status, found.earned), spanish(found.observed)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (RAW, "valores originales, de 0 a 255"),
        (TWICE, "se dividieron dos veces entre 255"),
        (FLOORED, "quedaron con el mismo número"),
    ],
)
def test_wrong_scalings_fail_and_say_what_was_seen(table: list[float], words: str) -> None:
    """Raw, divided twice, divided with //: no points and the range that was seen."""
    found = scaled(evidence(run(data=data(TRAIN, table))))

    assert ("failed", 0) == (found.status, found.earned)
    assert words in spanish(found.observed)


def test_another_sensible_range_is_half() -> None:
    """−1 to 1 helps a network, but it is not what was asked for."""
    found = scaled(evidence(run(data=data(TRAIN, SHIFTED))))

    assert ("partial", 200) == (found.status, found.earned)
    assert "de -1 a 1" in spanish(found.observed)


def test_an_inverted_scale_is_half() -> None:
    """1 − x/255 is in the range but the wrong way round."""
    inverted = [1 - value for value in UNIT]

    assert "partial" == scaled(evidence(run(data=data(TRAIN, inverted)))).status


def test_one_training_on_raw_images_costs_its_part() -> None:
    """Two trainings, one of them raw: half of the points, and its cell is named."""
    found = scaled(evidence(run(1, data=data(TRAIN, RAW)), run(3, epochs=20)))

    assert ("partial", 200, 1) == (found.status, found.earned, found.cell)


def test_a_rescaling_layer_counts() -> None:
    """Raw images with a first Rescaling(1/255) pass with a remark."""
    model = recipe(
        node("Rescaling", scale=1 / 255, offset=0.0),
        node("Flatten"),
        dense(128, "relu"),
        dense(10, "softmax"),
    )
    found = scaled(evidence(run(model=model, data=data(TRAIN, RAW))))

    assert ("passed", 400) == (found.status, found.earned)
    assert "primera capa" in spanish(found.remark)
    both = [evaluated(data(TEST, one), model=model, data=data(TRAIN, RAW)) for one in (RAW, UNIT)]
    assert ["passed", "partial"] == [one.status for one in both]


def test_rescaling_of_scaled_images_is_twice() -> None:
    """Images that were divided already and a Rescaling layer: divided twice."""
    model = recipe(
        node("Rescaling", scale=1 / 255, offset=0.0),
        node("Flatten"),
        dense(128, "relu"),
        dense(10, "softmax"),
    )
    found = scaled(evidence(run(model=model)))

    assert "failed" == found.status
    assert "dos veces" in spanish(found.observed)


def test_a_normalization_layer_counts() -> None:
    """Keras's own Normalization first scales inside the model."""
    op = "keras.src.layers.preprocessing.normalization.Normalization"
    model = recipe(node(op, custom=True), node("Flatten"), dense(128, "relu"), dense(10, "softmax"))
    found = scaled(evidence(run(model=model, data=data(TRAIN, RAW))))

    assert "passed" == found.status
    both = [evaluated(data(TEST, one), model=model, data=data(TRAIN, RAW)) for one in (RAW, UNIT)]
    assert ["passed", "partial"] == [one.status for one in both]


def test_images_are_compared_where_they_have_pixels() -> None:
    """Test images that show few pixel values: those must be the same."""
    tables = [
        [value if pixel % 7 == 0 else None for pixel, value in enumerate(table)]
        for table in (UNIT, RAW)
    ]

    assert ["passed", "partial"] == [evaluated(data(TEST, one)).status for one in tables]


def test_unrecognised_training_data_wait_for_a_person() -> None:
    """Scaled in a way that no table says: a person looks, and the reason is shown."""
    found = scaled(evidence(run(data=unknown_data(), measured=None)))

    assert "needs_review" == found.status
    assert "no table maps the pixels" in english(found.observed)


def test_without_training_scaling_is_not_attempted() -> None:
    """No training, no judgement."""
    assert "not_attempted" == scaled(evidence()).status
