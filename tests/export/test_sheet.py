"""A sheet gives every byte back but those of the cells that changed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.export.sheet import Sheet, SheetError, inert

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
TABLES = st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=6)


def written(table: list[list[str]], delimiter: str, quoting: int, end: str, mark: bytes) -> bytes:
    stream = io.StringIO(newline="")
    if any("\r" in cell for row in table for cell in row):
        quoting = csv.QUOTE_ALL  # the library of Python 3.11 does not quote it of its own accord
    csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(table)
    return mark + stream.getvalue().encode()


def read(data: bytes, delimiter: str) -> list[list[str]]:
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@given(
    TABLES,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.data(),
)
def test_a_cell_changes_and_nothing_else(
    table: list[list[str]], quoting: int, end: str, mark: bytes, data: st.DataObject
) -> None:
    """Whatever stands in it, whatever is put: the library reads the same table with that change."""
    table = [["a", "b", "c"], *table]
    raw = written(table, ",", quoting, end, mark)
    sheet = Sheet.read(raw)
    assert raw == sheet.data()
    assert table == [[cell.text for cell in row] for row in sheet.rows]

    row, column, text = data.draw(
        st.tuples(st.integers(1, len(table) - 1), st.integers(0, 2), TEXT)
    )
    sheet.put(row, column, text)

    table[row][column] = text
    assert table == read(sheet.data(), ",")
    before, after = raw[: len(mark)], sheet.data()[: len(mark)]
    assert before == after
    assert [[line[2], line[0]] for line in table] == read(sheet.columns([2, 0]), ",")


@dataclass(frozen=True)
class File:
    """A file as somebody wrote it: each line's cells, quotes included, and how the line ends."""

    lines: list[tuple[list[str], str]]
    delimiter: str
    encoding: str

    def bytes(self, put: Mapping[tuple[int, int], str]) -> bytes:
        """Return it, with some cells' raw text replaced."""
        text = "".join(
            self.delimiter.join(put.get((at, column), raw) for column, raw in enumerate(cells))
            + end
            for at, (cells, end) in enumerate(self.lines)
        )
        return text.encode(self.encoding)


HEADER = ["Identificación", "Nota", '"Un ""comentario"""']


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def texts(encoding: str) -> st.SearchStrategy[str]:
    most = 0xFF if encoding == "latin-1" else 0x10FFFF
    any_character = st.characters(max_codepoint=most, exclude_categories=["Cs"])
    return st.text(any_character | st.sampled_from('",;\t\r\n '), max_size=8)


@st.composite
def files(draw: st.DrawFn) -> File:
    """Any dialect: ragged and blank lines, breaks within quotes, quotes within bare cells."""
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]))
    some = texts(encoding)
    bare = some.map(lambda text: re.sub(f'^"+|[{delimiter}\r\n]', "", text))
    ends = draw(st.sampled_from([["\n", "\r\n"], ["\n"], ["\r\n"], ["\r"]]))
    end = st.sampled_from(ends)
    cells = st.lists(bare | some.map(quoted), min_size=1, max_size=5)
    lines = [(HEADER, draw(end)), *draw(st.lists(st.tuples(cells, end), min_size=1, max_size=6))]
    lines += [([""], draw(end))] * draw(st.integers(0, 3))
    if lines[-1][0] != [""] and draw(st.booleans()):
        lines[-1] = lines[-1][0], ""
    return File(lines, delimiter, encoding)


@given(files(), st.data())
@example(File([(HEADER, "\r\n"), (['5" o 6"', '"a\r\n\nb"'], "\n")], ";", "latin-1"), None)
@example(
    File(
        [
            (HEADER, "\n"),
            (['"a"",b"', "", "c"], ""),
        ],
        ",",
        "utf-8-sig",
    ),
    None,
)
def test_every_byte_but_two_cells_comes_back(file: File, data: st.DataObject | None) -> None:
    """Compared as bytes, not as values: mark, line ends, quotes, blank lines, unknown cells."""
    raw = file.bytes({})
    sheet = Sheet.read(raw)
    assert raw == sheet.data()
    places = [
        (at, column) for at, (cells, _) in enumerate(file.lines) for column in range(len(cells))
    ]
    put: dict[tuple[int, int], str] = {(1, 0): f"4{file.delimiter}50", (0, 1): 'x"y'}
    if data is not None:
        put = data.draw(
            st.dictionaries(st.sampled_from(places), texts(file.encoding), min_size=2, max_size=2)
        )

    expected = {}
    for (at, column), text in put.items():
        sheet.put(at, column, text)
        special = re.search(f'["\r\n{file.delimiter}]', text)
        was = file.lines[at][0][column].startswith('"')
        expected[at, column] = quoted(text) if special or was else text

    assert file.bytes(expected) == sheet.data()


@given(st.binary(max_size=300))
@example(b'"')
@example(b"a;b\r\n\xff;\xfe")
def test_any_bytes_come_back(data: bytes) -> None:
    """A file in another encoding, or none, is given back as it came, or refused with a line."""
    try:
        sheet = Sheet.read(data)
    except SheetError:
        assert not data.strip(b"\xef\xbb\xbf") or b'"' in data
        return
    assert data == sheet.data()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """Spreadsheets in Spanish separate by semicolons."""
    raw = written([["Identificador", "Nota, final"], ["1", "2"]], delimiter, 0, "\r\n", b"")

    assert [2, 2] == [len(row) for row in Sheet.read(raw).rows]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", "\r=1", "\n=1"])
def test_a_formula_is_made_inert(text: str) -> None:
    """A spreadsheet takes none of them for a formula, and the text is still there."""
    assert f"'{text}" == inert(text)
    assert "hola = 1" == inert("hola = 1")
