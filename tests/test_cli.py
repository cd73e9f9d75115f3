"""The commands: exit codes, one line for each mistake, help without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output.strip()


def test_help_imports_nothing_heavy() -> None:
    """`grader --help` answers without TensorFlow, matplotlib, pydantic or NumPy."""
    code = (
        "import sys, grader.cli\n"
        "try: grader.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('tensorflow', 'keras', 'matplotlib', 'pydantic', 'numpy', 'jinja2')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("module", ["grader.batch.command", "grader.review.command"])
def test_what_waits_for_a_person_or_a_run_draws_nothing_yet(module: str) -> None:
    """matplotlib and nbconvert take a second, and nobody needs them before something is drawn."""
    code = (
        f"import sys, {module}\n"
        "print([name for name in ('matplotlib', 'nbconvert') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["check", "no/hay.ipynb"], 2, "no/hay.ipynb"),
        (["check", "."], 2, "es una carpeta"),
        (["check", ".", "--lang", "en"], 2, "is a folder"),
        (["grade", "no/hay", "--out", "x"], 2, "no/hay"),
        (["override", "no-hay", "a", "b", "1", "--because", "x"], 2, "gradebook"),
        (["assignment", "validate", "no-hay"], 2, "assignment.toml"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], code: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake gives one line that names the value, and the exit code of the contract."""
    monkeypatch.chdir(tmp_path)
    found, said = run(*words)

    assert (code, 1) == (found, len(said.splitlines())), said
    assert part in said


def test_validate_says_what_there_is() -> None:
    """A good assignment is summed up."""
    code, said = run("assignment", "validate", str(Path(__file__).parent.parent / "assignment"))

    assert 0 == code
    assert "30 checks, 70 points; 5 questions, 30 points" in said


@pytest.mark.tf
@pytest.mark.sandbox
def test_an_unreadable_notebook_is_exit_2_with_a_report(tmp_path: Path) -> None:
    """The report says what the file looks like."""
    (tmp_path / "x.ipynb").write_text("<html>Log in</html>")
    words = ["check", str(tmp_path / "x.ipynb"), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(main, words)

    assert 2 == result.exit_code
    assert "unreadable" == json.loads(result.stdout)["state"]
    assert (tmp_path / "out" / "report.html").exists()


def test_a_class_is_not_graded_without_walls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the probe finds no walls `grade` refuses with one line and exit 3."""
    from grader.sandbox import Level, Probe

    (tmp_path / "ana.ipynb").write_text(
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    )
    monkeypatch.setattr(
        "grader.batch.machine.probe",
        lambda: Probe(Level.NONE, (), "user namespaces are switched off"),
    )
    code, said = run("grade", str(tmp_path), "--out", str(tmp_path / "out"))

    assert (3, 1) == (code, len(said.splitlines())), said
    assert "user namespaces are switched off" in said
    assert not (tmp_path / "out").exists()
