"""What stands beside an answer: the student's own numbers, mistakes and layers; what changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.locale import Translator
from grader.result import Mark, Student
from grader.review.beside import Beside, Evidence
from grader.review.difference import MOST, difference
from grader.review.pages import Pages
from grader.review.sheets import Group, Sheets
from grader.rubric.marks import key_of
from tests.factories import mlp, run
from tests.review.a_class import ASSIGNMENT, TEMPLATE, hand_in, measured, with_text

ANA = Student("ana", "Ana")
DOWN = "Con 500 neuronas la diferencia entre entrenamiento y prueba baja."


def beside(folder: Path, dataset: Dataset, question: str) -> Beside:
    """What Ana's answer has beside it."""
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        hand_in(
            book, ANA, {"q3": DOWN}, run(1, measured=measured()),
            run(2, mlp(500), train=0.95), run(3, mlp(500, 500, 500)),
        )  # fmt: skip
        written = Sheets(ASSIGNMENT, book).written[question]["ana"]
        reader = Evidence(ASSIGNMENT, book, dataset, Translator("es"), TEMPLATE)
        return reader.of(ASSIGNMENT.rubric.questions[question], written)


def test_numbers_and_what_the_text_says_otherwise(tmp_path: Path, dataset: Dataset) -> None:
    """Q3: both experiments, and a note where the difference went the other way."""
    found = beside(tmp_path, dataset, "q3")

    assert [("0,910", "0,880", "0,030"), ("0,950", "0,880", "0,070")] == [
        row[1:] for row in found.accuracies
    ]
    assert ["0,030" in note and "0,070" in note for note in found.notes] == [True]
    assert not found.wrong and not found.built


def test_the_images_that_the_model_got_wrong(tmp_path: Path, dataset: Dataset) -> None:
    """Q2: the pictures of this student's own baseline, and what it confuses."""
    (wrong,) = beside(tmp_path, dataset, "q2").wrong

    assert [(4, "Camisa"), (40, "Camisa")] == [
        (picture.row, picture.label) for picture in wrong.view.pictures
    ]
    assert all(one.uri.startswith("data:image/png;base64,") for one in wrong.view.pictures)
    assert wrong.view.confusion is not None and 200 == wrong.view.confusion.largest[0][2]


def test_the_model_that_was_built(tmp_path: Path, dataset: Dataset) -> None:
    """Q5: layer by layer, with the shape of what it gives and its parameters."""
    (built,) = beside(tmp_path, dataset, "q5").built

    assert [row.cells[0] for row in built.layers] == [
        "Flatten", "Dense(500, relu)", "Dense(500, relu)", "Dense(500, relu)", "Dense(10, softmax)",
    ]  # fmt: skip
    assert ("500", "392\u202f500") == tuple(built.layers[1].cells[1:])


def test_what_no_answer_took_is_there_too(tmp_path: Path, dataset: Dataset) -> None:
    """A text cell that names no question; nothing of the sheet, nothing of an answer."""
    said = "El abrigo y el suéter se parecen mucho en mi cuadrícula."
    with Gradebook(tmp_path, ASSIGNMENT, "es") as book:
        hand_in(book, ANA, {}, data=with_text(said))
        written = Sheets(ASSIGNMENT, book).written["q1"]["ana"]
        reader = Evidence(ASSIGNMENT, book, dataset, Translator("es"), TEMPLATE)
        found = reader.of(ASSIGNMENT.rubric.questions["q1"], written)

    assert said == found.unclaimed


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        ("La red memoriza datos.", "La red memoriza los datos.",
         "La red memoriza <ins>los</ins> datos."),
        ("uno dos", "uno tres", "uno <del>dos</del> <ins>tres</ins>"),
        ("<b>", "<i>", "<del>&lt;b&gt;</del><ins>&lt;i&gt;</ins>"),
        ("igual", "igual", "igual"),
    ],
)  # fmt: skip
def test_what_changed(before: str, now: str, shown: str) -> None:
    """Word by word, and nothing of a text is markup."""
    assert shown == difference(before, now)


def test_long_texts_are_not_compared() -> None:
    """They are shown one below the other."""
    assert difference("a " * (MOST + 1), "b") is None


OLD, NEW = "La red memoriza los datos.", "La red aprende los datos."


def changed_since_it_was_marked(book: Gradebook) -> None:
    """Ana hands in a text, gets a mark for it, and hands in another one."""
    hand_in(book, ANA, {"q1": OLD})
    criterion = ASSIGNMENT.rubric.questions["q1"].criteria[0].id
    mark = Mark("q1", criterion, 150, answer=key_of(OLD))
    book.marks.add("Eva", [("ana", mark)], {}, {key_of(OLD): OLD})
    hand_in(book, ANA, {"q1": NEW})


def test_a_new_text_stands_beside_the_one_that_was_marked(tmp_path: Path, dataset: Dataset) -> None:
    """With the points it got; the new one waits."""
    with Gradebook(tmp_path, ASSIGNMENT, "es") as book:
        changed_since_it_was_marked(book)
        sheets = Sheets(ASSIGNMENT, book)
        reader = Evidence(ASSIGNMENT, book, dataset, Translator("es"), TEMPLATE)
        pages = Pages(sheets, reader, Translator("es"))
        shown = pages.group(Group("q1", (sheets.written["q1"]["ana"],)))

    assert (
        "La red <del>memoriza</del> <ins>aprende</ins> los datos." == shown["earlier"]["difference"]
    )
    assert ("1,5", "Eva") == (shown["earlier"]["points"], shown["earlier"]["who"])
    assert not any(level.given for one in shown["criteria"] for level in one.levels)


def test_a_changed_text_is_read_alone(tmp_path: Path) -> None:
    """Others who wrote the same are marked together; this one has an old mark to look at."""
    with Gradebook(tmp_path, ASSIGNMENT, "es") as book:
        changed_since_it_was_marked(book)
        for student in (Student("eva", "Eva"), Student("leo", "Leo")):
            hand_in(book, student, {"q1": NEW})
        sheets = Sheets(ASSIGNMENT, book)
        with ThreadPoolExecutor() as pool:
            sheets.compare(pool.submit)
            found = [{one.student.id for one in group.members} for group in sheets.groups("q1")]

    assert [{"eva", "leo"}, {"ana"}] == found
