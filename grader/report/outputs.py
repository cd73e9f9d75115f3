"""What a cell put out, as plain data: text and pictures; nothing that runs, asks or lays out.

Outputs come from a process that ran student code. A kind that is not on the list leaves only its
name behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grader.evidence import CellRun
from grader.locale import T, Translator
from grader.report.images import output_uri
from grader.report.text import clip, without_ansi

TEXT = 20_000
"""Characters of one output that a page shows."""
STORED = 200_000
"""Characters of one output that a notebook keeps."""
PICTURE = 6_000_000
"""Characters of one picture's base64."""
PICTURES = ("image/png", "image/jpeg")

Output = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """One output on a page: preformatted text, a picture's data URI, or a remark of ours."""

    kind: Literal["text", "error", "picture", "remark"]
    content: str

    @property
    def size(self) -> int:
        """Bytes that it takes on the page, at least."""
        return len(self.content.encode("utf-8", "replace"))


def stored(cell: CellRun) -> list[Output]:
    """Return a cell's outputs as valid nbformat 4, without anything active."""
    kept = [output for output in map(_stored, cell.outputs) if output]
    failed = any(output["output_type"] == "error" for output in kept)
    if cell.status == "error" and not failed:
        name, _, value = (cell.error or "Error").partition(": ")
        lines = (cell.message or cell.error or "").split("\n")
        kept.append({"output_type": "error", "ename": name, "evalue": value, "traceback": lines})
    return kept


def shown(output: Mapping[str, Any], say: Translator) -> Iterator[Shown]:
    """Return what a page shows of one stored output."""
    kind = output.get("output_type")
    if kind == "stream":
        yield from _text("text", _joined(output.get("text")), say)
    elif kind == "error":
        trace = _joined(output.get("traceback"), "\n")
        yield from _text("error", trace or _joined(output.get("evalue")), say)
    elif kind in ("display_data", "execute_result"):
        data = output.get("data")
        yield from _displayed(data if isinstance(data, dict) else {}, say)


def _stored(output: Output) -> Output | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": _joined(output.get("text"))[:STORED]}
    if kind == "error":
        trace = output.get("traceback")
        lines = [line for line in trace if isinstance(line, str)] if isinstance(trace, list) else []
        name, value = (_joined(output.get(key))[:1_000] for key in ("ename", "evalue"))
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": lines[:500]}
    if kind not in ("display_data", "execute_result") or not isinstance(output.get("data"), dict):
        return None
    plain: Output = {"output_type": kind, "data": _kept(output["data"]), "metadata": {}}
    return plain | {"execution_count": None} if kind == "execute_result" else plain


def _kept(data: Mapping[Any, Any]) -> dict[str, str]:
    kept = {mime: _joined(data[mime]) for mime in PICTURES if mime in data}
    kept = {mime: text for mime, text in kept.items() if 0 < len(text) <= PICTURE}
    if "text/plain" in data:
        kept["text/plain"] = _joined(data["text/plain"])[:STORED]
    return kept or {"text/plain": f"[{_kinds(data)}]"}


def _displayed(data: Mapping[str, Any], say: Translator) -> Iterator[Shown]:
    for mime in PICTURES:
        if mime in data:
            uri = output_uri(mime, data[mime], PICTURE)
            if uri:
                yield Shown("picture", uri)
                return
            yield Shown("remark", say(T("A picture that could not be shown.")))
    if "text/plain" in data:
        yield from _text("text", _joined(data["text/plain"]), say)
    elif not any(mime in data for mime in PICTURES):
        yield Shown(
            "remark", say(T("An output of a kind that is not shown: {kinds}.", kinds=_kinds(data)))
        )


def _text(kind: Literal["text", "error"], text: str, say: Translator) -> Iterator[Shown]:
    text = _overwritten(without_ansi(text[: 4 * TEXT])).rstrip("\n")
    if text:
        yield Shown(kind, text[:TEXT])
    if len(text) > TEXT:
        yield Shown("remark", say(T("The rest of this output is left out.")))


def _overwritten(text: str) -> str:
    """Return text as a terminal shows it: what follows a carriage return replaces the line."""
    text = text.replace("\x08", "").replace("\r\n", "\n")
    return re.sub(r"[^\n]*\r(?=[^\r\n])", "", text).replace("\r", "")


def _kinds(data: Mapping[Any, Any]) -> str:
    return clip(", ".join(sorted(str(key)[:60] for key in list(data)[:6])), 200)


def _joined(value: Any, between: str = "") -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return between.join(part for part in value if isinstance(part, str))
    return ""
