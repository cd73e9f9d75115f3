"""Level none: no walls, but the same way to start and end a job."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from grader.sandbox import Ended, Job, Level, Limits, Mount, WallsError, open_sandbox
from grader.sandbox.plain import PlainFolder
from tests.processes import running_with

REPORT = """
import json, os, sys
print(json.dumps([sys.argv[1], os.getcwd(), os.environ["HOME"], os.environ["DATA"]]))
open(os.path.join(sys.argv[1], "out"), "w").write("x")
"""


def run_plain(job: Job) -> tuple[str, Ended]:
    """Run a job at level none and return what it printed and how it ended."""
    with open_sandbox(Level.NONE).start(job, stdout=subprocess.PIPE) as running:
        assert running.process.stdout is not None
        printed = running.process.stdout.read().decode()
        return printed.strip(), running.wait()


def test_mount_targets_are_translated(tmp_path: Path) -> None:
    """Arguments, environment values, HOME and the working folder lie below a fresh folder."""
    work, data = tmp_path / "work", tmp_path / "data"
    work.mkdir()
    data.mkdir()
    job = Job(
        lambda inside: ["-I", "-c", REPORT, inside("/job")],
        (Mount(work, "/job", writable=True), Mount(data, "/home/student/.keras/datasets/d")),
        Limits(wall_s=20),
        {"DATA": "/home/student/.keras/datasets/d/train"},
    )

    printed, ended = run_plain(job)

    place, folder, home, train = json.loads(printed)
    root = place.removesuffix("/job")
    assert (f"{root}/home/student", f"{home}/.keras/datasets/d/train") == (home, train)
    assert str(work.resolve()) == folder
    assert ("exited", 0) == (ended.reason, ended.exit_code)
    assert "x" == (work / "out").read_text()
    assert not os.path.exists(root)


def test_environment_is_constructed_at_level_none(tmp_path: Path, monkeypatch) -> None:
    """A variable of the controller does not reach the job."""
    monkeypatch.setenv("GRADER_SECRET", "canary")
    code = "import os; print('canary' in os.environ.values())"

    printed, _ = run_plain(Job(["-I", "-c", code], (Mount(tmp_path, "/job"),), Limits(wall_s=20)))

    assert "False" == printed


def test_deadline_ends_the_group(tmp_path: Path, wait_until) -> None:
    """The deadline kills the program and its children."""
    marker = f"marker-{tmp_path.name}-{os.getpid()}"
    child = f"import time; time.sleep(30)  # {marker}"
    code = f"import subprocess, sys; subprocess.call([sys.executable, '-c', {child!r}])"
    job = Job(["-I", "-c", code], (Mount(tmp_path, "/job"),), Limits(wall_s=1))

    ended = open_sandbox(Level.NONE).start(job).wait()

    assert "deadline" == ended.reason
    assert ended.seconds < 5
    if os.path.exists("/proc"):
        assert wait_until(lambda: [] == running_with(marker))


def test_exit_code_passes_at_level_none(tmp_path: Path) -> None:
    """A program that died of a signal has the same exit code as behind walls."""
    code = "import os; os.kill(os.getpid(), 11)"

    _, ended = run_plain(Job(["-I", "-c", code], (Mount(tmp_path, "/job"),), Limits(wall_s=20)))

    assert 139 == ended.exit_code


def test_missing_source_is_named(tmp_path: Path) -> None:
    """A mount whose source is missing is refused before anything is made."""
    job = Job(["-c", ""], (Mount(tmp_path / "gone", "/job"),), Limits(wall_s=5))

    with pytest.raises(WallsError, match="gone does not exist"):
        open_sandbox(Level.NONE).start(job)


def test_links_fall_back_to_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where links may not be made, a target is the source itself."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("a required privilege is not held")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = PlainFolder(Job([], (Mount(tmp_path, "/job"),), Limits(wall_s=5)))

    assert str(tmp_path.resolve() / "a") == folder.inside("/job/a")
    folder.remove()
