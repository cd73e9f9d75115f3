"""The processes of one walled job: what they use, how they are killed, proof that none is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess

from grader.sandbox import processes
from grader.sandbox.bubblewrap import RESTRICTED
from grader.sandbox.cgroup import Group
from grader.sandbox.disk import DiskWatch
from grader.sandbox.jobs import HOME, Limits, Reason, WallsError

FULL = 0.95  # of its memory: a job that has met its own limit held so much
IN_MEMORY = ("/tmp", HOME, "/dev/shm")


class WalledTree:
    """One job behind bubblewrap.

    A control group counts memory where there is one; else this sums the tree every 100 ms.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: Group | None,
        status: int,
        limits: Limits,
        disk: DiskWatch,
    ) -> None:
        self._process = process
        self._group = group
        self._status = status
        self._limits = limits
        self._disk = disk
        self._members: dict[tuple[int, int], processes.Process] = {}
        self._present: list[processes.Process] = []
        self._peak_mb = 0.0
        self._oom_kills = 0
        self._executed = False
        self.watched = group is None or bool(self._disk.folders)

    def excess(self) -> Reason | None:
        """Return why the job must stop: too much memory or processes, or too full a disk."""
        if self._group is None:
            members = self._look()
            held_mb = processes.memory_mb(members)
            held_mb += processes.private_mb(members, IN_MEMORY, self._limits.tmp_mb)
            self._peak_mb = max(self._peak_mb, held_mb)
            if held_mb > self._limits.memory_mb:
                return "memory"
        most_mb = self._limits.disk_mb
        return "disk" if most_mb is not None and self._disk.added_mb(self._pids) > most_mb else None

    def cpu_s(self) -> float | None:
        """Return the processor seconds used so far, None where nothing counts them."""
        if self._group is not None:
            return self._group.cpu_s()
        return sum(member.cpu_s for member in [*self._members.values()]) if self.watched else None

    def kill(self) -> None:
        """Kill the outermost process; the kernel takes its pid namespace with it."""
        try:
            if self._group is None:
                self._look()
        finally:
            self._process.kill()

    def ended(self, code: int, stderr_tail: str) -> Reason:
        """Return why the job ended by itself.

        Raises:
            WallsError: bubblewrap ended before it executed anything.
        """
        killed = code in {-signal.SIGKILL, 128 + signal.SIGKILL}
        if killed and self._oom_kills > 0:
            return "memory"
        if code == -signal.SIGKILL:
            return "killed"
        if not self._executed:
            raise WallsError(walls_problem(stderr_tail))
        return "exited"

    def usage(self) -> tuple[float | None, float | None, int]:
        """Return processor seconds, peak memory in MiB, kills for lack of its own memory."""
        if self._group is None:
            cpu_s = sum(member.cpu_s for member in [*self._members.values()])
            return cpu_s, self._peak_mb, 0
        peak_mb = self._group.peak_memory_mb()
        # The kernel counts those as well that it killed because the machine had too little.
        own = peak_mb is None or peak_mb >= FULL * self._limits.memory_mb
        self._oom_kills = self._group.oom_kills() if own else 0
        return self._group.cpu_s(), peak_mb, self._oom_kills

    def close(self) -> None:
        """Check that the tree is gone.

        Raises:
            WallsError: processes survived.
        """
        self._executed = _executed(self._status)
        if self._group is not None:
            self._group.close()
            return
        processes.end(self._members.values())

    def _pids(self) -> list[int]:
        if self._group is not None:
            return self._group.members()
        return [member.pid for member in self._present]

    def _look(self) -> list[processes.Process]:
        if self._process.returncode is not None:
            return []
        members = self._present = processes.tree(self._process.pid)
        self._members |= {(member.pid, member.started): member for member in members}
        return members


def _executed(status: int) -> bool:
    """Tell from bubblewrap's status lines whether the program inside was executed at all."""
    os.set_blocking(status, False)
    text = b""
    with os.fdopen(status, "rb", buffering=0) as stream:
        while block := stream.read(65536):
            text += block
    return any("exit-code" in json.loads(line) for line in text.decode().splitlines() if line)


def walls_problem(stderr_tail: str) -> str:
    """Say in one line why bubblewrap failed and what helps."""
    lines = [line for line in stderr_tail.splitlines() if line.strip()]
    said = lines[-1].strip() if lines else "no message"
    return f"bubblewrap could not put up the walls: {said}; {_remedy(said)}"


def _remedy(said: str) -> str:
    if RESTRICTED.exists() and RESTRICTED.read_text().strip() == "1":
        return (
            "this system restricts user namespaces: sudo sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0, or run as root"
        )
    if "ermission" in said or "not permitted" in said:
        return "user namespaces are not allowed here (a container?): allow them, or use a host"
    return "'grader doctor' shows what this machine offers"
