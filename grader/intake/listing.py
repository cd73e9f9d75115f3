"""What lies in a source: its files by their way below it, whether it is a folder or an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grader.intake.submission import Ignored
from grader.notebook import shown

Parts = tuple[str, ...]

MAX_DEPTH = 8
MAX_SHOWN_PATH = 1000
SKIPPED_STARTS = (".", "~$")
SKIPPED_NAMES = ("__MACOSX",)


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        parts: the names of the folders to it and its own, as they stand in the source.
        read: returns its bytes; raises `Unreadable` or `IntakeError`.
    """

    parts: Parts
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.parts[-1]


@dataclass(frozen=True)
class Listing:
    """The files of a source, its folders (empty ones too), and what was left out."""

    files: tuple[File, ...]
    folders: tuple[Parts, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    def below(self, folder: str) -> Listing:
        """Return what lies in a top-level folder, as if it were the source."""
        files = [replace(one, parts=one.parts[1:]) for one in self.files if one.parts[0] == folder]
        inner = tuple(one[1:] for one in self.folders if one[0] == folder and len(one) > 1)
        return Listing(tuple(files), inner, self.ignored)

    def lone_folder(self) -> str | None:
        """Return the name of the one thing that lies at the top, if it is a folder."""
        tops = {one.parts[0] for one in self.files} | {one[0] for one in self.folders}
        loose = any(len(one.parts) == 1 for one in self.files)
        return next(iter(tops)) if len(tops) == 1 and not loose else None


def is_skipped(name: str) -> bool:
    """Whether a name is of what Jupyter, macOS and Office leave lying."""
    return name.startswith(SKIPPED_STARTS) or name in SKIPPED_NAMES


def way(parts: Parts) -> str:
    """Return a file's way as it may be shown."""
    return shown("/".join(parts), MAX_SHOWN_PATH)
