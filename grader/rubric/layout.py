"""How students write down which question they answer: markers, headings, numbers. Text only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# A heading of this level or above ends an answer that did not begin with a heading itself.
SECTION_LEVEL = 2
ANY_LEVEL = 7
MAX_START = 300  # letters of a line that are looked at

_NAMED = re.compile(
    r"[\W_]*"
    r"(?:(?:respuesta|answer)\s+(?:(?:a|to|de|para|of|for)\s+)?(?:la\s+|the\s+)?)?"
    r"(?:pregunta|question|respuesta|answer)\s*(?:n[úu]m(?:ero|\.)?|n[.º°]*|#)?\s*"
    r"(\d{1,2})(?!\d|[.,]\d)",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"[\W_]*[PQR]\s?(\d{1,2})\s*(?=[.):\-\u2013\u2014*]|$)", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s*(?:$|[.:;,)\]\-\u2013\u2014*_¿(/|])")
_HEADING = re.compile(r"\s{0,3}(#{1,6})(?!#)")
_HEADING_NUMBER = re.compile(r"\s{0,3}#{1,6}[^\w\n]*(\d{1,2})(?!\d|[.,]\d)")
_BARE_NUMBER = re.compile(r"[\s>*_]*(\d{1,2})\s?[.):][-\u2013\u2014*_]*(?=\s|$)")
_LABEL = re.compile(r"[\W_]*(?:mi\s+|my\s+)?(?:respuesta|answer)[\W_]*", re.IGNORECASE)
_ANSWER_WORDS = r"(?:\s+(?:tu|su|la|your|the)\s+(?:respuesta|answer))?"
_PLACEHOLDER = re.compile(
    rf"[\W_]*(?:(?:escribe|escriba|write|type){_ANSWER_WORDS}\s+(?:aquí|aqui|here"
    rf"|debajo(?:\s+de\s+esta\s+l[ií]nea)?|below(?:\s+this\s+line)?){_ANSWER_WORDS}"
    r"|(?:tu|your)\s+(?:respuesta|answer)\s+(?:aquí|aqui|here))[\W_]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Start:
    """Where an answer begins.

    Attributes:
        found_by: one of `answers.METHODS`.
        level: a heading of this level or above in a later cell ends the answer.
        rest: what stands on the line beside the question's name.
    """

    question: str
    found_by: str
    level: int = ANY_LEVEL
    rest: str = ""


def plain(text: str) -> str:
    """Return a text without emphasis, case and spacing: equal for equal sentences."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\ufe0f", "")
    return " ".join(re.sub(r"[*_#>]+", " ", folded).split())


def heading_level(line: str) -> int | None:
    """Return 1 to 6 for a Markdown heading, else None."""
    match = _HEADING.match(line)
    return len(match[1]) if match else None


def is_label(line: str) -> bool:
    """Whether a line only says that an answer follows, or where to write one."""
    if len(line) > MAX_START:
        return False
    return bool(_LABEL.fullmatch(line) or _PLACEHOLDER.fullmatch(line))


def named_start(line: str, numbers: Mapping[int, str]) -> Start | None:
    """Return the start that a line such as `### Pregunta 3` or `Q3:` makes."""
    line, beyond = line[:MAX_START], line[MAX_START:]
    match = _NAMED.match(line)
    if match:
        decorated = any(mark in line[: match.start(1)] for mark in "#*_")
        if not decorated and not _AFTER_NAME.match(line[match.end() :]):
            return None
    match = match or _INITIAL.match(line)
    return _start(line + beyond, match, numbers) if match else None


def heading_number(line: str) -> re.Match[str] | None:
    """Return the match of a heading that begins with a number: `### 3.`"""
    return _HEADING_NUMBER.match(line)


def bare_number(line: str) -> re.Match[str] | None:
    """Return the match of a line that begins with a number: `3)`, `**3.**`, `3.-`"""
    return _BARE_NUMBER.match(line)


def numbered_start(line: str, numbers: Mapping[int, str]) -> Start | None:
    """Return the start that a numbered heading or line makes."""
    match = heading_number(line) or bare_number(line)
    return _start(line, match, numbers) if match else None


def longest_chain(numbers: Sequence[int], wanted: Iterable[int]) -> list[int]:
    """Return positions in `numbers` of the longest rising series of wanted ones; the last such."""
    best: dict[int, tuple[int, ...]] = dict.fromkeys(sorted(set(wanted)), ())
    for position, number in enumerate(numbers):
        if number not in best:
            continue
        smaller = [chain for other, chain in best.items() if other < number]
        before = _longest(smaller)
        if len(before) + 1 >= len(best[number]):
            best[number] = (*before, position)
    return list(_longest(best.values()))


def lines_of(text: str) -> list[str]:
    """Return Markdown's lines, without its HTML comments and without runs of blank lines."""
    return re.sub(r"\n{3,}", "\n\n", _without_comments(text)).split("\n")


def _without_comments(text: str) -> str:
    """An unclosed comment is text that a person may read."""
    parts: list[str] = []
    position = 0
    while True:
        opening = text.find("<!--", position)
        closing = text.find("-->", opening + 4) if opening >= 0 else -1
        if closing < 0:
            return "".join([*parts, text[position:]])
        parts.append(text[position:opening])
        position = closing + 3


def _longest(chains: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    nothing: tuple[int, ...] = ()
    return max([nothing, *chains], key=lambda chain: (len(chain), chain[-1:]))


def _start(line: str, match: re.Match[str], numbers: Mapping[int, str]) -> Start | None:
    question = numbers.get(int(match[1]))
    if question is None:
        return None
    level = heading_level(line)
    rest = line[match.end() :].lstrip(" \t.:;,)]-\u2013\u2014*_º°")
    asks = rest.rstrip(" *_").endswith("?") or level is not None
    return Start(question, "heading", level or ANY_LEVEL, "" if asks else rest)
