"""Gradescope: *Export submissions* of a programming assignment.

`assignment_<id>_export/submission_<id>/<path>`, with `submission_metadata.yml` beside the folders:
for each of them `:submitters:` with `:name:`, `:sid:` and `:email:`. That file is Ruby's YAML; only
those lines are read, so that no YAML library is needed where nothing may execute data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing, Parts

METADATA = "submission_metadata.yml"
FOLDER = re.compile(r"submission_(\d+)")
_OF = re.compile(r"(?P<folder>submission_\d+):\s*")
_SAYS = re.compile(r"\s+(?P<dash>- )?:(?P<what>name|sid|email): ?(?P<value>.*)")


def placing(listing: Listing, notebook: str) -> Placing:
    """Return where files belong by Gradescope's folders; who it is, by its metadata."""
    found = next((one for one in listing.files if one.parts == (METADATA,)), None)
    people = dict(_people(found.read().decode("utf-8", "replace"))) if found is not None else {}

    def place(parts: Parts) -> Place | None:
        matched = FOLDER.fullmatch(parts[0])
        if matched is None or len(parts) == 1:
            return None
        who = people.get(parts[0], {})
        return Place(
            key=matched[1],  # anybody may claim another's student number
            name=who.get("name") or parts[0],
            rest=parts[1:],
            words=tuple(who[what] for what in ("sid", "email", "name") if what in who),
            handles={"gradescope_submission": matched[1]},
        )

    return place


def _people(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each folder's first submitter; of a group the others have no folder of their own."""
    said: dict[str, str] = {}
    for line in text.splitlines():
        if found := _OF.fullmatch(line):
            said = {}
            yield found["folder"], said
        elif found := _SAYS.fullmatch(line):
            if found["dash"] and said:
                said = {}  # another submitter of the group
            if value := _scalar(found["value"]):
                said[found["what"]] = value


def _scalar(text: str) -> str:
    """Return what a quoted or plain scalar of YAML says."""
    text = text.strip()
    if text[:1] == text[-1:] == "'":
        return text[1:-1].replace("''", "'")
    return text[1:-1] if text[:1] == text[-1:] == '"' else text
