"""Scoring anew gives the same in one process and in several, and what fails is done elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.batch import desk as desks
from grader.batch import rescoring
from grader.batch.command import Asked, grade_folder
from grader.batch.desk import Desk
from grader.batch.rescoring import rescored, score
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered, run_key
from grader.intake import submissions
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.report import files as report_files
from grader.result import NotebookFile, Student
from grader.sandbox import Level, Probe, WallsError
from tests.factories import evidence, outcome, run
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
            gradebook.add(student, gathered, outcome(earlier=True))
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
    here = dict(rescored(desk, students(), 1))
    written = files(desk.out)
    for path in desk.out.glob("students/*/*"):
        path.unlink()
    monkeypatch.setattr(rescoring, "FEW", 1)
    mine = []

    def after_the_other(desk: Desk, student: Student) -> str | int:
        _wait_for(desk.out / "students" / f"s{COUNT - 1}" / "report.html")
        mine.append(student.id)
        return score(desk, student)

    monkeypatch.setattr(rescoring, "score", after_the_other)
    apart = dict(rescored(desk, students(), 2))

    assert here == apart
    assert written == files(desk.out)
    assert ("s0", True) == (mine[0], len(mine) < COUNT)
    assert {f"students/s{place}/report.html" for place in range(COUNT)} <= set(written)
    results = [json.loads(str(found)) for found in here.values()]
    assert [f"s{place}" for place in range(COUNT)] == [one["student"]["id"] for one in results]
    assert all(one["points"]["earned"] > 0 for one in results)


def _wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)


def test_missing_seeds_are_counted_and_not_trained(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "wanted", lambda assignment, evidence: iter([1, 1, 4]))

    assert 2 == score(desk, students()[0])
    assert {} == files(desk.out)


def test_evidence_that_breaks_the_samples_is_done_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(assignment: Any, evidence: Any) -> Any:
        raise KeyError("poisoned")

    monkeypatch.setattr(rescoring, "wanted", breaks)

    assert 0 == score(desk, students()[0])


def test_judging_that_fails_costs_no_points_and_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is ours and stands in the result; what the run left is kept as it was."""
    conclude = desks.conclude

    def fails(assignment: Any, template: Any, gathered: Gathered, *rest: Any, **more: Any) -> Any:
        if not gathered.fault:
            raise RuntimeError("poisoned")
        return conclude(assignment, template, gathered, *rest, **more)

    monkeypatch.setattr(desks, "conclude", fails)
    kept = desk.gradebook.entry("s1").gathered
    result, failed = desk.write(students()[1], kept, ran=False)

    assert 0 == score(desk, students()[1])
    assert (True, "grader_error") == (failed, result["state"])
    assert "poisoned" in result["problem"]


def test_a_report_that_fails_is_our_fault_and_a_full_disk_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be drawn costs no points; what cannot be written stops the class."""
    write = report_files.write_student
    kept = desk.gradebook.entry("s1").gathered

    def cannot_draw(out: Path, gathered: Gathered, *rest: Any) -> Path:
        if not gathered.fault:
            raise ValueError("no such colour")
        return write(out, gathered, *rest)

    monkeypatch.setattr(report_files, "write_student", cannot_draw)
    result, failed = desk.write(students()[1], kept, ran=False)
    assert (True, "grader_error") == (failed, result["state"])
    assert b"no such colour" in files(desk.out)["students/s1/report.html"]

    def full(*arguments: Any) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(report_files, "write_student", full)
    with pytest.raises(OSError, match="no space"):
        desk.write(students()[1], kept, ran=False)


def test_scoring_anew_needs_no_walls(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing must run nothing is attacked; one new notebook, and the walls come first."""
    source = tmp_path / "handed in"
    source.mkdir()
    data = file_of("1 + 1")
    (source / "s0.ipynb").write_bytes(data)
    under = run_key(ASSIGNMENT, Level.STANDARD, train_in_kernel=False)
    kept = replace(
        desk.gradebook.entry("s0").gathered,
        file=NotebookFile("s0.ipynb", hashlib.sha256(data).hexdigest()),
        under=under,
    )
    (student,) = (one.student for one in submissions(source, "").submissions)
    desk.gradebook.add(student, kept, outcome(earlier=True))
    probed = []

    def none() -> Probe:
        probed.append(1)
        return Probe(Level.NONE, (), "switched off")

    monkeypatch.setattr("grader.batch.machine.probe", none)
    for other in students()[1:]:
        desk.gradebook.rescore(other, json.dumps(desk.write(other, kept, ran=False)[0]), "")
    grade_folder(Asked(source, desk.out, "es", 1), ASSIGNMENT, desk.dataset)
    assert [] == probed
    assert 0 < desk.gradebook.entry(student.id).result["points"]["possible"]

    (source / "nueva.ipynb").write_bytes(data)
    with pytest.raises(WallsError, match="switched off"):
        grade_folder(Asked(source, desk.out, "es", 1), ASSIGNMENT, desk.dataset)


def test_a_lost_process_loses_nobody(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom a killed process had is done elsewhere."""
    monkeypatch.setattr(rescoring, "FEW", 1)
    monkeypatch.setattr(rescoring, "_score", _dies)
    sign = tmp_path / "died"

    def after_its_death(desk: Desk, student: Student) -> str:
        _wait_for(sign)
        return "here"

    monkeypatch.setattr(rescoring, "score", after_its_death)
    asked = [Student(student.id, str(sign)) for student in students()]
    found = dict(rescored(desk, asked, 2))

    assert set(asked) == set(found)
    assert ("here", 0) == (found[asked[0]], found[asked[-1]])


def _dies(student: Student) -> str:
    Path(student.name).touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return student.id


ORPHANED = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from grader.batch.rescoring import _open
from grader.loading import default_folder

words = (Path(sys.argv[1]), default_folder(), "es", None)
with ProcessPoolExecutor(1, get_context("spawn"), _open, words) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_no_process_outlives_a_controller_that_was_killed(desk: Desk) -> None:
    """A pool's processes wait for work; nobody would ever tell them that there is none."""
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANED, str(desk.out)], stdout=subprocess.PIPE, text=True
    ) as controller:
        assert controller.stdout is not None
        worker = int(controller.stdout.readline())
        os.kill(worker, 0)
        controller.kill()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the process is still there after 10 s")


def test_a_new_result_keeps_what_was_gathered(desk: Desk) -> None:
    before = desk.gradebook.entry("s1")
    desk.gradebook.rescore(
        replace(before.student, name="Otra"), json.dumps(outcome(new=1)), "by this"
    )
    after = desk.gradebook.entry("s1")

    assert (outcome(new=1), "Otra") == (after.result, after.student.name)
    assert before.gathered == after.gathered
    assert "by this" == desk.gradebook.standings()["s1"].scored
    assert outcome(earlier=True) == desk.gradebook.entry("s2").result
