"""Level reduced: a fence of Landlock and seccomp where there are no namespaces (many containers).

What standard has and this has not: other processes and the machine's interfaces can be seen, the
private folders are on the disk, memory and processes are counted by the supervisor, and sockets
in folders that may be read could be spoken to. A class is graded so with `--allow-reduced` only.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.sandbox import fence, launch, processes, rlimits, seccomp
from grader.sandbox.disk import DiskWatch
from grader.sandbox.environment import unwalled
from grader.sandbox.interpreter import Interpreter, running_interpreter
from grader.sandbox.jobs import Job, Limits, Reason, WallsError
from grader.sandbox.ownership import Owner
from grader.sandbox.plain import PlainFolder
from grader.sandbox.running import Running

FENCE = Path(fence.__file__)
FAMILIES = (0, 1, 16)  # of sockets: unspecified, UNIX, netlink; no address of a network
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/proc")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class Reduced:
    """Starts jobs inside the fence, as one dropped user."""

    def __init__(self, slot: int) -> None:
        if not sys.platform.startswith("linux") or fence.version() < fence.NEEDED:
            raise WallsError(
                "sandbox level 'reduced' needs Linux with Landlock 6 or later (Linux 6.12), and "
                f"here it is {fence.version()}: use a newer kernel"
            )
        self.owner = Owner.for_slot(slot)
        self.python = running_interpreter()
        if self.owner.dropped:
            _for_others(Path(sys.executable))

    def start(self, job: Job, stdin: launch.Stream, stdout: launch.Stream) -> Running:
        """Start a job.

        Raises:
            WallsError: something that the fence needs is missing.
        """
        for mount in job.mounts:
            self.owner.prepare(mount)
            if self.owner.dropped:
                _for_others(mount.source.parent)
        folder = PlainFolder(job)
        try:
            self.owner.give(folder.root)
            writable = [folder.root, *(mount.source for mount in job.mounts if mount.writable)]
            disk = DiskWatch([] if job.limits.disk_mb is None else writable)
            process = launch.start(self._command(job, folder, stdin, stdout))
        except BaseException:
            folder.remove()
            raise
        return Running(process, FencedTree(process, folder, job.limits, disk), job.limits)

    def give(self, path: Path) -> None:
        """Hand a run folder or a socket over to the dropped user."""
        self.owner.give(path)

    def _command(
        self, job: Job, folder: PlainFolder, stdin: launch.Stream, stdout: launch.Stream
    ) -> launch.Command:
        program = [sys.executable, *job.arguments(folder.inside)]
        spec = json.dumps(self._spec(job, folder))
        argv = [sys.executable, "-I", "-S", str(FENCE), spec, "--", *program]
        argv = [*rlimits.prlimit_arguments(self._limits(job), grouped=False), *argv]
        if self.owner.dropped:
            argv = [*rlimits.setpriv_arguments(self.owner.uid, self.owner.gid), *argv]
        elif self.owner.uid == 0:
            argv = [*rlimits.powerless_arguments(), *argv]
        extra = {name: folder.translated(value, job) for name, value in job.environment.items()}
        environment = unwalled(extra, folder.inside)
        return launch.Command(argv, environment, stdin, stdout, workdir=folder.workdir)

    def _spec(self, job: Job, folder: PlainFolder) -> dict[str, object]:
        writable = [str(mount.source.resolve()) for mount in job.mounts if mount.writable]
        readable = [str(mount.source.resolve()) for mount in job.mounts if not mount.writable]
        program = seccomp.program(families=FAMILIES)
        return {
            "read": [*SYSTEM, *_python(self.python), *readable],
            "list": [str(folder) for folder in self.python.folders],
            "write": [*DEVICES, str(folder.root.resolve()), *writable],
            "filter": base64.b64encode(program or b"").decode("ascii"),
            "parent": os.getpid(),
        }

    def _limits(self, job: Job) -> Limits:
        """A limit on processes counts all threads of a user: a plain user's other ones come on
        top. Those that begin later do not.
        """
        if self.owner.dropped:
            return job.limits
        others = {one.pid: one.threads for one in processes.of_user(self.owner.uid)}
        others[os.getpid()] = 1  # ours come and go
        return replace(job.limits, processes=job.limits.processes + sum(others.values()))


def _python(python: Interpreter) -> Iterator[str]:
    """What Python itself reads: its installation, and every package but ours."""
    yield str(python.base)
    yield str(Path(sys.prefix) / "pyvenv.cfg")
    for folder, name in python.packages():
        yield str(folder / name)


def _for_others(program: Path) -> None:
    """Make sure that other users come to a program, or a folder, and all above it.

    Raises:
        WallsError: they do not.
    """
    real = Path(os.path.realpath(program))
    for one in (*reversed(program.absolute().parents), *reversed(real.parents), real):
        if not one.stat().st_mode & stat.S_IXOTH:
            raise WallsError(f"{one} is root's alone, and jobs are not root: chmod o+rx")


class FencedTree:
    """The processes of one fenced job; its first process is their reaper and no part of it."""

    watched = True

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        folder: PlainFolder,
        limits: Limits,
        disk: DiskWatch,
    ) -> None:
        self._process, self._folder, self._limits, self._disk = process, folder, limits, disk
        self._members: dict[tuple[int, int], processes.Process] = {}
        self._present: list[processes.Process] = []
        self._peak_mb = 0.0

    def excess(self) -> Reason | None:
        """Return why the job must stop: too much memory, or too full a disk."""
        held_mb = processes.memory_mb(self._look())
        self._peak_mb = max(self._peak_mb, held_mb)
        if held_mb > self._limits.memory_mb:
            return "memory"
        most_mb = self._limits.disk_mb
        return "disk" if most_mb is not None and self._disk.added_mb(self._pids) > most_mb else None

    def cpu_s(self) -> float | None:
        """Return the processor seconds that were seen so far."""
        return sum(member.cpu_s for member in [*self._members.values()])

    def kill(self) -> None:
        """Have the reaper end everything below it, and itself: nothing else sees it all."""
        try:
            self._look()
        finally:
            self._process.terminate()
            try:
                self._process.wait(processes.SURVIVAL_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def ended(self, code: int, stderr_tail: str) -> Reason:
        """Return why the job ended by itself.

        Raises:
            WallsError: the fence could not be built.
        """
        if code == fence.LOST and "fence: " in stderr_tail:
            said = stderr_tail.rpartition("fence: ")[2].strip()
            raise WallsError(f"the fence could not be built: {said}; use level standard")
        return "killed" if code == -signal.SIGKILL else "exited"

    def usage(self) -> tuple[float | None, float | None, int]:
        """Return processor seconds and peak memory in MiB as far as they were seen."""
        return self.cpu_s(), self._peak_mb, 0

    def close(self) -> None:
        """Check that nothing is left, and remove the temporary folder.

        Raises:
            WallsError: processes survived.
        """
        processes.end(self._members.values())
        self._folder.remove()

    def _pids(self) -> list[int]:
        return [member.pid for member in self._present]

    def _look(self) -> list[processes.Process]:
        if self._process.returncode is not None:
            return []
        members = self._present = processes.tree(self._process.pid)
        self._members |= {(member.pid, member.started): member for member in members}
        return members
