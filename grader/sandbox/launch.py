"""Starts processes from one thread that lives as long as the controller.

`--die-with-parent` is a signal for the end of the *thread* that forked: a job started from a
pool's thread would be killed when that thread goes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

Stream = int | IO[bytes]


@dataclass(frozen=True)
class Command:
    """What to start: everything that Popen needs, nothing inherited."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    stdin: Stream
    stdout: Stream
    keep: tuple[int, ...] = ()
    workdir: Path | None = None


def start(command: Command) -> subprocess.Popen[bytes]:
    """Start a process in its own session; its stderr is a pipe.

    Raises:
        OSError: the program could not be started.
    """
    return _launcher(os.getpid()).submit(_start, command).result()


@cache
def _launcher(pid: int) -> ThreadPoolExecutor:
    # A forked controller has no thread of its parent's: the pid makes it build its own.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sandbox-launcher-{pid}")


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command.argv),
        env=dict(command.environment),
        stdin=command.stdin,
        stdout=command.stdout,
        stderr=subprocess.PIPE,
        cwd=command.workdir,
        pass_fds=command.keep,
        start_new_session=True,
        umask=0o002 if os.name == "posix" else -1,
    )
