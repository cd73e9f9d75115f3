"""A student's own measured numbers beside what their answer says of them. Pure.

Only what a sentence says of the difference (or of an accuracy) going up or down is compared, and
only with numbers that this student's own notebook gave; it is a note for a person, never a mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.locale import T, Text

CHANGES = 0.001  # of an accuracy; less is no change that a sentence could be wrong about

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_PAIR = re.compile(
    r"\b(?:entre|between)\s+(?:\w+\s+){1,3}?(?:y|e|and)\s+(?:(?:la|el|the|de)\s+)?\w+"
)
_DENIED = re.compile(r"\b(?:no|ni|nunca|tampoco|sin|not|never|without|n't)\b")
_COMPARED = re.compile(
    r"\b(?:no sol[oa]|not only|deja\w* de|dejo de|stops?|(?:menor|mayor|mejor|peor|mas|menos) que"
    r"|(?:er|fuer)an?|than|was)\b"
)
_UP = (
    r"(?:aument|crec|sub[ei]|mayor|agrand|ampli|ensanch|increas|grow|grew|larger|wider|widen|higher|"
    r"bigger|rises|rose|mejor|improv)\w*"
)
_DOWN = (
    r"(?:baja|bajo|disminu|reduc|menor|achic|cierr|cerro|cae|cayo|decreas|shrink|shrank|smaller|"
    r"narrow|lower|drop|fell|falls|empeor|peor|worse)\w*"
)
_TOPICS: Mapping[str, str] = {
    "gap": r"\b(?:brecha|diferencia|gap|separacion|distancia|difference)\b",
    "test_accuracy": r"\b(?:exactitud|accuracy|precision)\s+(?:de|en|on)?\s*(?:la\s+|the\s+)?"
    r"(?:prueba|test)\b|\btest\s+accuracy\b",
    "train_accuracy": r"\b(?:exactitud|accuracy|precision)\s+(?:de|en|on)?\s*(?:el\s+|the\s+)?"
    r"(?:entrenamiento|train\w*)\b|\btrain\w*\s+accuracy\b",
}
_NAMES: Mapping[str, Text] = {
    "gap": T("the difference between training and test"),
    "test_accuracy": T("test accuracy"),
    "train_accuracy": T("training accuracy"),
}


@dataclass(frozen=True)
class Row:
    """What one experiment of a student measured; None where it was not."""

    experiment: str
    train_accuracy: float | None
    test_accuracy: float | None
    gap: float | None


def rows(runs: Sequence[Mapping[str, Any]], experiments: Sequence[str]) -> list[Row]:
    """Return the experiments that a question speaks of, from a result.json's runs."""
    taken = {run["experiment"]: run for run in runs if run["experiment"] is not None}
    keys = ("train_accuracy", "test_accuracy", "gap")
    return [Row(name, *(taken[name][key] for key in keys)) for name in experiments if name in taken]


def contradictions(text: str, measured: Sequence[Row]) -> Iterator[Text]:
    """Yield a note for each thing that an answer says goes one way and that went the other.

    Args:
        measured: of two experiments, the earlier one first; otherwise nothing can go up or down.
    """
    if len(measured) != 2:
        return
    before, after = measured
    for topic, pattern in _TOPICS.items():
        one, other = getattr(before, topic), getattr(after, topic)
        if one is None or other is None or abs(other - one) < CHANGES:
            continue
        said = _said(text, pattern)
        if said is not None and said != (other > one):
            yield T(
                "{what}: the answer says that it goes {way}, and in the notebook it went from "
                "{before:.3f} to {after:.3f}.",
                what=_NAMES[topic],
                way=T("up") if said else T("down"),
                before=one,
                after=other,
            )


def directions(text: str) -> tuple[bool | None, ...]:
    """Return what a text says goes up (True) or down, by topic; None where it does not say.

    Two answers that say the opposite are far apart, however few letters tell them apart.
    """
    return tuple(_said(text, pattern) for pattern in _TOPICS.values())


def _said(text: str, topic: str) -> bool | None:
    """Whether a text says that something goes up; None where it does not say, or says both."""
    ways: set[bool] = set()
    for sentence in map(_without_pair, _SENTENCE.split(_bare(text))):
        for match in re.finditer(topic, sentence):
            clause = re.split(r"[,;]|\by\b|\band\b|\bpero\b|\bbut\b", sentence[match.end() :])[0]
            if _COMPARED.search(clause):
                continue  # beside something else, or no longer: a person reads it
            denied = bool(_DENIED.search(clause))
            for way, pattern in ((True, _UP), (False, _DOWN)):
                if re.search(rf"\b{pattern}", clause[:80]):
                    ways.add(way != denied)
    return ways.pop() if len(ways) == 1 else None


def _without_pair(sentence: str) -> str:
    """A sentence whose "and" only joins the two splits says one thing."""
    return _PAIR.sub("", sentence)


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
