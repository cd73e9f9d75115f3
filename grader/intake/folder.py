"""A folder of notebooks, a folder of students' folders, or one notebook → submissions.

Never follows a link and never opens what is no regular file: each of those is listed as ignored.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.intake.students import is_notebook, natural, stem, students
from grader.intake.submission import Ignored, Intake, IntakeError, Submission
from grader.locale import T, Text
from grader.notebook import MAX_FILE_BYTES, shown
from grader.records import read_regular
from grader.unreadable import too_large

MAX_DEPTH = 8
MAX_SHOWN_PATH = 1000
_SKIPPED_STARTS = (".", "~$")
_SKIPPED_NAMES = ("__MACOSX",)


@dataclass
class _Found:
    """What one student's folder (or one file) holds: notebooks by their path below it."""

    label: str
    notebooks: list[Path] = field(default_factory=list)


def submissions(source: Path, notebook: str = "") -> Intake:
    """Return who handed in what.

    Args:
        source: a folder of notebooks, one of students' folders, or one notebook.
        notebook: what the assignment calls its notebook; of several in one student's folder it is
            taken, else the last in natural order.

    Raises:
        IntakeError: there is no such source, it cannot be read, or it holds no notebook.
    """
    try:
        mode = source.stat().st_mode
    except OSError as error:
        raise _error(source, _fault(error)) from error
    if stat.S_ISDIR(mode):
        return _class(source, notebook)
    if not stat.S_ISREG(mode):
        raise _error(source, T("neither a folder nor a notebook; give one of them"))
    if not is_notebook(source.name):
        raise _error(source, _no_notebook(source))
    (student,) = students([source.name])
    # A link that the person named is theirs; only links inside a class are refused.
    return Intake((Submission(student, source.resolve(), shown(source.name)),))


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
            raise _error(path, _special(status))
        return read_regular(path, cap)
    except OSError as error:
        raise _error(path, _fault(error)) from error


def _class(source: Path, wanted: str) -> Intake:
    ignored: list[Ignored] = []
    try:
        found = _students_of(_unwrapped(source), ignored)
    except OSError as error:
        raise _error(source, _fault(error)) from error
    pairs = list(zip(found, students([one.label for one in found]), strict=True))
    if not any(one.notebooks for one in found):
        raise _error(
            source, T("no notebook (.ipynb) in it; give the folder with the students' notebooks")
        )
    taken = []
    for one, student in pairs:
        if one.notebooks:
            path = _chosen(one, wanted, ignored)
            taken.append(Submission(student, path, shown(path.name)))
    taken.sort(key=lambda submission: natural(submission.student.id))
    missing = tuple(student for one, student in pairs if not one.notebooks)
    return Intake(tuple(taken), tuple(ignored), missing)


def _students_of(folder: Path, ignored: list[Ignored]) -> list[_Found]:
    """Return what each student has; beside loose notebooks an empty folder is nobody's."""
    loose, folders = [], []
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            folders.append((path, _Found(entry.name, list(_notebooks(path, ignored, depth=1)))))
        elif _is_taken(entry, ignored):
            loose.append(_Found(entry.name, [path]))
    owned = [one for _, one in folders if one.notebooks or not loose]
    listed = {one.path for one in ignored}
    for path, one in folders:
        if loose and not one.notebooks and path not in listed:
            ignored.append(Ignored(path, shown(path.name), T("no notebook (.ipynb) in it")))
    return sorted([*loose, *owned], key=lambda one: natural(one.label))


def _notebooks(folder: Path, ignored: list[Ignored], depth: int) -> Iterator[Path]:
    try:
        entries = _entries(folder)
    except OSError as error:
        ignored.append(Ignored(folder, shown(folder.name), _fault(error)))
        return
    for entry in entries:
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            if _is_taken(entry, ignored):
                yield path
        elif depth < MAX_DEPTH:
            yield from _notebooks(path, ignored, depth + 1)
        else:
            reason = T("more than {depth} folders deep", depth=MAX_DEPTH)
            ignored.append(Ignored(path, shown(entry.name), reason))


def _is_taken(entry: os.DirEntry[str], ignored: list[Ignored]) -> bool:
    if not entry.is_file(follow_symlinks=False):
        reason = _special(entry.stat(follow_symlinks=False))
    elif not is_notebook(entry.name):
        reason = T("no notebook (.ipynb)")
    else:
        return True
    ignored.append(Ignored(Path(entry.path), shown(entry.name), reason))
    return False


def _chosen(one: _Found, wanted: str, ignored: list[Ignored]) -> Path:
    """Take the notebook that the assignment names, else the last; list the others."""
    named = stem(wanted).casefold()
    ordered = sorted(
        one.notebooks,
        key=lambda path: (stem(path.name).casefold() == named, natural(stem(path.name)), path),
    )
    *others, path = ordered
    reason = T("not graded: of the {count} notebooks of {student}, {taken} was taken")
    values = {"student": shown(one.label), "count": len(ordered), "taken": shown(path.name)}
    ignored.extend(Ignored(o, shown(o.name), Text(reason.template, values)) for o in others)
    return path


def _unwrapped(source: Path) -> Path:
    """Step into a lone folder around the students' folders, as an unpacked archive leaves one."""
    entries = _entries(source)
    if len(entries) != 1 or not entries[0].is_dir(follow_symlinks=False):
        return source
    inner = _entries(Path(entries[0].path))
    folders = [entry for entry in inner if entry.is_dir(follow_symlinks=False)]
    has_notebook = any(is_notebook(entry.name) for entry in inner if entry not in folders)
    return source if has_notebook or len(folders) < 2 else Path(entries[0].path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        visible = [entry for entry in scan if not _is_skipped(entry.name)]
    return sorted(visible, key=lambda entry: natural(entry.name))


def _is_skipped(name: str) -> bool:
    return name.startswith(_SKIPPED_STARTS) or name in _SKIPPED_NAMES


def _special(status: os.stat_result) -> Text:
    if stat.S_ISLNK(status.st_mode):
        return T("a link, and links are never followed; put the file itself there")
    if stat.S_ISDIR(status.st_mode):
        return T("a folder where a file was expected; give the file")
    return T("a device, pipe or socket where a file was expected; give the file")


def _no_notebook(path: Path) -> Text:
    if path.suffix.lower() == ".zip":
        return T(
            "a ZIP archive, which cannot be graded directly yet; unpack it and give the folder"
        )
    return T("no notebook (.ipynb); give a notebook or a folder of notebooks")


def _fault(error: OSError) -> Text:
    if isinstance(error, FileNotFoundError):
        return T("does not exist; check the name")
    if isinstance(error, PermissionError):
        return T("may not be read; ask for permission or copy it")
    return T("cannot be read ({reason}); copy it again", reason=shown(error.strerror or error))


def _error(path: Path, reason: Text) -> IntakeError:
    return IntakeError(T("{path}: {reason}", path=shown(path, MAX_SHOWN_PATH), reason=reason))
