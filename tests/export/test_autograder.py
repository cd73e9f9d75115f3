"""Gradescope's autograder: what the ZIP holds, what its scripts do, what a submission gets."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.dataset.store import cache_home
from grader.export import gradescope
from grader.export.autograder import run
from grader.export.autograder.package import autograder
from grader.gradebook import Gradebook
from grader.loading import default_folder, load_assignment
from grader.sandbox import Level, Probe
from tests.factories import ROOT, outcome

ASSIGNMENT = load_assignment(default_folder())
SCRIPTS = ("run_autograder", "setup.sh")
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
WHOLE: dict[str, Any] = {
    "score": (int, float), "execution_time": (int, float), "output": str, "output_format": FORMATS,
    "test_output_format": FORMATS, "test_name_format": FORMATS, "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES, "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST: dict[str, Any] = {
    "score": (int, float), "max_score": (int, float), "status": {"passed", "failed"}, "name": str,
    "name_format": FORMATS, "number": str, "output": str, "output_format": FORMATS, "tags": list,
    "visibility": VISIBILITIES, "extra_data": dict,
}  # fmt: skip
NO_ZERO = "No se puso ninguna nota: esto no es un cero."
DRAW = """from tensorflow import keras
import matplotlib.pyplot as plt
(train_images, train_labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
for image in (train_images[100], test_images[100]):
    plt.figure()
    plt.imshow(image)
    plt.show()"""


def valid(plain: dict[str, Any]) -> dict[str, Any]:
    """Hold results.json against docs/specs.md of gradescope/autograder_samples."""
    _typed(plain, WHOLE)
    tests = plain.get("tests", [])
    for test in tests:
        _typed(test, TEST)
    assert "score" in plain or "tests" in plain
    assert "score" in plain or all("score" in test for test in tests)
    assert "hidden" not in {test.get("visibility") for test in (plain, *tests)}
    assert "\r" not in json.dumps(plain)
    return plain


def _typed(plain: dict[str, Any], documented: dict[str, Any]) -> None:
    for name, value in plain.items():
        wanted = documented[name]
        if isinstance(wanted, set):
            assert value in wanted
        else:
            assert isinstance(value, wanted) and not isinstance(value, bool)
            assert not isinstance(value, float) or math.isfinite(value)


def ungraded(plain: dict[str, Any], state: str) -> str:
    """Hold results.json against our rule that what nobody judged has no score; return its text."""
    valid(plain)
    assert "score" not in plain
    assert [] == plain["tests"]
    assert state == plain["extra_data"]["state"]
    assert plain["output"].endswith(NO_ZERO)
    return str(plain["output"])


def notebook(*cells: str) -> bytes:
    made = [
        {"cell_type": "code", "id": f"c{place}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for place, source in enumerate(cells)
    ]  # fmt: skip
    plain = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}
    return json.dumps(plain).encode()


@pytest.fixture(scope="module")
def packed() -> bytes:
    return autograder(ASSIGNMENT)


@pytest.fixture
def root(packed: bytes, tmp_path: Path) -> Path:
    """What Gradescope makes of the ZIP, somewhere else than in /autograder."""
    root = tmp_path / "autograder"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, root / "source"))
            path.chmod(stat.S_IMODE(member.external_attr >> 16))
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    (root / "submission").mkdir()
    return root


def hand_in(root: Path, name: str, data: bytes) -> None:
    path = root / "submission" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def run_autograder(root: Path, python: str | Path = sys.executable) -> tuple[dict[str, Any], str]:
    """Run the script as Gradescope does, with this Python; return results.json and what it said."""
    ours = {
        "AUTOGRADER_ROOT": str(root),
        "AUTOGRADER_PYTHON": str(python),
        "XDG_CACHE_HOME": str(cache_home().parent),
    }
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    } | ours
    done = subprocess.run(
        [root / "run_autograder"], cwd=root, env=environment, capture_output=True, text=True
    )
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads((root / "results" / "results.json").read_text("utf-8")), done.stdout


def test_the_scripts_stand_at_the_root_and_can_be_run(packed: bytes) -> None:
    """docs/specs.md wants both at the root; a line end of Windows would break their first line."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {one.filename: one for one in archive.infolist()}
        scripts = {name: archive.read(name) for name in SCRIPTS}

    assert set(SCRIPTS) == {
        name for name, one in members.items() if one.external_attr >> 16 & 0o111
    }
    assert {3} == {one.create_system for one in members.values()}
    for name, script in scripts.items():
        assert script.startswith(b"#!/usr/bin/env bash\n"), name
        assert b"\r" not in script, name
        subprocess.run(["bash", "-n"], input=script, check=True)


def test_the_zip_is_the_same_twice_and_in_order(packed: bytes) -> None:
    """No time and no order of a folder is in it."""
    assert packed == autograder(ASSIGNMENT)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == archive.namelist()
        assert {(1980, 1, 1, 0, 0, 0)} == {one.date_time for one in archive.infolist()}


def test_the_zip_holds_the_grader_and_the_assignment(packed: bytes) -> None:
    """Every module and template, the pinned versions, and of the assignment four files."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = set(archive.namelist())
        lock = archive.read("requirements.lock")
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "grader").rglob("*.py")}
    pages = {f"grader/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*.html")}

    assert modules | pages | {"grader/locale/es.po"} <= names
    assert (ROOT / "requirements.lock").read_bytes() == lock
    assert {"assignment.toml", "calibration.json", "rubric.toml", ASSIGNMENT.spec.notebook} == {
        name.partition("/")[2] for name in names if name.startswith("assignment/")
    }
    assert [] == [name for name in names if "__pycache__" in name or "samples" in name]


def test_no_answer_is_in_the_zip(packed: bytes) -> None:
    """Student code may look around in the image: the rubric is the students'."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        rubric = tomllib.loads(archive.read("assignment/rubric.toml").decode())
    answers = [
        one.model_answer.es for one in ASSIGNMENT.rubric.questions.values() if one.model_answer
    ]

    assert set(ASSIGNMENT.rubric.questions) == set(rubric["questions"])
    assert len(answers) > 3
    assert [] == [answer for answer in answers if any(answer[:60] in text for text in texts)]


def test_the_unpacked_grader_knows_its_assignment(root: Path) -> None:
    """It runs from where it was unpacked, and reads there what lies beside it."""
    words = ["-m", "grader", "assignment", "validate", "assignment"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words], cwd=root / "source", env=environment, capture_output=True,
        text=True, check=True,
    )  # fmt: skip

    assert "assignment: 30 checks, 70 points; 5 questions, 30 points" in done.stdout


STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> "$LOG"
case "$0 $*" in
  *apt-get*" python3.12 "*) exit 100 ;;
  *"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"$FAILS"*) exit 3 ;;
esac
"""


def set_up(root: Path, fails: str = "nothing fails") -> tuple[int, list[str]]:
    """Run setup.sh with commands that only write down how they were called."""
    stubs, log = root / "stubs", root / "log"
    stubs.mkdir()
    for name in ("apt-get", "python3.11", "python3.12"):
        (stubs / name).write_text(STUB, encoding="utf-8")
        (stubs / name).chmod(0o755)
    environment = {
        "PATH": f"{stubs}:/usr/bin:/bin", "AUTOGRADER_ROOT": str(root), "LOG": str(log),
        "FAILS": fails,
    }  # fmt: skip
    done = subprocess.run([root / "source" / "setup.sh"], env=environment, capture_output=True)
    return done.returncode, log.read_text("utf-8").splitlines()


def test_setup_installs_what_is_pinned_and_then_verifies_the_dataset(root: Path) -> None:
    """Ubuntu names Python by its version and keeps venv apart; the next one is tried."""
    code, calls = set_up(root)

    venv = calls.index(f"python3.11 -m venv {root}/venv")
    (installed,) = (call for call in calls if " pip install " in call)
    assert 0 == code
    assert "apt-get update -q" == calls[0]
    assert any(call.endswith("python3.12 python3.12-venv") for call in calls[:venv])
    assert installed.endswith("--require-hashes --no-deps -r requirements.lock")
    assert (
        venv < calls.index(installed) < calls.index("python -m grader data --assignment assignment")
    )


@pytest.mark.parametrize("step", ["pip install", "grader data", "update -q"])
def test_a_step_of_setup_that_fails_ends_it(root: Path, step: str) -> None:
    """No image is made that has no dataset or half its packages."""
    code, calls = set_up(root, step)

    assert code != 0
    assert step in calls[-1]


def test_setup_is_content_with_the_containers_walls(root: Path) -> None:
    """The container that builds the image may offer less than a class needs."""
    assert 0 == set_up(root, "grader doctor")[0]


@pytest.mark.tf
@pytest.mark.sandbox
def test_a_submission_is_graded(root: Path) -> None:
    """The whole way, with the unpacked grader; the notebook trains nothing."""
    hand_in(root, "taller3.ipynb", notebook(DRAW))
    hand_in(root, "notas/otro.ipynb", notebook("1 / 0"))
    plain, said = run_autograder(root)

    valid(plain)
    (loaded,) = (one for one in plain["tests"] if one["number"] == "data.loaded")
    assert ("passed", loaded["max_score"]) == (loaded["status"], loaded["score"])
    assert sum(one.get("score", 0) for one in plain["tests"]) == plain["score"] > 0
    assert 70 == sum(one.get("max_score", 0) for one in plain["tests"])
    waiting = [one["number"] for one in plain["tests"] if "max_score" not in one]
    assert ["q1", "q2", "q3", "q4", "q5"] == waiting
    assert "graded" == plain["extra_data"]["state"]
    assert "De tus cuadernos se tomó taller3.ipynb y no notas/otro.ipynb." in plain["output"]
    assert "'sandbox': 'standard'" in said
    assert (root / "source" / "grader" / "__pycache__").is_dir()


def test_a_submission_without_a_notebook_has_no_score(root: Path) -> None:
    """The student reads what to do."""
    hand_in(root, "informe.pdf", b"%PDF-1.7")

    said = ungraded(run.graded(root), "missing")
    assert said.startswith("No hay ningún cuaderno (.ipynb) en tu entrega")


def test_an_unreadable_notebook_has_no_score(
    root: Path, monkeypatch: pytest.MonkeyPatch, dataset: object
) -> None:
    """The student reads what the file looks like; a name like Moodle's changes nothing."""
    monkeypatch.setattr("grader.checking.probe", lambda: Probe(Level.NONE, (), "for this test"))
    hand_in(root, "Ana_12_assignsubmission_file_.ipynb", b"<html>Log in</html>")

    assert "página web" in ungraded(run.graded(root), "unreadable")


def test_a_fault_of_ours_is_said_to_be_ours(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Instructors find the traceback on what is printed, and students no word of it."""

    def broken(*words: object, **named: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(run, "open_dataset", broken)
    hand_in(root, "taller3.ipynb", notebook())
    run.main(root)

    plain = json.loads((root / "results" / "results.json").read_text("utf-8"))
    assert "Es un fallo nuestro" in ungraded(plain, "grader_error")
    assert "of ours" not in plain["output"]
    assert "ZeroDivisionError: of ours" in capsys.readouterr().err


def test_a_broken_image_is_a_fault_of_ours(root: Path) -> None:
    """Without an assignment nothing says the language: it is Spanish."""
    (root / "source" / "assignment" / "assignment.toml").unlink()

    assert "Es un fallo nuestro" in ungraded(run.graded(root), "grader_error")


@pytest.mark.parametrize("script", ["kill -9 $$", "exit 1"])
def test_a_grader_that_was_killed_leaves_no_zero(root: Path, script: str) -> None:
    """As by the container's memory: what stands there from the start is read."""
    python = root / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)
    plain, said = run_autograder(root, python)

    assert "Es un fallo nuestro" in ungraded(plain, "grader_error")
    assert "the grader ended with code" in said


def test_points_without_walls_are_provisional() -> None:
    """The student reads it, and a class's own results do not have it."""
    walls, none = (
        gradescope.results(outcome(environment={"sandbox": level}), "es")["output"]
        for level in ("standard", "none")
    )

    assert "sin aislamiento" not in walls
    assert "los puntos son provisionales" in none


def test_the_autograder_of_an_assignments_folder(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any class was graded; it goes where the student package goes."""
    monkeypatch.chdir(tmp_path)
    words = ["export", str(default_folder()), "--to", "gradescope-autograder"]
    done = CliRunner().invoke(main, words)

    written = Path("dist") / "autograder-taller3.zip"
    assert 0 == done.exit_code
    assert f"{written}: súbelo como autograder de una tarea de programación de 70 puntos" in (
        done.output
    )
    assert packed == written.read_bytes()


def test_the_autograder_of_a_classs_folder(packed: bytes, tmp_path: Path) -> None:
    """The assignment is the one that the class was graded by."""
    Gradebook(tmp_path, ASSIGNMENT).__exit__()
    words = ["export", str(tmp_path), "--to", "gradescope-autograder"]
    done = CliRunner().invoke(main, words)

    written = tmp_path / "export" / "gradescope-autograder" / "autograder-taller3.zip"
    assert 0 == done.exit_code, done.output
    assert packed == written.read_bytes()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    """One line names what it could have been, and nothing is made in it."""
    done = CliRunner().invoke(main, ["export", str(tmp_path), "--to", "gradescope-autograder"])

    assert 2 == done.exit_code
    assert f"{tmp_path}: is no assignment's folder (with assignment.toml) and no" in done.output
    assert [] == list(tmp_path.iterdir())
