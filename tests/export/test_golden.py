"""Whole files of each platform, before and after, as bytes; those in `golden/` are written by hand.

What a file shows changes only when a person changes it there: no run writes it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from grader.export import canvas, moodle
from grader.export.marks import Mark
from grader.export.table import write_table
from grader.loading import default_folder, load_assignment
from grader.result import Student
from grader.summary import summary
from tests.export.test_platforms import english, mark
from tests.factories import outcome

ASSIGNMENT = load_assignment(default_folder())
GOLDEN = Path(__file__).parent / "golden"


def before(name: str) -> bytes:
    return (GOLDEN / f"{name}.before.csv").read_bytes()


def after(name: str) -> bytes:
    return (GOLDEN / f"{name}.after.csv").read_bytes()


def moodles(rows: dict[str, tuple[str, float | None]]) -> list[Mark]:
    """Participant's number → the name of the folder, and the grade."""
    return [
        mark(f"s{number}", value, {"moodle_id": number, "moodle_name": name})
        for number, (name, value) in rows.items()
    ]


def test_moodles_worksheet_in_english() -> None:
    """Counts to 100; one is locked, one has a comment, one waits; a text online has a line break.

    importgradeslib.php reads Identifier, Grade and Last modified (grade) and ignores the rest;
    grades that are empty are skipped, and so are locked ones.
    """
    names = ("Ana Pérez", "María-José O'Neill", "Li Wei", "Eva Ruiz")
    numbers, values = ("21", "22", "23", "25"), (4.2, 4.2, 4.2, None)
    marks = moodles(dict(zip(numbers, zip(names, values, strict=True), strict=True)))

    filled = moodle.worksheet(before("moodle-en"), marks, ASSIGNMENT, "en")

    assert after("moodle-en") == filled.data
    assert [
        "s22: the grade is locked in Moodle.",
        "s23: has a comment already, which stays.",
        "s25: written answers wait for a person.",
    ] == english(filled.notices)
    assert 2 == filled.count


def test_moodles_worksheet_in_spanish() -> None:
    """Saved by a spreadsheet: mark, semicolons, CR LF, a blank line; provisional grades asked for.

    importgradeslib.php cuts the letters of “Participante ” off the identifier; lang/es: the words
    of the headers; unformat_float: the decimal comma.
    """
    marks = moodles({"12": ("Ana Pérez", 4.2), "13": ('Luis Gil "Lucho"', 4.2),
                     "14": ("Ruiz Eva", 4.2), "15": ("Ñáñez D'Ávila", None)})  # fmt: skip

    filled = moodle.worksheet(before("moodle-es"), marks, ASSIGNMENT, "es", provisional=True)

    assert after("moodle-es") == filled.data
    assert [
        "s13: the grade is locked in Moodle.",
        "s14: has a comment already, which stays.",
    ] == english(filled.notices)
    assert 3 == filled.count


def test_moodles_worksheet_of_blind_marking() -> None:
    """gradingtable.php leaves the names out; the number is a whole one, not the end of another."""
    marks = moodles({"77": ("Participante", 4.2)})

    filled = moodle.worksheet(before("moodle-blind"), marks, ASSIGNMENT, "es")

    assert (after("moodle-blind"), 1, []) == (filled.data, filled.count, filled.notices)
    assert set() == moodle.named_otherwise(before("moodle-blind"), marks)


def test_moodles_worksheet_without_anybodys_mark_is_the_very_file() -> None:
    for name in ("moodle-en", "moodle-es", "moodle-blind"):
        assert before(name) == moodle.worksheet(before(name), [], ASSIGNMENT, "es").data


def test_moodles_feedback(tmp_path: Path) -> None:
    """importziplib.php: the first part of a path is exactly the folder of the download.

    A student without a folder (flat names of another platform) or without a report is left out.
    """
    report = tmp_path / "report.html"
    report.write_text("<p>ñ</p>", encoding="utf-8")
    names = (GOLDEN / "moodle-feedback.txt").read_text(encoding="utf-8").splitlines()
    marks = [mark("s", 4.2, {"moodle_folder": name.split("/")[0]}, report=report) for name in names]
    marks += [mark("s", 4.2, {}, report=report), mark("s", 4.2, {"moodle_folder": "X_9_a_b"})]

    assert len(names) == moodle.feedback(tmp_path / "feedback.zip", marks, "es")

    with zipfile.ZipFile(tmp_path / "feedback.zip") as archive:
        assert names == archive.namelist()
        assert {report.read_bytes()} == {archive.read(name) for name in names}


def test_canvas_gradebook() -> None:
    """Students by ID, one column; EX stays, what has no mark stays, other columns do not go back.

    gradebook_importer.rb: `Title (id)` is the assignment, “(read only)” is left alone, rows of
    only “Manual Posting” are skipped, the last point or comma of a number is its decimal point.
    """
    values = {"101": 4.2, "102": 4.2, "103": 0.0, "104": None}
    marks = [mark(f"s{user}", one, {"canvas_user": user}) for user, one in values.items()]

    filled = canvas.gradebook(before("canvas"), marks, ASSIGNMENT)

    assert after("canvas") == filled.data
    assert [
        "s102: is excused in Canvas.",
        "s104: written answers wait for a person.",
    ] == english(filled.notices)
    assert 2 == filled.count


def test_grades_csv(tmp_path: Path) -> None:
    """Texts in quotes and inert (OWASP, CSV Injection), numbers bare, CR LF (RFC 4180)."""

    def one(student: str, name: str, **said: Any) -> dict[str, Any]:
        return outcome(student) | {"student": {"id": student, "name": name}} | said

    scale = {"range": [2.9, 4.4], "scale": "0.0–5.0"}
    nothing = {"earned": 0, "possible": 70.0, "pending": 30.0, "total": 100.0}
    results = [
        one("ana-perez", 'Ana Pérez "La Ñ"', grade={"value": 4.2, **scale},
            points={"earned": 58.5, "possible": 70.0, "pending": 0, "total": 100.0}),
        one("formula", '=HYPERLINK("http://x")'),
        one("luis", "Luis; Gil,\nhijo", state="unreadable", points=nothing,
            grade={"value": None, "range": [0.0, 1.5]}),
    ]  # fmt: skip

    write_table(tmp_path / "grades.csv", map(summary, results), [Student("leo", "-Leo")])

    assert (GOLDEN / "grades.csv").read_bytes() == (tmp_path / "grades.csv").read_bytes()
