"""The short form says of the written answers what the class page needs, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.batch.page import write_class
from grader.gradebook import Gradebook
from grader.result import Answer, Mark, Student, result_json
from grader.rubric.marks import key_of
from grader.similar import long_key
from grader.summary import summary
from tests.report.graded_factory import sample
from tests.review.a_class import ASSIGNMENT, a_class, hand_in

LONG = (
    "La exactitud en entrenamiento es mayor que en prueba porque los pesos se ajustaron con esas "
    "imágenes, y la red memoriza detalles que no se repiten. Las imágenes de prueba son nuevas "
    "para ella, y por eso allí acierta menos veces que con las que ya vio."
)
CRITERIA = [criterion.id for criterion in ASSIGNMENT.rubric.questions["q1"].criteria]


def test_only_long_answers_that_were_found_have_a_key() -> None:
    """A short one, one that a person must find and a missing one leave nothing."""
    answers = (
        Answer("q1", "found", "cell id", LONG),
        Answer("q2", "found", "cell id", "Sobreajuste."),
        Answer("q3", "needs_review", None, LONG),
        Answer("q4", "missing", None, ""),
    )
    short = summary(result_json(sample(answers=answers), "es"))

    assert {"q1": long_key(LONG)} == short["long_answers"]


def test_marked_criteria_are_counted() -> None:
    """Those of each answer, whatever its status."""
    first, second = sample().assignment.rubric.questions["q1"].criteria[:2]
    marks = {one.id: Mark("q1", one.id, 0) for one in (first, second)}
    answers = (
        Answer("q1", "found", "cell id", LONG, marks=marks),
        Answer("q2", "missing", None, ""),
    )
    short = summary(result_json(sample(answers=answers), "es"))

    assert {"q1": 2, "q2": 0} == short["marked"]


def test_the_gradebook_keeps_what_the_page_shows(tmp_path: Path) -> None:
    """Two equal answers are listed with emphasis and commas aside, and marks are counted."""
    same = LONG.replace("memoriza", "**memoriza**").replace(",", "").upper()
    a_class(tmp_path, 0, {"ana": {"q1": LONG}, "eva": {"q1": same}, "leo": {"q1": LONG + " Fin."}})
    with Gradebook(tmp_path) as book:
        for student, criteria in (("ana", CRITERIA), ("leo", CRITERIA[:1])):
            text = LONG if student == "ana" else LONG + " Fin."
            mark = Mark("q1", "", 0, answer=key_of(text))
            given = [(student, replace(mark, criterion=one)) for one in criteria]
            book.marks.add("eva", given, {(student, "q1"): 0}, {key_of(text): text})
            hand_in(book, Student(student, student.title()), {"q1": text})
        write_class(tmp_path, ASSIGNMENT, book, "es")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")

    assert "Pregunta 1</b>, 2 estudiantes" in page
    assert 2 == page.count("report.html#answers")
    assert "1 de 3" in page and "0 de 3" in page
