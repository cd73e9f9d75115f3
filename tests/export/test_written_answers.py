"""Marks of written answers on their way out: points, the level's name, the comment."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from grader.export import gradescope
from grader.export.marks import Mark as Standing
from grader.export.table import write_answers
from grader.gradebook import Gradebook, HandedIn
from grader.locale import Translator
from grader.result import Mark, Student
from grader.rubric.marks import key_of
from tests.review.a_class import ASSIGNMENT, hand_in

TEXT = "La red memoriza los datos con los que entrena."
CRITERIA = ASSIGNMENT.rubric.questions["q1"].criteria
FORMULA = "=1+1 no es una razón."


@pytest.fixture
def result(tmp_path: Path) -> dict[str, Any]:
    """Ana's first answer is marked, with one comment; of the second one criterion is."""
    with Gradebook(tmp_path, ASSIGNMENT, "es") as book:
        given = [
            Mark("q1", one.id, one.possible, FORMULA if place == 1 else "", answer=key_of(TEXT))
            for place, one in enumerate(CRITERIA)
        ]
        first = ASSIGNMENT.rubric.questions["q2"].criteria[0].id
        given.append(Mark("q2", first, 0, "Di cuáles.", answer=key_of(TEXT)))
        book.marks.add("Eva", [("ana", one) for one in given], {}, {key_of(TEXT): TEXT})
        return hand_in(book, Student("ana", "Ana"), {"q1": TEXT, "q2": TEXT})


def test_result_json_says_points_level_and_what_waits(result: dict[str, Any]) -> None:
    """Each question with what it is worth and what of it is pending."""
    first, second, third, *_ = result["answers"]

    assert [(6.0, 0.0), (6.0, 4.5), (6.0, 6.0)] == [
        (one["possible"], one["pending"]) for one in (first, second, third)
    ]
    given = first["marks"][CRITERIA[1].id]
    assert ("Completo", FORMULA) == (given["level"], given["comment"])
    assert given["points"] == given["possible"] == CRITERIA[1].possible / 100


def test_gradescope_shows_each_question(result: dict[str, Any]) -> None:
    """docs/specs.md: what waits has no score and is informational; what is marked has both."""
    tests = gradescope.results(result, "es")["tests"][-5:]

    assert [f"Pregunta {number}" for number in range(1, 6)] == [one["name"] for one in tests]
    assert (6.0, 6.0) == (tests[0]["score"], tests[0]["max_score"])
    assert all("score" not in one for one in tests[1:])
    lines = tests[0]["output"].split("\n")
    assert lines[1].endswith(f"Completo. {FORMULA}") and len(CRITERIA) == len(lines)
    assert "0 / 1,5, Ausente. Di cuáles." in tests[1]["output"]
    assert tests[1]["output"].endswith("Puntos pendientes de que decida una persona: 4,5.")


def test_moodles_comment_has_the_markers_words(result: dict[str, Any]) -> None:
    """After the points, question by question; questions without a comment are not named."""
    standing = Standing(result, HandedIn(), Path("nowhere"))
    said = standing.comment(Translator("es"), "retroalimentacion.html").split("\n")

    assert [f"Pregunta 1: {FORMULA}", "Pregunta 2: Di cuáles."] == said[1:]


def test_answers_csv_has_a_row_for_each_criterion(result: dict[str, Any], tmp_path: Path) -> None:
    """What waits has no points; no comment is a formula (OWASP, CSV Injection)."""
    write_answers(tmp_path / "answers.csv", ASSIGNMENT, [result])
    with (tmp_path / "answers.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    criteria = sum(len(one.criteria) for one in ASSIGNMENT.rubric.questions.values())
    assert criteria == len(rows)
    marked = [row for row in rows if row["points"]]
    assert len(CRITERIA) + 1 == len(marked)
    assert ("Completo", f"'{FORMULA}") == (marked[1]["level"], marked[1]["comment"])
    assert {"ana"} == {row["student"] for row in rows}
