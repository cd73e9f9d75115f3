"""Which processes of this machine run; each thread is asked: one may outlive the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def running() -> Iterator[tuple[int, str]]:
    """Yield the process and the command line of every thread that has not ended."""
    for thread in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        with suppress(OSError):
            state = (thread / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            if state not in "ZX":
                yield int(thread.parts[2]), (thread / "cmdline").read_text(errors="replace")


def running_with(marker: str) -> list[int]:
    """Return the processes whose command line holds a marker."""
    return sorted({pid for pid, line in running() if marker in line})
