"""Finding, verifying and keeping a dataset."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset, DatasetError, dataset_sha256, open_dataset

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_named_folder_is_kept_as_keras_files_and_rows(toy, tmp_path, own_cache):
    """A folder the user names becomes Keras's files and memory-mapped rows in the cache."""
    dataset = open_dataset(toy.spec, toy.put(tmp_path / "mine"))

    pristine = Pristine.open(dataset.rows)
    assert dataset.folder.parent == own_cache / "grader" / "datasets"
    assert dataset.sha256 == dataset_sha256(toy.spec)
    assert pristine.splits == {"train": (0, 30), "test": (30, 40)}
    for name, expected in toy.files.items():
        assert gzip.decompress((dataset.keras / f"{name}.gz").read_bytes()) == expected
    assert toy.files["test-images"].endswith(pristine.images(range(30, 40)).tobytes())
    assert toy.files["test-labels"].endswith(pristine.labels(range(30, 40)).tobytes())


def test_unpacked_files_do_as_well(toy, tmp_path):
    """Files without .gz are accepted: the hashes are of the decompressed bytes."""
    dataset = open_dataset(toy.spec, toy.put(tmp_path / "mine", packed=False))

    assert Pristine.open(dataset.rows).count == 40


def test_the_environment_names_a_folder(toy, tmp_path, monkeypatch):
    """GRADER_DATA is a source."""
    monkeypatch.setenv("GRADER_DATA", str(toy.put(tmp_path / "mine")))

    assert Pristine.open(open_dataset(toy.spec).rows).count == 40


def test_keras_cache_is_found(toy, tmp_path):
    """Files that Keras downloaded earlier are used, wherever KERAS_HOME is."""
    toy.put(tmp_path / "keras-home" / "datasets" / "toy")

    assert Pristine.open(open_dataset(toy.spec).rows).count == 40


def test_one_file_from_here_and_another_from_there(toy, tmp_path):
    """Sources complete each other file by file."""
    mine = toy.put(tmp_path / "mine", "train-images", "test-labels")
    toy.put(tmp_path / "keras-home" / "datasets" / "toy", "train-labels", "test-images")

    assert Pristine.open(open_dataset(toy.spec, mine).rows).count == 40


def corrupt(path: Path) -> None:
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(data)))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def no_gzip(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>")


@pytest.mark.parametrize(
    ("harm", "said"),
    [(corrupt, "SHA-256 is "), (truncate, "damaged ("), (no_gzip, "damaged (")],
)
def test_a_bad_file_is_named_and_fetched_elsewhere(toy, tmp_path, harm, said):
    """A corrupt, truncated or foreign file is named with its source, and the next source serves."""
    mine = toy.put(tmp_path / "mine")
    harm(mine / "train-images.gz")
    toy.put(tmp_path / "keras-home" / "datasets" / "toy")
    told: list[str] = []

    dataset = open_dataset(toy.spec, mine, told.append)

    assert len(told) == 1
    assert told[0].startswith(f"train-images from {mine}: {said}")
    assert (
        gzip.decompress((dataset.keras / "train-images.gz").read_bytes())
        == (toy.files["train-images"])
    )


def test_a_wrong_hash_is_shown_beside_the_expected_one(toy, tmp_path):
    """The line about a corrupt file gives both hashes."""
    mine = toy.put(tmp_path / "mine")
    corrupt(mine / "test-labels.gz")
    told: list[str] = []

    with pytest.raises(DatasetError):
        open_dataset(toy.spec, mine, told.append)

    assert f"expected {toy.spec.splits['test'].labels.sha256[:12]}…" in told[0]


def test_nothing_found_is_one_line_that_says_what_to_do(toy, own_cache):
    """Without any source the error names files, what was tried, and the remedy; nothing stays."""
    with pytest.raises(DatasetError) as caught:
        open_dataset(replace(toy.spec, urls=("http://127.0.0.1:9/toy/",)))

    line = str(caught.value)
    assert "\n" not in line
    assert "train-images" in line and "no folder" in line
    assert "train-images.gz: 127.0.0.1 cannot be reached" in line
    assert "--from DIR" in line and "GRADER_DATA" in line
    assert [path.suffix for path in (own_cache / "grader" / "datasets").iterdir()] == [".lock"]


def test_a_place_that_cannot_be_written_is_one_line(toy, tmp_path, monkeypatch):
    """A cache folder that cannot be made gives a DatasetError that names it."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(DatasetError, match=r"cannot be stored in .*file/grader/datasets/toy-"):
        open_dataset(toy.spec, toy.put(tmp_path / "mine"))


@pytest.mark.parametrize(
    "name",
    ["rows/train-images.npy", "rows/splits.json", "keras/test-images.gz", "manifest.json"],
)
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_store_is_made_again(toy, tmp_path, name, harm):
    """Any damage to the kept files is noticed on opening, told, and mended."""
    mine = toy.put(tmp_path / "mine")
    dataset = open_dataset(toy.spec, mine)
    path = dataset.folder / name
    whole = path.read_bytes()
    if harm == "flip":
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    elif harm == "cut":
        path.write_bytes(whole[:-1])
    else:
        path.unlink()
    told: list[str] = []

    open_dataset(toy.spec, mine, told.append)

    assert path.read_bytes() == whole
    assert [line for line in told if "making it again" in line]


def test_an_undamaged_store_is_used_without_any_source(toy, tmp_path):
    """The second opening looks nowhere else."""
    mine = toy.put(tmp_path / "mine")
    first = open_dataset(toy.spec, mine)
    shutil.rmtree(mine)

    assert open_dataset(toy.spec) == first


def test_the_store_is_the_same_bytes_every_time(toy, tmp_path, monkeypatch):
    """Two builds of the same dataset differ in no byte."""
    mine = toy.put(tmp_path / "mine")

    def contents(dataset: Dataset) -> dict[str, bytes]:
        paths = [path for path in dataset.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(dataset.folder)): path.read_bytes() for path in paths}

    first = contents(open_dataset(toy.spec, mine))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    second = contents(open_dataset(toy.spec, mine))

    assert len(first) == 10
    assert first["keras/train-images.gz"][4:8] == bytes(4)  # the time of day in a gzip header
    assert first == second


def test_the_store_can_be_read_by_another_user(toy, tmp_path):
    """The sandbox runs under another uid, so folders and files are readable for all."""
    folder = open_dataset(toy.spec, toy.put(tmp_path / "mine")).folder

    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o444 == 0o444, path
        assert not path.is_dir() or path.stat().st_mode & 0o111 == 0o111, path


def test_four_processes_at_once_make_one_store(toy, tmp_path, own_cache):
    """Processes that open a missing dataset together build it once and all succeed."""
    mine = toy.put(tmp_path / "mine")
    go = tmp_path / "go"
    code = f"""
import os, time
from pathlib import Path, PosixPath
from grader.dataset import *
import grader.dataset.store as store
collect = store._collect
def slowly(*arguments):
    print("built")
    time.sleep(0.3)
    return collect(*arguments)
store._collect = slowly
print("ready", flush=True)
while not os.path.exists({str(go)!r}):
    time.sleep(0.005)
dataset = store.open_dataset({toy.spec!r}, Path({str(mine)!r}))
print(os.stat(dataset.folder).st_ino)
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    go.touch()
    said = [process.communicate(timeout=30)[0].split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sum("built" in words for words in said) == 1
    assert len({words[-1] for words in said}) == 1


def test_what_a_killed_process_left_is_cleared_away(toy, tmp_path, own_cache):
    """A half-made folder of a killed process is neither used nor kept."""
    dataset = open_dataset(toy.spec, toy.put(tmp_path / "mine"))
    left = dataset.folder.with_name(f".{dataset.folder.name}-abc.partial")
    dataset.folder.rename(left)

    open_dataset(toy.spec, tmp_path / "mine")

    assert not left.exists()


@pytest.fixture
def served(toy, tmp_path) -> Iterator[str]:
    folder = toy.put(tmp_path / "served")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_download_address_is_the_last_source(toy, tmp_path, served):
    """What no folder has right is downloaded, and only that."""
    mine = toy.put(tmp_path / "mine")
    truncate(mine / "train-images.gz")
    (tmp_path / "served" / "test-images.gz").unlink()
    told: list[str] = []

    dataset = open_dataset(replace(toy.spec, urls=(served,)), mine, told.append)

    assert Pristine.open(dataset.rows).count == 40
    assert len(told) == 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs Debian's dpkg-deb")
def test_debians_package_is_unpacked_without_root(toy, tmp_path, monkeypatch, known):
    """A package is fetched with apt-get, with lists of our own where the machine has none."""
    tree = tmp_path / "tree"
    toy.put(tree / "usr/share/datasets/toy")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(
        "Package: dataset-toy\nVersion: 1\nArchitecture: all\nMaintainer: t <t@t>\nDescription: t\n"
    )
    deb = tmp_path / "dataset-toy.deb"
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, capture_output=True)
    log = tmp_path / "apt.log"
    fake = tmp_path / "bin" / "apt-get"
    fake.parent.mkdir()
    otherwise = f"cp {deb} ." if known else "echo 'E: No package' >&2; exit 100"
    fake.write_text(f"""#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *update*) exit 0;;
  *download*Dir::State::Lists*dataset-toy) cp {deb} .;;
  *download*dataset-toy) {otherwise};;
esac
""")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    spec = replace(toy.spec, debian_package="dataset-toy", debian_folder="usr/share/datasets/toy")

    dataset = open_dataset(spec)

    calls = [line.split()[1] for line in log.read_text().splitlines()]
    assert Pristine.open(dataset.rows).count == 40
    assert calls == (["download"] if known else ["download", "update", "download"])


def test_a_failing_apt_get_is_told_in_its_own_words(toy, tmp_path, monkeypatch):
    """When the package cannot be had the error carries apt-get's last complaint."""
    fake = tmp_path / "bin" / "apt-get"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    fake.chmod(0o755)
    (fake.parent / "dpkg-deb").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    spec = replace(toy.spec, debian_package="dataset-toy", debian_folder="usr/share/toy")

    with pytest.raises(DatasetError, match="apt-get: E: Unable to locate package"):
        open_dataset(spec)


def test_files_of_another_shape_are_refused(toy, tmp_path):
    """Right hashes with a wrong shape in the spec are an error of the spec, in one line."""
    spec = replace(toy.spec, shape=(3, 5))

    with pytest.raises(DatasetError, match=r"train-images has shape \(30, 5, 3\), expected"):
        open_dataset(spec, toy.put(tmp_path / "mine"))


def test_the_real_dataset_is_what_the_assignment_says(pristine):
    """60,000 + 10,000 images of 28 × 28; the first test image is an ankle boot (9)."""
    assert pristine.splits == {"train": (0, 60000), "test": (60000, 70000)}
    assert pristine.shape == (28, 28)
    assert pristine.labels([60000]).tolist() == [9]
    assert np.bincount(pristine.labels(range(60000))).tolist() == [6000] * 10


@pytest.mark.tf
def test_keras_loads_the_kept_files(dataset, pristine, tmp_path):
    """Keras's own load_data, with KERAS_HOME at the kept files and no network, gives these rows."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "fashion-mnist").symlink_to(dataset.keras)
    code = (
        "import keras, hashlib\n"
        "for x, y in keras.datasets.fashion_mnist.load_data():\n"
        "    print(hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    expected = [
        hashlib.sha256(
            pristine.images(range(*ends)).tobytes() + pristine.labels(range(*ends)).tobytes()
        ).hexdigest()
        for ends in pristine.splits.values()
    ]

    assert done.stdout.split() == expected
