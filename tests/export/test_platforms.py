"""What each platform takes back, by its own rules; the rule is named beside each test."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.export import canvas, gradescope, moodle
from grader.export.marks import ExportError, Mark
from grader.gradebook import HandedIn
from grader.loading import default_folder, load_assignment
from grader.locale import Readable, Translator
from grader.scoring import Late

ASSIGNMENT = load_assignment(default_folder())
HOUR = 3600


def mark(
    student: str, value: float | None, handles: dict[str, str], late: Late | None = None,
    source: str = "moodle", report: Path = Path("nowhere"),
) -> Mark:  # fmt: skip
    """A student with a grade of the course's scale, or with written answers that wait."""
    pending = 30 if value is None else 0
    result: dict[str, Any] = {
        "schema": "grader/result/1",
        "student": {"id": student, "name": student.title()},
        "state": "graded",
        "points": {"earned": 58.5, "possible": 70.0, "pending": pending, "total": 100.0},
        "grade": {"value": value, "range": [2.9, 4.4]},
        "late": {"by_s": None, "deduction": 0.0},
        "findings": [],
        "answers": [],
    }
    return Mark(result, HandedIn(source, late or Late(), handles), report)


NAMES = {"ana": "Pérez, Ana", "luis": "Luis"}


def moodles(*marks: tuple[str, str, float | None]) -> list[Mark]:
    return [
        mark(
            student,
            value,
            {
                "moodle_id": number,
                "moodle_folder": f"{student}_{number}_x",
                "moodle_name": NAMES.get(student, student),
            },
        )
        for student, number, value in marks
    ]


def english(notices: Sequence[Readable]) -> list[str]:
    for notice in notices:
        assert Translator("es")(notice) != Translator("en")(notice)
    return [Translator("en")(notice) for notice in notices]


SPANISH = (
    '\ufeffIdentificador;"Nombre completo";Estado;Calificación;"Calificación máxima";'
    '"La calificación puede ser cambiada";"Última modificación (entrega)";'
    '"Última modificación (calificación)";"Comentarios de retroalimentación"\r\n'
    'Participante 12;"Pérez, Ana";"Enviado para calificar";;5,00;Sí;'
    '"viernes, 2 de mayo de 2025, 22:00";-;\r\n'
    'Participante 13;"Gil ""Lucho"", Luis";"Sin entrega";;5,00;Sí;-;-;""\r\n'
)
ENGLISH = (
    "Identifier,Full name,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 12,Ana Pérez,Submitted,,5.00,Yes,"Friday, 2 May 2025, 10:00 PM",-,\n'
    "Participant 13,Luis,No submission,,5.00,No,-,-,\n"
)


def test_moodles_worksheet_comes_back_but_for_two_cells() -> None:
    """importgradeslib.php cuts letters off the identifier: no other byte may change."""
    filled = moodle.worksheet(SPANISH.encode(), moodles(("ana", "12", 4.2)), ASSIGNMENT, "es")

    comment = "58,5 de 100 puntos. Tu informe: retroalimentacion.html"
    expected = SPANISH.replace(';;5,00;Sí;"viernes', ';4,20;5,00;Sí;"viernes').replace(
        '22:00";-;\r\n', f'22:00";-;{comment}\r\n'
    )
    assert expected.encode() == filled.data
    assert (1, []) == (filled.count, filled.notices)


def test_moodles_decimals_are_those_of_its_own_numbers() -> None:
    """Grades pass through Moodle's locale-aware parser of numbers (unformat_float)."""
    filled = moodle.worksheet(ENGLISH.encode(), moodles(("ana", "12", 4.2)), ASSIGNMENT, "en")

    assert b"Submitted,4.20,5.00,Yes" in filled.data
    assert b"58.5 of 100 points. Your report: feedback.html\n" in filled.data


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        (moodles(("luis", "13", 4.0)), "luis: the grade is locked in Moodle."),
        (moodles(("ana", "12", None)), "ana: written answers wait for a person."),
        (moodles(("eva", "12", 4.0)),
         "eva: its number is Ana Pérez's in the worksheet; write a team's grade by hand."),
        (moodles(("zoe", "99", 4.0)), "zoe: is not in the worksheet."),
        ([mark("ana", 4.0, {"moodle_id": "12", "moodle_name": "Ana Pérez"}, Late(by_s=-5 * HOUR))],
         ("ana: handed in a newer version (Friday, 2 May 2025, 10:00 PM) than the one that was "
         "graded; grade the class again.")),
    ],
)  # fmt: skip
def test_what_moodle_would_not_take_is_named(marks: list[Mark], said: str) -> None:
    """Locked, waiting, unknown or out-of-date rows stay as they are, each with a line."""
    filled = moodle.worksheet(ENGLISH.encode(), marks, ASSIGNMENT, "en")

    assert ENGLISH.encode() == filled.data
    assert [said] == english(filled.notices)


def test_provisional_grades_are_the_lowest_that_can_be() -> None:
    """Only when a person asks for them."""
    waiting = moodles(("ana", "12", None))
    filled = moodle.worksheet(ENGLISH.encode(), waiting, ASSIGNMENT, "en", provisional=True)

    assert b"Submitted,2.90,5.00" in filled.data
    assert b"Points that still wait for a person: 30." in filled.data


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("5.00", "10.00", "the platform counts to 10.00, and this course to 5 (or 100 points)"),
        ("5.00", "Aprobado", "grades by words"),
        ("Identifier", "Id", "is no grading worksheet of Moodle in Spanish or English"),
    ],
)
def test_a_worksheet_that_does_not_fit_is_refused(before: str, after: str, said: str) -> None:
    """Nothing is converted in silence."""
    text = ENGLISH.replace(before, after)
    with pytest.raises(ExportError, match=said.replace("(", r"\(").replace(")", r"\)")):
        moodle.worksheet(text.encode(), moodles(("ana", "12", 4.2)), ASSIGNMENT, "en")


def test_a_maximum_of_all_points_takes_points() -> None:
    """A platform that counts to 100 gets the points themselves."""
    text = ENGLISH.replace("5.00", "100.00")
    filled = moodle.worksheet(text.encode(), moodles(("ana", "12", 4.2)), ASSIGNMENT, "en")

    assert b"Submitted,58.50,100.00" in filled.data


def test_points_lose_what_lateness_costs_too() -> None:
    """A platform that counts points gets the deduction in points, and nothing undecided."""
    late = mark("ana", 3.4, {})
    late.result["late"] |= {"deduction": 0.5}

    assert Decimal("48.50") == late.value(Decimal(100), ASSIGNMENT, False)
    late.result["points"]["pending"] = 0.0
    late.result["grade"]["value"] = None
    assert late.value(Decimal(100), ASSIGNMENT, False) is None


@pytest.mark.parametrize("state", ["unreadable", "grader_error"])
def test_what_nobody_could_judge_is_no_zero(state: str) -> None:
    """Not even a provisional one."""
    ana = mark("ana", None, {})
    ana.result["state"] = state

    assert ana.value(Decimal(5), ASSIGNMENT, True) is None


def test_feedback_stands_in_the_folders_of_the_download(tmp_path: Path) -> None:
    """importziplib.php: the first part of the path, split at `_`, names participant and plugin."""
    report = tmp_path / "report.html"
    report.write_text("<p>ñ</p>", encoding="utf-8")
    folder = "Pérez, Ana_12_assignsubmission_file"
    ana = mark("ana", 4.0, {"moodle_folder": folder}, report=report)
    for name in ("uno.zip", "dos.zip"):
        assert 1 == moodle.feedback(tmp_path / name, [ana, mark("eva", 4.0, {})], "es")

    with zipfile.ZipFile(tmp_path / "uno.zip") as archive:
        (member,) = archive.infolist()
        assert report.read_bytes() == archive.read(member)
    assert f"{folder}/retroalimentacion.html" == member.filename
    assert ["12", "assignsubmission", "file"] == folder.split("_", 4)[1:4]
    assert (tmp_path / "uno.zip").read_bytes() == (tmp_path / "dos.zip").read_bytes()


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Tarea 1 (11),Taller 3 (42),Current Score\r\n"
    "    Points Possible,,,,,10,5,(read only)\r\n"
    '"Pérez, Ana",101,0012,ana,Grupo A,9.5,,91.2\r\n'
    '"Gil, Luis",102,0013,luis,Grupo A,8,EX,88\r\n'
)


def canvases(*marks: tuple[str, str, float | None]) -> list[Mark]:
    return [
        mark(student, value, {"canvas_user": user}, source="canvas")
        for student, user, value in marks
    ]


def test_canvas_gets_who_and_one_column() -> None:
    """gradebook_importer.rb matches by ID; other columns could be older than what Canvas has."""
    filled = canvas.gradebook(
        CANVAS.encode(), canvases(("ana", "101", 4.2)), ASSIGNMENT, "Taller 3 (42)"
    )

    assert (
        "Student,ID,SIS User ID,SIS Login ID,Section,Taller 3 (42)\r\n"
        "    Points Possible,,,,,5\r\n"
        '"Pérez, Ana",101,0012,ana,Grupo A,4.20\r\n'
        '"Gil, Luis",102,0013,luis,Grupo A,EX\r\n'
    ).encode() == filled.data
    assert (1, []) == (filled.count, filled.notices)


def test_canvas_counts_to_its_own_maximum() -> None:
    """`Points Possible` says it; what is neither the scale's nor all points is refused."""
    ana = canvases(("ana", "101", 4.2))
    for maximum, written in (
        ("100", ",58.50\r\n"),
        ("5.0", ",4.20\r\n"),
        ("(read only)", ",4.20\r\n"),
    ):
        text = CANVAS.replace(",10,5,", f",10,{maximum},")
        assert written.encode() in canvas.gradebook(text.encode(), ana, ASSIGNMENT, "Taller 3").data
    text = CANVAS.replace(",10,5,", ",10,10,")
    with pytest.raises(ExportError, match="the platform counts to 10, and this course to 5"):
        canvas.gradebook(text.encode(), ana, ASSIGNMENT, "Taller 3")


def test_canvas_rows_that_stay_are_named() -> None:
    """Excused, waiting, unknown."""
    marks = canvases(("luis", "102", 4.0), ("ana", "101", None), ("zoe", "7", 3.0))
    filled = canvas.gradebook(CANVAS.encode(), marks, ASSIGNMENT, "Taller 3")

    assert 0 == filled.count
    assert [
        "ana: written answers wait for a person.",
        "luis: is excused in Canvas.",
        "zoe: is not in the gradebook.",
    ] == english(filled.notices)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        (
            CANVAS,
            "Taller 9",
            "0 of its columns could be this assignment's.*Tarea 1 \\(11\\); Taller",
        ),
        (CANVAS, None, "say which with --column"),
        ("Name,ID\nAna,1\n", None, "is no gradebook of Canvas: its first line begins with Name"),
    ],
)
def test_a_gradebook_that_does_not_fit_is_refused(text: str, column: str | None, said: str) -> None:
    """A header without a known id would make a new assignment in Canvas: none is made up."""
    with pytest.raises(ExportError, match=said):
        canvas.gradebook(text.encode(), canvases(("ana", "101", 4.2)), ASSIGNMENT, column)


def test_canvas_numbers_have_no_thousands() -> None:
    """`1,234` would be read as 1.234; two decimals and a point are never mistaken."""
    assert Decimal("58.50") == mark("ana", 4.0, {}).value(Decimal(100), ASSIGNMENT, False)


FINDINGS = [
    {"check": "data.loaded", "title": "Cargar los datos", "status": "passed", "earned": 2.0,
     "possible": 2.0, "expected": "Se pide A.", "observed": "Hay A.", "hint": ""},
    {"check": "baseline.gap", "title": "Medir la brecha", "status": "needs_review", "earned": 0.0,
     "possible": 3.0, "expected": "Se pide B.", "observed": "No se sabe.", "hint": "Prueba C."},
    {"check": "wide.epochs", "title": "Entrenar", "status": "partial", "earned": 1.5,
     "possible": 3.0, "expected": "10", "observed": "5", "hint": ""},
]  # fmt: skip


def test_gradescope_shows_each_check() -> None:
    """docs/specs.md: no score and no status is an informational test; none is hidden."""
    ana = mark("ana", None, {}, source="gradescope")
    plain = gradescope.results({**ana.result, "findings": FINDINGS}, "es")

    assert 58.5 == plain["score"]
    assert "58,5 puntos de 70 automáticos; pendientes de revisión: 30." == plain["output"]
    passed, waits, partial = plain["tests"]
    assert (2.0, 2.0, "passed") == (passed["score"], passed["max_score"], passed["status"])
    assert not {"score", "max_score", "status"} & set(waits)
    assert (1.5, 3.0, "failed") == (partial["score"], partial["max_score"], partial["status"])
    assert {"visible"} == {test["visibility"] for test in plain["tests"]}
    assert "Se pide B.\nNo se sabe.\nPrueba C." == waits["output"]


@pytest.mark.parametrize(
    ("state", "problem", "begins"),
    [
        ("unreadable", "ana.ipynb está vacío.", "ana.ipynb está vacío."),
        ("grader_error", "El corrector falló: x.", "El corrector falló: x."),
        ("grader_error", None, "El corrector falló. Es un fallo nuestro y no resta puntos"),
    ],
)
def test_gradescope_gets_no_score_where_nobody_could_judge(
    state: str, problem: str | None, begins: str
) -> None:
    """docs/specs.md: a score is required "if not on each test case", so there is no test case."""
    ana = mark("ana", None, {}, source="gradescope")
    plain = gradescope.results(
        {**ana.result, "state": state, "problem": problem, "findings": FINDINGS}, "es"
    )

    assert "score" not in plain
    assert [] == plain["tests"]
    assert plain["output"].startswith(begins)
    assert "\nMedir la brecha: No se sabe.\n" in plain["output"]
    assert plain["output"].endswith("No se puso ninguna nota: esto no es un cero.")
    assert state == plain["extra_data"]["state"]
