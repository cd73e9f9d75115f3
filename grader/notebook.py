"""A hostile `.ipynb` → cells → the clean notebook that is run. Pure: bytes in, values out.

What a file claims is tolerated where a person can still see what was meant, each time with a
notice; everything else is `Unreadable`. Stored outputs, tags, widgets and the kernel's name are
never used. Nothing here executes or judges anything.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grader.locale import T, Text
from grader.unreadable import MAX_FILE_BYTES, Unreadable, decode, parse, refusal

__all__ = ["MAX_FILE_BYTES", "Cell", "Notebook", "Unreadable", "read_notebook", "shown", "to_run"]

CURRENT_FORMAT = 4
MAX_CELLS = 2_000
MAX_SOURCE_BYTES = 2_000_000
LARGE_FILE_BYTES = 5_000_000
MAX_ROLE_KEYS = 20
MAX_WORD = 200

Kind = Literal["code", "markdown", "raw"]

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_KINDS: Mapping[object, Kind] = {
    "code": "code",
    "markdown": "markdown",
    "raw": "raw",
    "heading": "markdown",  # nbformat 3
    "html": "markdown",  # nbformat 2
}

_NOTICES = {
    "bom": T("The file starts with a byte-order mark (BOM), which was skipped."),
    "constants": T(
        "The file holds NaN or Infinity, which JSON has no word for; they were ignored."
    ),
    "large": T(
        "The file has {size} MB, nearly all of it stored outputs; they were dropped, since every "
        "cell is run anew."
    ),
    "version-place": T(
        "The file keeps its format's version in the wrong place; it was read all the same."
    ),
    "version-missing": T("The file does not say its format's version; it was read as version 4."),
    "version-old": T("The file has the old format {version} and was converted."),
    "version-new": T("The file has format {version}, newer than 4; it was read as version 4."),
    "metadata": T("The file has no metadata as Jupyter writes it; nothing of it is needed."),
    "no-kernel": T("The file names no kernel; it was run with Python 3."),
    "other-kernel": T(
        "The file asks for the kernel {kernel} ({language}); it was run with Python 3."
    ),
    "widgets": T("The file holds the state of widgets (Colab stores it), which was dropped."),
    "unknown": T("Entries of the list of cells of no known type: {count}; they were skipped."),
    "incomplete": T("Cells without the metadata or outputs that Jupyter always writes: {count}."),
    "no-id": T("Cells without a valid id: {count}; they got one."),
    "duplicate-id": T("Cells with the id of an earlier cell: {count}; they got one of their own."),
    "no-source": T("Cells without readable source: {count}; they count as empty."),
    "replaced": T("Cells with characters that no file can keep: {count}; they were replaced by �."),
}
_PYTHON_NAMES = ("python", "python3", "ipython")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        index: its place among the readable cells, counted from 0: what results and reports name.
        id: unique in the notebook; the file's own where it had a valid one.
        role: our own metadata (the key `grader`); a list of words is joined with spaces.
    """

    index: int
    id: str
    kind: Kind
    source: str
    role: Mapping[str, str]


@dataclass(frozen=True)
class Notebook:
    """A notebook as read.

    Attributes:
        sha256: of the file's bytes.
        notices: what was tolerated, one sentence for each kind of thing.
        language: the programming language that the file names; `python` where it names none.
    """

    name: str
    sha256: str
    cells: tuple[Cell, ...]
    notices: tuple[Text, ...]
    language: str


def read_notebook(data: bytes, name: str) -> Notebook:
    """Return the notebook that these bytes hold.

    Raises:
        Unreadable: they hold none; it says what they look like.
    """
    name = shown(name)
    reader = _Reader(name)
    text = decode(data, name)
    if text.startswith("\ufeff"):
        reader.tolerate("bom")
    document, has_constants = parse(text.lstrip("\ufeff"), name)
    if has_constants:
        reader.tolerate("constants")
    if len(data) > LARGE_FILE_BYTES:
        reader.tolerate("large", size=len(data) // 1_000_000)
    cells = reader.cells(document)
    language = reader.language(document)
    digest = hashlib.sha256(data).hexdigest()
    return Notebook(name, digest, cells, reader.notices, language)


def to_run(notebook: Notebook) -> dict[str, Any]:
    """Return the clean nbformat 4.5 notebook that the driver runs: the cells' sources, in order."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": [_cell_to_run(cell) for cell in notebook.cells],
    }


def shown(text: object, limit: int = MAX_WORD) -> str:
    """Return a short piece of a hostile text as it may stand in a sentence."""
    return _UNPRINTABLE.sub("", _storable(str(text)[:limit])).strip()


def _cell_to_run(cell: Cell) -> dict[str, Any]:
    plain = {"cell_type": cell.kind, "id": cell.id, "metadata": {}, "source": cell.source}
    return plain | {"outputs": [], "execution_count": None} if cell.kind == "code" else plain


class _Reader:
    """Reads one document and remembers what it tolerated, each kind of thing once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tolerated: dict[str, Mapping[str, object]] = {}
        self._cells: Counter[str] = Counter()

    @property
    def notices(self) -> tuple[Text, ...]:
        """What was tolerated, about the file first, then about its cells."""
        counts = {word: {"count": count} for word, count in self._cells.items()}
        found = {**self._tolerated, **counts}
        return tuple(
            Text(text.template, found[word]) for word, text in _NOTICES.items() if word in found
        )

    def tolerate(self, word: str, **values: object) -> None:
        """Remember a notice about the file."""
        self._tolerated[word] = values

    def cells(self, document: object) -> tuple[Cell, ...]:
        """Return the document's cells.

        Raises:
            Unreadable: it has no list of cells, or too many, or too much source.
        """
        raw_cells = self._raw_cells(document)
        if len(raw_cells) > MAX_CELLS:
            raise refusal("too-many-cells", name=self.name, count=len(raw_cells), limit=MAX_CELLS)
        readable = [pair for pair in map(self._kind_and_cell, raw_cells) if pair]
        taken: set[str] = set()
        wanted = [self._wanted_id(raw, taken) for _, raw in readable]
        cells = []
        for index, (kind, raw) in enumerate(readable):
            identity = wanted[index] or _free_id(index, taken)
            cells.append(Cell(index, identity, kind, self._source(raw), _role(raw)))
        size = sum(len(cell.source.encode()) for cell in cells)
        if size > MAX_SOURCE_BYTES:
            limit = MAX_SOURCE_BYTES // 1000
            raise refusal("too-much-source", name=self.name, size=-(-size // 1000), limit=limit)
        return tuple(cells)

    def language(self, document: Mapping[str, Any]) -> str:
        """Return the language that the metadata names; a notice says where it is not used."""
        metadata = _mapping(document.get("metadata"))
        spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
        named = (_word(info.get("name")), _word(spec.get("language")))
        language = next((word.lower() for word in named if word), "python")
        kernel = _word(spec.get("name"))
        if not kernel:
            self.tolerate("no-kernel")
        if language not in _PYTHON_NAMES or kernel.lower() in ("bash", "ir"):
            self.tolerate("other-kernel", kernel=kernel or language, language=language)
        if "widgets" in metadata:
            self.tolerate("widgets")
        return language

    def _raw_cells(self, document: object) -> list[Any]:
        if isinstance(document, dict):
            self._notice_version(document)
            if isinstance(document.get("cells"), list):
                return _list(document["cells"])
            sheets = document.get("worksheets")  # nbformat 3
            if isinstance(sheets, list):
                return [cell for sheet in sheets for cell in _list(_mapping(sheet).get("cells"))]
        raise refusal("no-cells", name=self.name)

    def _notice_version(self, document: Mapping[str, Any]) -> None:
        version, metadata = document.get("nbformat"), document.get("metadata")
        if not isinstance(metadata, dict):
            self.tolerate("metadata")
        elif version is None and "nbformat" in metadata:
            version = metadata["nbformat"]
            self.tolerate("version-place")
        if type(version) is not int:
            self.tolerate("version-missing")
        elif version != CURRENT_FORMAT:
            word = "version-old" if version < CURRENT_FORMAT else "version-new"
            self.tolerate(word, version=shown(version))

    def _kind_and_cell(self, raw: object) -> tuple[Kind, Mapping[str, Any]] | None:
        word = raw.get("cell_type") if isinstance(raw, dict) else None
        kind = _KINDS.get(word) if isinstance(word, str) else None
        if kind is None or not isinstance(raw, dict):
            self._cells["unknown"] += 1
            return None
        expected = {"metadata", "outputs"} if kind == "code" else {"metadata"}
        if not all(isinstance(raw.get(key), dict | list) for key in expected):
            self._cells["incomplete"] += 1
        return kind, raw

    def _wanted_id(self, raw: Mapping[str, Any], taken: set[str]) -> str | None:
        """The file's own id, or the one that Colab keeps in the metadata, if valid and free."""
        for identity in (raw.get("id"), _mapping(raw.get("metadata")).get("id")):
            if not isinstance(identity, str) or not _CELL_ID.fullmatch(identity):
                continue
            if identity in taken:
                self._cells["duplicate-id"] += 1
                return None
            taken.add(identity)
            return identity
        self._cells["no-id"] += 1
        return None

    def _source(self, raw: Mapping[str, Any]) -> str:
        value = raw.get("source", raw.get("input"))
        parts = value if isinstance(value, list) else [value]
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) < len(parts):
            self._cells["no-source"] += 1
        source = "".join(texts).replace("\r\n", "\n").replace("\r", "\n")
        storable = _storable(source)
        if storable.count("\ufffd") > source.count("\ufffd"):
            self._cells["replaced"] += 1
        level = raw.get("level")
        if raw.get("cell_type") == "heading" and type(level) is int:
            return f"{'#' * min(max(level, 1), 6)} {storable}"
        return storable


def _storable(text: str) -> str:
    """Join surrogates that belong together; replace lone ones and NUL, which no file can keep."""
    if not _UNSTORABLE.search(text):
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", "\ufffd")


def _free_id(index: int, taken: set[str]) -> str:
    identity = next(word for word in _numbered(f"cell-{index}") if word not in taken)
    taken.add(identity)
    return identity


def _numbered(word: str) -> Iterator[str]:
    yield word
    yield from (f"{word}-{number}" for number in itertools.count(2))


def _role(raw: Mapping[str, Any]) -> Mapping[str, str]:
    ours = _mapping(_mapping(raw.get("metadata")).get("grader"))
    role: dict[str, str] = {}
    for key, value in list(ours.items())[:MAX_ROLE_KEYS]:
        words = value if isinstance(value, list) else [value]
        if key and all(isinstance(word, str) and word for word in words):
            role[shown(key)] = shown(" ".join(words[:MAX_ROLE_KEYS]))
    return role


def _word(value: object) -> str:
    return shown(value) if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
