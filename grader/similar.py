"""Submissions that are alike where neither the template nor the class explains it.

Fingerprints by winnowing (Schleimer, Wilkerson and Aiken, SIGMOD 2003): of each window of hashes of
k tokens the smallest one is kept, so that a shared passage of at least k + window - 1 tokens is
always found. Names, numbers and texts count as such, so that renaming hides nothing. What the
template and the solution have, or many of the class, says nothing about anybody.

Of what the notebooks had printed when they were handed in, rows of numbers are compared likewise:
an unseeded training gives other ones each time, so the same row in two files is one training. (The
trainings that the grader itself does cannot tell anything: equal recipes start equal here.)

Of the written answers, long ones are compared that are the same word for word: a short one, such as
“sobreajuste”, is right in many heads at once.

All of this is a hint where to look, never an accusation.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Token

from grader.notebook import Notebook
from grader.rubric.marks import key_of, words_of

K, WINDOW = 14, 8
COMMON, MANY = 0.2, 12  # of the class; students
FEW = 12  # fingerprints below which nothing can be said
ALIKE = 0.6
ROW, MOST_ROWS = 4, 2000  # numbers; rows of one submission
LONG_NUMBER = re.compile(rb"(?<![\d.])\d\.\d{4,17}(?!\d)")
MAX_CODE = 100_000  # characters of one submission that are looked at
# An answer up to here is a sentence or two, which people write alike by chance; numbers are no
# words, since equal trainings give everybody the same table.
SHORT, FEW_WORDS = 200, 30  # characters; words
LONG_KEY = 16  # hexadecimal digits: by chance no two texts of a class have the same ones


@dataclass(frozen=True)
class Pair:
    """Two students, and which share of the shorter one's own fingerprints both have."""

    one: str
    other: str
    share: float
    count: int


@dataclass(frozen=True)
class SameText:
    """The students whose long answers to one question are the same, word for word."""

    question: str
    students: tuple[str, ...]


def code_of(notebook: Notebook | None) -> str:
    """Return the code of a notebook, all cells together."""
    cells = notebook.cells if notebook is not None else ()
    return "\n".join(cell.source for cell in cells if cell.kind == "code")


def printed(data: bytes) -> frozenset[int]:
    """Return the fingerprints of the numbers that a notebook's file shows, such as histories.

    Args:
        data: the file, whatever it is.
    """
    found = (number.group().decode() for number in LONG_NUMBER.finditer(data))
    kept = (one for one in found if not _is_pixel(float(one)))
    numbers = list(islice(kept, MOST_ROWS + ROW))  # of millions in a file no more are held
    rows = (numbers[place : place + ROW] for place in range(len(numbers) - ROW + 1))
    return frozenset(_hash(row) for row in rows if len(set(row)) == ROW)


def packed(prints: frozenset[int]) -> bytes:
    """Return fingerprints as bytes, eight for each."""
    return array("Q", sorted(prints)).tobytes()


def unpacked(data: bytes) -> frozenset[int]:
    """Return what `packed` made bytes of."""
    return frozenset(array("Q", data))


def fingerprints(code: str) -> frozenset[int]:
    """Return the fingerprints of a program."""
    lines = (line.rstrip() for line in code[:MAX_CODE].splitlines())
    # the lexer's time grows with the square of blank lines in a row
    tokens = list(_tokens("\n".join(line for line in lines if line)))
    hashes = [_hash(tokens[place : place + K]) for place in range(len(tokens) - K + 1)]
    windows = range(max(1, len(hashes) - WINDOW + 1)) if hashes else ()
    return frozenset(min(hashes[place : place + WINDOW]) for place in windows)


def pairs(prints: Mapping[str, frozenset[int]], known: Iterable[frozenset[int]] = ()) -> list[Pair]:
    """Return the pairs that are alike, the most alike first.

    Args:
        prints: student → fingerprints.
        known: those of what everybody was given.
    """
    given = frozenset().union(*known)
    owners: dict[int, list[str]] = defaultdict(list)
    for student, own in prints.items():
        for one in own - given:
            owners[one].append(student)
    most = min(max(2, COMMON * len(prints)), MANY)
    rare = {one: students for one, students in owners.items() if len(students) <= most}
    sizes = Counter(student for students in rare.values() for student in students)
    shared: Counter[tuple[str, str]] = Counter()
    for students in rare.values():
        ordered = sorted(students)
        shared.update(
            (one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :]
        )
    found = [
        Pair(one, other, count / min(sizes[one], sizes[other]), count)
        for (one, other), count in shared.items()
        if count >= FEW
    ]
    alike = [pair for pair in found if pair.share >= ALIKE]
    return sorted(alike, key=lambda pair: (-pair.share, -pair.count, pair.one, pair.other))


def long_key(text: str) -> str | None:
    """Return a short name for the words of a long answer, None for one that is not long."""
    words = words_of(text)
    if len(" ".join(words)) < SHORT or sum(word.isalpha() for word in words) <= FEW_WORDS:
        return None
    return key_of(text)[:LONG_KEY]


def same_texts(keys: Mapping[str, Mapping[str, str]]) -> list[SameText]:
    """Return who gave the same long answer to the same question, the largest groups first.

    Args:
        keys: student → question → `long_key` of the answer.
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for student, answers in keys.items():
        for question, key in answers.items():
            groups[question, key].append(student)
    same = [
        SameText(question, tuple(students))
        for (question, _), students in groups.items()
        if len(students) > 1
    ]
    return sorted(same, key=lambda one: (-len(one.students), one.question, one.students))


def _tokens(code: str) -> Iterator[str]:
    before = ""
    for kind, text in PythonLexer().get_tokens(code):
        if kind in Comment or not text.strip():
            continue
        before, last = text, before
        if kind in Name:
            yield text if last == "." else "n"  # what a library calls its parts stays
        elif kind in Number:
            yield "0"
        elif kind in String:
            yield "s"
        elif kind in Keyword or kind in Operator or kind in Punctuation or kind in Token:
            yield text


def _is_pixel(value: float) -> bool:
    """Whether a number is a scaled pixel's value, which everybody's images have."""
    return value <= 1 and abs(255 * value - round(255 * value)) < 1e-3


def _hash(tokens: list[str]) -> int:
    digest = hashlib.blake2b(
        "\x1f".join(tokens).encode("utf-8", "surrogatepass"), digest_size=7
    ).digest()
    return int.from_bytes(digest, "big")
