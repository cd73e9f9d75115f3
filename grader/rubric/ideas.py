"""Which key ideas an answer states, and the words that show it: advice for a marker, never a mark.

An idea has phrases, each a few words that stand near each other in one sentence, in any order.
Words are compared by their stems (Snowball, Spanish and English); a long one may have a slip of the
keyboard. A phrase that is denied, or that stands in a mere list of terms, states nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer
from rapidfuzz.distance import OSA

from grader.rubric.spec import Criterion, Level

SPARE = 6  # other words that may stand among those of a phrase
DENIES_WITHIN = 6  # words before a phrase and in its clause, among which a "no" denies it
STATEMENT = 0.2  # of a statement's words, at least, say nothing by themselves; a list has none
LONG_WORD = 8  # letters of a stem and its language, from which on one slip is forgiven
LIST_PARTS, LIST_WORDS = 5, 3  # parts between commas, and words of each on average
BRIEF = 25  # words; a full level wants more than a set phrase
MAX_TEXT = 20_000
MAX_SENTENCE = 120  # words

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_ENDS = re.compile(r"[.!?]+(?=\s|$)|\n")
_OPENS = re.compile(r"[,;:(]\s*(?:[*_`]*)$")
_ES, _EN = snowballstemmer.stemmer("spanish"), snowballstemmer.stemmer("english")
_DENIALS = frozenset(
    """
    no ni nunca jamas tampoco sin
    not never without nor cannot isn doesn didn
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_BUT = ("solo", "solamente", "only", "just", "obstante")  # "no solo" denies nothing
_FUNCTION = _DENIALS | frozenset(
    """
    a al algo algunas algunos ante antes aqui asi aun aunque bien cada como con cuando cual
    cuales cuanto de del desde donde dos el ella ellas ellos en entonces entre era es esa esas
    ese eso esos esta estaba estan estar estas este esto estos fue ha hace hacer hacia han hasta
    hay la las le les lo los mas me mi mientras mis mismo mucho muchos muy nada nos o otra otras
    otro otros para pero poco por porque pues que q xq pq se sea ser si sido siempre sino sobre
    solo son su sus tal tan tanto te tiene tienen todo todos toda todas tu un una unas uno unos
    va ya y yo an and are as at be because been but by can does for from had has have how if in
    into is it its more of on only or so than that the their them then there these they this to
    was we were what when which while who why will with would you
    """.split()  # noqa: SIM905 - a list of words is read as words
)


@dataclass(frozen=True)
class Mention:
    """Where an answer speaks of an idea.

    Attributes:
        words: first and last place of each word, in characters of the answer.
        states: it is neither denied nor part of a mere list.
    """

    idea: str
    words: tuple[tuple[int, int], ...]
    states: bool


@dataclass(frozen=True)
class Suggestion:
    """Advice on one criterion: what was found, and the level that this looks like."""

    criterion: Criterion
    mentions: tuple[Mention, ...]
    level: Level

    @property
    def stated(self) -> tuple[str, ...]:
        """The ideas that the answer states, in the rubric's order."""
        found = {one.idea for one in self.mentions if one.states}
        return tuple(idea.id for idea in self.criterion.key_ideas if idea.id in found)


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int
    stems: frozenset[str]
    opens: bool  # a clause: a comma or the like stands before it


@dataclass(frozen=True)
class _Slot:
    """One place of a phrase: the stems of the words of which one is enough, and the long ones."""

    stems: frozenset[str]
    long: tuple[str, ...]


_Slots = Sequence[_Slot]


def suggest(criterion: Criterion, text: str) -> Suggestion | None:
    """Return advice on a criterion; None where the rubric names no ideas for it."""
    if not criterion.key_ideas:
        return None
    sentences = list(_sentences(text[:MAX_TEXT]))
    found = [
        mention
        for idea in criterion.key_ideas
        for sentence in sentences
        if (mention := _mention(idea.id, idea.phrases, sentence)) is not None
    ]
    stated = {one.idea for one in found if one.states}
    share = len(stated) / len(criterion.key_ideas)
    brief = sum(map(len, sentences)) < BRIEF
    return Suggestion(criterion, tuple(found), _level(criterion, share, brief))


def _level(criterion: Criterion, share: float, brief: bool) -> Level:
    """The share of ideas, from the worst level to the best; in a few words not quite the best."""
    levels = sorted(criterion.levels, key=lambda level: level.points)
    last = len(levels) - 1
    place = round(share * last)
    if share and place == 0:
        place = 1
    return levels[min(place, last - 1) if brief and last > 1 else place]


def _mention(idea: str, phrases: Sequence[str], sentence: Sequence[_Word]) -> Mention | None:
    """The first phrase of an idea that stands in a sentence, a stated one if there is one."""
    best: Mention | None = None
    for phrase in phrases:
        slots = _slots(phrase)
        for places in _places(slots, sentence):
            states = _is_statement(sentence) and not _denied(slots, places, sentence)
            words = tuple((sentence[place].start, sentence[place].end) for place in places)
            if states:
                return Mention(idea, words, states)
            best = best or Mention(idea, words, states)
    return best


def _places(slots: _Slots, sentence: Sequence[_Word]) -> Iterator[tuple[int, ...]]:
    """Yield where all words of a phrase stand near each other."""
    fits = [[place for place, word in enumerate(sentence) if _same(word, slot)] for slot in slots]
    reach = len(slots) + SPARE
    for first in fits[0]:
        near = [
            min((one for one in others if abs(one - first) < reach), default=None,
                key=lambda place: abs(place - first))
            for others in fits[1:]
        ]  # fmt: skip
        if None not in near:
            yield tuple(sorted({first, *(place for place in near if place is not None)}))


def _same(word: _Word, slot: _Slot) -> bool:
    if word.stems & slot.stems:
        return True
    return any(
        OSA.distance(one, own, score_cutoff=1) <= 1
        for own in word.stems
        if len(own) >= LONG_WORD
        for one in slot.long
    )


def _denied(slots: _Slots, places: Sequence[int], sentence: Sequence[_Word]) -> bool:
    """Whether a "no" stands among a phrase's words, or before them in the same clause."""
    if any(f"-{word}" in slot.stems for slot in slots for word in _DENIALS):
        return False  # the phrase says its own "no"
    first = places[0]
    while first and places[0] - first < DENIES_WITHIN and not sentence[first].opens:
        first -= 1
    among = sentence[first : places[-1]]
    texts = [word.text for word in among] + [""]
    return any(
        text in _DENIALS and texts[place + 1] not in _BUT for place, text in enumerate(texts[:-1])
    )


def _is_statement(sentence: Sequence[_Word]) -> bool:
    """A list of terms has short parts, or hardly a word that only joins others and no figures."""
    parts = 1 + sum(word.opens for word in sentence)
    if parts >= LIST_PARTS and len(sentence) <= LIST_WORDS * parts:
        return False
    joining = sum(word.text in _FUNCTION for word in sentence)
    figures = any(word.text[0].isdigit() for word in sentence)
    return joining >= STATEMENT * len(sentence) or (figures and len(sentence) > 2)


def _sentences(text: str) -> Iterator[list[_Word]]:
    start = 0
    for end in [*(match.end() for match in _ENDS.finditer(text)), len(text)]:
        words = [
            _word(match, bool(_OPENS.search(text, max(match.start() - 6, start), match.start())))
            for match in _WORD.finditer(text, start, end)
        ]
        for place in range(0, len(words), MAX_SENTENCE):
            yield words[place : place + MAX_SENTENCE]
        start = end


def _word(match: re.Match[str], opens: bool) -> _Word:
    text = match[0]
    return _Word(_bare(text), match.start(), match.end(), _stems(text.casefold()), opens)


@lru_cache(maxsize=20_000)
def _stems(word: str) -> frozenset[str]:
    """A word as it is and its stems, each with a letter for its language."""
    bare = _bare(word)
    spanish = {_bare(_ES.stemWord(word)), _ES.stemWord(bare)}
    return frozenset((f"-{bare}", f"e{_EN.stemWord(bare)}", *(f"s{stem}" for stem in spanish)))


@lru_cache(maxsize=2_000)
def _slots(phrase: str) -> tuple[_Slot, ...]:
    return tuple(_slot(word.casefold().split("|")) for word in phrase.split())


def _slot(words: Sequence[str]) -> _Slot:
    stems = frozenset(stem for word in words for stem in _stems(word))
    return _Slot(stems, tuple(sorted(stem for stem in stems if len(stem) >= LONG_WORD)))


def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
