"""A mark counts for the text that it was given to, and for levels that the rubric has."""

from __future__ import annotations

import json
from decimal import Decimal

import jsonschema

from grader.grading import Gathered, conclude
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.report.schema import result_schema
from grader.result import Graded, Mark, NotebookFile, State, Student, result_json
from grader.rubric.marks import key_of

ASSIGNMENT = load_assignment(default_folder())
QUESTIONS = ASSIGNMENT.rubric.questions
TEXT = "Porque la red memoriza *detalles*."


def graded(text: str, *marks: Mark) -> Graded:
    """A notebook with one answer, to the first question."""
    cell = {"cell_type": "markdown", "metadata": {}, "source": f"### Pregunta 1\n\n{text}"}
    data = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    notebook = read_notebook(json.dumps(data).encode(), "ana.ipynb")
    gathered = Gathered(NotebookFile("ana.ipynb", "0" * 64), notebook)
    return conclude(ASSIGNMENT, None, gathered, Student("ana", "Ana"), marks=marks)


def mark(points: int, criterion: str = "data_used", text: str = TEXT) -> Mark:
    return Mark("q1", criterion, points, "Falta decir cuáles.", "eva", "2026-11-26", key_of(text))


def test_a_mark_adds_its_points_and_the_rest_waits() -> None:
    """Result.json names level and comment; criteria without a mark stay pending."""
    alone, with_one = graded(TEXT), graded(TEXT, mark(100))
    answer = result_json(with_one, "es")["answers"][0]

    assert {"data_used": {
        "title": "Qué imágenes usó el modelo para aprender y cuáles no", "points": 1.0,
        "possible": 2.0, "level": "Parcial", "comment": "Falta decir cuáles.",
    }} == answer["marks"]  # fmt: skip
    assert 100 == with_one.score.earned - alone.score.earned
    assert 200 == alone.score.pending - with_one.score.pending
    assert alone.answers[0].marks == {} and result_json(alone, "es")["answers"][0]["marks"] is None
    jsonschema.validate(result_json(with_one, "en"), result_schema())


def test_emphasis_and_spacing_change_no_answer() -> None:
    """Who saves the notebook in another program keeps the marks."""
    again = graded("Porque la red memoriza\ndetalles.", mark(100))

    assert {"data_used"} == set(again.answers[0].marks)


def test_a_mark_of_another_text_waits_for_a_person() -> None:
    """The new version is shown beside the old mark, which counts nothing."""
    changed = graded("Porque la red generaliza.", mark(200))
    answer = changed.answers[0]

    assert ({}, {"data_used": 200}) == (
        answer.marks, {name: one.points for name, one in answer.earlier.items()},
    )  # fmt: skip
    assert graded("Porque la red generaliza.").score == changed.score


def test_a_mark_of_a_level_that_is_no_more_waits_for_a_person() -> None:
    """No mark is ever changed into another."""
    assert {"data_used"} == set(graded(TEXT, mark(175)).answers[0].earlier)


def test_a_missing_answer_is_marked_by_a_person_too() -> None:
    """No answer is no mark: somebody looks whether there really is none."""
    nothing = Mark("q2", "images", 0, answer=key_of(""))

    assert {"images"} == set(graded(TEXT, nothing).answers[1].marks)


def test_everything_marked_is_a_grade() -> None:
    """Also of a file that nobody could read, where a person saw the answers elsewhere."""
    full = [
        Mark(name, one.id, one.possible, answer=key_of(""))
        for name, question in QUESTIONS.items()
        for one in question.criteria
    ]
    gathered = Gathered(NotebookFile("ana.ipynb", "0" * 64))
    done = conclude(ASSIGNMENT, None, gathered, Student("ana", "Ana"), marks=tuple(full))

    assert (State.UNREADABLE, 3000, 7000) == (done.state, done.score.earned, done.score.pending)
    assert Decimal("1.5") == done.score.lowest
    assert () == conclude(ASSIGNMENT, None, gathered, Student("ana", "Ana")).answers
