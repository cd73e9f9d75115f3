"""A CSV file that a platform gave, of which some cells change and every other byte goes back.

The file is never written anew from its parsed values: its bytes are kept, and only the places of
the cells that change are replaced. So byte-order mark, line ends, quotes and columns that nobody
here knows stay as they were.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

DELIMITERS = ",;\t"
# What a spreadsheet takes for the beginning of a formula (OWASP, *CSV Injection*).
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_WITHIN = re.compile(f'([{DELIMITERS}]"*)(?=[=+@＝＋－＠-])')


class SheetError(Exception):
    """The file is no CSV table; the message says where."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and where it stands in the file's text, quotes included."""

    text: str
    start: int
    end: int

    @property
    def quoted(self) -> bool:
        """Whether it stands in quotes."""
        return self.end - self.start >= 2 + len(self.text)


@dataclass
class Sheet:
    """A table whose cells can be replaced.

    Attributes:
        rows: the cells of each line, the header first.
    """

    text: str
    encoding: str
    delimiter: str
    rows: list[list[Cell]]
    _changes: dict[int, tuple[Cell, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: bytes) -> Sheet:
        """Read a file's bytes.

        Raises:
            SheetError: it is empty, or a quote is never closed.
        """
        text, encoding = _decoded(data)
        if not text:
            raise SheetError("it is empty")
        tables: dict[str, list[list[Cell]]] = {}
        for delimiter in DELIMITERS:
            try:
                tables[delimiter] = list(_rows(text, delimiter))
            except SheetError as error:
                problem = error
        if not tables:
            raise problem
        delimiter = max(tables, key=lambda one: _fits(tables[one]))
        return cls(text, encoding, delimiter, tables[delimiter])

    def put(self, row: int, column: int, text: str) -> None:
        """Replace a cell's text; it is quoted where its own text was, or where it must be."""
        cell = self.rows[row][column]
        must = any(mark in text for mark in (self.delimiter, '"', "\n", "\r"))
        escaped = text.replace('"', '""')
        self._changes[cell.start] = cell, f'"{escaped}"' if must or cell.quoted else text

    def data(self) -> bytes:
        """Return the file's bytes with the cells replaced."""
        parts, place = [], 0
        for start in sorted(self._changes):
            cell, text = self._changes[start]
            parts += [self.text[place:start], text]
            place = cell.end
        return self._encoded("".join([*parts, self.text[place:]]))

    def columns(self, kept: Sequence[int]) -> bytes:
        """Return the bytes of some columns only, with the cells replaced; lines end as before."""
        lines = []
        for row in self.rows:
            cells = [self._raw(row[column]) for column in kept if column < len(row)]
            end = row[-1].end
            lines.append(self.delimiter.join(cells) + self.text[end : end + self._break(end)])
        return self._encoded("".join(lines))

    def _raw(self, cell: Cell) -> str:
        changed = self._changes.get(cell.start)
        return self.text[cell.start : cell.end] if changed is None else changed[1]

    def _break(self, place: int) -> int:
        return 2 if self.text.startswith("\r\n", place) else 1

    def _encoded(self, text: str) -> bytes:
        if self.encoding == "latin-1":
            return text.encode("latin-1", "replace")
        mark = codecs.BOM_UTF8 if self.encoding == "utf-8-sig" else b""
        return mark + text.encode("utf-8", "surrogateescape")


def inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def inert_anywhere(text: str) -> str:
    """Return a text that is no formula either where a spreadsheet parts lines at another sign.

    Excel in Spanish parts at semicolons, whatever stands in quotes that do not open a cell.
    """
    return _WITHIN.sub(r"\1'", inert(text))


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :].decode("utf-8", "surrogateescape"), "utf-8-sig"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"  # every byte goes back as it came


def _fits(rows: Sequence[Sequence[Cell]]) -> tuple[int, int]:
    """How well lines of cells make a table: how many are as wide as the first one, and how wide."""
    width = len(rows[0])
    return (sum(len(row) == width for row in rows) if width > 1 else 0), width


def _rows(text: str, delimiter: str) -> Iterator[list[Cell]]:
    """Yield the cells of each line (RFC 4180; a line may end in LF, CR LF or CR)."""
    place = 0
    row: list[Cell] = []
    while place < len(text) or row:
        cell = _cell(text, place, delimiter)
        row.append(cell)
        place = cell.end
        if text[place : place + 1] == delimiter:
            place += 1
            continue
        yield row
        row = []
        place += 2 if text[place : place + 2] == "\r\n" else 1


def _cell(text: str, start: int, delimiter: str) -> Cell:
    if text[start : start + 1] != '"':
        end = _end(text, start, delimiter)
        return Cell(text[start:end], start, end)
    place = start + 1
    while (place := text.find('"', place)) >= 0:
        if text[place + 1 : place + 2] != '"':
            break
        place += 2
    if place < 0:
        line = text.count("\n", 0, start) + 1
        raise SheetError(f"the quote that opens in line {line} is never closed")
    end = _end(text, place + 1, delimiter)
    return Cell(text[start + 1 : place].replace('""', '"'), start, end)


def _end(text: str, place: int, delimiter: str) -> int:
    found = re.compile(f"[{delimiter}\r\n]").search(text, place)
    return len(text) if found is None else found.start()
