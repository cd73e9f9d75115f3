"""What of a text is ours: questions' own text, placeholders, criteria. Found also when retyped.

A student copies a question with slips, without accents, in part, or with the answer on its line.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from grader.rubric.spec import Question

SAME = 84  # of 100: a line is a question's text
EXACT = 97
BEGINS = 88  # a line begins with it
ABOUT = 75  # a heading speaks of it, and no other question comes near
ASKS = 85  # a line that ends in a question mark does
REPEATS = 90  # a line below a question's name
AHEAD = 14  # of 100: how much nearer than any other
MIN_LETTERS = 18
MAX_LINE = 900

_SENTENCE = re.compile(r"(?<=[.?!:])\s+")
_TITLE = re.compile(r"\s{0,3}#{1,6}\s|\s*\*\*[^*]+\*\*\s*$")
_LEAD = re.compile(r"[\W\d_]*")
_TAIL = re.compile(r"[\W_]*")
_LETTERS = re.compile(r"[^\W_]+")
_STOP = re.compile(r"[.?!:]")


@dataclass(frozen=True)
class Asked:
    """A question's own text at the beginning of a line; `end` is where it ends there."""

    question: str
    end: int
    sure: bool = True


class Prompts:
    """The texts of some questions, each in its wordings."""

    def __init__(self, questions: Mapping[str, Question]) -> None:
        self._whole = {
            name: [fold(question.prompt.es), fold(question.prompt.en)]
            for name, question in questions.items()
        }
        parts = {
            name: {part for text in texts for part in _SENTENCE.split(text)}
            for name, texts in self._whole.items()
        }
        often = Counter(part for own in parts.values() for part in own)
        long = {
            name: [part for part in own if len(part) >= MIN_LETTERS] for name, own in parts.items()
        }
        self._parts = long
        self._own = {name: [part for part in own if often[part] == 1] for name, own in long.items()}
        self._titles = [
            fold(criterion.title.es)
            for question in questions.values()
            for criterion in question.criteria
        ] + [
            fold(criterion.title.en)
            for question in questions.values()
            for criterion in question.criteria
        ]

    def asked(self, line: str) -> Asked | None:
        """Return whose text a line begins with, None where it is nobody's."""
        text = fold(line[:MAX_LINE])
        lead = _lead(text)
        body = text[lead:]
        if len(body) < MIN_LETTERS:
            return None
        found = [
            (_begins(body, wording), name)
            for name in self._whole
            for wording in (*self._whole[name], *self._own[name])
        ]
        (_, end, score), name = max(found)
        if score:
            return Asked(name, _through(line, lead + end))
        least = ABOUT if _TITLE.match(line) else ASKS if line.rstrip(" *_").endswith("?") else 101
        return self._about(body, line, least)

    def without(self, question: str, line: str) -> str:
        """Return a line without the question's sentences at its beginning, or as they are."""
        wordings = (*self._whole[question], *self._parts[question])
        while line.strip():
            text = fold(line[:MAX_LINE])
            lead = _lead(text)
            _, end, score = max(_begins(text[lead:], each) for each in wordings)
            if not score:
                break
            line = line[_through(line, lead + end) :]
        for part in self._parts[question]:
            place = fold(line[:MAX_LINE]).find(part)
            if place >= 0:
                line = f"{line[:place].rstrip()} {line[place + len(part) :].lstrip()}"
        return line

    def repeats(self, question: str, line: str) -> bool:
        """Whether a line below the question's name only says the question in other words."""
        body = fold(line[:MAX_LINE]).strip(" *_>-")
        return len(body) >= MIN_LETTERS and any(
            _alike(body, wording) >= REPEATS and len(body) <= 1.3 * len(wording)
            for wording in self._whole[question]
        )

    def is_criterion(self, line: str) -> bool:
        """Whether a line is a criterion's title."""
        body = fold(line[:MAX_LINE]).strip(" *_-:.¿?")
        body = re.sub(r"^(?:criterio|criterion)\W+", "", body)
        return len(body) >= MIN_LETTERS and any(
            fuzz.ratio(body, title) >= SAME for title in self._titles
        )

    def _about(self, body: str, line: str, least: float) -> Asked | None:
        """A heading that puts a question in other words, such as `Explicación línea por línea`."""
        near = sorted(
            (max(_alike(body, wording) for wording in wordings), name)
            for name, wordings in self._whole.items()
        )
        if not near or near[-1][0] < least:
            return None
        if len(near) > 1 and near[-1][0] - near[-2][0] < AHEAD:
            return None
        return Asked(near[-1][1], len(line), sure=False)


def _alike(one: str, other: str) -> float:
    """How much of one's words the other has, of 100."""
    words = (" ".join(_LETTERS.findall(text)) for text in (one, other))
    return fuzz.token_set_ratio(*words)


def fold(text: str) -> str:
    """Return a text in lower case without accents, letter for letter."""
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    first = unicodedata.normalize("NFKD", letter)[0].lower()
    return first[0] if first else letter


def _begins(body: str, wording: str) -> tuple[bool, int, float]:
    """Return how a text begins with a wording: as it is or nearly, up to where, how surely.

    The last is 0 where it does not.
    """
    if not _share(body, wording):
        return False, 0, 0
    own = body.rstrip(" *_.:?¿>\n")
    if len(own) <= 1.25 * len(wording):
        score = fuzz.ratio(own, wording.rstrip(" ?.:"))
        if score >= SAME:
            return score >= EXACT, len(body), score
    head = body[: len(wording) + 12]
    found = fuzz.partial_ratio_alignment(wording, head, score_cutoff=BEGINS)
    if found is None or found.dest_start > 2 or len(head) < len(wording):
        return False, 0, 0
    return found.score >= EXACT, _to_stop(body, found.dest_end), found.score


def _to_stop(body: str, end: int) -> int:
    """The end of the sentence that ends near here."""
    around = range(max(end - 12, 0), end + 12)
    stops = [match.end() for match in _STOP.finditer(body, around.start, around.stop)]
    return min(stops, key=lambda stop: abs(stop - end), default=end)


def _share(body: str, wording: str) -> bool:
    """A quick look: they have a word in five letters or more in common."""
    words = re.findall(r"\w{5,}", body[: len(wording) + 40])
    return not words or any(word[:5] in wording for word in words[:8])


def _lead(text: str) -> int:
    match = _LEAD.match(text)
    return match.end() if match else 0


def _through(line: str, end: int) -> int:
    """Where the marks after a wording end: `?**`, a colon, a space."""
    match = _TAIL.match(line, end)
    return match.end() if match else end


def placeholder_prefix(line: str, placeholders: Iterable[str]) -> int:
    """Return how many letters of a line are the beginning of a placeholder, two words or more."""
    body = line.lstrip("*_> ")
    skipped = len(line) - len(body)
    longest = 0
    for placeholder in placeholders:
        words = _LETTERS.findall(placeholder.casefold())
        reach, count = 0, 0
        for word, match in zip(words, _LETTERS.finditer(body), strict=False):
            if match[0].casefold() != word:
                break
            reach, count = match.end(), count + 1
        if count >= 2 or (count == 1 and reach == len(body.rstrip("*_. "))):
            longest = max(longest, reach)
    if not longest:
        return 0
    return _through(line, skipped + longest)
