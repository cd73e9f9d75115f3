"""A student's own numbers beside what the answer says of them."""

from __future__ import annotations

from typing import Any

import pytest

from grader.locale import Translator
from grader.rubric.measured import Row, contradictions, rows

GREW = (Row("baseline", 0.912, 0.881, 0.031), Row("wide", 0.935, 0.877, 0.058))


def notes(text: str, measured: tuple[Row, ...] = GREW) -> list[str]:
    say = Translator("es")
    return [say(note) for note in contradictions(text, measured)]


@pytest.mark.parametrize(
    "text",
    [
        "La brecha baja con más neuronas.", "Veo que la diferencia disminuyó un poco.",
        "La diferencia entre entrenamiento y prueba es menor.", "The gap shrinks.",
        "Con 500 la diferencia no aumenta.",
    ],
)  # fmt: skip
def test_an_answer_against_the_own_numbers_is_noted(text: str) -> None:
    """With both numbers, as this locale writes them."""
    said = (
        "la diferencia entre entrenamiento y prueba: la respuesta dice que baja, y en el cuaderno "
        "pasó de 0,031 a 0,058."
    )
    assert [said] == notes(text)


@pytest.mark.parametrize(
    "text",
    [
        "La brecha crece.", "La diferencia no disminuye.", "La brecha baja. La brecha sube.",
        "La exactitud de entrenamiento sube y la brecha también.", "No sé.",
        "",
        "La exactitud de prueba baja.",
    ],
)  # fmt: skip
def test_what_agrees_or_says_nothing_clear_is_not(text: str) -> None:
    """Also what says both."""
    assert [] == notes(text)


def test_accuracies_are_compared_too() -> None:
    """Each with its own name."""
    said = notes("La exactitud de prueba aumenta y la exactitud de entrenamiento baja.")

    assert ["la exactitud de prueba", "la exactitud de entrenamiento"] == [
        note.split(":")[0] for note in said
    ]


def test_without_two_measurements_or_a_change_there_is_nothing_to_say() -> None:
    """A single experiment, values that were not measured, and a change of nothing."""
    same = (Row("baseline", 0.9, 0.88, 0.0200), Row("wide", 0.9, 0.88, 0.0204))
    unmeasured = (Row("baseline", None, None, None), GREW[1])
    for measured in (GREW[:1], same, unmeasured):
        assert [] == notes("La brecha baja.", measured)


def test_rows_are_those_that_the_question_speaks_of() -> None:
    """In the question's order; an experiment without a run has none."""

    def run(experiment: str | None) -> dict[str, Any]:
        return {"experiment": experiment, "train_accuracy": 0.9, "test_accuracy": 0.8, "gap": 0.1}

    runs = [run("wide"), run(None), run("baseline")]

    assert ["baseline", "wide"] == [
        row.experiment for row in rows(runs, ("baseline", "wide", "deep"))
    ]
