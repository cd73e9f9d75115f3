"""Benchmark 3 and the re-grade: what costs time when the same work comes again."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import classes, limit, ours
from benchmarks.bench import Bench
from benchmarks.classes import Submission
from benchmarks.grading import CLASS_FOLDER, graded, the_class
from benchmarks.notebooks import Notebook, changed, write
from benchmarks.processes import Usage
from benchmarks.report import Section, seconds, table
from grader.gradebook import Gradebook
from grader.grading import run_key
from grader.loading import calibration_file, default_folder, load_assignment
from grader.result import Student
from grader.sandbox import probe

STUDENT = "3 · One student, again"
REGRADE = "Re-grade"
TEXT_TARGET_S, REGRADE_TARGET_S, LARGE_TARGET_S = 15, 5, 60
LARGE = 1000
MORE = 10  # epochs
TITLE = 'title.es = "'


def one_student(bench: Bench) -> Section:
    """Check one notebook, then with other text, then with ten more epochs in `wide`."""
    folder = bench.folder("check")
    notebook, out, memory = folder / "taller3.ipynb", folder / "out", folder / "memory"
    ours.fresh(out, memory)
    own = classes.apart(bench.quick).notebook
    write(notebook, own)
    bench.say("check: the first time, the memory is empty")
    first = ours.check(notebook, out, memory)
    trained = [ours.epochs_trained(memory)]
    write(notebook, _other_text(own))
    bench.say("check: after another answer")
    text = ours.check(notebook, out, memory)
    trained.append(ours.epochs_trained(memory))
    write(notebook, _more_epochs(own))
    bench.say(f"check: {MORE} epochs more in `wide`")
    more = ours.check(notebook, out, memory)
    trained.append(ours.epochs_trained(memory))
    new = trained[2] - trained[1]
    bench.say("check: the trainer alone, on the same layers")
    alone_s = new * limit.seconds_per_epoch(bench, (500,)).later_s
    rows = [
        ("the first time", trained[0], seconds(first.wall_s), ""),
        ("after editing only text", trained[1] - trained[0], seconds(text.wall_s),
         f"≤ {TEXT_TARGET_S} s"),
        (f"after {MORE} more epochs in `wide`", new, seconds(more.wall_s), ""),
        ("so the new epochs cost", new, seconds(more.wall_s - text.wall_s), "the new epochs"),
        ("as many epochs of that model by a trainer alone", new, seconds(alone_s), ""),
    ]  # fmt: skip
    said = (
        "`grader check` of one complete notebook, wall. Where a result is near a threshold, the "
        "same training is also done from two other seeds, which are new epochs too."
    )
    head = ("what", "epochs trained", "wall", "target")
    return Section(STUDENT, f"{said}\n\n{table(head, rows)}")


def regrade(bench: Bench) -> Section:
    """Change one title in the assignment and grade again: 30 submissions, then 1,000."""
    folder = bench.folder(CLASS_FOLDER)
    same, differing = the_class(bench)
    count = len(same) + len(differing)
    if not _stands(folder, [*same, *differing]):
        bench.say("re-grade: there is no class of benchmark 1 to use, so it is graded first")
        graded(bench, CLASS_FOLDER, [*same, *differing])
    bench.say(f"re-grade: {count} submissions")
    small = _graded_again(bench, folder)
    large = bench.count(LARGE, 20)
    big = bench.folder("large-class")
    bench.say(f"re-grade: writing a class of {large}")
    _enlarge(folder, big, large)
    bench.say(f"re-grade: {large} submissions")
    much = _graded_again(bench, big)
    rows = [_row(count, small, REGRADE_TARGET_S), _row(large, much, LARGE_TARGET_S)]
    head = ("submissions", "wall", "CPU", "largest process", "target")
    said = (
        "`grader grade` on the same folder after one title in the assignment has changed: every "
        "submission is scored, its report and result are written anew, and nothing runs. The "
        f"large class is the class of {count} over and over under new names."
    )
    return Section(REGRADE, f"{said}\n\n{table(head, rows)}")


def _stands(folder: Path, submissions: Sequence[Submission]) -> bool:
    """Whether this class was graded here by this version of the grader."""
    if not (folder / "out" / "gradebook.sqlite").exists():
        return False
    assignment = load_assignment(default_folder())
    under = run_key(assignment, probe().level, train_in_kernel=False)
    with Gradebook(folder / "out") as gradebook:
        standings = gradebook.standings()
    names = {one.student for one in submissions}
    return set(standings) == names and all(one.under == under for one in standings.values())


def _row(count: int, usage: Usage, target: int) -> list[str]:
    return [
        f"{count:,}", seconds(usage.wall_s), seconds(usage.cpu_s), f"{usage.peak_mb:,.0f} MiB",
        f"≤ {target} s",
    ]  # fmt: skip


def _other_text(notebook: Notebook) -> Notebook:
    cells = [
        {**cell, "source": f"{cell['source']}\n\nLo pensé otra vez."}
        if cell["id"] == "t3-q1"
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def _more_epochs(notebook: Notebook) -> Notebook:
    def more(identity: str, source: str) -> str:
        if identity != "t3-wide":
            return source
        for epochs in (10, 1):  # 1: when the scripts are only tried
            if f"epochs={epochs})" in source:
                return source.replace(f"epochs={epochs})", f"epochs={epochs + MORE})")
        raise RuntimeError(f"there are no epochs to change in:\n{source}")

    return changed(_other_text(notebook), more)


def _graded_again(bench: Bench, folder: Path) -> Usage:
    """Grade a class under an assignment with a title that no earlier run has had.

    Raises:
        RuntimeError: something was run, or stood as it was.
    """
    assignment = _assignment(folder / "assignment", f"Corregido {time.time_ns()}: ")
    log = folder / "regrade.log"
    usage = ours.grade(folder / "notebooks", folder / "out", folder / "memory", assignment, log)
    said = " ".join(log.read_text(encoding="utf-8").split())
    expected = ("0 stand as they are", " 0 must run", "other seeds still to do: 0.")
    if not all(part in said for part in expected):
        raise RuntimeError(f"this was no re-grade of all:\n{said[:1000]}")
    bench.say(f"re-grade: {usage.wall_s:.1f} s")
    return usage


def _assignment(folder: Path, word: str) -> Path:
    """Copy the assignment, with a word more in the title of its last check."""
    shutil.rmtree(folder, ignore_errors=True)
    source = default_folder()
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("samples"))
    calibration = calibration_file(source)
    if calibration.exists():
        shutil.copyfile(calibration, folder / "calibration.json")
    path = folder / "assignment.toml"
    before, title, after = path.read_text(encoding="utf-8").rpartition(TITLE)
    path.write_text(f"{before}{title}{word}{after}", encoding="utf-8")
    return folder


def _enlarge(source: Path, target: Path, count: int) -> None:
    """Write a class of `count` from a graded one: the same runs and notebooks, new names."""
    ours.fresh(target / "notebooks", target / "out")
    (target / "memory").mkdir(exist_ok=True)
    with Gradebook(source / "out") as graded_before:
        entries, standings = graded_before.entries(), graded_before.standings()
    with Gradebook(target / "out", load_assignment(default_folder()), ours.LANGUAGE) as gradebook:
        for number in range(count):
            entry = entries[number % len(entries)]
            student = Student(f"copia-{number + 1:04}", f"Copia {number + 1:04}")
            result = {**entry.result, "student": {"id": student.id, "name": student.name}}
            scored = standings[entry.student.id].scored
            gradebook.add(student, entry.gathered, result, scored)
            notebook = source / "notebooks" / f"{entry.student.id}.ipynb"
            shutil.copyfile(notebook, target / "notebooks" / f"{student.id}.ipynb")
            folder = target / "out" / "students" / student.id
            folder.mkdir(parents=True)
            for page in (source / "out" / "students" / entry.student.id).glob("executed.*"):
                os.link(page, folder / page.name)
