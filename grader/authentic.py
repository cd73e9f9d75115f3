"""`grader verify`: is a report as it was signed, and is it still what the gradebook says?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.gradebook import Gradebook, GradebookError
from grader.keyfile import key_file, own_key
from grader.signing import SignatureError, verified

POINTS = ("points", "grade", "late", "state")


def examine(
    path: Path,
    public: str | None,
    notebook: Path | None,
    folder: Path | None,
    say: Callable[[str], None],
) -> bool:
    """Say what a report is; return whether nothing speaks against it.

    Args:
        public: whose signature it should be; that of this machine's key by default.
        notebook: which the report should be about.
        folder: the class's, in whose gradebook the grade should stand.

    Raises:
        SignatureError: no public key was given and this machine has none; a file cannot be read.
    """
    key = own_key()
    if public is None and key is None:
        raise SignatureError(
            f"{key_file()}: there is no key; give the public key of who signed as --key"
        )
    report = _bytes(path).decode("utf-8", "replace")
    try:
        said = verified(report, public or key.public if key else str(public))
    except SignatureError as error:
        say(f"{path}: {error}")
        return False
    student, grade = said["student"], said["grade"]
    say(f"{path}: signed {said['at']}, unchanged since")
    say(f"  student   {student['id']}  {student['name']}")
    say(f"  notebook  {said['notebook']['name']}  SHA-256 {said['notebook']['sha256']}")
    low, high = grade["range"]
    value = f"{low}–{high}, not final" if grade["value"] is None else grade["value"]
    say(f"  grade     {value}  (scale {grade['scale']}, assignment {said['assignment']['id']})")
    against = [*_of_notebook(said, notebook), *_of_class(said, folder)]
    for line in against:
        say(f"  but {line}")
    return not against


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SignatureError(f"{path} cannot be read: {error.strerror}") from error


def _of_notebook(said: Mapping[str, Any], notebook: Path | None) -> Iterator[str]:
    if notebook is not None:
        found = hashlib.sha256(_bytes(notebook)).hexdigest()
        if found != said["notebook"]["sha256"]:
            yield f"{notebook} is another notebook (SHA-256 {found})"


def _of_class(said: Mapping[str, Any], folder: Path | None) -> Iterator[str]:
    """Yield what a class's gradebook says now and a report does not."""
    if folder is None:
        return
    with Gradebook(folder) as gradebook:
        try:
            result = gradebook.result(said["student"]["id"])
        except GradebookError as error:
            yield str(error)
            return
    if result["notebook"]["sha256"] != said["notebook"]["sha256"]:
        yield "a later notebook of this student was graded"
    if result["assignment"]["sha256"] != said["assignment"]["sha256"]:
        yield "the assignment's points, thresholds or texts have changed since"
    for name in POINTS:
        if result[name] != said[name]:
            yield f"the gradebook now has {name} {result[name]}, and the report {said[name]}"
