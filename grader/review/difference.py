"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from markupsafe import Markup

MOST = 6_000  # characters of either; difflib's time grows with the square of what differs
_PIECE = re.compile(r"\s+|[^\s]+")


def difference(before: str, now: str) -> Markup | None:
    """Return the new text with what was added and what was taken out marked in it.

    None where the texts are too long to compare: both are then read one below the other.
    """
    if max(len(before), len(now)) > MOST:
        return None
    return Markup("").join(_parts(_PIECE.findall(before), _PIECE.findall(now)))


def _parts(before: list[str], now: list[str]) -> Iterator[Markup]:
    matcher = SequenceMatcher(None, before, now, autojunk=False)
    for tag, low, high, start, stop in matcher.get_opcodes():
        if tag == "equal":
            yield Markup("{}").format("".join(now[start:stop]))
            continue
        if high > low:
            yield Markup("<del>{}</del>").format("".join(before[low:high]))
        if stop > start:
            yield Markup("<ins>{}</ins>").format("".join(now[start:stop]))
