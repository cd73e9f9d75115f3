"""Process trees read from /proc: who belongs to a job, how much memory and time they use.

Linux only; every function copes with processes that vanish while it reads.
"""

from __future__ import annotations

import os
import re
import signal
import stat
import time
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.jobs import WallsError

SURVIVAL_S = 5.0
INODE_BYTES = 1024  # of the kernel's memory, for each entry of a file system in memory
LONGEST_LOOK_S = 0.1  # of processor time, at what a job has open: a thousand take 5 ms
HELD = re.compile(r"^(?:RssAnon|RssShmem):\s*(\d+)", re.MULTILINE)
WRITTEN = re.compile(rb"^(\w*write_bytes): (\d+)", re.MULTILINE)
WAITING = re.compile(rb"^scm_fds:\s*(\d+)", re.MULTILINE)
TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Process:
    """One process at one moment; pid and start together name it for ever."""

    pid: int
    parent: int
    started: int
    cpu_s: float
    state: str
    threads: int = 1

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more; one whose first thread alone has ended does."""
        return self.state == "X" or (self.state == "Z" and self.threads <= 1)


def tree(root: int) -> list[Process]:
    """Return the process `root` and everything that descends from it."""
    everything = [found for found in map(_read, _pids()) if found is not None]
    members = {root}
    while True:
        more = {found.pid for found in everything if found.parent in members} - members
        if not more:
            return [found for found in everything if found.pid in members]
        members |= more


def of_user(uid: int) -> Iterator[Process]:
    """Yield the processes of a user; those that have ended wait to be forgotten."""
    for pid in _pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            found = os.stat(f"/proc/{pid}").st_uid == uid and _read(pid)
            if found and not found.ended:
                yield found


def alive(process: Process) -> bool:
    """Tell whether this very process still runs (a zombie does not)."""
    now = _read(process.pid)
    return now is not None and now.started == process.started and not now.ended


def end(members: Iterable[Process]) -> None:
    """Kill processes until none of them is alive.

    Raises:
        WallsError: some survive.
    """
    members, deadline = list(members), time.monotonic() + SURVIVAL_S
    while left := [one.pid for one in members if alive(one)]:
        if time.monotonic() > deadline:
            raise WallsError(f"{len(left)} processes of a job survived SIGKILL: {left[:5]}")
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def memory_mb(processes: list[Process]) -> float:
    """Return the memory that these processes hold, without mapped files, in MiB.

    Shared memory counts once for each process that maps it: too much rather than too little.
    """
    held = sum(_held_kb(process.pid) for process in processes) * 1024
    files = nameless_files(process.pid for process in processes)
    return (held + sum(file.used for file in files if file.in_memory)) / 2**20


@dataclass(frozen=True)
class Nameless:
    """A file that a process has open and no folder shows any more."""

    device: int
    used: int
    """Bytes."""
    in_memory: bool
    """It never had a name: memfd."""


def nameless_files(pids: Iterable[int]) -> list[Nameless]:
    """Return the nameless files that these processes have open, each once, as far as is seen."""
    found: dict[tuple[int, int], Nameless] = {}
    for path, status in _descriptors(pids):
        if status is not None and status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
            with suppress(OSError):
                in_memory = os.readlink(path).startswith("/memfd:")
                file = Nameless(status.st_dev, status.st_blocks * 512, in_memory)
                found[status.st_dev, status.st_ino] = file
    return list(found.values())


def may_hide_files(pids: Iterable[int], devices: Container[int]) -> bool:
    """Tell whether these processes may have files of some devices that `nameless_files` misses.

    The file was mapped and its descriptor closed; or the descriptor waits in a socket until
    somebody receives it (`scm_fds` in /proc/PID/fdinfo: Linux 5.7, and 6.3 for a connection that
    nobody has accepted yet); or a process has so many that looking at them takes long, or lets
    nobody look.
    """
    pids = list(pids)
    until = time.thread_time() + LONGEST_LOOK_S
    sockets: dict[int, str] = {}
    for path, status in _descriptors(pids):
        if status is None:
            return True
        if stat.S_ISSOCK(status.st_mode):
            sockets[status.st_ino] = path.replace("/fd/", "/fdinfo/")
    for pid in pids:
        if time.thread_time() > until or any(one in devices for one in _mapped_without_name(pid)):
            return True
    return any(map(_has_descriptors_waiting, sockets.values()))


def written_bytes(pids: Iterable[int]) -> int | None:
    """Return what these processes, and children that they waited for, have written to disks.

    None where one of them lets nobody look.
    """
    total = 0
    for pid in pids:
        try:
            said = dict(WRITTEN.findall(Path(f"/proc/{pid}/io").read_bytes()))
        except PermissionError:
            found = _read(pid)
            if found is not None and not found.ended:
                return None
        except OSError:
            continue
        else:
            total += int(said.get(b"write_bytes", 0)) - int(said.get(b"cancelled_write_bytes", 0))
    return total


def _has_descriptors_waiting(path: str) -> bool:
    with suppress(OSError):
        said = WAITING.search(Path(path).read_bytes())
        return said is not None and int(said[1]) > 0
    return False


def _mapped_without_name(pid: int) -> Iterator[int]:
    """The devices of the files that a process has mapped and that have no name any more."""
    for path in _of_threads(pid, "maps"):
        with suppress(OSError):
            if lines := Path(path).read_bytes().splitlines():
                for line in lines:
                    if line.endswith(b" (deleted)"):
                        major, minor = line.split(maxsplit=4)[3].split(b":")
                        yield os.makedev(int(major, 16), int(minor, 16))
                return


def _of_threads(pid: int, name: str) -> Iterator[str]:
    """A file of each thread's: where a process's first thread has ended, another one has it."""
    with suppress(OSError):
        yield from (f"/proc/{pid}/task/{each}/{name}" for each in os.listdir(f"/proc/{pid}/task"))


def _descriptors(pids: Iterable[int]) -> Iterator[tuple[str, os.stat_result | None]]:
    """The path in /proc of what is open, and what it leads to; None for a table that is not seen.

    Every thread is asked: it may have descriptors of its own, and outlive a process's first. The
    program itself, which may have lost its name, is open, too.
    """
    until = time.thread_time() + LONGEST_LOOK_S
    for pid in pids:
        with suppress(OSError):
            yield f"/proc/{pid}/exe", os.stat(f"/proc/{pid}/exe")
        for folder in _of_threads(pid, "fd"):
            if time.thread_time() > until:
                yield folder, None
                return
            try:
                names = os.listdir(folder)
            except PermissionError:
                if not _ended(f"{folder.removesuffix('fd')}stat"):
                    yield folder, None
                continue
            except OSError:
                continue
            for name in names:
                with suppress(OSError):
                    yield f"{folder}/{name}", os.stat(f"{folder}/{name}")


def _ended(path: str) -> bool:
    with suppress(OSError):
        return Path(path).read_bytes().rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"], [])
    return True


def private_mb(processes: list[Process], folders: Iterable[str], size_mb: int) -> float:
    """Return what the walls' own file systems hold, in MiB: those of just this size.

    A process in front of the walls has other ones of the machine under these names.
    """
    used: dict[int, int] = {}
    for process in processes:
        for folder in folders:
            with suppress(OSError):
                place = f"/proc/{process.pid}/root{folder}"
                status = os.statvfs(place)
                if status.f_blocks * status.f_frsize == size_mb * 2**20:
                    blocks = (status.f_blocks - status.f_bfree) * status.f_frsize
                    inodes = (status.f_files - status.f_ffree) * INODE_BYTES
                    used[os.stat(place).st_dev] = blocks + inodes
    return sum(used.values()) / 2**20


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    ticks = sum(int(value) for value in fields[11:15])
    threads = int(fields[17])
    return Process(pid, int(fields[1]), int(fields[19]), ticks / TICKS_PER_S, fields[0], threads)


def _held_kb(pid: int) -> int:
    for status in _of_threads(pid, "status"):
        with suppress(OSError):
            text = Path(status).read_text(encoding="utf-8", errors="replace")
            if held := HELD.findall(text):
                return sum(map(int, held))
    return 0
