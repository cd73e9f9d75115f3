"""Marks of written answers: added and never changed, taken back as they were given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.gradebook import Gradebook, MarksChanged
from grader.gradebook.marks import Marks, Whose
from grader.intake import Intake, Submission
from grader.loading import default_folder, load_assignment
from grader.result import Mark, Student
from grader.rubric.marks import key_of

ASSIGNMENT = load_assignment(default_folder())
TEXT = "Porque memoriza."
KEY = key_of(TEXT)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path, ASSIGNMENT) as opened:
        yield opened


def give(
    marks: Marks, points: int, *students: str, who: str = "eva", comment: str = "",
    criterion: str = "data_used",
) -> None:  # fmt: skip
    """Mark the first question of some students in one action, having seen everything."""
    given = [(one, Mark("q1", criterion, points, comment, answer=KEY)) for one in students]
    seen: dict[Whose, int] = {
        (one, "q1"): number for one, number in marks.versions("q1", students).items()
    }
    marks.add(who, given, seen, {KEY: TEXT})


def standing(marks: Marks, student: str) -> list[tuple[str, int]]:
    return [(mark.who, mark.points) for mark in marks.of(student)]


def test_the_latest_mark_of_a_criterion_stands(book: Gradebook) -> None:
    """With who gave it, when, what they wrote, and the text that it was given to."""
    give(book.marks, 100, "ana")
    give(book.marks, 200, "ana", who="luis", comment="Muy bien.")
    give(book.marks, 0, "ana", criterion="generalisation")

    first, second = book.marks.of("ana")
    assert ("luis", 200, "Muy bien.", KEY) == (first.who, first.points, first.comment, first.answer)
    assert first.at.endswith("+00:00") and second.criterion == "generalisation"
    assert [100, 200, 0] == [row.mark.points for row in book.marks.history("ana", "q1")]
    assert TEXT == book.marks.passage(KEY)
    assert "" == book.marks.passage("unknown")


def test_two_markers_do_not_overwrite_each_other(book: Gradebook) -> None:
    """Who saw less than there is gets nothing written, of a group nothing at all."""
    seen: dict[Whose, int] = {("ana", "q1"): 0, ("bea", "q1"): 0}
    give(book.marks, 100, "bea")

    mark = Mark("q1", "data_used", 200, answer=KEY)
    with pytest.raises(MarksChanged) as caught:
        book.marks.add("luis", [("ana", mark), ("bea", mark)], seen, {KEY: TEXT})

    assert (("bea", "q1"),) == caught.value.whose
    assert ([], [("eva", 100)]) == (standing(book.marks, "ana"), standing(book.marks, "bea"))


def test_one_undo_takes_back_a_whole_group(book: Gradebook) -> None:
    """What stood before stands again, one action after the other, until there is none."""
    give(book.marks, 100, "ana")
    give(book.marks, 200, "ana", "bea")

    assert {("ana", "q1"), ("bea", "q1")} == set(book.marks.undo("eva"))
    assert ([("eva", 100)], []) == (standing(book.marks, "ana"), standing(book.marks, "bea"))
    assert (("ana", "q1"),) == book.marks.undo("eva")
    assert () == book.marks.undo("eva")
    assert [] == standing(book.marks, "ana")
    assert [(100, True), (200, True)] == [
        (row.mark.points, row.undone) for row in book.marks.history("ana", "q1")
    ]


def test_undo_is_of_ones_own(book: Gradebook) -> None:
    """What somebody else has given since goes on counting."""
    give(book.marks, 100, "ana")
    give(book.marks, 200, "ana", who="luis")
    book.marks.undo("eva")
    assert [("luis", 200)] == standing(book.marks, "ana")

    assert () == book.marks.undo("eva")
    book.marks.undo("luis")
    assert [] == standing(book.marks, "ana")


def test_an_undo_is_a_change_that_others_must_have_seen(book: Gradebook) -> None:
    """Every mark and every undo gives an answer another version."""
    versions = [book.marks.versions("q1", ["ana"])["ana"]]
    for step in (lambda: give(book.marks, 100, "ana"), lambda: book.marks.undo("eva"),
                 lambda: give(book.marks, 100, "ana"), lambda: book.marks.undo("eva")):  # fmt: skip
        step()
        versions.append(book.marks.versions("q1", ["ana"])["ana"])

    assert sorted(set(versions)) == versions
    assert 0 == book.marks.versions("q1", ["bea"])["bea"]


def test_comments_remember_themselves(book: Gradebook) -> None:
    """The most used first; those of other criteria and those taken back are not offered."""
    for student, comment in (("a", "Falta el porqué."), ("b", "Bien."), ("c", "Bien."), ("d", "")):
        give(book.marks, 100, student, comment=comment)
    give(book.marks, 100, "e", comment="De otra cosa.", criterion="generalisation")
    give(book.marks, 100, "f", comment="Perdón.")
    book.marks.undo("eva")

    assert ["Bien.", "Falta el porqué."] == book.marks.comments("q1", "data_used")


def test_marks_follow_a_submission_whose_id_changes(book: Gradebook) -> None:
    """Like every decision of a person, and once."""

    def handed_in(student: str) -> Intake:
        return Intake((Submission(Student(student, "Ana"), "ana.ipynb", bytes, "ana.ipynb"),))

    book.register.hand_in(handed_in("ana"))
    give(book.marks, 100, "ana")
    for _ in range(2):
        book.register.hand_in(handed_in("2025-1234"))

    assert [("eva", 100)] == standing(book.marks, "2025-1234")
    assert 1 == len(book.marks.history("2025-1234", "q1"))
    assert {"ana", "2025-1234"} == set(book.marks.all())
