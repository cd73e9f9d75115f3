"""Copies of a gradebook are whole or refused, and nothing that stood is lost on the way back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.assignment import Assignment
from grader.batch.lock import locked
from grader.cli import main
from grader.gradebook import Gradebook, GradebookError
from grader.gradebook.copies import backup, restore
from grader.gradebook.store import FILE
from grader.grading import Gathered, Override
from grader.loading import default_folder, load_assignment
from grader.result import NotebookFile, Student
from tests.factories import outcome

ASSIGNMENT = load_assignment(default_folder())
PAGE = 4096


def grade(folder: Path, *students: str, assignment: Assignment = ASSIGNMENT) -> None:
    """Add a grading and a mark of each student."""
    folder.mkdir(exist_ok=True)
    with Gradebook(folder, assignment) as book:
        for student in students:
            gathered = Gathered(NotebookFile(f"{student}.ipynb", "0" * 64))
            book.add(Student(student, student.title()), gathered, outcome(student))
            book.override(student, Override("data.grid", 100, "visto"))


def rows(path: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as raw:
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE sql LIKE"
                                                 " 'CREATE TABLE%' ORDER BY name")]  # fmt: skip
        return {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a class of two."""
    grade(tmp_path / "curso", "ana", "luis")
    return tmp_path / "curso"


def harm(path: Path, place: int) -> None:
    """Write over half a page."""
    data = bytearray(path.read_bytes())
    start = place % len(data)
    data[start : start + 2000] = b"\xff" * 2000
    path.write_bytes(data)


def refused(folder: Path, copy: Path) -> str:
    """The one line with which a copy is refused, after a look at what stood there."""
    before = {path: path.read_bytes() for path in folder.glob("*.sqlite")}
    with pytest.raises(GradebookError) as caught:
        restore(folder, copy)
    assert before == {path: path.read_bytes() for path in folder.glob("*.sqlite")}
    assert not list(folder.glob(".*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_copy_is_one_file_with_every_row(folder: Path, tmp_path: Path) -> None:
    """Whatever SQLite keeps beside a gradebook in use is in the copy."""
    with Gradebook(folder) as book:
        book.override("ana", Override("data.grid", 200, "otra vez"))
        assert (folder / f"{FILE}-wal").stat().st_size
        copy = backup(folder, tmp_path / "copia.sqlite")

    assert tmp_path / "copia.sqlite" == copy
    assert rows(folder / FILE) == rows(copy)
    assert {"copia.sqlite", "curso"} == names(tmp_path)
    assert (2, 3) == (len(rows(copy)["grading"]), len(rows(copy)["event"]))


def test_there_and_back_is_equal(folder: Path, tmp_path: Path) -> None:
    """What was graded after the copy is undone, and kept beside it."""
    kept = rows(folder / FILE)
    copy = backup(folder)
    grade(folder, "eva")
    later = rows(folder / FILE)

    before = restore(folder, copy)

    assert kept == rows(folder / FILE)
    assert later == rows(before)
    with Gradebook(folder) as book:
        assert ["ana", "luis"] == [result["student"]["id"] for result in book.results()]


def test_a_copy_made_while_a_writer_is_at_work_has_what_was_finished(folder: Path) -> None:
    """An open transaction neither stops a copy nor gets into it."""
    finished = rows(folder / FILE)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM grading")
        copy = backup(folder)
        writer.execute("COMMIT")

    assert finished == rows(copy)
    assert [] == rows(folder / FILE)["grading"]


@pytest.mark.parametrize("place", [0, 100, 3 * PAGE, 5 * PAGE, -PAGE])
def test_a_damaged_copy_is_refused(folder: Path, place: int) -> None:
    """Wherever it is damaged, the gradebook stays as it is."""
    copy = backup(folder)
    harm(copy, place)

    assert f"{copy}: is " in refused(folder, copy)


def test_a_copy_that_was_cut_off_is_refused(folder: Path) -> None:
    copy = backup(folder)
    copy.write_bytes(copy.read_bytes()[: 4 * PAGE])

    assert f"{copy}: is " in refused(folder, copy)


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n" * 500])
def test_what_is_no_gradebook_is_refused(folder: Path, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "otra").write_bytes(data)

    assert "is no gradebook of ours" in refused(folder, tmp_path / "otra")


def test_a_copy_that_is_not_there_is_refused(folder: Path, tmp_path: Path) -> None:
    assert "there is no gradebook; check the name" in refused(folder, tmp_path / "nada")


def test_the_gradebook_itself_is_no_copy(folder: Path) -> None:
    """It would be moved away before it could be read."""
    assert "is the gradebook itself" in refused(folder, folder / FILE)


def test_a_copy_of_another_assignment_is_refused(folder: Path, tmp_path: Path) -> None:
    another = ASSIGNMENT.model_copy(
        update={"spec": ASSIGNMENT.spec.model_copy(update={"id": "taller9"})}
    )
    grade(tmp_path / "otro", "eva", assignment=another)
    copy = backup(tmp_path / "otro", tmp_path / "otra.sqlite")

    assert "otra.sqlite: is the gradebook of taller9, not of taller3" in refused(folder, copy)


def test_a_damaged_gradebook_is_kept_beside_the_copy(folder: Path) -> None:
    """Byte for byte, with what SQLite had left beside it: somebody may mend it."""
    copy = backup(folder)
    kept = rows(copy)
    (folder / FILE).write_bytes(b"damaged")
    (folder / f"{FILE}-wal").write_bytes(b"its log")

    before = restore(folder, copy)

    assert kept == rows(folder / FILE)
    assert b"damaged" == before.read_bytes()
    assert b"its log" == before.with_name(f"{before.name}-wal").read_bytes()


def test_two_restores_in_one_second_lose_nothing(folder: Path) -> None:
    """Each keeps what stood there under a name of its own."""
    copy = backup(folder)
    kept = []
    for student in ("eva", "leo", "mia"):
        grade(folder, student)
        kept.append(rows(folder / FILE))
        kept.append(rows(restore(folder, copy)))

    assert kept[::2] == kept[1::2]
    assert 3 == len(list(folder.glob("gradebook-before-*.sqlite")))


def test_a_copy_that_fails_leaves_the_gradebook(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradebook is moved only once a whole copy lies beside it."""
    copy = backup(folder)

    class Full(sqlite3.Connection):
        def backup(self, *words: Any, **more: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    real = sqlite3.connect

    def connect(path: Any, **more: Any) -> sqlite3.Connection:
        return real(path, **more) if more else real(path, factory=Full)

    monkeypatch.setattr(sqlite3, "connect", connect)

    assert "cannot be copied to" in refused(folder, copy)


def test_a_folder_without_a_gradebook_takes_a_copy(folder: Path, tmp_path: Path) -> None:
    """Nothing stood there; what is named is what stands there now."""
    copy = backup(folder)

    assert tmp_path / "nuevo" / FILE == restore(tmp_path / "nuevo", copy)
    assert rows(copy) == rows(tmp_path / "nuevo" / FILE)
    assert {FILE} == names(tmp_path / "nuevo")


def test_a_gradebook_that_was_hardly_begun_takes_a_copy(folder: Path, tmp_path: Path) -> None:
    """A controller that was killed at its start left tables, and no assignment in them."""
    copy = backup(folder, tmp_path / "copia.sqlite")
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as raw:
        raw.execute("DELETE FROM assignment")
    (folder / f".{FILE}.partial").write_bytes(b"half a copy")

    restore(folder, copy)

    assert rows(copy) == rows(folder / FILE)


def test_backups_that_cannot_be_made_are_one_line(folder: Path, tmp_path: Path) -> None:
    """Nothing is written over, and nothing half done is left."""
    (tmp_path / "copia").write_bytes(b"mine")
    for to, said in ((tmp_path / "copia", "exists already"),
                     (tmp_path / "no" / "copia", "cannot be copied to")):  # fmt: skip
        with pytest.raises(GradebookError, match=said):
            backup(folder, to)
    harm(folder / FILE, 5 * PAGE)
    with pytest.raises(GradebookError, match=f"{folder / FILE}: is damaged"):
        backup(folder, tmp_path / "otra")
    with pytest.raises(GradebookError, match="there is no gradebook"):
        backup(tmp_path / "nada")

    assert b"mine" == (tmp_path / "copia").read_bytes()
    assert {"copia", "curso"} == names(tmp_path)


def test_the_commands_say_where_everything_is(folder: Path, tmp_path: Path) -> None:
    """`backup` names the copy, `restore` what is kept; neither works under somebody's hands."""

    def invoke(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(main, [str(word) for word in words])
        return done.exit_code, done.output.strip()

    copy = tmp_path / "copia.sqlite"
    assert (0, str(copy)) == invoke("backup", folder, "--to", copy)
    code, before = invoke("restore", folder, copy)
    assert (0, True) == (code, Path(before).is_file())
    code, said = invoke("restore", folder, tmp_path / "nada")
    assert (2, 1) == (code, len(said.splitlines()))
    kept = names(folder)
    with locked(folder):
        code, said = invoke("restore", folder, copy)
    assert (3, True) == (code, "is being graded by process" in said)
    assert kept == names(folder)
