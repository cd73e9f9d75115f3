"""Kernels and trainers that are killed, at any moment, change no result."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.batch.folders import left, look
from tests.kernel.conftest import LOAD
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox]


def a_class(folder: Path, count: int) -> Path:
    """Small trainings, all different."""
    folder.mkdir()
    for number in range(count):
        code = f"m = net(8); _ = m.fit(x[:3000], y[:3000], epochs={2 + number % 6}, verbose=0)"
        (folder / f"e{number}.ipynb").write_bytes(file_of(LOAD, code, "m.evaluate(x_test, y_test)"))
    return folder


def grade(source: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start a controller with a memory of trainings of this class's own."""
    words = ["grade", str(source), "--out", str(out), "--workers", "2"]
    with (out.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "grader", *words],
            env={**os.environ, "GRADER_MEMORY": f"{out}-memory"}, stdout=log, stderr=log,
        )  # fmt: skip


def sandboxes(controller: int) -> list[int]:
    """The processes that hold a controller's sandboxes: killing one ends all that is in it."""
    tasks = Path(f"/proc/{controller}/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in read(task).split()]
    return [pid for pid in pids if b"bwrap" in read(Path(f"/proc/{pid}/cmdline"))]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def harassed(controller: subprocess.Popen[bytes], kills: int, chance: random.Random) -> int:
    """Kill a controller's sandboxes now and then; return how many were killed."""
    done = 0
    while controller.poll() is None:
        time.sleep(chance.uniform(0.2, 1.5))
        victims = sandboxes(controller.pid)
        if victims and done < kills:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                done += 1
    return done


def killed(tmp_path: Path, kills: int, count: int) -> str:
    """Grade again and again, each time from an empty memory, until there were enough kills."""
    source, chance = a_class(tmp_path / "entregas", count), random.Random(time.time_ns())
    assert 0 == grade(source, tmp_path / "undisturbed").wait(300)
    expected, number, done, stops = left(tmp_path / "undisturbed"), 0, 0, 0
    assert all(one["runs"] for one in expected.values())
    while done < kills:
        out, number = tmp_path / f"out{number}", number + 1
        controller = grade(source, out)
        done += harassed(controller, min(kills - done, 8), chance)
        stops += controller.returncode == 3  # three faults of ours in a row, or no walls
        look(out)
        assert 0 == grade(source, out).wait(300)
        assert expected == left(out)
    return f"{done} in {number} batches of {count} ({stops} stopped), 0 changed"


@pytest.mark.timeout(300)
def test_kernels_and_trainers_that_are_killed_change_nothing(tmp_path: Path) -> None:
    """One of them."""
    killed(tmp_path, 1, count=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_fifty_killed_kernels_and_trainers_change_nothing(
    tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """Fifty of them."""
    record_property("kills of kernels and trainers", killed(tmp_path, 50, count=6))
