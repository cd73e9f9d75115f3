"""What one machine carries: walls, notebooks and trainers at the same time."""

from __future__ import annotations

import os
from dataclasses import dataclass

from grader.delegation import Memory
from grader.sandbox import Level, WallsError, probe

MEMORY_EACH_MB = 3000
MOST_KERNELS = 100  # eight descriptors each, of the 1024 that a process usually has
MOST_OF_ONE_USER = 4  # where a limit on processes counts all of a user's
KERNEL_MB = 1500  # of a notebook whose trainings are delegated


@dataclass(frozen=True)
class Machine:
    """How submissions are run on one machine.

    Attributes:
        workers: trainers at the same time.
        kernels: notebooks at the same time; they mostly wait for trainings.
        memory: of trainings; the user's own by default.
        train_in_kernel: nothing is delegated; everything is verified.
    """

    level: Level
    workers: int
    kernels: int
    memory: Memory | None = None
    train_in_kernel: bool = False


def need_walls(level: Level = Level.STANDARD) -> Level:
    """Make sure of the walls that a class is graded behind; return their level.

    Raises:
        WallsError: this machine offers less.
    """
    found = probe()
    if found.level is Level.NONE or (found.level, level) == (Level.REDUCED, Level.STANDARD):
        more = "; --allow-reduced takes them" if found.level is Level.REDUCED else ""
        raise WallsError(
            f"a class is graded behind {level} walls, "
            f"and this machine offers {found.level}: {found.reason}{more}"
        )
    return found.level


def default_kernels(level: Level = Level.STANDARD) -> int:
    """Return how many notebooks are in flight: as many as memory holds, for most of them wait."""
    alone = level is Level.REDUCED and os.geteuid() != 0
    most = MOST_OF_ONE_USER if alone else MOST_KERNELS
    return max(1, min(most, _memory_mb() // KERNEL_MB))


def default_workers() -> int:
    """Return how many trainers this machine runs at the same time."""
    return max(1, min(os.cpu_count() or 1, _memory_mb() // MEMORY_EACH_MB))


def _memory_mb() -> int:
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20)
    except (ValueError, OSError, AttributeError):
        return MEMORY_EACH_MB
