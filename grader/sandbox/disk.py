"""What a job does to the host's disk: how much it has added, and how to be rid of what it left."""

from __future__ import annotations

import errno
import itertools
import math
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.sandbox.jobs import WallsError
from grader.sandbox.processes import may_hide_files, nameless_files, written_bytes

MIB = 1024 * 1024
ENTRY_BYTES = 32 * 1024  # that each counts at least: a look at 4 GiB of them takes a second
PAUSE_S = 1.0
LONGEST_PAUSE_S = 2.0
SHARE_OF_TIME = 0.05
LOOKS = 2
ONLY_NAMED = getattr(os, "O_PATH", os.O_RDONLY)


class DiskWatch:
    """Measures folders once a second, less often when that takes long.

    The first measurement is made at once: build it before the job starts.

    While a job may hide files, how large they are is nowhere to be seen: all that it writes then
    counts; and where it lets nobody look, all that goes from the file system.

    Raises:
        WallsError: (when it is built) a folder cannot be looked into.
    """

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        try:
            self._first = self._used(())
        except _HiddenError as error:
            raise WallsError(f"{folders} cannot be looked into: give empty folders") from error
        self._added = 0.0
        self._seen: tuple[float, int, int] = (0.0, 0, self._free_bytes())
        self._hiding = 0
        self._next = 0.0

    def added_mb(self, pids: Callable[[], Iterable[int]] = tuple) -> float:
        """Return what was added, in MiB; every entry costs at least 32 KiB, a hidden one all.

        Args:
            pids: of the job's processes; files that they hold open count without a name too.
        """
        begun = time.monotonic()
        if begun >= self._next:
            try:
                self._added = self._look(list(pids()))
            except _HiddenError:
                self._added = math.inf
            ended = time.monotonic()
            rest = (ended - begun) / SHARE_OF_TIME
            self._next = ended + min(max(PAUSE_S, rest), LONGEST_PAUSE_S)
        return self._added / MIB

    def _look(self, pids: list[int]) -> float:
        added = self._used(pids) - self._first
        self._hiding = self._hiding + 1 if may_hide_files(pids, self._devices()) else 0
        if self._hiding == 0:
            self._seen = (added, written_bytes(pids) or 0, self._free_bytes())
        if self._hiding < LOOKS:  # what is received soon was hidden from nobody
            return added
        before, written, free = self._seen
        now = written_bytes(pids)
        return max(added, before + (free - self._free_bytes() if now is None else now - written))

    def _used(self, pids: Iterable[int]) -> float:
        devices = self._devices()
        nameless = (file.used for file in nameless_files(pids) if file.device in devices)
        return sum(map(_used_bytes, self.folders)) + sum(nameless)

    def _free_bytes(self) -> int:
        free = 0
        for folder in self._devices().values():
            with suppress(OSError):
                system = os.statvfs(folder)
                free += system.f_bfree * system.f_frsize
        return free

    def _devices(self) -> dict[int, Path]:
        found: dict[int, Path] = {}
        for folder in self.folders:
            with suppress(OSError):
                found.setdefault(folder.stat().st_dev, folder)
        return found


def _used_bytes(top: Path) -> int:
    used, folders = 0, [os.fspath(top)]
    while folders:
        with _vanishing(), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with _vanishing():
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    used += max(blocks * 512, ENTRY_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
    return used


class _HiddenError(Exception):
    """Something is hidden on purpose, too deep for a path or closed to us."""


@contextmanager
def _vanishing() -> Iterator[None]:
    """Code inside renames and removes while we look; what is gone was counted as an entry."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENAMETOOLONG, errno.EACCES}:
            raise _HiddenError from error


def remove_tree(folder: Path) -> None:
    """Remove a folder that a job has left, however deep; what cannot be removed stays.

    `shutil.rmtree` gives up at a depth of a thousand, with an error of ours. This one never goes
    down: it brings every folder up to the top, then looks at it there. Each is named from one that
    is open, so that no link which somebody puts in a folder's place meanwhile is followed.
    """
    if os.scandir not in os.supports_fd or os.rename not in os.supports_dir_fd:  # Windows
        shutil.rmtree(folder, ignore_errors=True)
        return
    with suppress(OSError), _opened(os.fspath(folder)) as top:
        _flatten(top)
    with suppress(OSError):
        folder.rmdir()


def _flatten(top: int) -> None:
    names = (f"{uuid.uuid4().hex}-{number}" for number in itertools.count())
    left = ["."]
    while left:
        name = left.pop()
        with suppress(OSError), _opened(name, top) as folder, os.scandir(folder) as entries:
            for entry in list(entries):
                left += _removed(entry.name, folder, top, next(names))
        if name != ".":
            with suppress(OSError):
                os.rmdir(name, dir_fd=top)


def _removed(name: str, folder: int, top: int, place: str) -> list[str]:
    """Remove an entry that is no folder; bring a folder up and return its name there."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
        return []
    with suppress(OSError):
        with _opened(name, folder):
            pass  # a folder that is moved gets another "..", for which it must be writable
        os.rename(name, place, src_dir_fd=folder, dst_dir_fd=top)
        return [place]
    return []


@contextmanager
def _opened(name: str, at: int | None = None) -> Iterator[int]:
    """Open a folder, and no link to one, for its owner to read and write.

    Raises:
        OSError: it is none.
    """
    place = os.open(name, ONLY_NAMED | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    try:
        with suppress(OSError):
            os.chmod(f"/proc/self/fd/{place}", stat.S_IRWXU)
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
        try:
            yield folder
        finally:
            os.close(folder)
    finally:
        os.close(place)
