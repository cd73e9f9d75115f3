"""Rosters and worksheets: who is who, who is missing, how late; what cannot be read is said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from grader.intake import Intake, IntakeError, People, read_roster, read_worksheet, submissions
from grader.locale import Translator
from grader.scoring import Late

DUE = datetime.fromisoformat("2025-05-02T23:59:00-05:00")
HOUR = 3600


def roster(path: Path, text: str, encoding: str = "utf-8") -> People:
    (path / "lista.csv").write_bytes(text.encode(encoding))
    return read_roster(path / "lista.csv", DUE)


def handed_in(folder: Path, *names: str, people: People) -> Intake:
    for name in names:
        (folder / "c" / name).mkdir(parents=True, exist_ok=True)
        (folder / "c" / name / "taller3.ipynb").write_bytes(b"")
    return submissions(folder / "c", "taller3.ipynb", people)


def who(intake: Intake) -> dict[str, str]:
    return {one.student.id: one.student.name for one in intake.submissions}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,name,email\n1001,Pérez Díaz Ana,ana@x.edu\n1002,Luis Gil,l@x.edu\n", "utf-8"),
        ("Código;Nombre completo\n1001;Pérez Díaz Ana\n1002;Luis Gil\n", "utf-8-sig"),
        ("Correo;Apellidos;Nombres;ID\n;Díaz Ana;Pérez;1001\n;Gil;Luis;1002\n", "cp1252"),
    ],
)
def test_a_roster_names_the_students(tmp_path: Path, text: str, encoding: str) -> None:
    """In English or Spanish, by comma or semicolon, as spreadsheets save it."""
    intake = handed_in(tmp_path, "1001", "luis gil", people=roster(tmp_path, text, encoding))

    assert {"1001": "Pérez Díaz Ana", "1002": "Luis Gil"} == who(intake)
    assert () == intake.missing


def test_who_is_on_the_roster_and_handed_in_nothing_is_missing(tmp_path: Path) -> None:
    """Whoever is not on it is graded all the same."""
    people = roster(tmp_path, "id,name\n1,Ana\n2,Eva\n")

    intake = handed_in(tmp_path, "ana", "zoe", people=people)

    assert {"1": "Ana", "zoe": "Zoe"} == who(intake)
    assert [("2", "Eva")] == [(one.id, one.name) for one in intake.missing]


def test_a_row_that_two_submissions_would_be_is_nobodys(tmp_path: Path) -> None:
    """Nothing is overwritten; a person decides."""
    people = roster(tmp_path, "id,name,email\n7,Ana Pérez,ana@x.edu\n")

    intake = handed_in(tmp_path, "7", "Ana Perez", people=people)

    assert {"7", "ana-perez"} == set(who(intake))
    (notice,) = intake.notices
    assert "2 submissions would be Ana Pérez's (7, Ana Perez)" in Translator("en")(notice)


def test_an_equal_name_is_no_proof(tmp_path: Path) -> None:
    """A name that stands twice on the roster is nobody's."""
    people = roster(tmp_path, "id,name\n7,Ana Gil\n8,ana gil\n")

    assert {"ana-gil"} == set(who(handed_in(tmp_path, "Ana Gil", people=people)))


@pytest.mark.parametrize(
    ("column", "value", "late"),
    [
        ("submitted", "2025-05-03T00:59:00-05:00", Late(by_s=HOUR)),
        ("entregado", "2025-05-02 22:59", Late(by_s=-HOUR)),
        ("submitted", "-", Late()),
        ("late", "yes", Late(late=True)),
        ("tarde", "No", Late(late=False)),
    ],
)
def test_a_roster_says_who_is_late(tmp_path: Path, column: str, value: str, late: Late) -> None:
    """A time counts against the due date, a word stands for itself."""
    intake = handed_in(tmp_path, "ana", people=roster(tmp_path, f"name,{column}\nAna,{value}\n"))

    assert late == intake.submissions[0].late


ENGLISH = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 12,Ana Pérez,ana@x.edu,Submitted for grading,,5.00,Yes,"{time}",-,\n'
    "Participant 13,Eva Gil,eva@x.edu,No submission,,5.00,Yes,-,-,\n"
)
SPANISH = (
    "Identificador;Nombre completo;Estado;Calificación;Calificación máxima;"
    "La calificación puede cambiarse;Última modificación (entrega);"
    "Última modificación (calificación);Comentarios de retroalimentación\n"
    'Participante 12;Ana Pérez;Enviado para calificar;;5,00;Sí;"{time}";-;\n'
    "Participante 13;Eva Gil;Sin entrega;;5,00;Sí;-;-;\n"
)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (ENGLISH, "Saturday, 3 May 2025, 12:59 AM"),
        (SPANISH, "sábado, 3 de mayo de 2025, 00:59"),
    ],
)
def test_moodles_worksheet_says_when(tmp_path: Path, text: str, time: str) -> None:
    """Rows are found by the participant's number; who handed in nothing is missing."""
    (tmp_path / "hoja.csv").write_text(text.format(time=time), encoding="utf-8-sig")
    people = read_worksheet(tmp_path / "hoja.csv", DUE)

    intake = handed_in(tmp_path, "Ana Pérez_12_assignsubmission_file", people=people)

    assert ("moodle", Late(by_s=HOUR)) == (intake.source, intake.submissions[0].late)
    assert ["Eva Gil"] == [one.name for one in intake.missing]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("color,peso\nrojo,3\n", "no column says who a student is"),
        ("id,submitted\n1,ayer\n", "line 2, column submitted: “ayer” is not a time such as"),
        ("id,late\n1,quizás\n", "line 2, column late: “quizás” is not yes or no"),
        ("id,submitted\n1,31 de mayo\n", "“31 de mayo” is not a time"),
        ('id,name\n1,"ana\n', "is no CSV table"),
    ],
)
def test_what_cannot_be_understood_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    """Which file, which line, which value, what to do."""
    with pytest.raises(IntakeError) as caught:
        roster(tmp_path, text)

    assert said in str(caught.value)
    assert "lista.csv" in str(caught.value)
    assert str(caught.value) != Translator("es")(caught.value.text)


def test_a_file_that_is_no_list_of_a_class_is_not_read(tmp_path: Path) -> None:
    """Twenty megabytes are no roster; whatever it is, it is not held in memory."""
    with pytest.raises(IntakeError, match=r"lista\.csv"):
        roster(tmp_path, "id,name\n1,Ana\n".ljust(20_000_001, "\n"))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"nada\.csv: does not exist; check the name"):
        read_roster(tmp_path / "nada.csv", DUE)
