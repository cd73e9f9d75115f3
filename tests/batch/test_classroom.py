"""A class: one bad file never stops the others; a person's mark changes the files at once."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.loading import calibration_file, default_folder
from tests.kernel.conftest import LOAD
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A class of three: one that runs, one that is no notebook, one that is empty."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "Ana Pérez.ipynb").write_bytes(
        file_of(LOAD, "net(128).fit(x, y, epochs=1, verbose=0)")
    )
    (folder / "bruno.ipynb").write_bytes(b"import keras\nprint('soy un .py')\n")
    (folder / "=carla().ipynb").write_bytes(file_of())
    out = tmp_path_factory.mktemp("out")
    (out / "source.json").write_text(json.dumps({"source": str(folder)}), encoding="utf-8")
    result = CliRunner().invoke(main, ["grade", str(folder), "--out", str(out), "--workers", "2"])
    return out, result.exit_code, result.output


def results(out: Path) -> dict[str, dict]:  # type: ignore[type-arg]
    files = sorted(out.glob("students/*/result.json"))
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in files}


def test_everyone_has_a_result(graded: tuple[Path, int, str]) -> None:
    """The class ends with one result each and says that some need a person."""
    out, code, _ = graded
    states = {student: result["state"] for student, result in results(out).items()}

    assert 1 == code
    assert 3 == len(states)
    assert ["graded", "graded", "unreadable"] == sorted(states.values())


def test_the_table_and_the_progress_name_everyone(graded: tuple[Path, int, str]) -> None:
    """Progress counts to the end and the table has each student."""
    out, _, printed = graded

    assert "3 de 3" in printed
    assert all(student in printed.replace("\n", "") for student in results(out))


def test_grades_csv_has_one_inert_row_each(graded: tuple[Path, int, str]) -> None:
    """A name that looks like a formula is a text."""
    out, _, _ = graded
    with (out / "grades.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    assert 3 == len(rows)
    assert not [row for row in rows for value in row.values() if value.startswith(("=", "+", "@"))]


def test_override_changes_the_result_and_refuses_what_cannot_be(
    graded: tuple[Path, int, str],
) -> None:
    """A mark is kept, the files follow, the reason stands in the report; bad input is one line."""
    out, _, _ = graded
    student = next(name for name in results(out) if name.startswith("ana"))
    before = results(out)[student]["points"]["earned"]

    def override(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["override", str(out), *words])
        return result.exit_code, result.output

    code, said = override(student, "data.grid", "1.5", "--because", "la mostró en papel")
    assert (0, True) == (code, "1.5" in said)
    after = results(out)[student]
    assert before + 1.5 == after["points"]["earned"]
    assert "la mostró en papel" in (out / "students" / student / "report.html").read_text(
        encoding="utf-8"
    )
    for words, part in (
        ((student, "data.gird", "1", "--because", "x"), "data.grid"),
        ((student, "data.grid", "7", "--because", "x"), "0 to 2"),
        (("nadie", "data.grid", "1", "--because", "x"), "nadie"),
    ):
        code, said = override(*words)
        assert (2, True, 1) == (code, part in said, len(said.strip().splitlines())), said


def test_grading_again_runs_nothing_and_scores_what_has_changed(
    graded: tuple[Path, int, str], tmp_path: Path
) -> None:
    """Unchanged, everything stands; with another text all are scored anew, and nothing runs."""
    out, _, _ = graded
    source = Path(json.loads((out / "source.json").read_text(encoding="utf-8"))["source"])
    pages = {path: path.stat().st_mtime_ns for path in out.glob("students/*/executed.html")}

    def grade(*words: str) -> str:
        result = CliRunner().invoke(main, ["grade", str(source), "--out", str(out), *words])
        assert 1 == result.exit_code, result.output
        return " ".join(result.output.split())

    same = grade()
    changed = tmp_path / "assignment"
    shutil.copytree(default_folder(), changed)
    shutil.copy(calibration_file(default_folder()), changed / "calibration.json")
    text = (changed / "assignment.toml").read_text(encoding="utf-8")
    (changed / "assignment.toml").write_text(text.replace("Taller 3", "Taller 33"), "utf-8")
    anew = grade("--assignment", str(changed))

    assert "Quedan como están: 3. Se califican de nuevo con lo que dejó su ejecución: 0." in same
    assert "Quedan como están: 0. Se califican de nuevo con lo que dejó su ejecución: 3." in anew
    assert "Por ejecutar: 0." in anew
    assert "Entrenamientos con otras semillas por hacer: 0." in anew
    assert "en ejecución" not in same + anew
    assert pages == {path: path.stat().st_mtime_ns for path in pages}
    student = next(name for name in results(out) if name.startswith("ana"))
    assert "Taller 33" in (out / "students" / student / "report.html").read_text(encoding="utf-8")
