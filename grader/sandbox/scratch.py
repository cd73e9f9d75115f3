"""Temporary folders that nobody leaves behind.

A process keeps its own in one folder, which it holds locked. Whoever comes next removes those of
processes that ended before they could, whatever ended them.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from grader.sandbox.disk import remove_tree
from grader.sandbox.slots import shared_folder, taken

TRIES = 3


def new_folder(prefix: str) -> Path:
    """Make a temporary folder, which whoever asked removes when it is not needed any more.

    Raises:
        OSError: there is no room for one.
        WallsError: somebody else has taken this user's name for them.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_own(os.getpid(), tempfile.gettempdir())))


@cache
def _own(pid: int, parent: str) -> Path:
    """This process's folder. It is the pid's: a fork makes one of its own."""
    try:
        import fcntl  # noqa: F401
    except ImportError:  # Windows locks no folders
        return Path(parent)
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):  # the last one there has removed it meanwhile
            return _made(pid, Path(parent))
    return _made(pid, Path(parent))


def _made(pid: int, parent: Path) -> Path:
    everybodys = shared_folder(parent, "grader-")
    everybodys.chmod(0o711)  # jobs of other users pass
    with _locked(everybodys):
        for left in everybodys.iterdir():
            with suppress(OSError), _opened(left) as descriptor:
                if taken(descriptor):
                    remove_tree(left)
        own = Path(tempfile.mkdtemp(prefix="", dir=everybodys))
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
