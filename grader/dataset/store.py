"""Finds, fetches and verifies a dataset, and keeps it in the forms that the other parts read.

Layout of a kept dataset, ``$XDG_CACHE_HOME/grader/datasets/<name>-<hash>/``:

- ``keras/``: the ``.gz`` files as Keras expects them (stored uncompressed, so that they load fast)
- ``rows/``: ``<split>-images.npy`` uint8 (n, *shape), ``<split>-labels.npy`` uint8 (n,) and
  ``splits.json``, for `grader.dataset.identity.Pristine`
- ``manifest.json``: SHA-256 of every file above, checked each time the dataset is opened

Only bytes whose SHA-256 is the one in the `DatasetSpec` ever get here, whatever their source.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grader.dataset import DatasetSpec, FileSpec
from grader.dataset.sources import ENVIRONMENT, SourceProblem, sources

try:
    import fcntl
except ImportError:  # Windows: two processes then do the same work, and the second one's is kept
    fcntl = None  # type: ignore[assignment]

Notify = Callable[[str], None]

_SCHEMA = "grader/dataset/1"
_MAX_FILE_BYTES = 4 << 30
_UINT8 = 0x08  # type code in an IDX header


class DatasetError(Exception):
    """The dataset cannot be had; the text is one line that says what was tried."""


@dataclass(frozen=True)
class Dataset:
    """A verified dataset on this machine."""

    folder: Path
    keras: Path
    """Folder with the ``.gz`` files, to be found as ``~/.keras/datasets/<keras folder>``."""
    rows: Path
    """Folder for `Pristine.open`."""
    sha256: str
    """One hash for all files, from the hashes in the spec."""


def dataset_sha256(spec: DatasetSpec) -> str:
    """Return one hash for the whole dataset: of the file hashes, in the order of the spec."""
    return hashlib.sha256("\n".join(file.sha256 for file in spec.files).encode()).hexdigest()


def cache_home() -> Path:
    """Return the folder below which everything that can be made again is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "grader"


def open_dataset(
    spec: DatasetSpec, source: Path | None = None, notify: Notify = lambda line: None
) -> Dataset:
    """Return the dataset, verified; fetch and build it first where that is needed.

    Args:
        source: a folder to look in before all others.
        notify: receives one line for each thing worth telling, such as a damaged file.

    Raises DatasetError when no source has the right bytes or they cannot be stored.
    """
    sha256 = dataset_sha256(spec)
    folder = cache_home() / "datasets" / f"{spec.name}-{sha256[:12]}"
    dataset = Dataset(folder, folder / "keras", folder / "rows", sha256)
    if _damage(spec, dataset) is None:
        return dataset
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            damage = _damage(spec, dataset)  # another process may have built it while we waited
            if damage is not None:
                if folder.exists():
                    notify(f"{folder}: {damage}; making it again")
                _install(spec, dataset, source, notify)
    except OSError as error:
        raise DatasetError(f"dataset {spec.name}: cannot be stored in {folder}: {error}") from error
    return dataset


def _damage(spec: DatasetSpec, dataset: Dataset) -> str | None:
    """Say what is wrong with a kept dataset, or None when every byte is as it was written."""
    try:
        manifest = json.loads((dataset.folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["schema"] != _SCHEMA or manifest["sha256"] != dataset.sha256:
            return "manifest.json is of another dataset"
        for name in _kept_files(spec):
            with (dataset.folder / name).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != manifest["files"][name]:
                    return f"{name} is damaged"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"unreadable ({error})"
    return None


def _kept_files(spec: DatasetSpec) -> list[str]:
    """Name every file of a kept dataset but its manifest."""
    arrays = [f"rows/{split}-{kind}.npy" for split in spec.splits for kind in ("images", "labels")]
    return [*arrays, "rows/splits.json", *(f"keras/{file.name}.gz" for file in spec.files)]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time build this folder; the lock ends with the process."""
    with folder.with_name(f".{folder.name}.lock").open("w") as stream:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _install(spec: DatasetSpec, dataset: Dataset, source: Path | None, notify: Notify) -> None:
    """Build the folder beside its place and move it there."""
    folder = dataset.folder
    if fcntl is not None:  # ours is the lock, so these are of processes that were killed
        for left in folder.parent.glob(f".{folder.name}-*.partial*"):
            shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(".partial", f".{folder.name}-", folder.parent))
    old = partial.with_name(f"{partial.name}-old")
    try:
        contents = _collect(spec, partial / "scratch", source, notify)
        shutil.rmtree(partial / "scratch")
        _write(spec, dataset.sha256, contents, partial)
        partial.chmod(0o755)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _collect(
    spec: DatasetSpec, scratch: Path, source: Path | None, notify: Notify
) -> dict[str, bytes]:
    """Return the verified, decompressed bytes of every file, from the first source that has it."""
    contents: dict[str, bytes] = {}
    problems: list[str] = []
    for number, place in enumerate(sources(spec, source)):
        missing = tuple(file for file in spec.files if file.name not in contents)
        if not missing:
            break
        own_scratch = scratch / str(number)
        own_scratch.mkdir(parents=True)
        try:
            folder = place.folder(own_scratch, tuple(file.name for file in missing))
        except SourceProblem as problem:
            problems.append(f"{place.name}: {problem}")
            continue
        for file in missing:
            try:
                data = _read(folder, file, place.name)
            except SourceProblem as problem:
                problems.append(str(problem))
                notify(str(problem))
                continue
            if data is not None:
                contents[file.name] = data
        if not any(file.name in contents for file in missing):
            problems.append(f"{place.name}: no good file in {folder}")
    if len(contents) < len(spec.files):
        names = ", ".join(file.name for file in spec.files if file.name not in contents)
        raise DatasetError(
            f"dataset {spec.name}: {names} not found. Tried: {'; '.join(problems)}. "
            f"Name a folder that has the files: grader data --from DIR, or {ENVIRONMENT}=DIR"
        )
    return contents


def _read(folder: Path, file: FileSpec, place: str) -> bytes | None:
    """Return the decompressed bytes of one file, plain or ``.gz``, or None when it is not there.

    Raises SourceProblem when its bytes are not the right ones.
    """
    plain, packed = folder / file.name, folder / f"{file.name}.gz"
    path = packed if packed.is_file() else plain
    try:
        with gzip.open(path) if path == packed else path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error) as error:
        raise SourceProblem(f"{file.name} from {place}: damaged ({error})") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != file.sha256:
        raise SourceProblem(
            f"{file.name} from {place}: SHA-256 is {sha256[:12]}…, expected {file.sha256[:12]}…"
        )
    return data


def _write(spec: DatasetSpec, sha256: str, contents: Mapping[str, bytes], folder: Path) -> None:
    """Write the layout in the module's docstring into an empty folder."""
    files: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for name, split in spec.splits.items():
        images = _idx(contents[split.images.name], split.images.name)
        labels = _idx(contents[split.labels.name], split.labels.name)
        if images.shape != (len(labels), *spec.shape) or labels.ndim != 1:
            raise DatasetError(
                f"dataset {spec.name}: {split.images.name} has shape {images.shape}, "
                f"expected ({len(labels)}, {', '.join(map(str, spec.shape))})"
            )
        counts[name] = len(labels)
        files[f"rows/{name}-images.npy"] = _npy(images)
        files[f"rows/{name}-labels.npy"] = _npy(labels)
    files["rows/splits.json"] = json.dumps(counts).encode()
    for file in spec.files:
        files[f"keras/{file.name}.gz"] = gzip.compress(
            contents[file.name], compresslevel=0, mtime=0
        )
    manifest = {
        "schema": _SCHEMA,
        "name": spec.name,
        "sha256": sha256,
        "source_files": {file.name: file.sha256 for file in spec.files},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files["manifest.json"] = json.dumps(manifest, indent=1).encode()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.write_bytes(data)


def _idx(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Read IDX form: two zero bytes, type, number of axes, big-endian lengths, then the values."""
    axes = data[3] if len(data) > 3 and data[2] == _UINT8 else 0
    start = 4 + 4 * axes
    shape = tuple(int(length) for length in np.frombuffer(data[4:start], ">u4"))
    if not axes or int(np.prod(shape)) != len(data) - start:
        raise DatasetError(f"{name} is not an IDX file of bytes")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _npy(array: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
