"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from markupsafe import Markup

MOST = 800  # words of either; difflib's time grows with the square of what differs, and worse
_PIECE = re.compile(r"\s*\S+\s*$|\s*\S+")  # a word with the space before it, or the last one

_OUT, _NEW = Markup("{}<del>{}</del>"), Markup("{}<ins>{}</ins>")


def difference(before: str, now: str) -> Markup | None:
    """Return the new text with what was added and what was taken out marked in it.

    None where the texts are too long to compare: both are then read one below the other.
    """
    old, new = _PIECE.findall(before), _PIECE.findall(now)
    return None if max(len(old), len(new)) > MOST else Markup("").join(_parts(old, new))


def _parts(before: list[str], now: list[str]) -> Iterator[Markup]:
    old, new = ([piece.strip() for piece in pieces] for pieces in (before, now))
    matcher = SequenceMatcher(None, old, new)  # what stands everywhere is no landmark
    for tag, low, high, start, stop in matcher.get_opcodes():
        if tag == "equal":
            yield Markup("{}").format("".join(now[start:stop]))
            continue
        for form, pieces in ((_OUT, before[low:high]), (_NEW, now[start:stop])):
            text = "".join(pieces)
            word = text.lstrip()
            yield form.format(text[: len(text) - len(word)], word) if word else Markup("")
