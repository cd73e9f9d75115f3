"""Runs a command and says what it took: wall, processor time and memory, its children included."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
TAIL = 2000


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        cpu_s: user and system time of it and of all its children that it waited for.
        peak_mb: resident memory of the largest single process among them.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int


class Failed(Exception):
    """A command ended in another way than it should; the message has its last words."""


def run(
    command: Sequence[object],
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    log: Path | None = None,
    good: tuple[int, ...] = (0,),
) -> Usage:
    """Run a command to its end and return what it took.

    Args:
        command: its parts, each as text or as a path.
        environment: variables beside those of this process.
        log: where its output goes; None: to the screen.
        good: exit codes that are no failure.

    Raises:
        Failed: it ended with another exit code.
    """
    stream: IO[bytes] | None = None if log is None else log.open("wb")
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=None if stream is None else subprocess.STDOUT,
    )
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if stream is not None:
        stream.close()
    if process.returncode not in good:
        said = "" if log is None else log.read_text(encoding="utf-8", errors="replace")[-TAIL:]
        raise Failed(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{said}")
    peak_kib = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
    return Usage(wall_s, used.ru_utime + used.ru_stime, peak_kib / 1024, process.returncode)
