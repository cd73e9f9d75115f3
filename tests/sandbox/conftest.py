"""Runs a piece of Python behind the real walls and says what it printed and how it ended."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.sandbox import Ended, Job, Level, Limits, Mount, Sandbox, WallsError, open_sandbox


@dataclass(frozen=True)
class Outcome:
    """What a job printed and how it ended."""

    printed: str
    ended: Ended


Run = Callable[..., Outcome]


@pytest.fixture
def job_folder(tmp_path: Path) -> Path:
    """The folder that is /job inside."""
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox at level standard; a skip where this system has none."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the standard walls need Linux")
    try:
        return open_sandbox(Level.STANDARD, slot=7)
    except WallsError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(sandbox: Sandbox, job_folder: Path) -> Run:
    """Run code inside: `run(code, *arguments, mounts=..., environment=..., wall_s=..., ...)`."""

    def run_inside(
        code: str,
        *arguments: str,
        mounts: tuple[Mount, ...] = (),
        environment: dict[str, str] | None = None,
        wall_s: float = 20,
        **limits: int,
    ) -> Outcome:
        job = Job(
            ["-I", "-c", code, *arguments],
            (Mount(job_folder, "/job", writable=True), *mounts),
            Limits(wall_s=wall_s, **limits),
            environment or {},
        )
        with sandbox.start(job, stdout=subprocess.PIPE) as running:
            assert running.process.stdout is not None
            printed = running.process.stdout.read().decode()
            return Outcome(printed.strip(), running.wait())

    return run_inside


@pytest.fixture
def wait_until() -> Callable[..., bool]:
    """A function: wait until something holds, and tell whether it did in time."""

    def wait(condition: Callable[[], bool], seconds: float = 5) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return wait
