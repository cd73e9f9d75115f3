"""Job descriptions that make no sense are refused with the value and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox import Job, Limits, Mount, WallsError
from grader.sandbox.ownership import Owner


@pytest.mark.parametrize("target", ["job", "/", "/usr/x", "/a/../b", "/a/", "/proc", "/venv/bin"])
def test_bad_targets_are_refused(target: str) -> None:
    """A target is absolute, plain, and not a place of the walls."""
    with pytest.raises(WallsError, match="mount target"):
        Mount(Path("."), target)


def test_nested_mounts_are_refused() -> None:
    """One mount may not lie in another: at level none that would write into the source."""
    mounts = (Mount(Path("."), "/job"), Mount(Path("."), "/job/data"))

    with pytest.raises(WallsError, match="lies in mount '/job'"):
        Job([], mounts, Limits(wall_s=1))


def test_limits_are_above_zero() -> None:
    """A limit of nothing is a mistake, not "unlimited"."""
    with pytest.raises(WallsError, match="limit memory_mb is 0"):
        Limits(wall_s=1, memory_mb=0)


def test_slots_are_counted() -> None:
    """A slot outside the range of uids is refused."""
    with pytest.raises(WallsError, match="slot 1000"):
        Owner.for_slot(1000)
