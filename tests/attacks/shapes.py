"""Hostile archives and damaged notebooks to draw from: the shapes of threats G and H, combined."""

from __future__ import annotations

import io
import json
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.attacks.hostile_class import storable
from tests.attacks.payloads import PAYLOADS

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
FOLDERS = (
    "ana/", "luis/", "ANA/", "Pérez, Ana_12_assignsubmission_file/",
    "Gil_13_assignsubmission_file/",
    "submission_77/", "taller3/ana/", "ana/datos/", "clase\\ana\\", "", "__MACOSX/ana/",
    "ana/.ipynb_checkpoints/", "jose\u0301/", "jos\u00e9/", "x\u202egpj/", "CON/", "NUL./", "-rf/",
    ".oculta/", "a" * 200 + "/", "d/" * 12, " /", "./", "ana//", "\u200b/", "{0}/", "%s/", "$(id)/",
)  # fmt: skip
SLIPS = (
    "../", "../../../../tmp/", "/etc/", "/tmp/", "C:/", "C:\\", "..\\..\\", "\\\\host\\c$\\",
    "ana/../../",
    "ana\\..\\..\\", "//host/", "c:", "ana/..\\../", "....//", "..;/", "%2e%2e/", "~/", "file:///tmp/",
)  # fmt: skip
FILES = (
    "taller3.ipynb", "Taller3 (1).ipynb", "taller3-checkpoint.ipynb", "._taller3.ipynb", "t.IPYNB",
    ".~lock.taller3.ipynb#", "taller3.ipynb.txt", "taller3.py", "notas.txt", "t.zip", "m.keras",
    "perezana_LATE_101_9001_taller3-1.ipynb", "metadata.yml", "submission_metadata.yml", "t.ipynb/",
    "con.ipynb", "t.ipynb.", "t .ipynb", "\u202ebnypi.t", "a" * 260 + ".ipynb", "x\ny.ipynb", "",
    "<img src=x onerror=alert(1)>.ipynb", "=cmd|'x'!A1.ipynb", "t\x00.ipynb", "\ud800.ipynb",
)  # fmt: skip
KEYS = ("cells", "metadata", "nbformat", "worksheets", "source", "id", "cell_type", "outputs")
PIECES = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"{", b"[", b"]", b"}", b",", b'"', b"\n", b"9" * 4400,
    b"\\ud800", b"[" * 3_000, b"NaN", b"-Infinity", b"1e999", b"\xef\xbb\xbf", b"<<<<<<< HEAD\n",
    b"\x92",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(list(PAYLOADS.values())),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


def collected(strategy: st.SearchStrategy[bytes], count: int) -> list[bytes]:
    """Return that many examples."""
    found: list[bytes] = []

    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(data: bytes) -> None:
        found.append(data)

    collect()
    return found


@st.composite
def notebooks(draw: st.DrawFn) -> bytes:
    """A sheet with hostile answers, values exchanged, its bytes spliced and cut."""
    texts = st.sampled_from(list(PAYLOADS.values()))
    cells: list[Any] = []
    for number in range(draw(st.integers(1, 5))):
        answer = {"grader": {"role": "answer", "question": f"q{number + 1}"}}
        kind = draw(st.sampled_from(["markdown", "code", "raw", "heading"]))
        cell = {"cell_type": kind, "id": f"c{number}", "metadata": answer, "source": draw(texts)}
        more = {"outputs": [], "execution_count": None} if kind == "code" else {}
        cells.append(cell | more)
    whole: dict[str, Any] = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        inner = bool(cells) and draw(st.booleans())
        place = draw(st.sampled_from(cells)) if inner else whole
        place[draw(st.sampled_from(KEYS))] = draw(VALUES)
    data = bytearray(json.dumps(whole).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 9))] = draw(st.sampled_from(PIECES))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 9 else data)


def packed(members: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """An archive with these members, whatever their names are."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as archive:
        warnings.simplefilter("ignore")  # two members of one name
        for member, data in members:
            with archive.open(member, "w") as opened:
                opened.write(data)
    return stream.getvalue()


NESTED = packed([(zipfile.ZipInfo("dentro/taller3.ipynb"), b'{"cells": []}')])
CONTENTS = st.one_of(
    notebooks(),
    st.sampled_from(
        [b"", b"{}", b'{"cells": []}', b"\0" * 3_000_000, b" " * 2_000_000, NESTED, NESTED[:-9],
         packed([(zipfile.ZipInfo("t.zip"), NESTED)]), b"<html>", b"\x89HDF\r\n\x1a\n"]
    ),
)  # fmt: skip


@st.composite
def members(draw: st.DrawFn) -> tuple[zipfile.ZipInfo, bytes]:
    """A member: a name, what it says it is, and what it holds."""
    starts = st.sampled_from(FOLDERS) | st.sampled_from(FOLDERS) | st.sampled_from(SLIPS)
    name = draw(starts) + draw(st.sampled_from(FILES) | st.just("taller3.ipynb"))
    member = zipfile.ZipInfo(storable(name) or "x")
    member.filename = member.orig_filename = storable(name) or "x"
    member.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    kinds = [0, stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR]
    member.external_attr = (draw(st.sampled_from(kinds)) | 0o777) << 16
    return member, draw(CONTENTS)


def _poke(mark: bytes, offset: int, form: str, value: int) -> Callable[[bytearray], None]:
    def harm(data: bytearray) -> None:
        place = data.rfind(mark)
        if place >= 0 and place + offset + struct.calcsize(form) <= len(data):
            struct.pack_into(form, data, place + offset, value)

    return harm


def _encrypted(data: bytearray) -> None:
    for mark, offset in ((LOCAL, 6), (CENTRAL, 8)):
        if (place := data.find(mark)) >= 0:
            data[place + offset] |= 1


def _corrupt(data: bytearray) -> None:
    if (place := data.find(LOCAL)) >= 0 and len(data) > place + 60:
        data[place + 48 : place + 56] = b"\xff" * 8


HARMS: tuple[Callable[[bytearray], None], ...] = (
    _encrypted,
    _corrupt,
    *(_poke(CENTRAL, 24, "<L", size) for size in (0, 10, 60_000_000, 0xFFFFFFFF)),  # unpacked
    *(_poke(CENTRAL, 20, "<L", size) for size in (0, 5, 0xFFFFFFFF)),  # packed
    *(_poke(CENTRAL, 42, "<L", place) for place in (0, 7, 0xFFFFFFF0)),  # overlaps, nowhere
    *(_poke(CENTRAL, 10, "<H", method) for method in (9, 12, 14, 95, 99)),
    *(_poke(LOCAL, 8, "<H", method) for method in (0, 8, 99)),
    *(_poke(LOCAL, 26, "<H", length) for length in (0, 0xFFFF)),
    *(_poke(CENTRAL, offset, "<H", 0xFFFF) for offset in (28, 30, 32)),  # name, extra, comment
    *(_poke(CENTRAL, 16, "<L", 0) for _ in range(1)),  # checksum
    *(_poke(END, 10, "<H", count) for count in (0, 1, 0xFFFF)),
    *(_poke(END, 12, "<L", size) for size in (0, 9, 0xFFFFFFFF)),
    *(_poke(END, 16, "<L", place) for place in (0, 3, 0xFFFFFFFF)),
    *(_poke(END, 20, "<H", length) for length in (1, 0xFFFF)),
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """An archive of a class: hostile names and members, then harmed in its bytes, or cut."""
    good = zipfile.ZipInfo("eva/taller3.ipynb"), b'{"cells": []}'
    chosen = draw(st.lists(members(), min_size=2, max_size=7)) + (
        [good] if draw(st.booleans()) else []
    )
    unique = {member.filename: (member, data) for member, data in chosen}
    twice = chosen if draw(st.integers(0, 5)) == 5 else list(unique.values())
    data = bytearray(packed(twice))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        draw(st.sampled_from(HARMS))(data)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 2]))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
    cut = draw(st.integers(0, len(data))) if draw(st.integers(0, 9)) == 9 else len(data)
    return draw(st.sampled_from([b"", b"", b"", b"MZ" * 40])) + bytes(data[:cut])


def corpus() -> list[bytes]:
    """Each shape once: every name in one archive, every harm to one of three students."""
    sheet = b'{"cells": [], "x": "' + b"abc" * 200 + b'"}'
    infos = [zipfile.ZipInfo(storable(f"{one}t.ipynb")) for one in (*FOLDERS, *SLIPS)]
    infos += [zipfile.ZipInfo(storable(f"ana{place}/{one}")) for place, one in enumerate(FILES)]
    whole = [packed([(info, sheet) for info in infos])]
    for harm in HARMS:
        three = [zipfile.ZipInfo(f"{name}/taller3.ipynb") for name in ("ana", "eva", "luis")]
        for info in three:
            info.compress_type = zipfile.ZIP_DEFLATED
        data = bytearray(packed([(info, sheet) for info in three]))
        harm(data)
        whole.append(bytes(data))
    return whole


HALF = 48_000_000  # bytes; a file may have fifty million


def _class(*data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    infos = [zipfile.ZipInfo(f"s{number:04}/taller3.ipynb") for number in range(len(data))]
    for info in infos:
        info.compress_type = method
    return packed(list(zip(infos, data, strict=True)))


def _filled(piece: bytes, count: int = 1_990_000) -> bytes:
    return _class(b'{"cells": [' + piece * min(count, HALF // len(piece)) + b"null]}")


def _text(piece: bytes) -> bytes:
    return _class(b'{"cells":[],"x":"' + piece * (HALF // len(piece)) + b'"}')


def _keys() -> bytes:
    keys = b"".join(b'"clave numero %010d":0,' % number for number in range(1_750_000))
    return _class(b"{" + keys + b'"cells":[]}')


OUTPUT = b'{"output_type":"stream","text":["x"]}'
CODE = b'{"cell_type":"code","source":"una linea","outputs":[' + OUTPUT + b"]},"
HEAVY: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: _filled(b"123456789012345678,"),
    "floats": lambda: _filled(b"0.12345678901234567890,"),
    "words": lambda: _filled(b'"una palabra de veinte",'),
    "keys": _keys,
    "cells": lambda: _filled(CODE, 245_000),
    "lists": lambda: _filled(b"[],", 990_000),
    "objects": lambda: _filled(b'{"a":1},', 990_000),
    "short": lambda: _filled(b"7,", HALF),
    "long numbers": lambda: _text(b"0.12345678901234 "),
    "one output": lambda: _text(b"A"),
    "wide letters": lambda: _text("😀".encode()),
    "surrogates": lambda: _text(b"\\ud800"),
    "deep": lambda: _class(b"[" * 990_000),
    "spaces": lambda: _class(b" " * HALF + b"{}"),
    "digits": lambda: _class(b"9" * HALF),
    "quotes": lambda: _class(b'{"cells":["' + b'\\"' * (HALF // 2)),
    "zeros": lambda: _class(bytes(HALF), method=zipfile.ZIP_DEFLATED),
    "nested zeros": lambda: _class(_class(bytes(HALF), method=zipfile.ZIP_DEFLATED)),
    "many": lambda: _class(*[b'{"cells": []}'] * 1_999),
    "too many": lambda: _class(*[b""] * 2_001),
}
"""Archives at the caps: what could fill the memory or take for ever."""
