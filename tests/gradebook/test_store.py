"""The gradebook keeps everything and overwrites nothing."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from grader.evidence import Evidence
from grader.gradebook import Gradebook, GradebookError
from grader.grading import Gathered, Override
from grader.intake import Intake, Submission
from grader.loading import default_folder, load_assignment
from grader.locale import Text
from grader.notebook import read_notebook
from grader.result import NotebookFile, Student
from grader.scoring import UNKNOWN, Late
from tests.factories import evidence, outcome, run

ASSIGNMENT = load_assignment(default_folder())
ANA = Student("ana", "Ana María")


def gathered(seen: Evidence) -> Gathered:
    notebook = read_notebook((default_folder() / "taller3.ipynb").read_bytes(), "ana.ipynb")
    return Gathered(
        NotebookFile("ana.ipynb", "0" * 64),
        notebook,
        seen,
        {"sandbox": "standard"},
        Text("hola {n} {x}", {"n": 3, "x": Text("y", {"z": (1.5, "w")})}),
    )


def test_what_was_gathered_comes_back_equal(tmp_path: Path) -> None:
    """Evidence, notebook and texts survive the file bit for bit."""
    kept = gathered(evidence(run(1), run(2, epochs=20)))
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.add(ANA, kept, outcome(tried=1))
    with Gradebook(tmp_path) as book:
        entry = book.entry("ana")

    assert (ANA, kept, outcome(tried=1)) == (entry.student, entry.gathered, entry.result)


def test_a_new_grading_is_added_and_the_latest_counts(tmp_path: Path) -> None:
    """Grading again keeps the old row."""
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.add(ANA, gathered(evidence()), outcome(tried=1))
        book.add(ANA, gathered(evidence()), outcome(tried=2))

        assert [outcome(tried=2)] == [entry.result for entry in book.entries()]
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as raw:
        assert (2,) == raw.execute("SELECT count(*) FROM grading").fetchone()


def test_marks_by_people_say_who_when_and_why(tmp_path: Path) -> None:
    """Overrides are events in their order."""
    first, second = Override("data.grid", 100, "visto"), Override("data.grid", 200, "revisado")
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.override("ana", first)
        book.override("ana", second)

        assert (first, second) == book.overrides("ana")
        assert () == book.overrides("bruno")
        assert all(event.who and event.at.endswith("+00:00") for event in book.events())


def test_an_unknown_student_is_named_with_those_there_are(tmp_path: Path) -> None:
    """The message says who is in the gradebook."""
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.add(ANA, gathered(evidence()), outcome())
        with pytest.raises(GradebookError, match=r"'eva' is not in .*there are: ana"):
            book.entry("eva")


def test_a_folder_without_a_gradebook(tmp_path: Path) -> None:
    """Opening what is not there creates nothing."""
    with pytest.raises(GradebookError, match="no gradebook"):
        Gradebook(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_no_gradebook(tmp_path: Path) -> None:
    """Another file of that name is refused and left as it is."""
    path = tmp_path / "gradebook.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    before = path.read_bytes()

    with pytest.raises(GradebookError, match="no gradebook of ours"):
        Gradebook(tmp_path)
    assert before == path.read_bytes()


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """A gradebook of a later grader is not touched."""
    with Gradebook(tmp_path, ASSIGNMENT):
        pass
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as raw:
        raw.execute("PRAGMA user_version = 99")

    with pytest.raises(GradebookError, match="version 99"):
        Gradebook(tmp_path)


def test_marks_and_lateness_follow_a_submission_whose_id_changes(tmp_path: Path) -> None:
    """A roster came, or a namesake: what people decided and the platform said goes along, once."""

    def handed_in(student: str, late: Late = UNKNOWN) -> Intake:
        one = Submission(Student(student, "Ana"), "ana.ipynb", bytes, "ana.ipynb", late)
        return Intake((one,))

    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.register.hand_in(handed_in("ana", Late(by_s=7200)))
        book.override("ana", Override("data.grid", 150, "visto", saw=0))
        for _ in range(2):
            book.register.hand_in(handed_in("2025-1234"))

        assert (Override("data.grid", 150, "visto", saw=0),) == book.overrides("2025-1234")
        assert Late(by_s=7200) == book.register.handed_in("2025-1234").late


def test_who_met_a_fault_of_ours_is_known(tmp_path: Path) -> None:
    """By the state, or because judging failed, which leaves nothing that it was scored by."""
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        for name, state, scored in (
            ("ana", "graded", "x"), ("eva", "grader_error", "x"), ("leo", "graded", ""),
        ):  # fmt: skip
            student = Student(name, name)
            book.add(student, gathered(evidence()), outcome(name) | {"state": state}, scored)

        assert {"eva", "leo"} == book.faulty(["ana", "eva", "leo", "nobody"])


def test_a_run_is_kept_once_however_often_it_is_judged(tmp_path: Path) -> None:
    """What it left may have megabytes; another run of the student is another row."""
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        first = gathered(evidence())
        book.add(ANA, first, outcome(tried=1), "a")
        book.rescore(ANA, json.dumps(outcome(tried=2)), "b")
        book.add(ANA, first, outcome(tried=3), "c")
        assert first == book.gathered("ana")
        book.add(ANA, replace(first, under="another spec"), outcome(tried=4), "d")
        assert "another spec" == book.standings()["ana"].under
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as raw:
        assert [(4, 2)] == raw.execute(
            "SELECT count(), count(DISTINCT run) FROM grading"
        ).fetchall()
        assert [(2,)] == raw.execute("SELECT count() FROM run").fetchall()


def test_a_run_that_cannot_be_read_back_is_none(tmp_path: Path) -> None:
    """So that it runs again, and nobody else waits for it."""
    with Gradebook(tmp_path, ASSIGNMENT) as book:
        book.add(ANA, gathered(evidence()), outcome(tried=1))
        assert book.gathered("ana") is not None
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as raw:
        raw.execute("UPDATE run SET gathered = '{}'")
    with Gradebook(tmp_path) as book:
        assert book.gathered("ana") is None


def test_a_full_disk_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the file and SQLite's reason; nobody is told to restore a backup."""
    with Gradebook(tmp_path, ASSIGNMENT):
        pass
    with sqlite3.connect(tmp_path / "gradebook.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
        with pytest.raises(OSError, match="locked") as caught:
            Gradebook(tmp_path, ASSIGNMENT)
    assert str(tmp_path / "gradebook.sqlite") == caught.value.filename
