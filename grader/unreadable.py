"""Bytes that are no notebook: what they look like instead, in one sentence for a person.

Owns the decoding and the parsing of hostile JSON, so that nothing but `Unreadable` comes out of
it. What a readable document holds is `grader.notebook`'s.
"""

from __future__ import annotations

import json
import re
from typing import Any

from grader.locale import T, Text, Translator

MAX_FILE_BYTES = 50_000_000
# Every value of the document costs memory long before it costs file size: under these caps reading
# a file takes less than 500 MB, whatever it holds (tests/attacks).
MAX_CONTAINERS = 1_000_000
MAX_COMMAS = 2_000_000

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"\x89HDF", "hdf5"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
)
_KINDS = {
    "pdf": T("a PDF document"),
    "image": T("an image"),
    "hdf5": T("a saved model"),
    "gzip": T("a compressed file"),
    "rar": T("a RAR archive"),
    "7z": T("a 7z archive"),
    "zip": T("a ZIP archive"),
    "office": T("a Word or LibreOffice document"),
    "html": T("a web page, perhaps the sign-in page of the site it was downloaded from"),
    "python": T("a Python program (.py) with another name"),
    "text": T("plain text"),
}
_REFUSALS = {
    "empty": T("{name} is empty; save the notebook again and hand in that copy."),
    "too-large": T(
        "{name} has {size} MB and at most {limit} MB are read; clear the stored outputs of its "
        "cells, save it and hand it in again."
    ),
    "no-archive": T("{name} cannot be opened: {reason}."),
    "encrypted": T("{name} is locked with a password; hand in a copy without one."),
    "damaged": T("{name} is damaged in the archive; hand in the file again."),
    "bomb": T(
        "{name} is packed more than {limit} times smaller than it is, as no notebook is; hand in "
        "the file itself."
    ),
    "too-many-values": T(
        "{name} holds far more values than a notebook has; clear the stored outputs of its cells, "
        "save it and hand it in again."
    ),
    "utf-16": T(
        "{name} is written in UTF-16, perhaps by an editor or by PowerShell; save it as UTF-8 and "
        "hand in that copy."
    ),
    "nul-bytes": T(
        "{name} contains null bytes (the first at position {position}), as a damaged or "
        "half-written copy does; hand in the original."
    ),
    "not-utf-8": T(
        "{name} is not written in UTF-8 (byte {position}); open the original in Jupyter, save it "
        "and hand in that copy."
    ),
    "other-kind": T(
        "{name} is not a notebook: it looks like {kind}; hand in the .ipynb file that Jupyter "
        "or Colab saves."
    ),
    "merge-conflict": T(
        "{name} has the marks of an unfinished Git merge (<<<<<<<, >>>>>>>); resolve the merge and "
        "hand in the result."
    ),
    "truncated": T(
        "{name} ends in the middle (line {line}): the copy or the download was cut off; hand in "
        "the whole file."
    ),
    "raw-newline": T(
        "{name} has a line break or another control character inside a text (line {line}, column "
        "{column}), so it is not valid JSON; save it from Jupyter instead of a text editor."
    ),
    "trailing-comma": T(
        "{name} has a comma too many near line {line}, so it is not valid JSON; it may have been "
        "edited by hand: save it from Jupyter."
    ),
    "not-json": T(
        "{name} is not valid JSON (line {line}, column {column}); open the original in Jupyter, "
        "save it and hand in that copy."
    ),
    "deep-nesting": T(
        "{name} has lists nested so deep that no notebook program wrote them; hand in the .ipynb "
        "file that Jupyter or Colab saves."
    ),
    "long-number": T(
        "{name} has a number with thousands of digits, which no notebook needs; open the "
        "original in Jupyter, delete that number, save the notebook and hand in that copy."
    ),
    "no-cells": T(
        "{name} is JSON but no notebook: it has no list `cells`; hand in the .ipynb file that "
        "Jupyter or Colab saves."
    ),
    "too-many-cells": T(
        "{name} has {count} cells and at most {limit} are read; hand in the workshop's notebook "
        "with your work only."
    ),
    "too-much-source": T(
        "{name} has {size} KB of text and code in its cells and at most {limit} KB are read; leave "
        "long texts and data out of them."
    ),
}
_PYTHON = re.compile(
    r"^(?:import |from [\w.]+ import |def \w|class \w|print\(|# %%|# In ?\[|#!.{0,40}python)",
    re.MULTILINE,
)
_WEB_PAGE = re.compile(r"<!doctype html|<html|<head|<body", re.IGNORECASE)
_TRAILING_COMMA = re.compile(r",\s{0,1000}\Z")


class Unreadable(Exception):
    """A file that cannot be read as a notebook.

    Attributes:
        text: one sentence: which file, what it looks like, what to do.
        looks_like: the same as one word for machines, such as `truncated` or `zip`.
    """

    def __init__(self, text: Text, looks_like: str) -> None:
        super().__init__(Translator("en")(text))
        self.text = text
        self.looks_like = looks_like


def refusal(looks_like: str, **values: object) -> Unreadable:
    """Return the refusal with one of our words and the values that its sentence names."""
    return Unreadable(Text(_REFUSALS[looks_like].template, values), looks_like)


def too_large(name: str, size: int) -> Unreadable:
    """Return the refusal of a file over the cap."""
    limit = MAX_FILE_BYTES // 1_000_000
    return refusal("too-large", name=name, size=-(-size // 1_000_000), limit=limit)


def decode(data: bytes, name: str) -> str:
    """Return a file's text; its byte-order mark, if any, is still there.

    Raises:
        Unreadable: it is empty, too large, another kind of file, or not UTF-8.
    """
    if len(data) > MAX_FILE_BYTES:
        raise too_large(name, len(data))
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise refusal("empty", name=name)
    kind = _signature(data)
    if kind:
        raise _other_kind(name, kind)
    if _is_utf16(data):
        raise refusal("utf-16", name=name)
    if b"\0" in data:
        raise refusal("nul-bytes", name=name, position=str(data.index(b"\0")))
    too_many = data.count(b"[") + data.count(b"{") > MAX_CONTAINERS
    if too_many or data.count(b",") > MAX_COMMAS:
        raise refusal("too-many-values", name=name)
    try:
        # A lone surrogate written as three bytes is repaired later, like its escaped form.
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise refusal("not-utf-8", name=name, position=str(error.start)) from error


def parse(text: str, name: str) -> tuple[Any, bool]:
    """Return the JSON value that a text holds, and whether NaN or Infinity stood in it (as None).

    Raises:
        Unreadable: it is no JSON, or JSON that no notebook needs.
    """
    constants: list[str] = []
    try:
        return json.loads(text, parse_constant=constants.append), bool(constants)
    except json.JSONDecodeError as error:
        raise _not_json(text, name, error) from error
    except RecursionError as error:
        raise refusal("deep-nesting", name=name) from error
    except ValueError as error:  # what int() says of more digits than it takes
        raise refusal("long-number", name=name) from error


def _signature(data: bytes) -> str | None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        head = data[:4000]
        return "office" if b"word/" in head or b"opendocument" in head else "zip"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _is_utf16(data: bytes) -> bool:
    evens, odds = data[:200:2], data[1:200:2]
    wide = 2 * evens.count(0) > len(evens) or 2 * odds.count(0) > len(odds)
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or (wide and bool(data[:200].strip(b"\0")))


def _other_kind(name: str, kind: str) -> Unreadable:
    values = {"name": name, "kind": _KINDS[kind]}
    return Unreadable(Text(_REFUSALS["other-kind"].template, values), kind)


def _not_json(text: str, name: str, error: json.JSONDecodeError) -> Unreadable:
    body = text.lstrip("\ufeff \t\r\n")
    if not body.startswith(("{", "[")):
        return _other_kind(name, _kind_of_text(body))
    return refusal(
        _mistake(text, error), name=name, line=str(error.lineno), column=str(error.colno)
    )


def _mistake(text: str, error: json.JSONDecodeError) -> str:
    if "<<<<<<< " in text and ">>>>>>> " in text:
        return "merge-conflict"
    if _is_truncated(text, error):
        return "truncated"
    if error.msg.startswith("Invalid control character"):
        return "raw-newline"
    return "trailing-comma" if _has_trailing_comma(text, error) else "not-json"


def _kind_of_text(body: str) -> str:
    head = body[:20_000]
    if body.startswith("<") and (_WEB_PAGE.search(head) or body.startswith("<?xml")):
        return "html"
    return "python" if _PYTHON.search(head) else "text"


def _is_truncated(text: str, error: json.JSONDecodeError) -> bool:
    end = len(text.rstrip())
    if error.msg.startswith("Unterminated string") or error.pos >= end:
        return True
    # Cut inside a word, a number or an escape, the parser points at where that began.
    near_end = end - error.pos < 10 and text[end - 1] not in "]}"
    return near_end and error.msg != "Extra data"


def _has_trailing_comma(text: str, error: json.JSONDecodeError) -> bool:
    """Whether a comma stands before the bracket that surprised the parser.

    Python 3.13 names such a comma and points at it; earlier ones point at the bracket.
    """
    if "trailing comma" in error.msg:
        return True
    before = text[max(0, error.pos - 1000) : error.pos]
    return text[error.pos : error.pos + 1] in ("]", "}") and bool(_TRAILING_COMMA.search(before))
