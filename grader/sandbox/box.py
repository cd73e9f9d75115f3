"""`open_sandbox`: the one way in."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Protocol

from grader.sandbox.jobs import Job, Level, WallsError
from grader.sandbox.launch import Stream
from grader.sandbox.plain import Plain
from grader.sandbox.running import Running


class Starter(Protocol):
    """One level's way of starting a job."""

    def start(self, job: Job, stdin: Stream, stdout: Stream) -> Running:
        """Start a job."""

    def give(self, path: Path) -> None:
        """Let jobs use a path."""


class Sandbox:
    """Starts jobs at one level. Every sandbox that runs at the same time needs its own slot."""

    def __init__(self, level: Level, slot: int = 0) -> None:
        self.level = level
        self.slot = slot
        self._starter: Starter = _starter(level, slot)

    def start(
        self, job: Job, *, stdin: Stream = subprocess.DEVNULL, stdout: Stream = subprocess.DEVNULL
    ) -> Running:
        """Start a job; its deadline runs from now.

        Raises:
            WallsError: a mount or something that the walls need is missing.
        """
        return self._starter.start(job, stdin, stdout)

    def give(self, path: Path) -> None:
        """Let jobs read and write a run folder or a socket; needed only for what is not mounted.

        As root this changes the owner; else it does nothing.
        """
        self._starter.give(path)


def open_sandbox(level: Level | None = None, slot: int = 0) -> Sandbox:
    """Return a sandbox of a level; None asks the probe for the best this machine offers.

    Raises:
        WallsError: the level is not offered here.
    """
    return Sandbox(_best_level() if level is None else level, slot)


@cache
def _best_level() -> Level:
    from grader.sandbox.probe import probe

    return probe().level


def _starter(level: Level, slot: int) -> Starter:
    if level is Level.NONE:
        return Plain()
    if level is Level.REDUCED:
        from grader.sandbox.reduced import Reduced

        return Reduced(slot)
    if not sys.platform.startswith("linux"):
        raise WallsError(f"sandbox level 'standard' needs Linux, this is {sys.platform}: use WSL2")
    from grader.sandbox.walls import Walls

    return Walls(slot)
