"""Control groups of both versions, on a make-believe file system where the real one has none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.sandbox import Limits, WallsError, cgroup, tree
from grader.sandbox.disk import DiskWatch

V2_FILES = ("memory.max", "memory.swap.max", "pids.max", "cgroup.procs")


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A version 2 tree in which new folders get their files, as the kernel would make them."""
    real = Path.mkdir

    def mkdir(path: Path) -> None:
        real(path)
        for name in V2_FILES:
            (path / name).write_text("")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(cgroup, "_parents_by_controller", lambda: {"": tmp_path})
    return tmp_path


def test_version_2_sets_every_limit(unified: Path) -> None:
    """Memory, swap and processes are limited in a folder of the job's own."""
    group = cgroup.make_group(Limits(wall_s=1, memory_mb=100, processes=30))

    assert group is not None
    group.add(os.getpid())
    folder = group.folders["memory"]
    assert unified == folder.parent
    assert [str(100 * 2**20), "0", "30", str(os.getpid())] == [
        (folder / name).read_text() for name in V2_FILES
    ]


def test_version_2_tells_what_happened(unified: Path) -> None:
    """Kills, the peak and processor time are read from the kernel's files."""
    group = cgroup.make_group(Limits(wall_s=1))
    assert group is not None
    folder = group.folders["memory"]
    (folder / "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    (folder / "memory.peak").write_text(str(5 * 2**20))
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")

    assert (2, 5.0, 1.5) == (group.oom_kills(), group.peak_memory_mb(), group.cpu_s())


def test_no_group_where_none_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without the controllers' files is removed again, and there is no group."""
    monkeypatch.setattr(cgroup, "_parents_by_controller", lambda: {"": tmp_path / "own"})
    (tmp_path / "own").mkdir()

    assert cgroup.make_group(Limits(wall_s=1)) is None
    assert ["own"] == os.listdir(tmp_path)
    assert [] == os.listdir(tmp_path / "own")


def test_nothing_is_made_beside_the_root_of_the_groups(
    unified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there is no control group: the folder that others mount them in."""
    own = unified / "own"
    monkeypatch.setattr(cgroup, "_parents_by_controller", lambda: {"": own})
    assert cgroup.make_group(Limits(wall_s=1)) is not None  # beside it

    monkeypatch.setattr(os.path, "ismount", lambda path: path == own)

    assert cgroup.make_group(Limits(wall_s=1)) is None


def test_leftovers_of_dead_controllers_are_swept(unified: Path) -> None:
    """A group whose controller is gone is removed; one of a living controller stays."""
    dead, living = unified / "nb-999999999-0", unified / f"nb-{os.getppid()}-0"
    for folder in (dead, living):
        os.mkdir(folder)

    cgroup.make_group(Limits(wall_s=1))

    assert (False, True) == (dead.exists(), living.exists())


def test_survivors_are_an_error(unified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that SIGKILL does not remove is reported, not ignored."""
    monkeypatch.setattr(cgroup, "EMPTY_S", 0.05)
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    group = cgroup.make_group(Limits(wall_s=1))
    assert group is not None
    group.add(1)

    with pytest.raises(WallsError, match="1 processes of a job survived"):
        group.close()


def test_a_job_shares_processors_as_one() -> None:
    """Whatever it starts is in one group of the `cpu` controller, where this system has it."""
    group = cgroup.make_group(Limits(wall_s=1))
    if group is None or group.version == 2 or "cpu" not in cgroup._parents_by_controller():
        pytest.skip("no control groups of version 1 with the cpu controller here")
    with subprocess.Popen(["sleep", "60"]) as process:
        group.add(process.pid)
        lines = Path(f"/proc/{process.pid}/cgroup").read_text().splitlines()
        group.close()

    folder = group.folders.get("cpu", group.folders["cpuacct"])  # often mounted together
    assert [folder.name] == [
        Path(path).name
        for _, controllers, path in (line.split(":", 2) for line in lines)
        if "cpu" in controllers.split(",")
    ]


@pytest.mark.parametrize(("peak_mb", "own"), [(99.0, 1), (None, 1), (40.0, 0)])
def test_what_the_machine_lacked_is_not_the_jobs_own(peak_mb: float | None, own: int) -> None:
    """The kernel counts every process that it kills for lack of memory, whoever's lack it was."""
    group = SimpleNamespace(
        cpu_s=lambda: 1.0, peak_memory_mb=lambda: peak_mb, oom_kills=lambda: 1, members=list
    )
    limits = Limits(wall_s=1, memory_mb=100)
    process = SimpleNamespace(pid=1, returncode=-9)
    found = tree.WalledTree(process, group, 0, limits, DiskWatch([]))  # type: ignore[arg-type]

    assert (1.0, peak_mb, own) == found.usage()
    assert ("memory" if own else "killed") == found.ended(-9, "")
