"""A dataset of forty rows, so that finding and storing can be tried in milliseconds."""

from __future__ import annotations

import gzip
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from grader.dataset import DatasetSpec, FileSpec, SplitSpec


@dataclass(frozen=True)
class Toy:
    spec: DatasetSpec
    files: dict[str, bytes]

    def put(self, folder: Path, *names: str, packed: bool = True) -> Path:
        """Write these files (all, when none is named) as a source would hold them."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names or self.files:
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(self.files[name]))
            else:
                (folder / name).write_bytes(self.files[name])
        return folder


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="session")
def toy() -> Toy:
    random = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    splits: dict[str, SplitSpec] = {}
    for split, count in (("train", 30), ("test", 10)):
        images = random.integers(0, 256, (count, 5, 3), dtype=np.uint8)
        labels = random.integers(0, 4, count, dtype=np.uint8)
        specs = []
        for kind, array in (("images", images), ("labels", labels)):
            name = f"{split}-{kind}"
            files[name] = idx(array)
            specs.append(FileSpec(name, hashlib.sha256(files[name]).hexdigest()))
        splits[split] = SplitSpec(*specs)
    spec = DatasetSpec(
        name="toy",
        loader="keras.datasets.toy",
        keras_folder="toy",
        shape=(5, 3),
        classes=("a", "b", "c", "d"),
        splits=splits,
    )
    return Toy(spec, files)
