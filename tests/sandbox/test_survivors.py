"""Whatever ends a job, nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import Job, Limits, Mount, Running, Sandbox, WallsError, cgroup, processes
from tests.processes import running_with

pytestmark = pytest.mark.sandbox

DAEMONS = """
import os, signal, sys, time
def stay():
    for number in range(1, 64):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    open(f"/job/{os.getpid()}", "w")
    time.sleep(60)
if os.fork() == 0:
    os.setsid()
    stay()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        stay()
    os._exit(0)
while len(os.listdir("/job")) < 2:
    time.sleep(0.01)
"""
STAY = DAEMONS + "time.sleep(60)\n"
CONTROLLER = """
import sys, time
from pathlib import Path
from grader.sandbox import Job, Level, Limits, Mount, open_sandbox
job = Job(["-I", "-c", sys.argv[1]], (Mount(Path(sys.argv[2]), "/job", True),), Limits(wall_s=60))
running = open_sandbox(Level.STANDARD, slot=8).start(job)
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def marker() -> str:
    """A word that is in the command line of one job's processes and nowhere else."""
    return f"marker-{uuid.uuid4().hex}"


@pytest.fixture
def start(sandbox: Sandbox, job_folder: Path, wait_until) -> Callable[..., Running]:
    """Start code that leaves two daemons, and wait until they run."""

    def start_daemons(code: str, wall_s: float = 30) -> Running:
        job = Job(["-I", "-c", code], (Mount(job_folder, "/job", True),), Limits(wall_s=wall_s))
        running = sandbox.start(job)
        assert wait_until(lambda: 2 == len(os.listdir(job_folder)))
        return running

    return start_daemons


def test_who_cannot_look_still_kills(
    start, marker: str, wait_until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no descriptor left, for one."""
    monkeypatch.setattr(cgroup, "make_group", lambda limits: None)
    running = start(f"# {marker}\n{STAY}")

    def blind(pid: int) -> list[processes.Process]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(processes, "tree", blind)
    with pytest.raises(OSError, match="Too many"):
        running.kill()

    assert wait_until(lambda: [] == running_with(marker))
    with pytest.raises(WallsError, match="supervising a job failed"):
        running.wait()


@pytest.mark.parametrize("grouped", [True, False])
def test_daemons_end_with_the_deadline(
    start, marker: str, monkeypatch: pytest.MonkeyPatch, grouped: bool
) -> None:
    """setsid and double-fork daemons that ignore every signal are gone after the deadline."""
    if not grouped:
        monkeypatch.setattr(cgroup, "make_group", lambda limits: None)
    running = start(f"# {marker}\n{STAY}", wall_s=3)
    during = running_with(marker)

    ended = running.wait()

    assert len(during) >= 3
    assert "deadline" == ended.reason
    assert [] == running_with(marker)


def test_daemons_end_with_the_job(start, marker: str) -> None:
    """Daemons are gone when the program has ended by itself."""
    ended = start(f"# {marker}\n{DAEMONS}").wait()

    assert ("exited", 0) == (ended.reason, ended.exit_code)
    assert [] == running_with(marker)


def test_kill_ends_everything(start, marker: str) -> None:
    """`kill` ends the job at once, with the reason."""
    running = start(f"# {marker}\n{STAY}")

    begun = time.monotonic()
    running.kill()
    ended = running.wait()

    assert "killed" == ended.reason
    assert [] == running_with(marker)
    assert time.monotonic() - begun < 3


def test_outermost_process_takes_all_with_it(start, marker: str, wait_until) -> None:
    """SIGKILL on the outermost bubblewrap, by anyone, ends every process of the job."""
    running = start(f"# {marker}\n{STAY}")

    os.kill(running.process.pid, signal.SIGKILL)

    assert wait_until(lambda: [] == running_with(marker), 2)
    assert "killed" == running.wait().reason


def test_controllers_death_takes_all_with_it(
    sandbox: Sandbox, job_folder: Path, marker: str, wait_until
) -> None:
    """When the controller is killed, its jobs end by themselves."""
    command = [sys.executable, "-c", CONTROLLER, f"# {marker}\n{STAY}", str(job_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as controller:
        assert controller.stdout is not None
        assert b"started\n" == controller.stdout.readline()
        assert wait_until(lambda: 2 == len(os.listdir(job_folder)))
        controller.kill()

    assert wait_until(lambda: [] == running_with(marker), 3)


def test_a_job_outlives_the_thread_that_started_it(
    sandbox: Sandbox, job_folder: Path, wait_until
) -> None:
    """A job started from a short-lived thread runs to its own end."""
    started: list[Running] = []
    code = "import time; open('/job/up', 'w'); time.sleep(0.5)"
    job = Job(["-I", "-c", code], (Mount(job_folder, "/job", True),), Limits(wall_s=10))

    def start_and_leave() -> None:
        started.append(sandbox.start(job))
        wait_until((job_folder / "up").exists)

    thread = threading.Thread(target=start_and_leave)
    thread.start()
    thread.join()

    assert 0 == started[0].wait().exit_code


def test_no_group_is_left(sandbox: Sandbox, job_folder: Path) -> None:
    """A finished job leaves no control group and no descriptor behind."""
    job = Job(["-I", "-c", ""], (Mount(job_folder, "/job", True),), Limits(wall_s=10))
    sandbox.start(job).wait()
    before = len(os.listdir("/proc/self/fd"))
    others = own_groups()  # of what other tests of this process keep running

    for _ in range(3):
        sandbox.start(job).wait()

    assert (others, before) == (own_groups(), len(os.listdir("/proc/self/fd")))


def own_groups() -> set[Path]:
    return set(Path("/sys/fs/cgroup").rglob(f"nb-{os.getpid()}-*"))
