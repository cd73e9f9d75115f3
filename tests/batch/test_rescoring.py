"""Scoring anew gives the same in one process and in several, and what fails is done elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.batch import rescoring
from grader.batch.rescoring import Desk, rescored
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
def desk(tmp_path: Path, dataset: Dataset) -> tuple[Path, Path, str, Dataset]:
    """A class of three with evidence in its gradebook."""
    notebook = read_notebook(file_of("1 + 1"), "a.ipynb")
    with Gradebook(tmp_path, ASSIGNMENT, "es") as gradebook:
        for student in students():
            seen = evidence(run(1))
            gathered = Gathered(NotebookFile("a.ipynb", "0" * 64), notebook, seen)
            gradebook.add(student, gathered, {"earlier": True})
    return tmp_path, ASSIGNMENT.folder, "es", dataset


def students() -> list[Student]:
    return [Student(f"s{place}", f"Student {place}") for place in range(COUNT)]


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("students/*/*"))
    }


def test_one_process_and_several_write_the_same(
    desk: tuple[Path, Path, str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = list(rescored(students(), desk, 1))
    written = files(desk[0])
    for path in desk[0].glob("students/*/*"):
        path.unlink()
    monkeypatch.setattr(rescoring, "FEW", 1)
    apart = list(rescored(students(), desk, 2))

    assert here == apart
    assert written == files(desk[0])
    assert {f"students/s{place}/report.html" for place in range(COUNT)} <= set(written)
    results = [json.loads(str(found)) for found in here]
    assert [f"s{place}" for place in range(COUNT)] == [one["student"]["id"] for one in results]
    assert all(one["points"]["earned"] > 0 for one in results)


def test_what_cannot_be_scored_here_is_a_number(
    desk: tuple[Path, Path, str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing student stops nobody; missing seeds are counted and not trained."""
    here = Desk(*desk)
    monkeypatch.setattr(rescoring, "wanted", lambda assignment, evidence: iter([1, 1, 4]))
    assert 2 == here.score(students()[0])

    def fails(*arguments: object, **options: object) -> None:
        raise RuntimeError("poisoned")

    monkeypatch.undo()
    monkeypatch.setattr(rescoring, "conclude", fails)
    assert 0 == here.score(students()[1])


def test_a_new_result_keeps_what_was_gathered(desk: tuple[Path, Path, str, Dataset]) -> None:
    with Gradebook(desk[0]) as gradebook:
        before = gradebook.entry("s1")
        gradebook.rescore(replace(before.student, name="Otra"), '{"new": 1}', "by this")
        after = gradebook.entry("s1")

        assert ({"new": 1}, "Otra") == (after.result, after.student.name)
        assert before.gathered == after.gathered
        assert "by this" == gradebook.standings()["s1"].scored
        assert {"earlier": True} == gradebook.entry("s2").result
