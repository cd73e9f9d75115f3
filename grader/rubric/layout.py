"""How students write down which question they answer: markers, headings, numbers. Text only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

# A heading of this level or above ends an answer that did not begin with a heading itself.
SECTION_LEVEL = 2
ANY_LEVEL = 7
MAX_START = 300  # letters of a line that are looked at

Form = Callable[[str], re.Match[str] | None]

_WORDS = frozenset(
    """
    pregunta preg pta question quest respuesta resp rta rpta answer ans punto ejercicio ej exercise
    problema problem item ítem literal numeral número numero núm num nro no n
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_SAID_NUMBERS = (
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "one two three four five six seven eight nine ten",
    "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
    "first second third fourth fifth sixth",
)
_SAID = {
    word: number for words in _SAID_NUMBERS for number, word in enumerate(words.split(), start=1)
}
_NUMBER = (
    r"(?:\d{1,2}|(?<![^\W_])(?:[ivx]{1,4}|[a-j]|"
    + "|".join(" ".join(_SAID_NUMBERS[:2]).split())
    + r"))"
)
_NAMED = re.compile(
    r"[\W_]*"
    r"(?:(?:mi\s+|my\s+)?(?:respuesta|answer)\s+(?:(?:a|to|de|para|of|for)\s+)?(?:la\s+|the\s+)?)?"
    r"(?P<word>[^\W\d_]{1,10})s?[.°º]?\s*(?:n[úu]m(?:ero|\.)?|n[.º°]*|#)?\s*"
    rf"(?P<number>{_NUMBER})(?!\w|[.,]\d)(?:\s*(?:,|y|and|&)\s*(?P<also>\d{{1,2}})(?!\w))?",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    rf"[\W_]*(?P<number>{'|'.join(' '.join(_SAID_NUMBERS[2:]).split())}|\d{{1,2}}\s?[.ªaº°])\s*"
    r"(?:pregunta|respuesta|question|answer)\b",
    re.IGNORECASE,
)
_INITIAL = re.compile(
    r"[\W_]*[PQR]\s?(?P<number>\d{1,2})\s*(?=[.):/=\-\u2013\u2014*>\u2192]|$)", re.IGNORECASE
)
_AFTER_NAME = re.compile(r"\s*(?:$|[.:;,)\]\-\u2013\u2014*_¿(/|\"”’'»=>\u2192])")
_HEADING = re.compile(r"\s{0,3}(#{1,6})(?=\s|$)")
_HEADING_NUMBER = re.compile(
    r"\s{0,3}#{1,6}\s[^\w\n]*(?:\d{1,2}\.)?(?P<number>\d{1,2})(?!\d|[.,]\d)"
)
_END = r"(?:\s?[.):\]\-\u2013\u2014=/]+[-\u2013\u2014*_]*(?=\s|$|[A-ZÁÉÍÓÚÑ¿])|\*\*\s*$|\s*$)"
_BARE = {
    "number": re.compile(rf"[\s>*_(#\[-]*(?P<number>\d{{1,2}})[ºª°]?{_END}"),
    "ordinal": re.compile(r"[\s>*_(-]*(?P<number>\d{1,2})\s?[ºª°]\s"),
    "hash": re.compile(r"\s{0,3}#{1,3}(?P<number>\d{1,2})(?:\s|[.):-])"),
    "keycap": re.compile("[\\s>*_#-]*(?P<number>[0-9])\ufe0f?\u20e3"),
    "part": re.compile(r"[\s>*_#]*\d{1,2}\.(?P<number>\d{1,2})(?!\d)[.):\s]"),
    "roman": re.compile(rf"[\s>*_(#]*(?P<number>[IVX]{{1,4}}){_END}"),
    "letter": re.compile(r"[\s>*_(#]*(?P<number>[a-jA-J])\s?[.):\]]+[-*_]*(?=\s)"),
}
_ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "vi": 6,
    "vii": 7,
    "viii": 8,
    "ix": 9,
    "x": 10,
}
_TASK = re.compile(r"\s*[-*+]\s+\[[ xX]\]\s*")
_ANCHOR = re.compile(r"\W*\[[^\]\n]*\]\(#")
_LABEL_WORDS = r"(?:respuestas?|rta|rpta|resp|soluci[óo]n|sol|answer|ans|solution|response)"
_LABEL = re.compile(rf"[\W_]*(?:(?:mi|tu|su|my|your)\s+)?{_LABEL_WORDS}[\W_]*", re.IGNORECASE)
_LABELLED = re.compile(
    rf"[\W_]*(?:(?:mi|tu|su|my|your)\s+)?(?:{_LABEL_WORDS}\s*(?:\*\*|__)?\s*"
    r"[.:/)=\u2192>\-\u2013\u2014]+|[RA]\s*(?:\*\*|__)?\s*[:/]+)(?:\*\*|__|[\s:.\-])*",
    re.IGNORECASE,
)
_ARROW = re.compile(
    r"\s*(?:[-*]\s+)?(?:[\u2190-\u21ff\u2794-\u27bf\u25b6\u25ba\u2b05-\u2b95"
    r"\U0001f300-\U0001faff]\ufe0f?\s*)+|\s*[=-]>\s?"
)
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
        also: another question that the same text answers: `Preguntas 3 y 4`.
    """

    question: str
    found_by: str
    level: int = ANY_LEVEL
    rest: str = ""
    also: str = ""


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


def unlabelled(line: str) -> str:
    """Return a line without `R/`, `Respuesta:` or an arrow before what it says."""
    if len(line) <= MAX_START or not line[:1].isspace():
        match = _LABELLED.match(line[:MAX_START]) or _ARROW.match(line[:MAX_START])
        if match:
            return line[match.end() :]
    return line


def named_start(line: str, numbers: Mapping[int, str]) -> Start | None:
    """Return the start that a line such as `### Pregunta 3` or `Q3:` makes."""
    task = _TASK.match(line[:MAX_START])
    line = line[task.end() :] if task else line
    line, beyond = line[:MAX_START], line[MAX_START:]
    if _ANCHOR.match(line):
        return None  # a table of contents
    match = _ORDINAL.match(line) or _initial_or_named(line)
    return _start(line + beyond, match, numbers) if match else None


def _initial_or_named(line: str) -> re.Match[str] | None:
    match = _NAMED.match(line)
    if match and _is_name(match["word"]):
        decorated = any(mark in line[: match.start("number")] for mark in "#*_")
        plain_number = decorated and match["number"].isdecimal()
        if plain_number or _AFTER_NAME.match(line[match.end() :]):
            return match
        return None
    return _INITIAL.match(line)


def _is_name(word: str) -> bool:
    """Whether a word is one for a question or an answer, or a slip of the keyboard for one."""
    word = word.casefold()
    if word in _WORDS or word.removesuffix("s") in _WORDS:
        return True
    return len(word) > 5 and any(
        OSA.distance(word, one, score_cutoff=2) <= 2
        for one in ("pregunta", "respuesta", "question")
    )


def heading_number(line: str) -> re.Match[str] | None:
    """Return the match of a heading that begins with a number: `### 3.`, `### 5.3`"""
    return _HEADING_NUMBER.match(line[:MAX_START])


def bare_forms() -> list[Form]:
    """Return the ways to begin a line with a number: `3)`, `**3.**`, `3.-`, `3️⃣`, `III.`, `c)`."""
    return [_bare(one) for one in _BARE.values()]


def _bare(pattern: re.Pattern[str]) -> Form:
    return lambda line: pattern.match(line[:MAX_START])


def number_of(match: re.Match[str]) -> int:
    """Return the number that a match stands for; 0 where it is none."""
    said = match["number"].casefold().rstrip("ªº° .")
    if said.isdecimal():
        return int(said)
    if said[:-1].isdecimal():
        return int(said[:-1])
    return _SAID.get(said) or _ROMAN.get(said) or (ord(said) - 96 if len(said) == 1 else 0)


def numbered_start(line: str, form: Form, numbers: Mapping[int, str]) -> Start | None:
    """Return the start that a numbered heading or line makes."""
    match = form(line)
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
    question = numbers.get(number_of(match))
    if question is None:
        return None
    level = heading_level(line)
    rest = line[match.end() :].lstrip(" \t.:;,)]-\u2013\u2014*_º°/|\"”’'»=>\u2192\ufe0f\u20e3")
    asks = rest.rstrip(" *_").endswith("?") or level is not None
    also = match.groupdict().get("also")
    both = numbers.get(int(also), "") if also else ""
    return Start(question, "heading", level or ANY_LEVEL, "" if asks else rest, both)
