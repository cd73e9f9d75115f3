"""A Moodle and a Canvas archive go through `grade` and `export`, and come back byte for byte."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main

pytestmark = [pytest.mark.tf, pytest.mark.sandbox]

# A notebook that answers nothing and trains nothing: its grade is known, and it runs in seconds.
EMPTY = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
ANA, LUIS = "Pérez, Ana", "Gil O'Hara Luis"
WORKSHEET = (
    '\ufeffIdentificador,"Nombre completo",Estado,Grupo,Calificación,"Calificación máxima",'
    '"La calificación puede ser cambiada","Última modificación (entrega)",'
    '"Última modificación (calificación)","Comentarios de retroalimentación"\r\n'
    'Participante 12,"Pérez, Ana","Enviado para calificar",A,,"5,00",Sí,"{time}",-,\r\n'
    'Participante 13,"Gil O\'Hara Luis","Enviado",,,"5,00",Sí,"{time}",-,"Hablamos,\n'
    'el ""lunes""."\r\n'
    'Participante 14,"Ruiz Eva","Sin entrega",B,,"5,00",Sí,-,-,\r\n'
)


def invoke(*words: object) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code in (0, 1), done.output
    return done.output


@pytest.fixture
def moodle(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "curso-Taller 3-99.zip", "w") as archive:
        archive.writestr(f"{ANA}_12_assignsubmission_file/taller3.ipynb", EMPTY)
        archive.writestr(f"{LUIS}_13_assignsubmission_file/roto.ipynb", b"no JSON")
    (tmp_path / "hoja.csv").write_text(
        WORKSHEET.format(time="viernes, 2 de mayo de 2025, 10:00"), encoding="utf-8", newline=""
    )
    return tmp_path


def test_moodle_there_and_back(moodle: Path) -> None:
    """Grades, comments, reports and names; who handed in nothing, and who could not be read."""
    said = invoke(
        "grade", moodle / "curso-Taller 3-99.zip", "--worksheet", moodle / "hoja.csv",
        "--out", moodle / "curso",
    )  # fmt: skip
    assert "Leído como una descarga de Moodle. Entregas: 2." in said
    assert "Ruiz Eva: no entregó ningún cuaderno" in said

    said = invoke(
        "export", moodle / "curso", "--to", "moodle", "--worksheet", moodle / "hoja.csv",
        "--provisional",
    )  # fmt: skip

    out = moodle / "curso" / "export" / "moodle"
    comment = (
        "0 de 100 puntos. Puntos pendientes de revisión: 30. Tu informe: retroalimentacion.html"
    )
    before = (moodle / "hoja.csv").read_bytes()
    filled = before.replace(b'calificar",A,,', b'calificar",A,"0,00",', 1)
    filled = filled.replace(b",-,\r\n", f",-,{comment}\r\n".encode(), 1)
    assert filled == (out / "hoja.csv").read_bytes()
    assert "hoja.csv: estudiantes: 1" in said
    students = {"12": ANA, "13": LUIS}
    with zipfile.ZipFile(out / "retroalimentacion.zip") as archive:
        assert {
            f"{name}_{number}_assignsubmission_file/retroalimentacion.html": report.read_bytes()
            for number, name in students.items()
            for report in (moodle / "curso" / "students").glob(f"*-{number}/report.html")
        } == {name: archive.read(name) for name in archive.namelist()}
        assert 2 == len(archive.namelist())

    said = invoke(
        "export", moodle / "curso", "--to", "moodle", "--worksheet", moodle / "hoja.csv", "--out",
        moodle / "otra",
    )  # fmt: skip
    assert before == (moodle / "otra" / "hoja.csv").read_bytes()
    assert "perez-ana-12: hay respuestas escritas pendientes de revisión." in said
    assert "gil-o-hara-luis-13: no se pudo calificar; debe mirarlo una persona." in said


def test_lateness_reaches_the_grade(moodle: Path) -> None:
    """A new worksheet with a later time scores anew, and runs nothing."""
    with zipfile.ZipFile(moodle / "curso-Taller 3-99.zip", "w") as archive:
        archive.writestr(f"{ANA}_12_assignsubmission_file/roto.ipynb", b"no JSON, so no kernel")
    again = ["grade", moodle / "curso-Taller 3-99.zip", "--worksheet", moodle / "hoja.csv", "--out",
             moodle / "curso"]  # fmt: skip
    invoke(*again)
    late = WORKSHEET.format(time="domingo, 4 de mayo de 2025, 10:00")
    (moodle / "hoja.csv").write_text(late, encoding="utf-8", newline="")

    said = invoke(*again)

    assert "Quedan como están: 0. Se califican de nuevo" in said
    assert "lo que dejó su ejecución: 1. Por ejecutar: 0." in " ".join(said.split())
    (ana,) = (moodle / "curso" / "students").glob("*ana-12")
    result = json.loads((ana / "result.json").read_text(encoding="utf-8"))
    assert 34 * 3600 + 60 == result["late"]["by_s"]


def test_canvas_there_and_back(tmp_path: Path) -> None:
    """`_LATE_` is known as late; the gradebook comes back with who and one column."""
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("perezana_LATE_101_9001_taller3.ipynb", EMPTY)
        archive.writestr("gilluis_102_9002_taller3-1.ipynb", b"no JSON")
    rows = (
        '"Pérez, Ana",101,ana,A{other},{ana}{total}\r\n'
        '"Gil ""Lucho"", Luis",102,luis,"B, tarde"{other},-{total}\r\n'
        '"Ruiz, Eva",103,eva,A{other},{total}\r\n'
    )
    table = (
        "Student,ID,SIS Login ID,Section,Taller 2 (41),Taller 3 (42),Final Score\r\n"
        "    Points Possible,,,,10,5,(read only)\r\n"
    ) + rows.format(ana="", other=",9", total=",90")
    (tmp_path / "notas.csv").write_text(table, encoding="utf-8", newline="")

    invoke("grade", tmp_path / "submissions.zip", "--out", tmp_path / "curso")
    said = invoke(
        "export", tmp_path / "curso", "--to", "canvas", "--worksheet", tmp_path / "notas.csv",
        "--column", "Taller 3 (42)", "--provisional",
    )  # fmt: skip

    assert (
        "Student,ID,SIS Login ID,Section,Taller 3 (42)\r\n"
        "    Points Possible,,,,5\r\n" + rows.format(ana="0.00", other="", total="")
    ).encode() == (tmp_path / "curso" / "export" / "canvas" / "notas.csv").read_bytes()
    assert "notas.csv: estudiantes: 1" in said
    assert "gilluis-102: no se pudo calificar; debe mirarlo una persona." in said
