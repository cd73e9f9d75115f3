"""Do texts of a figure or a printout name the classes? In Spanish, in English, or as translated.

Names are compared without case and accents. A student may translate the names freely, so as many
different words as 60 % of the classes count as names too: what is asked for is that each image
has a readable name beside it, not which translation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from grader.assignment import Dataset

ENOUGH = 0.6


def plain(text: str) -> str:
    """Return a text in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def class_names(dataset: Dataset) -> tuple[frozenset[str], ...]:
    """Return the ways to write each class: both languages, and the parts of `T-shirt/top`."""
    return tuple(
        frozenset(
            plain(part) for name in (sentence.es, sentence.en) for part in (name, *name.split("/"))
        )
        for sentence in dataset.classes
    )


def names_class(text: str, ways: Iterable[str]) -> bool:
    """Whether a text has one of these names as whole words."""
    words = plain(text)
    return any(re.search(rf"(?<!\w){re.escape(way)}(?!\w)", words) for way in ways)


def all_named(labels: Sequence[Sequence[str]], dataset: Dataset) -> bool:
    """Whether nearly every one of these groups of texts names a class.

    Args:
        labels: the texts of each image's axes.
    """
    ways = frozenset().union(*class_names(dataset))
    if not labels:
        return False
    named = sum(any(names_class(text, ways) for text in texts) for texts in labels)
    if named >= 0.8 * len(labels):
        return True
    written = [[text for text in texts if _has_word(text)] for texts in labels]
    if not all(written):
        return False
    wanted = min(ENOUGH * len(dataset.classes), ENOUGH * len(labels))
    return len({_letters(text) for texts in written for text in texts}) >= wanted


def names_classes(texts: Sequence[str], dataset: Dataset) -> bool:
    """Whether the texts name most of the classes, or are that many different words."""
    known = sum(any(names_class(text, ways) for text in texts) for ways in class_names(dataset))
    words = {_letters(text) for text in texts if _has_word(text)}
    return max(known, len(words)) >= ENOUGH * len(dataset.classes)


def _has_word(text: str) -> bool:
    return sum(letter.isalpha() for letter in text) >= 3


def _letters(text: str) -> str:
    """The text without digits and signs: `Imagen 3` and `Imagen 4` are one word, not two names."""
    return re.sub(r"[\W\d_]+", " ", plain(text)).strip()
