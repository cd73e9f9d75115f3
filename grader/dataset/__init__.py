"""What a dataset is, as plain data: its files, their SHA-256, its splits, where it may come from.

Standard library only and cheap to import: `identity` is loaded beside student code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileSpec:
    """One file of a dataset in IDX form."""

    name: str
    """File name without ``.gz``."""
    sha256: str
    """SHA-256 of the decompressed bytes, 64 lower-case hexadecimal digits."""


@dataclass(frozen=True)
class SplitSpec:
    """The two files of one split; both hold the same number of rows."""

    images: FileSpec
    labels: FileSpec

    @property
    def files(self) -> tuple[FileSpec, FileSpec]:
        return self.images, self.labels


@dataclass(frozen=True)
class DatasetSpec:
    """An image dataset with ``uint8`` pixels and ``uint8`` labels, as an assignment names it."""

    name: str
    """Used in paths and messages."""
    loader: str
    """Dotted name of the Keras module whose ``load_data`` students call."""
    keras_folder: str
    """Folder below Keras's ``datasets`` that holds the ``.gz`` files."""
    shape: tuple[int, ...]
    """Shape of one row, in pixels."""
    classes: tuple[str, ...]
    splits: Mapping[str, SplitSpec]
    """In the order of the global row numbers."""
    debian_package: str | None = None
    debian_folder: str | None = None
    """Where the package puts its files, relative to the root folder."""
    urls: tuple[str, ...] = field(default=())
    """Addresses to which ``<file name>.gz`` is appended, tried in order."""

    @property
    def files(self) -> tuple[FileSpec, ...]:
        """Every file, split by split, images before labels."""
        return tuple(file for split in self.splits.values() for file in split.files)
