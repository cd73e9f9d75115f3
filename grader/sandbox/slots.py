"""Which slots are free: every sandbox that runs at the same time on a machine needs its own.

Several controllers may run here, and several workers of a cluster. Each holds a lock on a file for
each of its slots; the system lets go of them when the process ends, however it ends.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.sandbox.jobs import WallsError
from grader.sandbox.ownership import SLOTS, outside


@contextmanager
def free_slots(count: int) -> Iterator[list[int]]:
    """Hold the lowest slots that no other process of this user holds.

    Raises:
        WallsError: there are not so many.
    """
    held: dict[int, int] = {}
    folder = _folder()
    try:
        for slot in range(SLOTS):
            if len(held) == count:
                break
            descriptor = os.open(folder / str(slot), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if taken(descriptor):
                held[slot] = descriptor
            else:
                os.close(descriptor)
        if len(held) < count:
            raise WallsError(f"{count} sandboxes at the same time: {len(held)} are free; wait")
        yield list(held)
    finally:
        for descriptor in held.values():
            os.close(descriptor)


def taken(descriptor: int) -> bool:
    """Lock an open file; return whether no other process has."""
    try:
        import fcntl
    except ImportError:  # Windows runs nothing but self-checks
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def shared_folder(parent: Path, name: str) -> Path:
    """Return a folder that all processes of this user share; its name has the user's number.

    Raises:
        WallsError: somebody else has made it.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = parent / f"{name}{outside(user)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != user:
        raise WallsError(f"{folder} is another user's: remove it")
    return folder


def _folder() -> Path:
    """One for all of a user's processes on this machine, whatever their TMPDIR says."""
    shared = Path("/tmp")
    place = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    return shared_folder(place, "grader-slots-")
