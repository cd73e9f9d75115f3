"""The sample class gets what a person would give by hand: samples/README.md is the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main

SAMPLES = Path(__file__).parent.parent / "assignment" / "samples"
STATUSES = {"passed", "partial", "failed", "not_attempted", "skipped", "needs_review"}
# Where the person wrote one thing and the grader says, rightly, another.
BY_DEGREE = {
    ("diego", "evaluation.test"): "partial",  # by how much
    ("diego", "baseline.epochs"): "partial",
    ("carla", "predictions.argmax"): "not_attempted",  # nothing was seen
    ("carla", "predictions.single"): "not_attempted",
    ("karla", "data.scaled"): "not_attempted",  # scaling is read off a training, and there is none
}
TABLE = re.compile(r"^\| check \|(.*)\|\n\|[-| ]+\|\n((?:\|.*\n)+)", re.MULTILINE)


def oracle() -> tuple[dict[str, dict[str, str]], dict[str, set[str]]]:
    """Student → check → the status that a person expects; student → the flags."""
    expected: dict[str, dict[str, str]] = {}
    flags: dict[str, set[str]] = {}
    for head, body in TABLE.findall((SAMPLES / "README.md").read_text(encoding="utf-8")):
        students = [word.strip() for word in head.split("|")]
        for line in body.splitlines():
            name, *words = [cell.strip() for cell in line.strip("|").split("|")]
            for student, word in zip(students, words, strict=True):
                if name.startswith("`"):
                    status = "skipped" if "(skipped)" in word else word.split(":")[0].strip()
                    expected.setdefault(student, {})[name.strip("`")] = status
                elif "flags" in name:
                    flags[student] = set(re.findall(r"`(\w+)`", word))
    return expected, flags


def file_of(student: str) -> Path:
    """The notebook of a student of the tables."""
    (found,) = SAMPLES.glob(f"{student}-*.ipynb")
    return found


def test_the_oracle_is_whole() -> None:
    """Every sample is in a table, with every check of the assignment and words that we know."""
    from grader.loading import default_folder, load_assignment

    checks = sorted(check.name for check in load_assignment(default_folder()).spec.checks)
    expected, _ = oracle()

    assert {path.stem for path in SAMPLES.glob("*.ipynb")} == {
        file_of(student).stem for student in expected
    }
    assert all(checks == sorted(row) for row in expected.values())
    assert {word for row in expected.values() for word in row.values()} <= STATUSES


def _apart(folder: Path, students: Iterable[str]) -> list[tuple[object, ...]]:
    """Where `grader check` of a sample says another thing than `grader grade` of the class did."""
    different: list[tuple[object, ...]] = []
    for student in students:
        checked = folder / "check" / student
        CliRunner().invoke(main, ["check", str(file_of(student)), "--out", str(checked)])
        graded = folder / "out" / "students" / file_of(student).stem
        both = (
            {one["check"]: one for one in json.loads(path.read_text(encoding="utf-8"))["findings"]}
            for path in (graded / "result.json", checked / "result.json")
        )
        of_class, own = both
        different += [
            (student, name, finding, own.get(name))
            for name, finding in of_class.items()
            if finding != own.get(name)
        ]
    return different


@pytest.mark.tf
@pytest.mark.sandbox
@pytest.mark.long
@pytest.mark.timeout(5400)
def test_every_sample_gets_what_a_person_expects(tmp_path: Path) -> None:
    """Each notebook, really run, agrees with the oracle in each of the 30 checks and its flags,
    and `grader check` of it says the same as `grader grade`, word for word.
    """
    done = CliRunner().invoke(main, ["grade", str(SAMPLES), "--out", str(tmp_path / "out")])

    assert 1 == done.exit_code, done.output  # one of them needs a person
    expected, flags = oracle()
    different = _apart(tmp_path, expected)
    for student, row in expected.items():
        folder = tmp_path / "out" / "students" / file_of(student).stem
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        raised = {flag["kind"] for flag in result["flags"]}
        if raised != flags.get(student, set()):
            different.append((student, "flags", flags.get(student), raised, result["flags"]))
        for finding in result["findings"]:
            status = BY_DEGREE.get((student, finding["check"]), row[finding["check"]])
            if finding["status"] != status:
                different.append(
                    (student, finding["check"], status, finding["status"], finding["observed"])
                )
    assert [] == different
