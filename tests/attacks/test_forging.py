"""Notebooks that try to forge points, each graded for real beside its honest twin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.findings import Basis
from grader.grading import Grading
from grader.loading import default_folder, load_assignment
from grader.result import Graded, Student
from grader.sandbox import Level
from tests.attacks.attack import Attack, Cells, shown
from tests.attacks.corpus import CORPUS
from tests.kernel.conftest import limited
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

LIMITS = {"cell_s": 120, "notebook_s": 240, "fit_s": 60, "trainings_s": 120}
Grade = Callable[..., Graded]


def notebook(cells: Cells, file: Mapping[str, Any]) -> bytes:
    """The file of these cells, with what an attack adds to it."""
    made = json.loads(file_of(*cells))
    made["metadata"] |= file.get("metadata", {})
    for cell in made["cells"]:
        cell |= file.get("cell", {})
    return json.dumps(made).encode()


@pytest.fixture(scope="module")
def grade(dataset: Dataset, service: Service) -> Grade:
    """Grade a notebook behind the walls; the same one only once."""
    assignment = load_assignment(default_folder())
    known: dict[str, Graded] = {}

    def run(cells: Cells, file: Mapping[str, Any] = {}, limits: Mapping[str, int] = {}) -> Graded:
        name = repr((cells, file, limits))
        if name not in known:
            spec: Assignment = limited(assignment, **{**LIMITS, **limits})
            grading = Grading(spec, dataset, Level.STANDARD, service, slot=16)
            known[name] = grading.grade(notebook(cells, file), "x.ipynb", Student("x", "X"))[1]
        return known[name]

    return run


def more(attacked: Graded, twin: Graded, basis: Basis) -> dict[str, tuple[int, int]]:
    """The checks of a basis for which an attack earned more, and both points in hundredths."""
    honest = {finding.check: finding.earned for finding in twin.findings}
    return {
        finding.check: (finding.earned, honest[finding.check])
        for finding in attacked.findings
        if finding.basis == basis and finding.earned > honest[finding.check]
    }


def case(attack: Attack) -> Any:
    """An attack as a parameter: most are long; where a hole is known, the test must fail."""
    marks = [] if attack.quick else [pytest.mark.long]
    if attack.hole:
        marks.append(pytest.mark.xfail(reason=attack.hole, strict=True))  # type: ignore[arg-type]
    return pytest.param(attack, id=shown(attack.name), marks=marks)


@pytest.mark.parametrize("attack", [case(attack) for attack in CORPUS])
def test_an_attack_forges_no_measured_point(attack: Attack, grade: Grade) -> None:
    """It earns no more than its honest twin, but what it may in observed checks, and is seen."""
    attacked = grade(attack.cells, attack.file, attack.limits)
    twin = grade(attack.twin)
    expected = attack.expected
    statuses = {finding.check: finding.status.value for finding in attacked.findings}
    cells = [cell.status for cell in attacked.evidence.cells if cell.status != "ok"]
    said = {
        "state": attacked.state.value,
        "flags": sorted({flag.kind for flag in attacked.flags} - set(expected.perhaps)),
        "findings": {check: statuses.get(check) for check in expected.findings},
        "cells": cells,
        "dropped": bool(attacked.evidence.dropped),
        "refused": bool(attacked.evidence.refusals),
    }

    assert {} == more(attacked, twin, "measured")
    assert sorted(attack.forges) == sorted(more(attacked, twin, "observed"))
    assert said == {
        "state": expected.state,
        "flags": sorted(expected.flags),
        "findings": dict(expected.findings),
        "cells": list(expected.cells),
        "dropped": expected.dropped,
        "refused": expected.refused,
    }
