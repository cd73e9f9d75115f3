"""nbgrader: `submitted/<student>/<assignment>/<notebook>.ipynb`, as `nbgrader collect` fills it.

Each assignment's folder has a `timestamp.txt`, by which the tree is known. It is written by the
student's own account, so nobody is late by it.
(nbgrader/converters/base.py, `directory_structure`)
"""

from __future__ import annotations

from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing, Parts
from grader.intake.students import stem

TIMESTAMP = "timestamp.txt"


def placing(listing: Listing, notebook: str) -> Placing:
    """Return where files belong in nbgrader's tree; of several assignments the one of that name."""
    known = {one.parts[:2] for one in listing.files if one.parts[2:] == (TIMESTAMP,)}
    folders = {one.parts[0] for one in listing.files}
    if 2 * len({student for student, _ in known}) <= len(folders):
        return lambda parts: None  # a student may call a file of theirs so
    assignments = {assignment for _, assignment in known}
    called = {one for one in assignments if one.casefold() == stem(notebook).casefold()}
    wanted = called or assignments

    def place(parts: Parts) -> Place | None:
        if parts[:2] not in known:
            return None
        student, assignment = parts[:2]
        rest = parts[2:] if assignment in wanted else ()
        handles = {"nbgrader_assignment": assignment}
        return Place(student, student, rest, (student,), handles=handles)

    return place
