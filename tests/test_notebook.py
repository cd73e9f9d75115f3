"""Hostile and honest notebooks: what is tolerated, what is refused, and what is run."""

from __future__ import annotations

import codecs
import hashlib
import json
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import notebook as module
from grader.locale import Text, Translator
from grader.notebook import Notebook, Unreadable, read_notebook, to_run

Raw = dict[str, Any]


def document(*cells: object, **changes: object) -> Raw:
    """A notebook as Jupyter writes it, with these cells and changes."""
    whole: Raw = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": list(cells),
    }
    return whole | changes


def code(source: object = "1 + 1", **changes: object) -> Raw:
    """A code cell as Jupyter writes it."""
    cell: Raw = {"cell_type": "code", "id": "a", "metadata": {}, "source": source}
    return cell | {"outputs": [], "execution_count": None} | changes


def markdown(source: object = "Hola", **changes: object) -> Raw:
    """A Markdown cell as Jupyter writes it."""
    return {"cell_type": "markdown", "id": "b", "metadata": {}, "source": source} | changes


def encoded(whole: object) -> bytes:
    """A document as bytes."""
    return json.dumps(whole).encode()


def read(*cells: object, **changes: object) -> Notebook:
    """Read a notebook with these cells and changes."""
    return read_notebook(encoded(document(*cells, **changes)), "ana.ipynb")


def words(notices: tuple[Text, ...]) -> list[str]:
    """The machine words of notices."""
    by_template = {text.template: word for word, text in module._NOTICES.items()}
    return [by_template[notice.template] for notice in notices]


def refused(data: bytes) -> str:
    """The word with which these bytes are refused, after a look at the sentence."""
    with pytest.raises(Unreadable) as caught:
        read_notebook(data, "ana.ipynb")
    for language in ("es", "en"):
        sentence = Translator(language)(caught.value.text)
        assert sentence.startswith("ana.ipynb ")
        assert "\n" not in sentence
    return caught.value.looks_like


def test_a_clean_notebook_has_no_notices() -> None:
    """What Jupyter writes is read as it is, without a word."""
    whole = encoded(document(markdown(), code()))

    found = read_notebook(whole, "ana.ipynb")

    assert () == found.notices
    assert [("markdown", "b", "Hola"), ("code", "a", "1 + 1")] == [
        (cell.kind, cell.id, cell.source) for cell in found.cells
    ]
    assert [0, 1] == [cell.index for cell in found.cells]
    assert hashlib.sha256(whole).hexdigest() == found.sha256
    assert ("ana.ipynb", "python") == (found.name, found.language)


@pytest.mark.parametrize(
    ("word", "data"),
    [
        ("empty", b""),
        ("empty", b" \r\n\t"),
        ("empty", codecs.BOM_UTF8),
        ("text", b"hola, profe"),
        ("no-cells", b"null"),
        ("no-cells", b"{}"),
        ("no-cells", b"[1, 2]"),
        ("no-cells", encoded({"nbformat": 4, "metadata": {}})),
        ("no-cells", encoded(document(cells=None))),
        ("no-cells", encoded(document(cells={"0": code()}))),
        ("no-cells", encoded({"nbformat": 3, "worksheets": None})),
        ("truncated", encoded(document(code(), markdown()))[:-1]),
        ("truncated", encoded(document(code("print('hola')")))[:160]),
        ("truncated", b'{"cells": [], "metadata": {"a": tru'),
        ("truncated", b'{"cells": [], "nbformat": 4, "a": -'),
        ("truncated", b'{"cells": ["\\u00'),
        ("truncated", b"{"),
        ("trailing-comma", b'{"cells": [], "nbformat": 4,}'),
        ("trailing-comma", b'{"nbformat": 4, "cells": [\n{"a": 1},\n  ]}'),
        ("raw-newline", b'{"cells": ["a\nb"]}'),
        ("raw-newline", b'{"cells": ["a\tb"]}'),
        ("merge-conflict", b'{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> b\n]}'),
        ("not-json", b"{'cells': []}"),
        ("not-json", b'{"cells": []} {"cells": []}'),
        ("python", b"# %%\nimport numpy as np\nprint(1)\n"),
        ("python", b"from tensorflow import keras\n"),
        ("html", b"<!DOCTYPE html>\n<html><body>Iniciar sesi\xc3\xb3n</body></html>"),
        ("html", codecs.BOM_UTF8 + b"\n<HTML>"),
        ("zip", b"PK\x03\x04" + b"\0" * 40),
        ("office", b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml"),
        ("pdf", b"%PDF-1.7\n%\xe2\xe3"),
        ("image", b"\x89PNG\r\n\x1a\n"),
        ("hdf5", b"\x89HDF\r\n\x1a\n"),
        ("gzip", b"\x1f\x8b\x08\x00"),
        ("utf-16", encoded(document()).decode().encode("utf-16")),
        ("utf-16", encoded(document()).decode().encode("utf-16-le")),
        ("utf-16", encoded(document()).decode().encode("utf-16-be")),
        ("not-utf-8", '{"cells": [], "a": "áé"}'.encode("latin-1")),
        ("not-utf-8", b'{"cells": [], "a": "\x92"}'),
        ("nul-bytes", b"\0" * 500),
        ("nul-bytes", encoded(document(code())) + b"\0" * 100),
        ("long-number", b'{"cells": [], "a": ' + b"7" * 5000 + b"}"),
        ("deep-nesting", b"[" * 100_000),
        ("deep-nesting", b'{"cells":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        ("too-many-values", b"[" + b"[]," * 2_000_001 + b"1]"),
    ],
)
def test_what_is_no_notebook_is_unreadable(word: str, data: bytes) -> None:
    """Every file that is no notebook is refused with what it looks like."""
    looks_like = refused(data)

    assert word == looks_like


def test_over_the_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a list of cells or a text over its cap is refused, at the cap it is not."""
    assert 2_000 == len(read(*[code("")] * 2_000).cells)
    assert "too-many-cells" == refused(encoded(document(*[code("")] * 2_001)))
    assert 1 == len(read(code("x" * 2_000_000)).cells)
    assert "too-much-source" == refused(encoded(document(code("á" * 1_000_001))))

    whole = encoded(document(code()))
    monkeypatch.setattr("grader.unreadable.MAX_FILE_BYTES", len(whole))

    assert 1 == len(read_notebook(whole, "ana.ipynb").cells)
    assert "too-large" == refused(whole + b" ")


def test_the_file_cap_is_fifty_megabytes() -> None:
    """The cap is looked at before anything else is."""
    assert "too-large" == refused(b"\xff" * 50_000_001)


def test_zero_cells_are_readable() -> None:
    """An empty list of cells is a notebook, which is graded 0."""
    found = read()

    assert () == found.cells


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (["no-kernel"], {"metadata": {}}),
        (["metadata", "no-kernel"], {"metadata": None}),
        (["metadata", "no-kernel"], {"metadata": [1]}),
        (["version-missing"], {"nbformat": None}),
        (["version-missing"], {"nbformat": True}),
        (["version-new"], {"nbformat": 7, "nbformat_minor": 99}),
        (["version-old"], {"nbformat": -3}),
        (["version-place", "no-kernel"], {"nbformat": None, "metadata": {"nbformat": 4}}),
        (["no-kernel", "widgets"], {"metadata": {"widgets": {"application/vnd": {}}}}),
        (["constants"], {"nbformat_minor": float("nan")}),
        (["constants"], {"other": [float("inf"), -float("inf")]}),
        (["other-kernel"], {"metadata": {"kernelspec": {"name": "bash", "language": "bash"}}}),
        (["no-kernel", "other-kernel"], {"metadata": {"language_info": {"name": "R"}}}),
        ([], {"metadata": {"kernelspec": {"name": "tf-gpu", "language": "python"}}}),
    ],
)
def test_mistakes_of_the_file_are_tolerated(expected: list[str], changes: Raw) -> None:
    """What a file says wrongly about itself costs a notice and nothing else."""
    found = read(code(), **changes)

    assert expected == words(found.notices)
    assert ["1 + 1"] == [cell.source for cell in found.cells]


@pytest.mark.parametrize(
    ("expected", "source", "cell"),
    [
        ([], "a\nb", code(["a\n", "b"])),
        ([], "a\nb\nc", code("a\r\nb\rc")),
        ([], "😀", code(["\ud83d", "\ude00"])),
        (["replaced"], "a\ufffdb", code("a\ud800b")),
        (["replaced"], "a\ufffdb", markdown("a\0b")),
        (["no-source"], "", code(None)),
        (["no-source"], "", code(7)),
        (["no-source"], "ab", code(["a", None, "b", 3])),
        (["incomplete"], "x", code("x", metadata=None)),
        (["incomplete"], "x", {"cell_type": "code", "id": "a", "metadata": {}, "source": "x"}),
        (["no-id"], "x", code("x", id=None)),
        (["no-id"], "x", code("x", id="á b")),
        (["no-id"], "x", code("x", id="i" * 65)),
        ([], "x", code("x", id=None, metadata={"id": "colab_1"})),
    ],
)
def test_mistakes_of_a_cell_are_tolerated(expected: list[str], source: str, cell: Raw) -> None:
    """What a cell says wrongly costs a notice; the rest of it is read."""
    found = read(cell)

    assert expected == words(found.notices)
    assert [source] == [one.source for one in found.cells]


def test_a_byte_order_mark_is_skipped() -> None:
    """A BOM is fine, with a notice."""
    found = read_notebook(codecs.BOM_UTF8 + encoded(document(code())), "ana.ipynb")

    assert ["bom"] == words(found.notices)
    assert 1 == len(found.cells)


def test_surrogates_written_as_bytes_are_replaced() -> None:
    """Surrogates encoded one by one are joined where they are a pair, else replaced."""
    data = encoded(document(code("@"))).replace(b"@", b"\xed\xa0\xbd\xed\xb8\x80 \xed\xa0\x80")

    found = read_notebook(data, "ana.ipynb")

    assert "😀 \ufffd" == found.cells[0].source


def test_cells_of_unknown_type_are_skipped() -> None:
    """Entries that are no cell are skipped; the indices of the others have no gap."""
    found = read(None, code(), {"cell_type": "chart"}, 3, "x", {}, {"cell_type": []}, markdown())

    assert ["unknown"] == words(found.notices)
    assert {"count": 6} == found.notices[0].values
    assert [(0, "code"), (1, "markdown")] == [(cell.index, cell.kind) for cell in found.cells]


def test_ids_are_unique() -> None:
    """The first of two equal ids stays; made-up ids avoid those of the file."""
    found = read(code(id="x"), code(id="x"), code(id="cell-3"), code(id=None), code(id="cell-1"))

    assert ["x", "cell-1-2", "cell-3", "cell-3-2", "cell-1"] == [cell.id for cell in found.cells]
    assert ["no-id", "duplicate-id"] == words(found.notices)


def test_huge_outputs_are_dropped() -> None:
    """Stored outputs are never kept, however large; a large file says so."""
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 6_000_000}

    found = read(code(outputs=[output]))

    assert ["large"] == words(found.notices)
    assert [] == to_run(found)["cells"][0]["outputs"]


def test_format_3_is_converted() -> None:
    """A notebook of format 3 keeps its sources, with headings as Markdown."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Datos"], "metadata": {}},
        {"cell_type": "code", "input": ["a = 1\n", "a"], "outputs": [], "prompt_number": 3},
        {"cell_type": "markdown", "source": "Hola"},
    ]
    sheets = [{"cells": cells[:2]}, {"metadata": {}}, None, {"cells": cells[2:]}]

    found = read_notebook(
        encoded({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets}), "v3"
    )

    assert ["## Datos", "a = 1\na", "Hola"] == [cell.source for cell in found.cells]
    assert ["markdown", "code", "markdown"] == [cell.kind for cell in found.cells]
    assert "version-old" in words(found.notices)


def test_our_metadata_is_plain_strings() -> None:
    """Of our own metadata only strings and lists of strings are kept."""
    ours = {
        "role": "answer",
        "question": "q1",
        "check": ["data.loaded", "data.scaled"],
        "points": 3,
        "nested": {"a": "b"},
        "empty": "",
        "long": "x" * 900,
    }

    found = read(markdown(metadata={"grader": ours}), markdown(id="c", metadata={"grader": "x"}))

    role = dict(found.cells[0].role)
    assert 200 == len(role.pop("long"))
    assert {"role": "answer", "question": "q1", "check": "data.loaded data.scaled"} == role
    assert {} == found.cells[1].role


def test_our_metadata_is_short() -> None:
    """Twenty keys, and twenty words of each."""
    ours = {"check": [f"c{number}" for number in range(30)]}
    ours |= {f"k{number}": ["x"] for number in range(30)}

    role = read(markdown(metadata={"grader": ours})).cells[0].role

    assert (20, 20) == (len(role), len(role["check"].split()))


@pytest.mark.parametrize("value", [b"[],", b"1,1,"], ids=["lists", "numbers"])
def test_more_values_than_a_notebook_has_are_refused(value: bytes) -> None:
    """Each costs memory long before it costs bytes, so they are counted before they are parsed."""
    assert "too-many-values" == refused(b'{"cells": [], "x": [' + value * 1_000_001 + b"1]}")


def test_to_run_is_a_clean_notebook() -> None:
    """What is run is valid format 4.5, for Python 3, without tags, metadata or outputs."""
    fake = {"output_type": "stream", "name": "stdout", "text": "accuracy: 0.99"}
    tagged = code(metadata={"tags": ["skip-execution"], "grader": {"role": "x"}}, outputs=[fake])
    raw = {"cell_type": "raw", "id": "r", "metadata": {}, "source": "crudo"}

    clean = to_run(
        read(
            tagged,
            markdown(attachments={"a.png": {}}),
            raw,
            metadata={"kernelspec": {"name": "ir"}},
        )
    )

    nbformat.validate(clean)
    assert {"display_name": "Python 3", "language": "python", "name": "python3"} == clean[
        "metadata"
    ]["kernelspec"]
    assert {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "1 + 1",
        "outputs": [],
        "execution_count": None,
    } == clean["cells"][0]
    assert ["code", "markdown", "raw"] == [cell["cell_type"] for cell in clean["cells"]]
    assert "attachments" not in clean["cells"][1]


def test_names_are_made_showable() -> None:
    """A file's name cannot smuggle control characters or broken text into a sentence."""
    found = read_notebook(encoded(document()), "a\u202en\x1ba\udcff.ipynb")

    assert "ana\ufffd.ipynb" == found.name


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ("cells", "metadata", "nbformat", "worksheets", "source", "id", "cell_type", "outputs")
PIECES = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"{",
    b"[",
    b"]",
    b"}",
    b",",
    b'"',
    b"\n",
    b"9" * 4400,
    b"\\ud800",
)


def _never_breaks(data: bytes) -> None:
    try:
        found = read_notebook(data, "x.ipynb")
    except Unreadable:
        return
    nbformat.validate(to_run(found))
    json.dumps(to_run(found), ensure_ascii=False).encode()
    for notice in found.notices:
        assert Translator("es")(notice).encode()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid notebook with values exchanged, then its bytes cut and spliced."""
    whole = document(code(), markdown(metadata={"grader": {"role": "answer"}}), code("x", id="c"))
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from(KEYS))
        cells = whole.get("cells")
        inner = isinstance(cells, list) and cells and draw(st.booleans())
        place = cells[-1] if inner else whole
        if isinstance(place, dict):
            place[key] = draw(values)
    data = bytearray(encoded(whole))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 9))] = draw(st.sampled_from(PIECES))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


_few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_many = settings(_few, max_examples=10_000)


@_few
@given(st.binary(max_size=300))
def test_random_bytes_never_break_the_reader(data: bytes) -> None:
    """Random bytes raise `Unreadable` or nothing."""
    _never_breaks(data)


@_few
@given(mutated())
def test_mutated_notebooks_never_break_the_reader(data: bytes) -> None:
    """A damaged notebook is read or raises `Unreadable`."""
    _never_breaks(data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@_many
@given(st.binary(max_size=300) | mutated())
def test_ten_thousand_damaged_notebooks(data: bytes) -> None:
    """Ten thousand damaged notebooks are read or raise `Unreadable`."""
    _never_breaks(data)
