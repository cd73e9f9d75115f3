"""Scoring anew gives the same in one process and in several, and what fails is done elsewhere."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.batch import desk as desks
from grader.batch import rescoring
from grader.batch.desk import Desk
from grader.batch.rescoring import rescored, score
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.result import NotebookFile, Student
from tests.factories import evidence, run
from tests.test_grading import file_of

ASSIGNMENT = load_assignment(default_folder())
COUNT = 3


@pytest.fixture
def desk(tmp_path: Path, dataset: Dataset) -> Iterator[Desk]:
    """A class of three with evidence in its gradebook."""
    notebook = read_notebook(file_of("1 + 1"), "a.ipynb")
    with Gradebook(tmp_path, ASSIGNMENT, "es") as gradebook:
        for student in students():
            seen = evidence(run(1))
            gathered = Gathered(NotebookFile("a.ipynb", "0" * 64), notebook, seen)
            gradebook.add(student, gathered, {"earlier": True})
        yield Desk(ASSIGNMENT, dataset, gradebook, tmp_path, "es")


def students() -> list[Student]:
    return [Student(f"s{place}", f"Student {place}") for place in range(COUNT)]


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("students/*/*"))
    }


def test_one_process_and_several_write_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = list(rescored(desk, students(), 1))
    written = files(desk.out)
    for path in desk.out.glob("students/*/*"):
        path.unlink()
    monkeypatch.setattr(rescoring, "FEW", 1)
    apart = list(rescored(desk, students(), 2))

    assert here == apart
    assert written == files(desk.out)
    assert {f"students/s{place}/report.html" for place in range(COUNT)} <= set(written)
    results = [json.loads(str(found)) for found in here]
    assert [f"s{place}" for place in range(COUNT)] == [one["student"]["id"] for one in results]
    assert all(one["points"]["earned"] > 0 for one in results)


def test_missing_seeds_are_counted_and_not_trained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "wanted", lambda assignment, evidence: iter([1, 1, 4]))

    assert 2 == score(desk, students()[0])
    assert {} == files(desk.out)


def test_judging_that_fails_costs_no_points_and_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is ours, stands in the result, and is kept by whoever writes the gradebook."""
    conclude = desks.conclude

    def fails(assignment: Any, template: Any, gathered: Gathered, *rest: Any, **more: Any) -> Any:
        if not gathered.fault:
            raise RuntimeError("poisoned")
        return conclude(assignment, template, gathered, *rest, **more)

    monkeypatch.setattr(desks, "conclude", fails)
    kept = desk.gradebook.entry("s1").gathered
    gathered, result = desk.write(students()[1], kept, ran=False)

    assert 0 == score(desk, students()[1])
    assert (True, "grader_error") == (gathered.fault, result["state"])
    assert "poisoned" in result["problem"]


def test_a_lost_process_loses_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever a killed process had is done elsewhere."""
    monkeypatch.setattr(rescoring, "FEW", 1)
    monkeypatch.setattr(rescoring, "_score", _dies)

    assert [0] * COUNT == list(rescored(desk, students(), 2))


def _dies(student: Student) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return student.id


def test_a_new_result_keeps_what_was_gathered(desk: Desk) -> None:
    before = desk.gradebook.entry("s1")
    desk.gradebook.rescore(replace(before.student, name="Otra"), '{"new": 1}', "by this")
    after = desk.gradebook.entry("s1")

    assert ({"new": 1}, "Otra") == (after.result, after.student.name)
    assert before.gathered == after.gathered
    assert "by this" == desk.gradebook.standings()["s1"].scored
    assert {"earlier": True} == desk.gradebook.entry("s2").result
