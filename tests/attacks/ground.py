"""The ground on which attacks run: real walls, things worth attacking around them, and watchers.

Standard library and the sandbox only, so that another user's Python can run it as well:
`python -m tests.attacks.ground FOLDER [FAMILY ...]` runs the corpus and prints what was met.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.sandbox import Ended, Job, Level, Limits, Mount, Sandbox, WallsError, cgroup, seccomp
from grader.sandbox.disk import remove_tree
from grader.sandbox.interpreter import PACKAGES_INSIDE, SITE_INSIDE, running_interpreter
from grader.sandbox.slots import free_slots
from grader.sandbox.walls import Walls
from tests.attacks.bystanders import Decoy, Neighbour
from tests.attacks.harm import FAMILIES
from tests.attacks.harm.program import PRELUDE, Harm
from tests.attacks.listening import Listeners
from tests.attacks.treasures import Treasures
from tests.processes import running

LIMITS = {
    "wall_s": 6, "memory_mb": 160, "processes": 24, "tmp_mb": 4, "file_mb": 4, "disk_mb": 24,
}  # fmt: skip
CALLS = seccomp.MACHINES[platform.machine()].calls
LATE_S = 2.5
PRINTED_BYTES = 2**20


@dataclass(frozen=True)
class Met:
    """How an attack ended, and what harm was found afterwards."""

    ending: str
    harm: tuple[str, ...]
    said: str = ""
    seconds: float = 0.0

    def got_through(self, harm: Harm, grouped: bool) -> str:
        """Return what got through, or what was not as it must be; empty: the walls held."""
        if self.harm:
            return "; ".join(self.harm)
        wanted = harm.ends(grouped)
        return (
            ""
            if self.ending in wanted
            else f"{self.ending} instead of {' or '.join(sorted(wanted))}"
        )


class Ground:
    """Everything that an attack could reach if a wall were missing. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.canary = f"canary-{uuid.uuid4().hex}"
        self.stray = f"stray-{uuid.uuid4().hex}"
        self.root = os.geteuid() == 0
        self.grouped = groups_can_be_made()
        self.offers: dict[str, Any] = {}
        self._undo = ExitStack()
        self._numbers = iter(range(10**6))

    def __enter__(self) -> Ground:
        self.folder.chmod(0o755)
        slot, other = self._undo.enter_context(free_slots(2))
        self.sandbox, beside = Sandbox(Level.STANDARD, slot), Sandbox(Level.STANDARD, other)
        assert isinstance(self.sandbox._starter, Walls)
        self.walls = self.sandbox._starter
        self.uid = self.walls.owner.uid
        self.treasures = Treasures(self.folder, self.canary, self.stray)
        self._undo.enter_context(self.treasures)
        self.python = dataclasses.replace(running_interpreter(), folders=(self.treasures.site,))
        for each in (self.sandbox, beside):
            assert isinstance(each._starter, Walls)
            each._starter.python = self.python
        self.listeners = Listeners(self.folder, self.stray)
        self._undo.callback(self.listeners.close)
        self.decoy = Decoy(self.uid if self.root else None, self.canary)
        self._undo.callback(lambda: self.decoy.close())
        self.neighbour = Neighbour(beside, self.folder / "neighbour", self.canary)
        self._undo.callback(self.neighbour.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def suits(self, harm: Harm) -> str:
        """Return why there is nothing to attack here; empty: it runs."""
        if harm.machine and harm.machine != platform.machine():
            return f"for {harm.machine} only"
        return "only where root drops to another user" if harm.root_only and not self.root else ""

    def attack(self, harm: Harm) -> Met:
        """Run one program behind the walls and look around afterwards."""
        if harm.first:
            self.run(harm.first)
        job = self.new_folder()
        before, groups, opened = self.treasures.snapshot(), _groups(), _descriptors()
        self.neighbour.ask()
        try:
            ended, printed = self.run(harm.code, job, **harm.limits)
        except WallsError as error:
            self.neighbour.answers()
            return Met(f"no walls ({str(error).partition(':')[0]})", ())
        found = [
            *self._heard(),
            *self._read(printed + ended.stderr_tail, job),
            *(f"changed {self._neutral(path)}" for path in self._changed(before)),
            *self._left(job),
            *(f"left the control group {path}" for path in _groups() - groups),
            *(f"left {name} open" for name in _descriptors() - opened),
            *([] if self.neighbour.answers() else ["the neighbour was disturbed"]),
            *self._decoy_harmed(),
            *self._removed(job),
        ]
        late = ended.seconds - harm.limits.get("wall_s", LIMITS["wall_s"])
        if late > LATE_S:
            found.append(f"ended {late:.1f} s late")
        return Met(verdict(ended), tuple(found), ended.stderr_tail[-2000:], ended.seconds)

    def targets(self) -> dict[str, Any]:
        """What programs are told about the world outside."""
        heard, there = self.listeners, self.treasures
        return {
            "tcp": heard.tcp,
            "tcp6": heard.tcp6,
            "udp": heard.udp,
            "lan": heard.lan,
            "lan_udp": heard.lan_udp,
            "abstract": heard.abstract,
            "abstract_datagrams": heard.datagrams,
            "control": str(heard.control),
            "door": str(heard.door),
            "outside": {name: str(path) for name, path in there.outside.items()},
            "host_tmp": str(there.shared[0]),
            "host_shm": str(there.shared[1]),
            "keyring": there.key,
            "shm_key": there.shm_key,
            "stray": self.stray,
            "decoy": self.decoy.pid,
            "controller": os.getpid(),
            "calls": CALLS,
            "user": os.environ.get("USER", "x"),
            "hidden": [*self.python.hidden, f"{PACKAGES_INSIDE}/0/grader"],
            "masked": f"{PACKAGES_INSIDE}/0/{self.treasures.masked}",
            "honest": f"{SITE_INSIDE}/honest.py",
            "group": f"{cgroup.PREFIX}{os.getpid()}",
            "folder": str(self.folder),
        }

    def job(self, code: str, folder: Path, limits: Limits) -> Job:
        """The job that an attack is."""
        return Job(
            ["-I", "-c", code, json.dumps(self.targets())],
            (
                Mount(folder, "/job", writable=True),
                Mount(self.treasures.data, "/data"),
                Mount(self.treasures.kit, "/k"),
            ),
            limits,
        )

    def run(self, code: str, folder: Path | None = None, **limits: float) -> tuple[Ended, str]:
        """Run code behind the walls; return how it ended and what it printed."""
        printed = bytearray()
        allowed = Limits(**{**LIMITS, **limits})  # type: ignore[arg-type]
        job = self.job(PRELUDE + code, folder or self.new_folder(), allowed)
        with self.sandbox.start(job, stdout=subprocess.PIPE) as running:
            assert running.process.stdout is not None
            descriptor = running.process.stdout.fileno()
            reader = threading.Thread(target=_drain, args=(descriptor, printed), daemon=True)
            reader.start()
            ended = running.wait()
            reader.join(1)
            return ended, printed.decode(errors="replace")

    def new_folder(self) -> Path:
        """Return a fresh folder that is /job inside."""
        folder = self.folder / f"run-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def survivors(self) -> list[int]:
        """Return processes of jobs that are still there, after two seconds at most."""
        # A process that is on its way out, on a busy machine, has left its control group already.
        for _ in range(200):
            if not (pids := self._survivors()):
                break
            time.sleep(0.01)
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def _changed(self, before: set[tuple[str, ...]]) -> list[str]:
        return sorted({state[0] for state in self.treasures.snapshot() ^ before})

    def _neutral(self, path: str) -> str:
        for secret, name in (
            (f"{self.folder}/", ""),
            (str(self.folder), ""),
            (self.stray, "a file"),
        ):
            path = path.replace(secret, name)
        return path

    def _heard(self) -> list[str]:
        heard, self.listeners.heard = self.listeners.heard, []
        return [f"reached {each}" for each in heard]

    def _read(self, text: str, job: Path) -> Iterator[str]:
        """Secrets that came out: by what was printed, or by the job's folder."""
        secrets = [self.canary]
        if self.root:
            secrets += Path("/etc/shadow").read_text().splitlines()[:1]
        for path in _walk(job):
            text += path.name
            with suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    text += path.read_bytes()[:65536].decode(errors="replace")
        if any(secret in text for secret in secrets):
            yield "read a secret"

    def _left(self, job: Path) -> Iterator[str]:
        """Processes, files and mounts that are still there."""
        if pids := self.survivors():
            yield f"left {len(pids)} processes"
        heart = job / "heartbeat"
        if os.path.exists(heart):
            before = heart.stat().st_size
            time.sleep(0.05)
            if heart.stat().st_size != before:
                yield "left a daemon that goes on writing"
        for place in self.places():
            if os.path.lexists(place):
                yield f"wrote a file to {self._neutral(str(place.parent))}"
                place.unlink()
        if str(job) in Path("/proc/self/mountinfo").read_text():
            yield "left a mount"

    def _survivors(self) -> list[int]:
        found = set()
        for pid, line in running():
            with suppress(OSError):
                ours = self.root and os.stat(f"/proc/{pid}").st_uid == self.uid
                if (ours or self.stray in line) and pid not in {self.decoy.pid, os.getpid()}:
                    found.add(pid)
        return sorted(found)

    def places(self) -> list[Path]:
        """Where a stray file must never turn up."""
        base = [
            self.python.base,
            self.python.base / "bin",
            *map(Path, running_interpreter().hidden),
        ]
        folders = [
            "/",
            "/usr",
            "/usr/bin",
            "/usr/lib",
            "/home",
            "/root",
            "/var/tmp",
            "/etc",
            "/dev",
        ]
        inside = self.treasures.mounted
        return [folder / self.stray for folder in [*map(Path, folders), *base, *inside]]

    def _decoy_harmed(self) -> Iterator[str]:
        if not self.decoy.unharmed():
            yield "ended a process outside"
            self.decoy.close()
            self.decoy = Decoy(self.uid if self.root else None, self.canary)

    def _removed(self, job: Path) -> Iterator[str]:
        try:
            remove_tree(job)
        except (OSError, RecursionError) as error:
            yield f"cannot be removed: {type(error).__name__}"
        if os.path.lexists(job):
            yield "cannot be removed"
            subprocess.run(["rm", "-rf", str(job)], check=False)


def groups_can_be_made() -> bool:
    """Tell whether this machine lets us have control groups."""
    group = cgroup.make_group(Limits(wall_s=1))
    if group is not None:
        group.close()
    return group is not None


def verdict(ended: Ended) -> str:
    """Say in a word how a job ended."""
    if ended.reason != "exited":
        return ended.reason
    code = ended.exit_code or 0
    if code > 128:
        return signal.Signals(code - 128).name
    if code != 1:
        return f"exit {code}" if code else "done"
    last = (ended.stderr_tail.strip().splitlines() or ["exit 1"])[-1]
    if "[Errno " in last and "gaierror" not in last:
        number = int(last.partition("[Errno ")[2].partition("]")[0])
        return _errno_name(number)
    return last.partition(":")[0].rpartition(".")[2]


def _errno_name(number: int) -> str:
    import errno

    return errno.errorcode.get(number, f"errno {number}")


def _drain(descriptor: int, printed: bytearray) -> None:
    with suppress(OSError):
        while block := os.read(descriptor, 65536):
            printed += block[: PRINTED_BYTES - len(printed)]


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in [*folders, *files][:200])
        if parent.count("/") > 40:
            return


def _groups() -> set[Path]:
    parents = set(cgroup._parents_by_controller().values())
    places = {*parents, *(parent.parent for parent in parents)}
    return {path for place in places for path in place.glob(f"{cgroup.PREFIX}{os.getpid()}-*")}


def _descriptors() -> set[str]:
    """What this process has open, without what it opens and closes to watch jobs."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {name for name in found if not name.startswith(("anon_inode:[pidfd]", "/proc", "/sys"))}


def main(folder: str, *families: str) -> None:
    """Run families of the corpus, or all of it, as whoever we are and print what was met."""
    through, said = {}, {}
    with Ground(Path(folder)) as ground:
        for harm in [harm for name in families or FAMILIES for harm in FAMILIES[name]]:
            if not ground.suits(harm):
                met = ground.attack(harm)
                said[harm.name] = met.said[-300:]
                through[harm.name] = met.got_through(harm, ground.grouped)
    print(json.dumps({"through": through, "said": said, "grouped": ground.grouped}))


if __name__ == "__main__":
    main(*sys.argv[1:])
