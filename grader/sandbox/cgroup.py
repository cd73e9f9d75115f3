"""Memory and process limits for a whole tree, by control groups of either version.

Version 2 where a subtree is ours to divide, else version 1 (as root), else none: the supervisor
then counts by itself. A group holds exactly one job.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.jobs import Limits, WallsError

MIB = 1024 * 1024
PREFIX = "nb-"
EMPTY_S = 5.0
_numbers = itertools.count()


@dataclass(frozen=True)
class Group:
    """The control groups of one job: one folder in version 2, one for each controller in 1."""

    version: int
    folders: dict[str, Path]

    def add(self, pid: int) -> None:
        """Move a process in; what it starts later is in as well."""
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    def members(self) -> list[int]:
        """Return the processes that are in the group now."""
        return [int(pid) for pid in (self.folders["memory"] / "cgroup.procs").read_text().split()]

    def oom_kills(self) -> int:
        """Return how many processes the kernel killed for lack of memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        words = (self.folders["memory"] / name).read_text().split()
        return int(words[words.index("oom_kill") + 1]) if "oom_kill" in words else 0

    def peak_memory_mb(self) -> float | None:
        """Return the highest memory use, page cache included, in MiB."""
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        peak = self.folders["memory"] / name
        return int(peak.read_text()) / MIB if peak.exists() else None

    def cpu_s(self) -> float | None:
        """Return the processor time of all members, past ones included."""
        if self.version == 2:
            words = (self.folders["memory"] / "cpu.stat").read_text().split()
            return int(words[words.index("usage_usec") + 1]) / 1e6
        folder = self.folders.get("cpuacct")
        return None if folder is None else int((folder / "cpuacct.usage").read_text()) / 1e9

    def close(self) -> None:
        """Kill what is left and remove the group.

        Raises:
            WallsError: processes survived.
        """
        deadline = time.monotonic() + EMPTY_S
        while left := self.members():
            if time.monotonic() > deadline:
                raise WallsError(f"{len(left)} processes of a job survived SIGKILL: {left[:5]}")
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        for folder in set(self.folders.values()):
            _remove(folder)


def make_group(limits: Limits) -> Group | None:
    """Return a new group with these limits, or None where this machine lets us have none."""
    name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
    parents = _parents_by_controller()
    return _unified(parents, name, limits) or _legacy(parents, name, limits)


def _unified(parents: dict[str, Path], name: str, limits: Limits) -> Group | None:
    own = parents.get("")
    if own is None:
        return None
    # Processes and limited children may not share a folder, so ours usually goes beside our own.
    for parent in (own,) if os.path.ismount(own) else (own, own.parent):
        folder = parent / name
        if _make(folder, ("memory.max", "pids.max")):
            _write(folder / "memory.max", limits.memory_mb * MIB)
            _write(folder / "memory.swap.max", 0, optional=True)
            _write(folder / "pids.max", limits.processes)
            return Group(2, {"memory": folder})
    return None


def _legacy(parents: dict[str, Path], name: str, limits: Limits) -> Group | None:
    files = {
        "memory": "memory.limit_in_bytes",
        "pids": "pids.max",
        "cpuacct": "cpuacct.usage",
        "cpu": "cpu.shares",  # a group of its own takes an equal share, however many are in it
    }
    made: dict[str, Path] = {}
    for controller, file in files.items():
        folder = parents.get(controller, Path("/nonexistent")) / name
        if _make(folder, (file,)):
            made[controller] = folder
    if not {"memory", "pids"} <= made.keys():
        for folder in made.values():
            _remove(folder)
        return None
    memory = limits.memory_mb * MIB
    _write(made["memory"] / "memory.limit_in_bytes", memory)
    _write(made["memory"] / "memory.memsw.limit_in_bytes", memory, optional=True)
    _write(made["pids"] / "pids.max", limits.processes)
    return Group(1, made)


def _parents_by_controller() -> dict[str, Path]:
    """Return our own folder for each controller; version 2 has the name ''."""
    try:
        own = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return {}
    paths = {name: path for line in own for name, path in _controllers(line)}
    found: dict[str, Path] = {}
    for line in mounts:
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()[:3]
        if kind in {"cgroup", "cgroup2"}:
            point = Path(before.split()[4])
            names = [""] if kind == "cgroup2" else options.split(",")
            found |= {n: point / paths[n].lstrip("/") for n in names if n in paths}
    return found


def _controllers(line: str) -> Iterator[tuple[str, str]]:
    _, names, path = line.split(":", 2)
    return ((name, path) for name in names.split(","))


def _make(folder: Path, files: tuple[str, ...]) -> bool:
    try:
        _sweep(folder.parent)
        folder.mkdir()
    except OSError:
        return False
    if all(os.access(folder / file, os.R_OK) for file in files):
        return True
    _remove(folder)
    return False


def _sweep(parent: Path) -> None:
    """Remove groups left by a controller that was killed."""
    for folder in parent.glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            with suppress(OSError):
                folder.rmdir()


def _write(file: Path, value: int, optional: bool = False) -> None:
    try:
        file.write_text(str(value))
    except OSError as error:
        if not optional:
            raise WallsError(f"{file} did not take {value}: {error.strerror}") from error


def _remove(folder: Path) -> None:
    for _ in range(200):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.005)
        else:
            return
