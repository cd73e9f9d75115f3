"""Limits hold, and a job that meets one ends with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.sandbox import Job, Limits, Mount, Sandbox, cgroup, rlimits

pytestmark = pytest.mark.sandbox

HOG = "blocks = [bytearray(b'x' * 2**20) for _ in range(2000)]; print('grew')"
FORKS = """
import os, time
count = 0
try:
    while count < 300:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        count += 1
except OSError as error:
    print(count, error.strerror, flush=True)
"""
GROW_TOGETHER = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        block = bytearray(b"x" * (100 * 2**20))
        time.sleep(20)
time.sleep(20)
"""
FILL = """
import sys
with open(sys.argv[1] + "/big", "wb") as file:
    try:
        for _ in range(64):
            file.write(bytes(2**20)); file.flush()
    except OSError as error:
        print(file.tell() >> 20, error.strerror)
"""


def test_memory_cap_kills(run) -> None:
    """A job that takes more memory than it may is killed, fast, with the reason."""
    outcome = run(HOG, memory_mb=200)

    assert ("memory", "") == (outcome.ended.reason, outcome.printed)
    assert outcome.ended.seconds < 5


def test_child_that_grows_is_killed_alone(run) -> None:
    """The kernel kills the child that grew; the job goes on and its end tells of the kill."""
    _need_groups()
    code = f"import subprocess, sys; print(subprocess.call([sys.executable, '-c', {HOG!r}]))"

    outcome = run(code, memory_mb=200)

    assert "-9" == outcome.printed
    assert ("exited", 0, 1) == (
        outcome.ended.reason,
        outcome.ended.exit_code,
        outcome.ended.oom_kills,
    )


def test_supervisor_sums_where_no_group_is(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without control groups the sum of all processes is watched, and the job killed at the cap."""
    monkeypatch.setattr(cgroup, "make_group", lambda limits: None)

    ended = run(GROW_TOGETHER, memory_mb=300).ended

    assert "memory" == ended.reason
    assert ended.peak_memory_mb is not None and ended.peak_memory_mb > 300
    assert ended.seconds < 5


def test_data_limit_where_no_group_is(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without control groups one greedy process gets MemoryError, not the machine's memory."""
    monkeypatch.setattr(cgroup, "make_group", lambda limits: None)

    ended = run("x = bytearray(4 * 2**30)", memory_mb=4096).ended

    assert ("exited", 1) == (ended.reason, ended.exit_code)
    assert ended.stderr_tail.strip().endswith("MemoryError")


@pytest.mark.parametrize("grouped", [True, False])
def test_process_limit_holds(run, monkeypatch: pytest.MonkeyPatch, grouped: bool) -> None:
    """A fork bomb stops at the limit; the job goes on."""
    if not grouped:
        monkeypatch.setattr(cgroup, "make_group", lambda limits: None)

    count, _, said = run(FORKS, processes=40).printed.partition(" ")

    assert 20 < int(count) <= 40
    assert "Resource temporarily unavailable" == said


def test_group_alone_limits_processes(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control group stops a fork bomb without the help of the per-user limit."""
    _need_groups()
    without = [name for name in rlimits.prlimit_arguments(Limits(9), True) if "nproc" not in name]
    monkeypatch.setattr(rlimits, "prlimit_arguments", lambda limits, grouped: without)

    count = run(FORKS, processes=40).printed.partition(" ")[0]

    assert 20 < int(count) <= 40


@pytest.mark.parametrize("folder", ["/tmp", "/home/student", "/dev/shm"])
def test_private_file_systems_are_sized(run, folder: str) -> None:
    """/tmp, HOME and /dev/shm are full at their size."""
    assert "4 No space left on device" == run(FILL, folder, tmp_mb=4).printed


def test_file_size_is_limited(run) -> None:
    """One file in /job grows no further than its limit."""
    assert "8 File too large" == run(FILL, "/job", file_mb=8).printed


def test_disk_that_fills_ends_the_job(run) -> None:
    """Many files in a writable mount end the job, within about a second."""
    code = """
import time
for number in range(2000):
    open(f"/job/{number}", "wb").write(bytes(10**5))
time.sleep(20)
"""

    ended = run(code, disk_mb=50).ended

    assert "disk" == ended.reason
    assert ended.seconds < 5


def test_processor_time_is_limited(run) -> None:
    """A busy loop ends when its processor seconds are spent, before the deadline."""
    ended = run("while True: pass", cpu_s=1).ended

    assert ("exited", 128 + 24) == (ended.reason, ended.exit_code)
    assert ended.cpu_s is not None and 0.5 < ended.cpu_s < 2.5


def test_limits_of_each_process(run) -> None:
    """Core dumps are off; open files and the stack are capped, hard."""
    code = """
import json, resource as r
print(json.dumps([r.getrlimit(k) for k in (r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_STACK)]))
"""

    core, files, stack = json.loads(run(code).printed)

    assert [0, 0] == core
    assert files[1] <= 4096
    assert stack[0] == 8 * 2**20 and stack[1] <= 64 * 2**20


@pytest.mark.parametrize(
    "hang",
    [
        "import time; time.sleep(60)",
        "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import select; select.select([], [], [])",
    ],
)
def test_deadline_ends_every_hang(run, hang: str) -> None:
    """Asleep, busy with signals ignored, stopped or waiting: the deadline is the end."""
    ended = run(hang, wall_s=0.6).ended

    assert ("deadline", None) == (ended.reason, ended.exit_code)
    assert ended.seconds < 2.5


def test_a_pause_has_an_end(sandbox: Sandbox, job_folder: Path) -> None:
    """The deadline stands still while a job waits for us, but not for ever."""
    mounts = (Mount(job_folder, "/job", writable=True),)
    limits = Limits(wall_s=0.5, pauses_s=0.5)
    running = sandbox.start(Job(["-I", "-c", "import time; time.sleep(60)"], mounts, limits))
    with running.paused():
        ended = running.wait()

    assert "deadline" == ended.reason
    assert 1.0 <= ended.seconds < 3


def _need_groups() -> None:
    group = cgroup.make_group(Limits(wall_s=1))
    if group is None:
        pytest.skip("no control groups can be made here")
    group.close()
