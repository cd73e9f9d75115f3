"""Level standard: one job behind bubblewrap, started and watched.

As root the chain is: outer bubblewrap (a view the dropped user can read) - setpriv (drops to
60001 + slot) - inner bubblewrap (the walls) - prlimit - Python. A plain user's chain begins at the
inner bubblewrap.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import bubblewrap, cgroup, launch, rlimits, seccomp
from grader.sandbox.disk import DiskWatch
from grader.sandbox.environment import walled
from grader.sandbox.interpreter import running_interpreter
from grader.sandbox.jobs import Job, WallsError
from grader.sandbox.ownership import Owner
from grader.sandbox.running import Running
from grader.sandbox.tree import WalledTree

OOM_SCORE = "500"


@dataclass
class Plan:
    """One start, with its descriptors."""

    argv: list[str]
    gate_arguments: list[str]
    """What the outermost bubblewrap waits for before it does anything."""
    gate: tuple[int, int]
    status: tuple[int, int]
    keep: list[int]


class Walls:
    """Starts jobs behind the standard walls, as one dropped user."""

    def __init__(self, slot: int) -> None:
        self.owner = Owner.for_slot(slot)
        self.bwrap = bubblewrap.find_bwrap(self.owner.dropped)
        self.python = running_interpreter()

    def start(self, job: Job, stdin: launch.Stream, stdout: launch.Stream) -> Running:
        """Start a job.

        Raises:
            WallsError: something that the walls need is missing.
        """
        for mount in job.mounts:
            self.owner.prepare(mount)
        writable = [mount.source for mount in job.mounts if mount.writable]
        disk = DiskWatch([] if job.limits.disk_mb is None else writable)
        group = cgroup.make_group(job.limits)
        with ExitStack() as undo:
            if group is not None:
                undo.callback(group.close)
            with self._plan(job, grouped=group is not None) as plan:
                process = launch.start(
                    launch.Command(plan.argv, {}, stdin, stdout, keep=tuple(plan.keep))
                )
                undo.callback(_abandon, process)
                status = os.dup(plan.status[0])
                undo.callback(os.close, status)
                _open_gate(process.pid, group, plan)
            tree = WalledTree(process, group, status, job.limits, disk)
            running = Running(process, tree, job.limits)
            undo.pop_all()
        return running

    def give(self, path: Path) -> None:
        """Hand a run folder or a socket over to the dropped user."""
        self.owner.give(path)

    @contextmanager
    def _plan(self, job: Job, grouped: bool) -> Iterator[Plan]:
        with ExitStack() as stack:
            gate, status = _pipe(stack), _pipe(stack)
            view = bubblewrap.View(staged=self.owner.dropped)
            filter_program = seccomp.program()
            files = bubblewrap.Files(
                configuration=_memory(stack, self.python.configuration),
                fonts=_memory(stack, bubblewrap.NO_FONTS),
                status=status[1],
                seccomp=None if filter_program is None else _memory(stack, filter_program),
            )
            environment = walled(job.environment, self.python.library_path)
            inner = bubblewrap.inner_arguments(job, view, self.python, environment, files)
            command = [*rlimits.prlimit_arguments(job.limits, grouped), "/venv/bin/python"]
            command += job.arguments(lambda target: target)
            keep = [gate[0], *(fd for fd in vars(files).values() if fd is not None)]
            bwrap = bubblewrap.bwrap_in(view, self.bwrap)
            if not self.owner.dropped:
                argv = [bwrap, "--args", str(gate[0]), "--", *command]
                yield Plan(argv, inner, gate, status, keep)
                return
            listed = _memory(stack, _joined(inner))
            argv = [str(self.bwrap), "--args", str(gate[0]), "--"]
            argv += rlimits.setpriv_arguments(self.owner.uid, self.owner.gid)
            argv += [bwrap, "--args", str(listed), "--", *command]
            yield Plan(argv, bubblewrap.outer_arguments(view), gate, status, [*keep, listed])


def _open_gate(pid: int, group: cgroup.Group | None, plan: Plan) -> None:
    """Put the waiting process under its limits, then let it go on.

    bubblewrap reads its arguments to the end before it forks, so nothing can run unlimited. Were
    the controller to die here, it would get no arguments and find nothing to execute.
    """
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(OOM_SCORE)
    try:
        if group is not None:
            group.add(pid)
        _write_all(plan.gate[1], _joined(plan.gate_arguments))
    except OSError as error:
        raise WallsError(f"bubblewrap did not take its arguments: {error}") from error


def _joined(arguments: list[str]) -> bytes:
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _memory(stack: ExitStack, data: bytes) -> int:
    descriptor = os.memfd_create("nb")
    stack.callback(os.close, descriptor)
    _write_all(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _pipe(stack: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        stack.callback(os.close, end)
    return ends


def _abandon(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()
