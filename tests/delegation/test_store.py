"""The memory's files: whole or not at all, verified when read, bounded, locked while in work."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from grader.delegation import Memory
from grader.training.store import Busy, Store

KEY = "ab" * 32
ASKED = {"op": "validate"}
KEPT = (b"old", b"large", b"small")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def store(folder: Path, most_bytes: int = 10**9, most_s: float = 10**9) -> Store:
    Memory(folder)
    return Store(folder, most_bytes, most_s)


def test_what_is_written_is_read(folder: Path) -> None:
    """The controller reads what a trainer kept."""
    name = store(folder).keep(b"state")
    store(folder).enter(KEY, {"weights": name, "metrics": ["AAAA"]}, ASKED)
    memory = Memory(folder)

    assert {"weights": name, "metrics": ["AAAA"]} == memory.answer(KEY)
    assert b"state" == memory.blob(name)
    assert (1, 1) == (memory.size().answers, memory.size().states)


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[:-5],
        lambda text: text.replace(b"AAAA", b"AAAB"),
        lambda text: b"[]",
        lambda text: b"",
        lambda text: json.dumps({"made": 7, "sha256": "0"}).encode(),
    ],
    ids=["cut", "changed", "a list", "empty", "no answer"],
)
def test_a_damaged_answer_is_no_answer(folder: Path, harm: object) -> None:
    """A torn or changed entry is as good as none; it is never half believed."""
    store(folder).enter(KEY, {"metrics": ["AAAA"]}, ASKED)
    (path,) = folder.glob("entries/*/*.json")
    path.write_bytes(harm(path.read_bytes()))  # type: ignore[operator]

    assert Memory(folder).answer(KEY) is None


def test_an_entry_of_another_key_is_no_answer(folder: Path) -> None:
    """The checksum covers the key: a renamed file answers nothing."""
    store(folder).enter(KEY, {"metrics": []}, ASKED)
    (path,) = folder.glob("entries/*/*.json")
    other = "ab" + "cd" * 31
    path.rename(path.with_name(f"{other}.json"))

    assert Memory(folder).answer(other) is None


def test_a_damaged_state_is_no_state(folder: Path) -> None:
    """Bytes must have the hash that names them; an answer whose state is gone is none."""
    name = store(folder).keep(b"state")
    store(folder).enter(KEY, {"weights": name}, ASKED)
    path = folder / "blobs" / name[:2] / name
    path.write_bytes(b"stale")
    damaged = Memory(folder).blob(name)
    path.unlink()

    assert damaged is None
    assert Memory(folder).answer(KEY) is None


def test_keeping_again_mends_a_damaged_state(folder: Path) -> None:
    """A state that went bad on the disk is written anew when it is made again."""
    name = store(folder).keep(b"state")
    (folder / "blobs" / name[:2] / name).write_bytes(b"stale")
    store(folder).keep(b"state")

    assert b"state" == Memory(folder).blob(name)


def test_old_and_too_many_files_go(folder: Path) -> None:
    """The least recently used go first, down to the bound; what was just used stays."""
    kept = store(folder, most_bytes=2500)
    names = [kept.keep(bytes([number]) * 1000) for number in range(4)]
    hour_ago = time.time() - 3600
    for place, name in enumerate(names[:3]):
        path = folder / "blobs" / name[:2] / name
        os.utime(path, (hour_ago + place, hour_ago + place))
    kept.sweep()
    left = [name for name in names if Memory(folder).blob(name) is not None]

    assert names[2:] == left


def test_what_nobody_used_for_long_goes(folder: Path) -> None:
    """Age alone is a reason, whatever room there is."""
    kept = store(folder, most_s=1800)
    name = kept.keep(b"x")
    path = folder / "blobs" / name[:2] / name
    os.utime(path, (time.time() - 3600,) * 2)
    kept.sweep()

    assert Memory(folder).blob(name) is None


def test_a_memory_has_bounds_unless_told_others(folder: Path) -> None:
    """Half a year, and eight gigabytes."""
    memory = Memory(folder)
    kept = Store(folder, memory.most_bytes, memory.most_s)
    old, large, small = (folder / "blobs" / name[:2] / name for name in map(kept.keep, KEPT))
    days = {old: 200, large: 170, small: 160}
    for path in days:
        os.utime(path, (time.time() - days[path] * 24 * 3600,) * 2)
    kept.sweep()
    assert [False, True, True] == [path.exists() for path in days]

    os.truncate(large, 9 * 2**30)
    os.utime(large, (time.time() - days[large] * 24 * 3600,) * 2)
    Store(folder, memory.most_bytes, memory.most_s).sweep()
    assert [False, False, True] == [path.exists() for path in days]


def test_two_trainers_do_not_work_on_one_key(folder: Path) -> None:
    """The second is told so at once, and is free when the first is done."""
    one, other = store(folder), store(folder)
    with one.working(KEY), pytest.raises(Busy), other.working(KEY):
        pass
    with other.working(KEY):
        pass


def test_no_partial_file_is_left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves neither a torn file nor a temporary one."""

    def full(*names: object) -> None:
        raise OSError(28, "No space left on device")

    kept = store(folder)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="space"):
        kept.keep(b"state")

    assert [] == [path for path in folder.rglob("*") if path.is_file()]


def test_clearing_forgets_everything(folder: Path) -> None:
    """Nothing is left to answer from."""
    name = store(folder).keep(b"state")
    store(folder).enter(KEY, {"weights": name}, ASKED)
    Memory(folder).clear()

    assert (None, 0) == (Memory(folder).answer(KEY), Memory(folder).size().size_bytes)
