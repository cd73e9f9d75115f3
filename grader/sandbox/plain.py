"""Level none: a plain process in its own group, for somebody's own notebook on their own machine.

No walls at all. It keeps the deadline and gives the job a fresh HOME and /tmp below a temporary
folder; mount targets become links there. Standard library only, on every platform.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

from grader.sandbox import launch
from grader.sandbox.disk import remove_tree
from grader.sandbox.environment import unwalled
from grader.sandbox.jobs import HOME, Job, Reason, WallsError, below
from grader.sandbox.running import Running
from grader.sandbox.scratch import new_folder


class PlainFolder:
    """The temporary folder that stands for `/`, and where each mount target is in it."""

    def __init__(self, job: Job) -> None:
        for mount in job.mounts:
            if not mount.source.exists():
                raise WallsError(f"mount {mount.target}: {mount.source} does not exist")
        self.root = new_folder("nb-")
        self._places: dict[str, Path] = {}
        for folder in ("/tmp", HOME):
            self._place(folder).mkdir(parents=True)
        for mount in job.mounts:
            self._places[mount.target] = self._link(self._place(mount.target), mount.source)
        self.workdir = Path(self.inside(job.workdir))
        self.workdir.mkdir(parents=True, exist_ok=True)

    def inside(self, path: str) -> str:
        """Return where a path of the walls is on this machine."""
        for target, place in self._places.items():
            if below(path, target):
                return str(place / PurePosixPath(path).relative_to(target))
        return str(self._place(path))

    def translated(self, value: str, job: Job) -> str:
        """Return an environment value; one at or below a mount target, HOME or /tmp is a path."""
        targets = [*(mount.target for mount in job.mounts), HOME, "/tmp"]
        return self.inside(value) if any(below(value, target) for target in targets) else value

    def remove(self) -> None:
        """Remove the folder; what the links point to stays."""
        remove_tree(self.root)

    def _place(self, path: str) -> Path:
        return self.root.joinpath(*PurePosixPath(path).parts[1:])

    @staticmethod
    def _link(place: Path, source: Path) -> Path:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.symlink_to(source.resolve(), target_is_directory=source.is_dir())
        except OSError:
            # Windows lets only administrators make links.
            return source.resolve()
        return place


class PlainTree:
    """The process group of one unwalled job."""

    watched = False

    def __init__(self, process: subprocess.Popen[bytes], folder: PlainFolder) -> None:
        self._process = process
        self._folder = folder

    def excess(self) -> Reason | None:
        """Nothing but the deadline is watched."""
        return None

    def cpu_s(self) -> float | None:
        """Nothing counts a plain process."""
        return None

    def kill(self) -> None:
        """Kill the process group; a daemon that left the group stays."""
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.poll() is None:
            taskkill = ["taskkill", "/T", "/F", "/PID", str(self._process.pid)]
            subprocess.run(taskkill, capture_output=True, check=False)
            self._process.kill()

    def ended(self, code: int, stderr_tail: str) -> Reason:
        """Return why the job ended by itself."""
        return "exited"

    def usage(self) -> tuple[float | None, float | None, int]:
        """Nothing measures a plain process."""
        return None, None, 0

    def close(self) -> None:
        """Remove the temporary folder."""
        self._folder.remove()


class Plain:
    """Starts jobs without walls."""

    def start(self, job: Job, stdin: launch.Stream, stdout: launch.Stream) -> Running:
        """Start a job."""
        folder = PlainFolder(job)
        try:
            process = launch.start(_command(job, folder, stdin, stdout))
        except BaseException:
            folder.remove()
            raise
        return Running(process, PlainTree(process, folder), job.limits)

    def give(self, path: Path) -> None:
        """A plain process is the user already."""


def _command(
    job: Job, folder: PlainFolder, stdin: launch.Stream, stdout: launch.Stream
) -> launch.Command:
    extra = {name: folder.translated(value, job) for name, value in job.environment.items()}
    return launch.Command(
        [sys.executable, *job.arguments(folder.inside)],
        unwalled(extra, folder.inside),
        stdin,
        stdout,
        workdir=folder.workdir,
    )
