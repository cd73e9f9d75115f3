"""Predicting the test split, printing a class, predicting one image; and evaluating."""

from __future__ import annotations

from typing import Any

import pytest

from grader.evidence import Figure, Prediction
from grader.findings import Finding
from tests.factories import (
    NAMES,
    TRAIN,
    axes,
    cell,
    evaluation,
    evidence,
    figure,
    finding,
    mlp,
    prediction,
    prediction_figure,
    run,
    spanish,
    unknown_data,
)

ARGMAX = "print(np.argmax(predictions[0]))"
SINGLE = [[60_001, 60_002]]
BARS = figure(300, axes(bars=10, texts=NAMES))


def predicted(*calls: Prediction) -> Finding:
    return finding(evidence(run(), predictions=calls), "predictions.test")


def test_the_whole_split_passes() -> None:
    """All rows, ten columns, rows that add up to 1."""
    found = predicted(prediction())

    assert ("passed", 300, 200) == (found.status, found.earned, found.cell)


@pytest.mark.parametrize(
    ("call", "earned", "words"),
    [
        (prediction(row_sum=(-12.0, 9.0)), 150, "van de -12,00 a 9,00"),
        (prediction(row_sum=None), 150, "no suman 1"),
        (prediction(rows=[[60_000, 60_030]]), 150, "30 de las 10\u202f000"),
        (prediction(rows=TRAIN), 0, "no es de las imágenes de prueba"),
        (prediction(shape=[10_000, 5]), 0, "tiene la forma (10000, 5)"),
    ],
)
def test_less_than_the_whole_split_earns_a_part(call: Prediction, earned: int, words: str) -> None:
    """Logits and parts of the split earn half; other data nothing; the text says what was seen."""
    found = predicted(call)

    assert ("partial" if earned else "failed", earned) == (found.status, found.earned)
    assert words in spanish(found.observed)


def test_logits_have_a_hint() -> None:
    """Logits need a softmax."""
    assert "softmax" in spanish(predicted(prediction(row_sum=(-12.0, 9.0))).hint)


def test_unknown_images_wait_for_a_person() -> None:
    """As many rows as the split has, but not recognised."""
    odd = prediction(data=unknown_data(10_000), shape=[10_000, 10])

    assert "needs_review" == predicted(odd).status


def test_no_prediction_is_not_attempted() -> None:
    """No call of predict."""
    assert "not_attempted" == predicted().status


def argmax(text: str, source: str = ARGMAX, **said: Any) -> Finding:
    found = evidence(
        run(),
        predictions=said.pop("predictions", (prediction(id=0),)),
        cells=(cell(1, text),),
        sources=("", source),
        **said,
    )
    return finding(found, "predictions.argmax")


@pytest.mark.parametrize(
    "text", ["9", "np.int64(9)", "Clase: 9.", "Botín", "ankle BOOT (98 %)", "[9]"]
)
def test_the_printed_class_is_found(text: str) -> None:
    """The number alone, or the name in either language."""
    found = argmax(text)

    assert ("passed", 200, 1) == (found.status, found.earned, found.cell)


@pytest.mark.parametrize("text", ["9.5", "0.9", "19", "98 %", "class_9", "3", "Bolso"])
def test_other_numbers_are_not_the_class(text: str) -> None:
    """Digits of other numbers and other classes do not count; the text says what was predicted."""
    found = argmax(text)

    assert "failed" == found.status
    assert "la clase 9" in spanish(found.observed)


def test_a_printed_class_needs_argmax() -> None:
    """A number that no argmax found is no answer."""
    assert "not_attempted" == argmax("9", "print(9)").status


def test_argmax_needs_a_prediction() -> None:
    """Nothing was predicted for image 0."""
    assert "not_attempted" == argmax("9", predictions=()).status
    assert "not_attempted" == argmax("9", predictions=(prediction(id=0, rows=SINGLE),)).status


def test_a_cell_before_the_prediction_does_not_count() -> None:
    """What was printed before the prediction is no answer to it."""
    assert "failed" == argmax("9", predictions=(prediction(id=5),)).status


def test_a_wrong_model_is_remarked() -> None:
    """The model may be wrong; the check is about reading it."""
    found = argmax("9", labels=(2,))

    assert "passed" == found.status
    assert "La clase verdadera de esa imagen es 2" in spanish(found.remark)


def single(call: Prediction | None, *figures: Figure) -> Finding:
    calls = () if call is None else (call,)
    return finding(evidence(run(), predictions=calls, figures=figures), "predictions.single")


def test_a_single_image_with_its_bars_passes() -> None:
    """Shape (1, 10) of image 1 and bars with names."""
    found = single(prediction(rows=SINGLE), BARS)

    assert ("passed", 200) == (found.status, found.earned)


@pytest.mark.parametrize(
    ("rows", "figures", "earned", "words"),
    [
        (SINGLE, (), 100, "no vi una figura con sus barras"),
        (SINGLE, (figure(300, axes(bars=10)),), 150, "no llevan los nombres"),
        (SINGLE, (prediction_figure(300, 0),), 100, "no vi una figura"),
        (SINGLE, (figure(100, axes(bars=10, texts=NAMES)),), 100, "no vi una figura"),
        ([[60_004, 60_005]], (BARS,), 150, "era la imagen 4 y no la 1"),
        ([[3, 4]], (BARS,), 150, "no pude reconocerla"),
    ],
)  # fmt: skip
def test_parts_of_a_single_prediction(
    rows: list[list[int]], figures: tuple[Figure, ...], earned: int, words: str
) -> None:
    """Another image, no bars, bars without names or of an earlier cell: a part each."""
    found = single(prediction(rows=rows), *figures)

    assert ("partial", earned) == (found.status, found.earned)
    assert words in spanish(found.observed)


def test_a_batch_is_no_single_prediction() -> None:
    """Predicting everything is another task."""
    assert "not_attempted" == single(prediction(), BARS).status
    assert "not_attempted" == single(None, BARS).status


def evaluated(*calls: Any) -> Finding:
    return finding(evidence(run(), evaluations=calls), "evaluation.test")


def test_evaluating_the_whole_test_split_passes() -> None:
    """All test rows of a model that serves an experiment."""
    found = evaluated(evaluation())

    assert ("passed", 300, 100) == (found.status, found.earned, found.cell)


@pytest.mark.parametrize(
    ("call", "status", "earned", "words"),
    [
        (evaluation(rows=[[60_000, 60_500]]), "partial", 150, "500 de las 10\u202f000"),
        (evaluation(chain=77), "partial", 150, "no es de ningún experimento"),
        (evaluation(rows=TRAIN), "failed", 0, "sin imágenes de prueba"),
        (evaluation(data=unknown_data(10_000)), "needs_review", 0, "no se pudieron reconocer"),
    ],
)
def test_other_evaluations(call: Any, status: str, earned: int, words: str) -> None:
    """Some rows, another model, other data, unknown data."""
    found = evaluated(call)

    assert (status, earned) == (found.status, found.earned)
    assert words in spanish(found.observed)


def test_no_evaluation_is_not_attempted() -> None:
    """No call of evaluate."""
    assert "not_attempted" == evaluated().status


def test_the_best_evaluation_counts() -> None:
    """Evaluating on the training split as well does no harm."""
    calls = (evaluation(1, rows=TRAIN), evaluation(2), evaluation(3), evaluation(4, chain=9))

    assert ("passed", 2) == (evaluated(*calls).status, evaluated(*calls).cell)


def test_an_evaluation_of_any_experiment_counts() -> None:
    """The model need not be the baseline."""
    found = evidence(run(1), run(2, mlp(500)), evaluations=(evaluation(chain=2),))

    assert "passed" == finding(found, "evaluation.test").status
