"""`grader doctor`: what this machine can do, found out by doing it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable

from grader.assignment import Assignment
from grader.batch.machine import default_workers
from grader.dataset.store import DatasetError, open_dataset
from grader.sandbox import Level, probe


def examine(assignment: Assignment, say: Callable[[str], None]) -> bool:
    """Say one line for each thing; return whether a class can be graded here."""
    tensorflow, keras = _version("tensorflow", "tensorflow-cpu"), _version("keras")
    say(f"Python      {platform.python_version()} on {platform.system()} {platform.machine()}")
    say(f"TensorFlow  {tensorflow or 'missing: run `make setup`'}")
    say(f"Keras       {keras or 'missing: run `make setup`'}")
    try:
        dataset = open_dataset(assignment.spec.dataset.spec)
        say(
            f"dataset     {assignment.spec.dataset.name}, SHA-256 {dataset.sha256[:12]}…, "
            f"in {dataset.folder}"
        )
        found = True
    except DatasetError as error:
        say(f"dataset     {error}")
        found = False
    walls = probe()
    say(f"walls       {walls.level}: {walls.reason}")
    for check in walls.checks:
        say(f"            {'ok ' if check.ok else 'NOT'} {check.name}: {check.detail}")
    say(f"workers     {default_workers()} of {os.cpu_count()} processors")
    ready = bool(tensorflow and keras and found)
    able = {
        Level.STANDARD: "to grade a class",
        Level.REDUCED: "for self-checks, and to grade a class with --allow-reduced",
        Level.NONE: "for self-checks only",
    }
    say(f"ready       {able[walls.level]}" if ready else "not ready")
    return ready and walls.level is Level.STANDARD


def _version(*names: str) -> str | None:
    for name in names:
        try:
            return f"{importlib.metadata.version(name)} ({name})"
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
