"""A folder on disk → its listing. Never follows a link, never opens what is no regular file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from grader.intake.listing import MAX_DEPTH, MAX_SHOWN_PATH, File, Listing, Parts, is_skipped, way
from grader.intake.students import natural
from grader.intake.submission import Ignored, IntakeError
from grader.locale import T, Text
from grader.notebook import MAX_FILE_BYTES, shown
from grader.records import read_regular
from grader.unreadable import too_large


def listing_of_folder(source: Path) -> Listing:
    """Return what lies in a folder, in natural order.

    Raises:
        IntakeError: the folder cannot be read.
    """
    files: list[File] = []
    folders: list[Parts] = []
    ignored: list[Ignored] = []
    try:
        entries = _entries(source)
    except OSError as error:
        raise refused(source, fault(error)) from error
    for path, parts in _walk(entries, (), folders, ignored):
        files.append(File(parts, partial(read_file, path)))
    return Listing(tuple(files), tuple(folders), tuple(ignored))


def read_file(path: Path, cap: int = MAX_FILE_BYTES) -> bytes:
    """Read a submission once: a regular file, never through a link.

    Raises:
        Unreadable: it is over the cap.
        IntakeError: it cannot be read.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size > cap:
            raise too_large(shown(path.name), status.st_size)
        if not stat.S_ISREG(status.st_mode):
            raise refused(path, _special(status))
        return read_regular(path, cap)
    except OSError as error:
        raise refused(path, fault(error)) from error


def fault(error: OSError) -> Text:
    """Return why the system did not let us read."""
    if isinstance(error, FileNotFoundError):
        return T("does not exist; check the name")
    if isinstance(error, PermissionError):
        return T("may not be read; ask for permission or copy it")
    return T("cannot be read ({reason}); copy it again", reason=shown(error.strerror or error))


def refused(path: Path, reason: Text) -> IntakeError:
    """Return the one line with which a source or a file is not taken."""
    return IntakeError(T("{path}: {reason}", path=shown(path, MAX_SHOWN_PATH), reason=reason))


def _walk(
    entries: list[os.DirEntry[str]], above: Parts, folders: list[Parts], ignored: list[Ignored]
) -> Iterator[tuple[Path, Parts]]:
    for entry in entries:
        parts = (*above, entry.name)
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path), parts
        elif not entry.is_dir(follow_symlinks=False):
            ignored.append(Ignored(way(parts), _special(entry.stat(follow_symlinks=False))))
        elif len(parts) > MAX_DEPTH:
            ignored.append(
                Ignored(way(parts), T("more than {depth} folders deep", depth=MAX_DEPTH))
            )
        else:
            try:
                inner = _entries(Path(entry.path))
            except OSError as error:
                ignored.append(Ignored(way(parts), fault(error)))
                continue
            folders.append(parts)
            yield from _walk(inner, parts, folders, ignored)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        visible = [entry for entry in scan if not is_skipped(entry.name)]
    return sorted(visible, key=lambda entry: natural(entry.name))


def _special(status: os.stat_result) -> Text:
    if stat.S_ISLNK(status.st_mode):
        return T("a link, and links are never followed; put the file itself there")
    if stat.S_ISDIR(status.st_mode):
        return T("a folder where a file was expected; give the file")
    return T("a device, pipe or socket where a file was expected; give the file")
