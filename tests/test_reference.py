"""The reference solution, executed for real behind the walls, earns every automatic point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.grading import Grading
from grader.loading import default_folder, load_assignment
from grader.result import Graded, Student
from grader.sandbox import Level

ROOT = Path(__file__).parent.parent
SOLUTION = ROOT / "reference" / "solution.ipynb"
ASSIGNMENT = load_assignment(default_folder())


@pytest.fixture(scope="module")
def graded(dataset: Dataset, service: Service) -> Graded:
    grading = Grading(ASSIGNMENT, dataset, Level.STANDARD, service, slot=11)
    _, graded = grading.grade(
        SOLUTION.read_bytes(), SOLUTION.name, Student("reference", "Reference")
    )
    return graded


@pytest.mark.tf
@pytest.mark.sandbox
@pytest.mark.timeout(1200)
def test_the_reference_earns_every_automatic_point(graded: Graded) -> None:
    """70 of 70, nothing pending but the written answers, no flag, four experiments found."""
    lost = {
        finding.check: finding.status.value
        for finding in graded.findings
        if finding.earned != finding.possible
    }

    assert {} == lost
    assert (7_000, 3_000) == (graded.score.earned, graded.score.pending)
    assert () == graded.flags
    assert {"baseline", "wide", "longer", "deep"} == {
        name for name, run in graded.experiments.items() if run is not None
    }
    assert ["found"] * 5 == [answer.status for answer in graded.answers]
    assert "standard" == graded.environment["sandbox"]


def cells() -> list[dict[str, Any]]:
    document: dict[str, Any] = json.loads(SOLUTION.read_text(encoding="utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def test_the_committed_reference_is_executed() -> None:
    """Every code cell has run without an error, and the figures are there."""
    outputs = [output for cell in cells() for output in cell["outputs"]]

    assert [] == [cell["id"] for cell in cells() if cell["execution_count"] is None]
    assert [] == [output for output in outputs if output["output_type"] == "error"]
    assert 5 <= sum("image/png" in output.get("data", {}) for output in outputs)


def test_the_notebook_states_the_specs_points() -> None:
    """What each experiment's text says it is worth is what assignment.toml gives."""
    document: dict[str, Any] = json.loads(
        (ROOT / "assignment" / "taller3.ipynb").read_text(encoding="utf-8")
    )
    text = {cell["id"]: "".join(cell["source"]) for cell in document["cells"]}
    words = {
        "architecture": "arquitectura",
        "compile": "compilación",
        "epochs": "épocas",
        "accuracy": "exactitud",
    }
    for experiment in ASSIGNMENT.spec.experiments:
        said = text[f"t3-{experiment.id}-text"]
        worth = {
            aspect: ASSIGNMENT.check(f"{experiment.id}.{aspect}").points
            for aspect in (*words, "gap")
        }
        assert f"({sum(worth.values()):g} puntos)" in said
        assert all(
            f"{worth[aspect]:g} por la {word}" in said.replace("por las", "por la")
            for aspect, word in words.items()
        )
    total = {"predictions": 11, "evaluation": 3, "data": 10}
    assert total == {
        family: sum(
            check.points for check in ASSIGNMENT.spec.checks if check.name.startswith(f"{family}.")
        )
        for family in total
    }
