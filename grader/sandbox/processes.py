"""Process trees read from /proc: who belongs to a job, how much memory and time they use.

Linux only; every function copes with processes that vanish while it reads.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

INODE_BYTES = 1024  # of the kernel's memory, for each entry of a file system in memory
TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Process:
    """One process at one moment; pid and start together name it for ever."""

    pid: int
    parent: int
    started: int
    cpu_s: float
    state: str


def tree(root: int) -> list[Process]:
    """Return the process `root` and everything that descends from it."""
    everything = [found for found in map(_read, _pids()) if found is not None]
    members = {root}
    while True:
        more = {found.pid for found in everything if found.parent in members} - members
        if not more:
            return [found for found in everything if found.pid in members]
        members |= more


def of_user(uid: int) -> Iterator[int]:
    """Yield the processes of a user."""
    for pid in _pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            if os.stat(f"/proc/{pid}").st_uid == uid:
                yield pid


def alive(process: Process) -> bool:
    """Tell whether this very process still runs (a zombie does not)."""
    now = _read(process.pid)
    return now is not None and now.started == process.started and now.state not in "ZX"


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
    """Return the nameless files that these processes have open, each once."""
    found: dict[tuple[int, int], Nameless] = {}
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        with suppress(OSError):
            for name in os.listdir(folder):
                with suppress(OSError):
                    status = os.stat(f"{folder}/{name}")
                    if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                        in_memory = os.readlink(f"{folder}/{name}").startswith("/memfd:")
                        file = Nameless(status.st_dev, status.st_blocks * 512, in_memory)
                        found[status.st_dev, status.st_ino] = file
    return list(found.values())


def descriptors_under_way(pids: Iterable[int]) -> bool:
    """Tell whether a socket of these processes holds descriptors that nobody has received yet.

    What they lead to is in no process's table. Linux says how many since 5.7 (`scm_fds` in
    /proc/PID/fdinfo of a UNIX socket).
    """
    for pid in pids:
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    if stat.S_ISSOCK(os.stat(f"/proc/{pid}/fd/{name}").st_mode):
                        said = Path(f"/proc/{pid}/fdinfo/{name}").read_text(encoding="utf-8")
                        if int(said.partition("scm_fds:")[2].strip() or 0) > 0:
                            return True
    return False


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
    return Process(pid, int(fields[1]), int(fields[19]), ticks / TICKS_PER_S, fields[0])


def _held_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    held = (line.split() for line in lines.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return sum(int(words[1]) for words in held)
