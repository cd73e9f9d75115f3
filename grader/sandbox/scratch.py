"""Temporary folders that nobody leaves behind.

A process keeps its own in one folder, which it holds locked. Whoever comes next removes those of
processes that ended before they could, whatever ended them.
"""

from __future__ import annotations

import atexit
import os
import platform
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from grader.sandbox.disk import remove_tree
from grader.sandbox.jobs import WallsError
from grader.sandbox.slots import shared_folder, taken

TRIES = 3


def new_folder(prefix: str) -> Path:
    """Make a temporary folder, which whoever asked removes when it is not needed any more.

    Jobs of other users pass through it, and cannot list it.

    Raises:
        OSError: there is no room for one.
    """
    parent = tempfile.gettempdir()
    try:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=_own(os.getpid(), parent)))
    except FileNotFoundError:  # somebody has tidied up
        _own.cache_clear()
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=_own(os.getpid(), parent)))
    made.chmod(0o711)
    return made


@cache
def _own(pid: int, parent: str) -> Path:
    """This process's folder. It is the pid's: a fork makes one of its own."""
    try:
        import fcntl  # noqa: F401
    except ImportError:  # Windows locks no folders
        return Path(parent)
    for _ in range(TRIES):
        try:
            return _made(pid, Path(parent))
        except FileNotFoundError:  # the last one there has removed it meanwhile
            continue
        except (WallsError, OSError):  # somebody else's, or a system that locks nothing
            break
    return Path(parent)


def _made(pid: int, parent: Path) -> Path:
    everybodys = shared_folder(parent, "grader-")
    everybodys.chmod(0o711)  # as above
    machine = f"{zlib.crc32(platform.node().encode()) & 0xFFFF:04x}-"
    with _locked(everybodys):
        for left in everybodys.glob(f"{machine}*"):  # locks of other machines are not seen here
            with suppress(OSError), _opened(left) as descriptor:
                if taken(descriptor):
                    remove_tree(left)
        own = Path(tempfile.mkdtemp(prefix=machine, dir=everybodys))
        own.chmod(0o711)
        taken(os.open(own, os.O_RDONLY | os.O_CLOEXEC))  # stays open as long as this process lives
    atexit.register(_leave, pid, own)
    return own


def _leave(pid: int, own: Path) -> None:
    if os.getpid() == pid:
        with suppress(OSError), _locked(own.parent):
            remove_tree(own)
            own.parent.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl

    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
