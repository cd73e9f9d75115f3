"""A disk that is full or read-only stops a class with one line, and the same call goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.batch.command import Asked, grade_folder
from grader.batch.engines import Stopped
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.gradebook import store as stores
from grader.loading import default_folder, load_assignment
from tests.batch.folders import left, look
from tests.kernel.conftest import LOAD
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(300)]
ASSIGNMENT = load_assignment(default_folder())
COUNT = 12
Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own; calling it again changes its size, or makes it read-only."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(options: str) -> Path:
        again = ["-o", f"remount,{options}"] if place.is_mount() else ["-o", options]
        done = subprocess.run(
            ["mount", "-t", "tmpfs", *again, "tmpfs", str(place)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"only who may mount a disk can fill one: {done.stderr.strip()}")
        return place

    yield mounted
    if place.is_mount():
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twelve submissions that take no kernel."""
    folder = tmp_path / "entregas"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"e{number:02}.ipynb").write_text(f"no notebook {number}")
    return folder


def grade(source: Path, out: Path, dataset: Dataset) -> None:
    assert grade_folder(Asked(source, out, "es", 2), ASSIGNMENT, dataset)


def stops(source: Path, out: Path, dataset: Dataset) -> str:
    """Grade until the disk stops it; return the line."""
    with pytest.raises(Stopped) as caught:
        grade(source, out, dataset)
    assert 1 == len(str(caught.value).splitlines())
    return str(caught.value)


def expected(source: Path, tmp_path: Path, dataset: Dataset) -> dict[str, object]:
    grade(source, tmp_path / "undisturbed", dataset)
    return left(tmp_path / "undisturbed")


@pytest.mark.parametrize("size", ["150k", "260k"])
def test_a_full_disk_in_the_class_folder(
    size: str, source: Path, disk: Disk, tmp_path: Path, dataset: Dataset
) -> None:
    """What is there is whole; with room the rest follows, and nothing is done twice."""
    out = disk(f"size={size}") / "out"
    said = stops(source, out, dataset)
    look(out)
    done = len(left(out))
    disk("size=200m")
    grade(source, out, dataset)

    assert str(out) in said and "make room" in said
    assert done < COUNT
    assert expected(source, tmp_path, dataset) == left(out)
    with Gradebook(out) as gradebook:
        assert [1] * COUNT == list(gradebook.gradings().values())


def test_a_read_only_disk(source: Path, disk: Disk, tmp_path: Path, dataset: Dataset) -> None:
    """One line; writable again, the class is graded."""
    out = disk("size=200m") / "out"
    out.mkdir()
    disk("ro")
    said = stops(source, out, dataset)
    disk("rw")
    grade(source, out, dataset)

    assert str(out) in said
    assert expected(source, tmp_path, dataset) == left(out)


def test_a_gradebook_that_cannot_grow(
    source: Path, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own word for a full disk, with the file's name; the files of that student stay."""
    opened = stores.Gradebook._open

    def small(self: Gradebook, *arguments: object) -> None:
        opened(self, *arguments)  # type: ignore[arg-type]
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._connection.execute(f"PRAGMA max_page_count = {pages + 6}")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(stores.Gradebook, "_open", small)
        said = stops(source, out, dataset)
    look(out)
    grade(source, out, dataset)

    assert f"{out / 'gradebook.sqlite'}: database or disk is full; make room" in said
    assert expected(source, tmp_path, dataset) == left(out)
    with Gradebook(out) as gradebook:
        assert [1] * COUNT == list(gradebook.gradings().values())


def test_a_store_that_is_full(
    disk: Disk, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that cannot be kept costs nobody a point; with room all is as it should be."""
    source = tmp_path / "entregas"
    source.mkdir()
    code = "m = net(16); _ = m.fit(x[:600], y[:600], epochs=1, verbose=0)"
    (source / "ana.ipynb").write_bytes(file_of(LOAD, code))
    undisturbed = tmp_path / "undisturbed"
    grade_folder(Asked(source, undisturbed, "es", 2), ASSIGNMENT, dataset)

    place = disk("size=64k")
    monkeypatch.setenv("GRADER_MEMORY", str(place / "memory"))
    out = tmp_path / "out"
    said = stops(source, out, dataset)
    states = {one["state"] for one in left(out).values()}
    disk("size=400m")
    grade_folder(Asked(source, out, "es", 2), ASSIGNMENT, dataset)

    assert f"{place / 'memory'}: No space left on device" in said
    assert not states
    assert left(undisturbed) == left(out)
