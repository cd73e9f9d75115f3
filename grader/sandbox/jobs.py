"""The plain data of the walls: what to run, within which limits, and how it ended.

Nothing here starts a process; the module imports on every platform.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Literal

HOME = "/home/student"
RESERVED = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/python", "/sys", "/usr", "/venv")

Arguments = Callable[[Callable[[str], str]], Sequence[str]] | Sequence[str]
Reason = Literal["exited", "deadline", "memory", "disk", "killed"]


class WallsError(Exception):
    """The walls could not be put up or did not hold; one line: what, value, what to do."""


class Level(StrEnum):
    """How much a sandbox holds back."""

    NONE = "none"
    REDUCED = "reduced"
    STANDARD = "standard"


@dataclass(frozen=True)
class Limits:
    """What one job may use. The deadline is kept from outside, on a monotonic clock.

    `memory_mb` covers all processes together, the private file systems included; `cpu_s` and
    `file_mb` are for each process and each file. `disk_mb` is what a job may add to its
    writable mounts; it is looked at once a second, so a fast writer overshoots. None: not at all.
    The deadline stands still while the job waits for us, for `pauses_s` in all.
    """

    wall_s: float
    memory_mb: int = 4096
    processes: int = 256
    tmp_mb: int = 1024
    file_mb: int = 512
    cpu_s: int | None = None
    disk_mb: int | None = 4096
    pauses_s: float = math.inf

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not value > 0:
                raise WallsError(f"limit {name} is {value}: give a number above zero")


@dataclass(frozen=True)
class Mount:
    """A host file or folder and the absolute path at which code inside finds it."""

    source: Path
    target: str
    writable: bool = False

    def __post_init__(self) -> None:
        path = PurePosixPath(self.target)
        if not self.target.startswith("/") or str(path) != self.target or ".." in path.parts:
            raise WallsError(f"mount target {self.target!r}: give an absolute path without '..'")
        if path == PurePosixPath("/") or any(below(self.target, name) for name in RESERVED):
            raise WallsError(f"mount target {self.target!r} belongs to the walls: choose another")


@dataclass(frozen=True)
class Job:
    """One program to run: arguments after the Python interpreter, and what it may see.

    `argv` is a sequence, or a function that gets `inside` (mount target -> path that this level
    really uses) and returns one. Values of `environment` that are a mount target, or lie below
    one, are translated by the sandbox in the same way.
    """

    argv: Arguments
    mounts: tuple[Mount, ...]
    limits: Limits
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/job"

    def __post_init__(self) -> None:
        targets = [mount.target for mount in self.mounts]
        for index, target in enumerate(targets):
            for other in targets[:index] + targets[index + 1 :]:
                if below(target, other):
                    raise WallsError(f"mount {target!r} lies in mount {other!r}: keep them apart")

    def arguments(self, inside: Callable[[str], str]) -> list[str]:
        """Return the arguments after the interpreter, with paths as this level has them."""
        return list(self.argv(inside) if callable(self.argv) else self.argv)


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    `exit_code` is 128 + the signal's number for a program that died of one, and None when it was
    stopped from outside. `cpu_s` and `peak_memory_mb` are None where nothing measured them.
    """

    reason: Reason
    exit_code: int | None
    seconds: float
    cpu_s: float | None
    peak_memory_mb: float | None
    oom_kills: int
    stderr_tail: str


def below(path: str, folder: str) -> bool:
    """Tell whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
