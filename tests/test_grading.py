"""One submission through every stage, for real: kernel, walls, trainer, checks, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.grading import Gathered, Grading, Override, conclude, template_of
from grader.loading import default_folder, load_assignment
from grader.result import Graded, NotebookFile, State, Student, result_json
from grader.sandbox import Level, WallsError
from tests.kernel.conftest import LOAD

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

ANA = Student("ana", "Ana")
SMALL = (
    LOAD,
    "m = net(128)\nm.fit(x, y, epochs=2, verbose=0)\nprint(m.evaluate(x_test, y_test, verbose=0))",
    "m.fit(x, y, epochs=1, verbose=0)",
    "p = m.predict(test_images / 255.0, verbose=0)\nprint(np.argmax(p[0]))",
)


def file_of(*cells: str) -> bytes:
    made: dict[str, Any] = {
        "nbformat": 4, "nbformat_minor": 5, "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{place}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for place, source in enumerate(cells)
        ],
    }  # fmt: skip
    return json.dumps(made).encode()


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(default_folder())


@pytest.fixture(scope="module")
def grading(assignment: Assignment, dataset: Dataset, service: Service) -> Grading:
    return Grading(assignment, dataset, Level.STANDARD, service, slot=10)


@pytest.fixture(scope="module")
def twice(grading: Grading) -> tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]]:
    data = file_of(*SMALL)
    return grading.grade(data, "ana.ipynb", ANA), grading.grade(data, "ana.ipynb", ANA)


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    return result | {"cells": [cell | {"seconds": 0} for cell in result["cells"]]}


def test_two_runs_are_equal_bit_for_bit(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]],
) -> None:
    """Findings, runs and points of two runs of one notebook are the same."""
    (_, first), (_, second) = twice

    assert without_times(result_json(first, "es")) == without_times(result_json(second, "es"))


def test_every_fit_is_measured_by_the_trainer(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]],
) -> None:
    """Both fits of one chain have a measurement; the second starts where the first ended."""
    (_, graded), _ = twice
    first, second = graded.evidence.runs

    assert first.measured is not None
    assert second.measured is not None
    assert first.start is not None
    assert second.start is not None
    assert (2, 3) == (first.epochs, second.epochs)
    assert second.start.test_accuracy == first.measured.test_accuracy
    assert first.start.test_accuracy < 0.25 < 0.6 < first.measured.test_accuracy
    assert 101_770 == first.measured.parameters


def test_a_persons_points_win_and_nothing_runs_again(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]], assignment: Assignment
) -> None:
    """An override changes one finding and the score, from the same evidence."""
    (gathered, graded), _ = twice
    mark = Override("data.explored", 150, "lo mostró en clase")
    after = conclude(assignment, template_of(assignment), gathered, ANA, overrides=(mark,))
    before = {finding.check: finding for finding in graded.findings}
    changed = [finding for finding in after.findings if finding != before[finding.check]]

    assert ["data.explored"] == [finding.check for finding in changed]
    assert (150, "lo mostró en clase") == (changed[0].earned, changed[0].overridden)
    assert after.score.earned == graded.score.earned - before["data.explored"].earned + 150


def test_without_walls_the_same_comes_out(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]],
    assignment: Assignment,
    dataset: Dataset,
    service: Service,
) -> None:
    """A self-check at level none finds and measures what grading does, and says its level."""
    (_, walled), _ = twice
    bare = Grading(assignment, dataset, Level.NONE, service, slot=12)
    _, graded = bare.grade(file_of(*SMALL), "ana.ipynb", ANA)
    result, expected = result_json(graded, "es"), result_json(walled, "es")

    assert "none" == graded.environment["sandbox"]
    assert expected["findings"] == result["findings"]
    assert expected["runs"] == result["runs"]


def test_an_empty_list_of_cells_is_graded(grading: Grading) -> None:
    """Nothing was done: every check is judged, nothing is earned, nobody is accused."""
    _, graded = grading.grade(file_of(), "vacio.ipynb", ANA)

    assert (State.GRADED, 0) == (graded.state, graded.score.earned)
    assert {"not_attempted", "skipped", "failed"} >= {
        finding.status.value for finding in graded.findings
    }


def test_an_unreadable_file_leaves_all_points_pending(grading: Grading) -> None:
    """What cannot be read is not a zero: a person decides."""
    _, graded = grading.grade(b"<!doctype html><title>Log in</title>", "ana.ipynb", ANA)

    assert (State.UNREADABLE, 0, 10_000, None) == (
        graded.state, graded.score.earned, graded.score.pending, graded.score.value,
    )  # fmt: skip
    assert graded.problem is not None


def test_our_own_faults_cost_nothing(grading: Grading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walls that fail are tried three times; then all points are pending."""
    tries = []

    def broken(*args: object) -> None:
        tries.append(1)
        raise WallsError("no room")

    monkeypatch.setattr("grader.grading.execute", broken)
    _, graded = grading.grade(file_of(*SMALL), "ana.ipynb", ANA)

    assert (3, State.GRADER_ERROR, 10_000) == (len(tries), graded.state, graded.score.pending)


def test_what_breaks_the_judging_of_one_stops_nobody_else(
    grading: Grading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody thought of is tried once, is ours, and names itself."""
    tries = []

    def broken(*args: object) -> None:
        tries.append(1)
        raise KeyError("poisoned")

    monkeypatch.setattr("grader.grading.add_samples", broken)
    gathered, graded = grading.grade(file_of("1 + 1"), "ana.ipynb", ANA)

    assert (1, True, State.GRADER_ERROR) == (len(tries), gathered.fault, graded.state)
    assert "poisoned" in str(graded.problem)


def test_training_in_the_kernel_gives_the_same_grades(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]],
    assignment: Assignment,
    dataset: Dataset,
    service: Service,
) -> None:
    """Verified, the same points and the same measurements come out as delegated."""
    (_, delegated), _ = twice
    grading = Grading(assignment, dataset, Level.STANDARD, service, 13, train_in_kernel=True)
    _, local = grading.grade(file_of(*SMALL), "ana.ipynb", ANA)

    assert ["trainer"] * 2 == [run.trained_by for run in delegated.evidence.runs]
    assert ["kernel (verified)"] * 2 == [run.trained_by for run in local.evidence.runs]
    assert [run.measured for run in delegated.evidence.runs] == [
        run.measured for run in local.evidence.runs
    ]
    assert [run.claimed for run in local.evidence.runs] == [
        run.measured for run in local.evidence.runs
    ]
    expected, result = result_json(delegated, "es"), result_json(local, "es")
    assert (expected["findings"], expected["flags"]) == (result["findings"], result["flags"])


def test_files_are_written_whole(
    twice: tuple[tuple[Gathered, Graded], tuple[Gathered, Graded]], dataset: Dataset, tmp_path: Path
) -> None:
    """Report, result and the executed notebook are there and agree."""
    from grader.report.files import write_files

    (gathered, graded), _ = twice
    write_files(tmp_path / "ana", gathered, graded, "es", dataset)

    assert ["executed.html", "executed.ipynb", "report.html", "result.json"] == sorted(
        path.name for path in (tmp_path / "ana").iterdir()
    )
    result = json.loads((tmp_path / "ana" / "result.json").read_text())
    assert result_json(graded, "es") == result
    executed = json.loads((tmp_path / "ana" / "executed.ipynb").read_text())
    assert len(SMALL) == len(executed["cells"])


def test_what_was_not_attempted_names_the_cell_for_it(assignment: Assignment) -> None:
    """The notebook says which cell is for which check; that is where to look."""
    notebook = template_of(assignment)
    assert notebook is not None
    gathered = Gathered(NotebookFile("taller3.ipynb", ""), notebook)
    graded = conclude(assignment, notebook, gathered, ANA)
    cells = {one.check: one.cell for one in graded.findings}

    assert None not in cells.values()
    assert "t3-wide" == notebook.cells[cells["wide.accuracy"] or 0].id
