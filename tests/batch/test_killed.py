"""A controller that is killed at any moment loses nothing that was done, and repeats nothing."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from grader.batch.command import Asked, grade_folder
from grader.batch.lock import LOCK, Occupied
from grader.dataset.store import open_dataset
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.loading import default_folder, load_assignment
from tests.batch.folders import left, look

COUNT = 30
CELLS = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": []}
pytestmark = [pytest.mark.tf, pytest.mark.sandbox]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Thirty submissions: most cannot be read, which takes no kernel, and one is empty."""
    folder = tmp_path / "entregas"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"e{number:02}.ipynb").write_text(f"no notebook {number}")
    (folder / "e15.ipynb").write_text(json.dumps(CELLS))
    return folder


def grade(source: Path, out: Path, began: Event) -> None:
    """What `grader grade` does, with its words to nowhere; runs in a process of its own."""
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    began.set()
    sys.exit(grade_folder(Asked(source, out, "es", 2), assignment, dataset))


# A server with all imports done forks a controller in no time: it is killed at work, not at start.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["grader.batch.command", "grader.report.executed"])


def start(source: Path, out: Path) -> tuple[Any, Event]:
    began = PROCESSES.Event()
    process = PROCESSES.Process(target=grade, args=(source, out, began))
    process.start()
    assert began.wait(120)
    return process, began


def finish(source: Path, out: Path) -> float:
    """Grade to the end; return how many seconds it took."""
    process, _ = start(source, out)
    began = time.monotonic()
    process.join(300)
    assert 1 == process.exitcode  # unreadable ones need a person
    return time.monotonic() - began


def kill_after(source: Path, out: Path, seconds: float) -> bool:
    """Start grading and kill it; return whether it was still at work."""
    process, _ = start(source, out)
    process.join(seconds)
    at_work = process.exitcode is None
    process.kill()
    process.join()
    return at_work


def killed(source: Path, tmp_path: Path, kills: int, seed: int) -> str:
    """Kill and go on until enough kills hit a run at work, on one folder after the other.

    Each comes at a moment between the start and the time that an undisturbed run takes, here and
    now; how many submissions were done at each is counted.
    """
    chance, done, number = random.Random(seed), Counter[str](), 0
    span_s = finish(source, tmp_path / "undisturbed")
    expected = left(tmp_path / "undisturbed")
    while done.total() < kills:
        out = tmp_path / f"out{number}"
        number += 1
        while done.total() < kills and kill_after(source, out, chance.uniform(0.0, span_s)):
            done[graded_so_far(out)] += 1
            look(out)
        finish(source, out)
        look(out)
        assert expected == left(out)
        with Gradebook(out) as gradebook:
            rows = gradebook.gradings()
        assert [1] * COUNT == list(rows.values()), "a finished step was repeated"
    hit = ", ".join(f"{count} with {state}" for state, count in sorted(done.items()))
    return f"{done.total()} in {number} batches of {COUNT} ({hit}), 0 lost, 0 repeated, 0 changed"


def graded_so_far(out: Path) -> str:
    """How far a batch is, in words."""
    if not (out / FILE).exists():
        return "no gradebook yet"
    with Gradebook(out) as gradebook:
        count = len(gradebook.gradings())
    return "none graded" if count == 0 else "some graded" if count < COUNT else "all graded"


@pytest.mark.timeout(600)
def test_twenty_kills_lose_nothing(source: Path, tmp_path: Path) -> None:
    """Twenty at random moments, on as many folders as it takes."""
    killed(source, tmp_path, 20, seed=time.time_ns())


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_two_hundred_kills_lose_nothing(
    source: Path, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """Two hundred, and two more that take a kernel."""
    for number in (5, 25):
        (source / f"e{number:02}.ipynb").write_text(json.dumps(CELLS))
    record_property("kills of the controller", killed(source, tmp_path, 200, time.time_ns()))


def test_a_second_controller_leaves(source: Path, tmp_path: Path) -> None:
    """It says who is at work, and changes nothing."""
    assignment = load_assignment(default_folder())
    out = tmp_path / "out"
    first, _ = start(source, out)
    while not (out / LOCK).exists() or not (out / LOCK).read_text():
        time.sleep(0.01)
    with pytest.raises(Occupied) as caught:
        grade_folder(
            Asked(source, out, "es"), assignment, open_dataset(assignment.spec.dataset.spec)
        )
    first.join(300)

    assert f"is being graded by process {first.pid} already" in str(caught.value)
    assert COUNT == len(left(out))
