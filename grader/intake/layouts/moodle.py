"""Moodle: *Download all submissions* of an assignment.

`<full name>_<participant id>_assignsubmission_file/<path>` (before 4.1 the folder ends in `_`), or,
with folders switched off, one flat name `…_assignsubmission_file_<file name>`. In blind marking the
name is the word for *Participant*; of a team name and id are the group's, and the id may be that of
another participant. The id is the assignment's own, not the user's.
(mod/assign/classes/downloader.php)
"""

from __future__ import annotations

import re

from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing, Parts

NAME = re.compile(
    r"(?P<folder>(?P<name>[^_]*)_(?P<id>\d+)_(?:assignsubmission|assignfeedback)_[a-z]+)"
    r"(?:_(?P<rest>.*))?",
    re.DOTALL,
)


def placing(listing: Listing, notebook: str) -> Placing:
    """Return where files belong by the names that Moodle gives."""
    return _place


def _place(parts: Parts) -> Place | None:
    found = NAME.fullmatch(parts[0])
    if found is None:
        return None
    flat = len(parts) == 1
    if flat and not found["rest"]:
        return None
    rest = (found["rest"],) if flat else parts[1:]
    # What goes back must stand in a folder of exactly the name of the download.
    folder = found["folder"] if flat else parts[0]
    return Place(
        key=found["id"],
        name=found["name"],
        rest=rest,
        words=(f"participant {found['id']}", found["name"]),  # no number that a roster knows
        handles={"moodle_folder": folder, "moodle_id": found["id"], "moodle_name": found["name"]},
    )
