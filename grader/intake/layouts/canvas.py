"""Canvas: *Download submissions* of an assignment; all names are flat.

`<sortable name>[_LATE]_<user id>_<attachment id>_<file name>`, or, anonymous,
`[LATE_]anon_<anonymous id>_<attachment id>_<file name>`. Another attempt's file gets `-1`, `-2`
before its extension. Text entries end in `_text.html` and addresses in `_link.html`, without an
attachment id. (lib/content_zipper.rb)
"""

from __future__ import annotations

import re

from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing, Parts
from grader.scoring import Late

_FILE = r"(?:(?P<file>\d+)_(?P<original>.+)|(?P<entry>(?:text|link)\.html))"
ANONYMOUS = re.compile(
    rf"(?:(?P<late>LATE)_)?(?P<name>anon_(?P<key>[A-Za-z0-9]+))_{_FILE}", re.DOTALL
)
NAMED = re.compile(rf"(?P<name>.+?)(?P<late>_LATE)?_(?P<key>\d+)_{_FILE}", re.DOTALL)
ATTEMPT = re.compile(r"(?P<stem>.+)-(?P<attempt>\d{1,4})(?P<extension>\.\w+)", re.DOTALL)


def placing(listing: Listing, notebook: str) -> Placing:
    """Return where files belong by the names that Canvas gives.

    No attachment's number stands twice, and a user has one name; where that is not so, people have
    called their files by a number and a date.
    """
    found = [match for one in listing.files if (match := _match(one.parts)) is not None]
    names = {(match["key"], match["name"]) for match in found}
    numbers = [match["file"] for match in found if match["file"]]
    if len(set(numbers)) < len(numbers) or len({key for key, _ in names}) < len(names):
        return lambda parts: None
    return _place


def _match(parts: Parts) -> re.Match[str] | None:
    if len(parts) != 1:
        return None
    return ANONYMOUS.fullmatch(parts[0]) or NAMED.fullmatch(parts[0])


def _place(parts: Parts) -> Place | None:
    found = _match(parts)
    if found is None:
        return None
    original = found["original"] or found["entry"]
    if again := ATTEMPT.fullmatch(original):
        original = f"{again['stem']}{again['extension']}"
    anonymous = found["name"].startswith("anon_")
    handles = {"canvas_file": parts[0]}
    if not anonymous:
        handles["canvas_user"] = found["key"]
    return Place(
        key=found["key"],
        name=found["name"],
        rest=(original,),
        words=(f"canvas {found['key']}", found["name"]),  # no number that another roster knows
        attempt=int(found["file"] or 0),  # attachments are numbered as they come
        # Canvas marks what is late, but does not say by how much
        late=Late(late=found["late"] is not None),
        handles=handles,
    )
