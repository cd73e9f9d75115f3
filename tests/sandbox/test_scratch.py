"""Temporary folders go with their process, or with the next one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import new_folder
from grader.sandbox.ownership import outside

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no folder can be locked")
HOLDS = """
import sys
from grader.sandbox import new_folder
print(new_folder("run-"), flush=True)
sys.stdin.read()
"""


def holder(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a folder of its own, until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(parent)},
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    """The folders of one that runs stay; those of one that ends by itself go at once."""
    (killed, left), (running, kept) = holder(tmp_path), holder(tmp_path)
    (left / "closed").mkdir()
    (left / "closed" / "file").write_text("x")
    killed.kill()
    killed.communicate()
    assert left.exists()

    next_one, _ = holder(tmp_path)

    assert (False, True) == (left.exists(), kept.exists())
    for process in (next_one, running):
        process.communicate()
    assert [] == os.listdir(tmp_path)


def test_a_folder_of_somebody_elses_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made it could change what lies in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "others").mkdir()
    (tmp_path / f"grader-{outside(os.getuid())}").symlink_to(tmp_path / "others")

    assert tmp_path == new_folder("run-").parent
    assert [] == os.listdir(tmp_path / "others")


def test_who_lost_the_folder_makes_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems tidy up what is old, below a process that lives long."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = new_folder("run-")
    shutil.rmtree(first.parent.parent)

    assert new_folder("run-").is_dir()


def test_other_machines_locks_are_not_known_here(tmp_path: Path) -> None:
    """On a disk that several share nobody removes what another machine's process may use."""
    first, mine = holder(tmp_path)
    theirs = mine.parent.with_name("zzzz-others")
    theirs.mkdir()
    second, _ = holder(tmp_path)

    assert theirs.exists()
    for process in (first, second):
        process.communicate()
