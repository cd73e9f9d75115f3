"""What a job leaves on the disk is measured, however it hides it, and removed, however deep."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import disk, processes
from grader.sandbox.disk import DiskWatch, remove_tree


def deepen(folder: Path, levels: int, name: str) -> None:
    """Make folders in folders, deeper than a path can say."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        inner = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def test_a_deep_tree_is_removed(tmp_path: Path) -> None:
    """Three thousand folders in each other, closed ones and files among them, are gone."""
    top, outside = tmp_path / "top", tmp_path / "outside"
    (top / "closed" / "inner").mkdir(parents=True)
    (top / "closed" / "inner" / "file").write_text("x")
    outside.mkdir()
    (outside / "kept").write_text("x")
    (top / "link").symlink_to(outside, target_is_directory=True)
    os.mkfifo(top / "pipe")
    deepen(top, 3000, "d")
    (top / "closed").chmod(0)

    remove_tree(top)

    assert ["outside"] == os.listdir(tmp_path)
    assert ["kept"] == os.listdir(outside)


def test_a_link_that_takes_a_folders_place_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever outlives a job may change names while they are removed."""
    top, outside = tmp_path / "top", tmp_path / "outside"
    for folder in (top / "folder", outside):
        folder.mkdir(parents=True)
    (outside / "kept").write_text("x")
    outside.chmod(0o500)
    real = os.open

    def swap(name: str, flags: int, *more: int, dir_fd: int | None = None) -> int:
        if name == "folder":
            (top / "folder").rename(tmp_path / "away")
            (top / "folder").symlink_to(outside, target_is_directory=True)
        return real(name, flags, *more, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swap)
    remove_tree(top)

    assert (["kept"], 0o500) == (os.listdir(outside), outside.stat().st_mode & 0o777)


def test_what_cannot_be_removed_is_no_error(tmp_path: Path) -> None:
    """A folder that is not there is nothing to remove."""
    remove_tree(tmp_path / "gone")


def test_a_tree_that_is_too_deep_to_measure_counts_as_full(tmp_path: Path) -> None:
    """Where a path cannot reach, anything may lie."""
    watch = DiskWatch([tmp_path])
    deepen(tmp_path, 40, "d" * 200)

    assert math.inf == watch.added_mb()
    remove_tree(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists every folder")
def test_a_closed_folder_counts_as_full(tmp_path: Path) -> None:
    """What may not be listed may hold anything."""
    watch = DiskWatch([tmp_path])
    (tmp_path / "closed").mkdir(mode=0o300)

    assert math.inf == watch.added_mb()


def test_files_without_a_name_count(tmp_path: Path) -> None:
    """A file that was removed while it is open still takes its room, once."""
    watch = DiskWatch([tmp_path])
    with (tmp_path / "file").open("wb") as file:
        (tmp_path / "file").unlink()
        file.write(bytes(3 * 2**20))
        file.flush()
        os.fsync(file.fileno())

        assert 3 <= watch.added_mb(lambda: [os.getpid(), os.getpid()]) < 4


def test_files_that_stay_under_way_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is in a socket at one look only is nobody's; at the second, all that has gone is."""
    monkeypatch.setattr(disk, "PAUSE_S", 0.0)
    monkeypatch.setattr(disk, "SHARE_OF_TIME", math.inf)
    free = iter([900, 700, 636, 500])  # others wrote 200 before anything was hidden
    monkeypatch.setattr(disk, "written_bytes", lambda pids: None)
    monkeypatch.setattr(processes, "LONGEST_LOOK_S", math.inf)
    monkeypatch.setattr(DiskWatch, "_free_bytes", lambda watch: next(free) * 2**20)
    watch = DiskWatch([tmp_path])
    assert 1 > watch.added_mb(lambda: [os.getpid()])
    left, right = socket.socketpair()
    with left, right, (tmp_path / "file").open("wb") as file:
        (tmp_path / "file").unlink()
        socket.send_fds(left, [b"x"], [file.fileno()])
        file.close()

        looks = [watch.added_mb(lambda: [os.getpid()]) for _ in range(2)]
        _, received, _, _ = socket.recv_fds(right, 1, 1)
        os.close(received[0])

        assert (True, 64) == (looks[0] < 1, round(looks[1]))
        assert 1 > watch.added_mb(lambda: [os.getpid()])


def test_what_is_written_counts_while_files_may_be_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a table that takes long to look at may be anything; what others write is not in it."""
    monkeypatch.setattr(disk, "PAUSE_S", 0.0)
    monkeypatch.setattr(disk, "SHARE_OF_TIME", math.inf)
    monkeypatch.setattr(processes, "LONGEST_LOOK_S", -1.0)
    free = iter([900, 100, 100, 100])
    monkeypatch.setattr(DiskWatch, "_free_bytes", lambda watch: next(free) * 2**20)
    watch = DiskWatch([tmp_path])
    code = "import sys; open(sys.argv[1], 'wb').write(bytes(3 * 2**20)); print(flush=True); input()"
    writer = [sys.executable, "-I", "-S", "-c", code, str(tmp_path.with_name("elsewhere"))]
    with subprocess.Popen(writer, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        job.stdout.readline()
        looks = [watch.added_mb(lambda: [job.pid]) for _ in range(2)]
        job.kill()

    assert (True, True) == (looks[0] < 1, 3 <= looks[1] < 4)


def test_what_was_there_before_does_not_count(tmp_path: Path) -> None:
    """Only what was added since the watch was made is counted, from that very moment on."""
    (tmp_path / "before").write_bytes(bytes(2**20))
    watch = DiskWatch([tmp_path])
    (tmp_path / "after").write_bytes(bytes(2 * 2**20))

    assert 2 <= watch.added_mb() < 2.5
