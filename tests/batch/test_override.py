"""A person's mark: kept as an event, in the files at once, or refused with nothing changed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.batch.desk import Desk
from grader.batch.lock import LOCK
from grader.cli import main
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.result import NotebookFile, Student
from tests.factories import ROOT, evidence, outcome, run
from tests.test_grading import file_of

ASSIGNMENT = load_assignment(default_folder())
HOLD = """
import sys
from pathlib import Path
from grader.batch.lock import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path, dataset: Dataset) -> Path:
    """The folder of a class of two, as `grader grade` leaves it."""
    notebook = read_notebook(file_of("1 + 1"), "a.ipynb")
    with Gradebook(tmp_path, ASSIGNMENT, "es") as gradebook:
        for student in ("ana", "luis"):
            gathered = Gathered(NotebookFile("a.ipynb", "0" * 64), notebook, evidence(run(1)))
            gradebook.add(Student(student, student.title()), gathered, outcome(student))
    code, said = override(tmp_path, "ana", "data.grid", "0.5", "--because", "primera mirada")
    assert 0 == code, said
    return tmp_path


def override(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["override", str(folder), *words])
    return done.exit_code, done.output.strip()


def left(folder: Path) -> dict[str, bytes]:
    """Every file, and every row of the gradebook."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("gradebook", LOCK))
    }
    with sqlite3.connect(folder / "gradebook.sqlite") as raw:
        return files | {"rows": "\n".join(raw.iterdump()).encode()}


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Another process that holds the folder, as `grader grade` does; its number."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert "held\n" == process.stdout.readline()
        yield process.pid


def test_a_folder_that_is_being_graded_is_left_alone(folder: Path) -> None:
    """It says who holds it; the mark can be given when the other has finished."""
    (folder / LOCK).write_text("a number that is longer\n")
    before = left(folder)
    words = ("ana", "data.grid", "1.5", "--because", "la mostró en papel")

    with held(folder) as process:
        code, said = override(folder, *words)
        assert before == left(folder)

    assert 3 == code
    assert f"{folder}: is being graded by process {process} already; wait for it" in said
    assert 1 == len(said.splitlines())
    assert 0 == override(folder, *words)[0]
    assert before != left(folder)


def test_a_mark_changes_one_student_and_the_class(folder: Path) -> None:
    """The other's files stay; the result, the report and the table say the new points."""
    before = left(folder)
    shown = folder / "students" / "ana" / "executed.html"
    drawn_at = shown.stat().st_mtime_ns
    earned = json.loads(before["students/ana/result.json"])["points"]["earned"]

    code, said = override(folder, "ana", "data.grid", "1.5", "--because", "la mostró en papel")

    after = left(folder)
    change = f"earned {earned:g} → {earned + 1:g}"
    assert 0 == code
    assert f"ana: data.grid is now 1.5 of 2 points (la mostró en papel); {change}" == said
    assert {
        "students/ana/result.json", "students/ana/report.html", "grades.csv", "index.html", "rows",
    } == {name for name in after if before.get(name) != after[name]}  # fmt: skip
    assert earned + 1 == json.loads(after["students/ana/result.json"])["points"]["earned"]
    assert "la mostró en papel" in after["students/ana/report.html"].decode()
    assert drawn_at == shown.stat().st_mtime_ns
    with Gradebook(folder) as gradebook:
        assert [50, 150] == [event.override.points for event in gradebook.events()]


@pytest.mark.parametrize("current", [True, False])
def test_grading_again_scores_anew_only_what_was_not_current(
    folder: Path, current: bool, dataset: Dataset
) -> None:
    """A mark alone gives the next `grade` nothing to do; what waited for it goes on waiting."""
    with Gradebook(folder) as gradebook:
        desk = Desk(ASSIGNMENT, dataset, gradebook, folder, "es")
        ana = gradebook.entry("ana")
        scored = desk.scored_by(Student("ana", "Ana")) if current else "another assignment"
        gradebook.add(ana.student, ana.gathered, ana.result, scored)

    assert 0 == override(folder, "ana", "data.grid", "1.5", "--because", "x")[0]

    with Gradebook(folder) as gradebook:
        desk = Desk(ASSIGNMENT, dataset, gradebook, folder, "es")
        expected = desk.scored_by(Student("ana", "Ana")) if current else "another assignment"
        assert expected == gradebook.standings()["ana"].scored


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ana", "data.gird", "1"), "data.grid"),
        (("ana", "data.grid", "2.01"), "2.01 is not from 0 to 2"),
        (("ana", "data.grid", "nan"), "nan is not from 0 to 2"),
        (("ana", "data.grid", "inf"), "inf is not from 0 to 2"),
        (("nadie", "data.grid", "1"), "'nadie' is not in"),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, words: tuple[str, ...], said: str) -> None:
    """One line, and nothing is kept."""
    before = left(folder)

    code, line = override(folder, *words, "--because", "x")

    assert (2, 1, True) == (code, len(line.splitlines()), said in line), line
    assert before == left(folder)


def test_a_folder_without_a_gradebook_stays_empty(tmp_path: Path) -> None:
    code, said = override(tmp_path, "ana", "data.grid", "1", "--because", "x")

    assert (2, True) == (code, "there is no gradebook; check the name" in said)
    assert [] == list(tmp_path.iterdir())
