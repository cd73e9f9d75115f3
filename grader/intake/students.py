"""Names of files and folders → students: an id that is safe everywhere, a name for people."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from grader.notebook import shown
from grader.result import Student

MAX_ID = 60
MAX_NAME = 100
_SUFFIX = re.compile(r"\.ipynb(?:\.(?:txt|json))?$", re.IGNORECASE)
_WORK = re.compile(rf"{_SUFFIX.pattern}|\.zip$", re.IGNORECASE)


def students(labels: Sequence[str]) -> list[Student]:
    """Return a student for each name of a file or folder, in the same order.

    Ids that would be equal all get a short hash of their label, so that nobody's id depends on
    who else is listed first.
    """
    stems = [stem(label) for label in labels]
    slugs = [_slug(text) for text in stems]
    shared = {slug for slug, count in Counter(slugs).items() if count > 1}
    taken = set(slugs)
    result = []
    for label, text, slug in zip(labels, stems, slugs, strict=True):
        identity = _with_hash(slug, label, taken) if slug in shared else slug
        taken.add(identity)
        result.append(Student(id=identity, name=_name(text) or identity))
    return result


def is_notebook(label: str) -> bool:
    """Whether a file is called as a notebook; some browsers append `.txt` or `.json`."""
    return _SUFFIX.search(label) is not None


def stem(label: str) -> str:
    """Return a file's name without the extension of a notebook or an archive."""
    return _WORK.sub("", label)


@lru_cache(65_536)  # a class is sorted several times
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key with numbers by their value: `taller (2)` before `taller (10)`."""
    parts = re.split(r"([0-9]+)", unicodedata.normalize("NFC", text).casefold())
    keys = ((1, len(p.lstrip("0")), p.lstrip("0")) if p.isdecimal() else (0, 0, p) for p in parts)
    return tuple(keys)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_ID].strip("-")
    return slug or "student"


def _with_hash(slug: str, label: str, taken: set[str]) -> str:
    digest = hashlib.sha256(label.encode("utf-8", "surrogateescape")).hexdigest()
    candidates = (f"{slug}-{digest[:length]}" for length in range(6, len(digest)))
    return next(word for word in candidates if word not in taken)


def _name(text: str) -> str:
    spaced = " ".join(re.sub(r"[_\-.]+", " ", shown(unicodedata.normalize("NFC", text))).split())
    plain = spaced in (spaced.lower(), spaced.upper())
    return (" ".join(map(str.capitalize, spaced.split())) if plain else spaced)[:MAX_NAME]
