"""A copy of the gradebook, and the way back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from grader.gradebook.store import FILE, GradebookError


def backup(folder: Path, to: Path | None = None) -> Path:
    """Copy the gradebook as it stands, also while a class is graded; return the copy.

    SQLite's own backup reads one consistent state (https://www.sqlite.org/backup.html).

    Raises:
        GradebookError: there is none, it is damaged, or the copy exists or cannot be written.
    """
    source = _gradebook(folder / FILE)
    target = to or folder / f"gradebook-{_now()}.sqlite"
    if target.exists():
        raise GradebookError(f"{target}: exists already; give another name")
    os.replace(_copied(source, target), target)
    return target


def restore(folder: Path, copy: Path) -> Path:
    """Put a copy in the gradebook's place; what stood there is kept beside it, and returned.

    Raises:
        GradebookError: the copy is none, is damaged, or is another assignment's.
    """
    target = folder / FILE
    _checked(_gradebook(copy), copy)
    if target.exists() and copy.samefile(target):
        raise GradebookError(f"{copy}: is the gradebook itself; give a copy of it")
    _refuse_another(copy, target)
    folder.mkdir(parents=True, exist_ok=True)
    partial = _copied(copy, target)
    with closing(sqlite3.connect(partial, isolation_level=None)) as restored:
        # the reports beside it may be newer: the next `grade` writes all of them again
        restored.execute("UPDATE grading SET scored = ''")
    before = _aside(target)
    os.replace(partial, target)
    return before


def _copied(source: Path, target: Path) -> Path:
    """Copy one consistent state into one file beside the target; whole or not at all."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(partial)) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")
        _checked(partial, source)
    except sqlite3.Error as error:
        partial.unlink(missing_ok=True)
        raise GradebookError(f"{source}: cannot be copied to {target} ({error})") from error
    except GradebookError:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _aside(gradebook: Path) -> Path:
    """Move a gradebook and what SQLite keeps beside it, as they are: it may be damaged."""
    parts = [f"{FILE}{rest}" for rest in ("", "-wal", "-shm")]
    there = [part for part in parts if gradebook.with_name(part).exists()]
    if not there:
        return gradebook
    name = _free(gradebook.with_name(f"gradebook-before-{_now()}.sqlite"))
    for part in there:
        os.replace(gradebook.with_name(part), name.with_name(part.replace(FILE, name.name)))
    return name


def _free(path: Path) -> Path:
    """Return a path at which nothing stands: this one, or with a number."""
    others = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(one for one in chain((path,), others) if not one.exists())


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _gradebook(path: Path) -> Path:
    if not path.is_file():
        raise GradebookError(f"{path}: there is no gradebook; check the name")
    return path


def _refuse_another(copy: Path, gradebook: Path) -> None:
    """Refuse a copy of another assignment's; a gradebook that is empty or damaged says nothing."""
    try:
        theirs, ours = _assignment(copy), _assignment(gradebook)
    except sqlite3.DatabaseError:
        return
    if theirs and ours and theirs != ours:
        raise GradebookError(
            f"{copy}: is the gradebook of {theirs}, not of {ours}; give another folder"
        )


def _assignment(gradebook: Path) -> str:
    with closing(_opened(gradebook)) as opened:
        return opened.execute("SELECT max(id) FROM assignment").fetchone()[0] or ""


def _checked(path: Path, named: Path) -> None:
    try:
        with closing(_opened(path)) as opened:
            (said,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            opened.execute("SELECT 1 FROM grading LIMIT 1")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_CORRUPT:
            raise GradebookError(f"{named}: is no gradebook of ours ({error})") from error
        said = str(error)
    if said != "ok":
        what = " ".join(said.split())
        raise GradebookError(f"{named}: is damaged ({what}); take another copy")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
