"""Is a recorded model the architecture that was asked for? By meaning, never by spelling.

A model's outline (`grader.checks.outline`) is compared with what assignment.toml expects, layer by
layer; the differences are sentences.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from grader.checks.outline import Outline
from grader.locale import Readable, T


class Likeness(IntEnum):
    """How well an outline fits an expectation; more is better."""

    FAILED = 0
    UNCLEAR = 1
    PARTIAL = 2
    PASSED = 3


@dataclass(frozen=True)
class Match:
    """An outline beside one architecture.

    Attributes:
        name: the architecture's, which is also its calibration's.
        distance: how many layers differ.
        differences, remarks: sentences.
    """

    name: str
    likeness: Likeness
    expected: tuple[str, ...]
    found: tuple[str, ...]
    distance: int
    differences: tuple[Readable, ...] = ()
    remarks: tuple[Readable, ...] = ()


def closest(found: Outline, architectures: Mapping[str, Sequence[str]]) -> Match:
    """Return the match with the architecture that the outline fits best."""
    matches = [match(found, name, layers) for name, layers in architectures.items()]
    return max(matches, key=lambda one: (one.likeness, -one.distance))


def match(found: Outline, name: str, layers: Sequence[str]) -> Match:
    """Compare an outline with one architecture."""
    expected = tuple(canonical(layer) for layer in layers)
    if not found.readable:
        said = T(
            "The model could not be described as a chain of layers, so a person must look at it."
        )
        return Match(name, Likeness.UNCLEAR, expected, (), len(expected), (said,))
    texts = found.texts
    if found.branches:
        said = T("The model has branches that join again; a single chain of layers was asked for.")
        return Match(name, Likeness.FAILED, expected, texts, len(expected) + 1, (said,))
    wanted = expected[1:] if found.flat_input and _optional_flatten(expected, texts) else expected
    differences = _differences(wanted, texts, shift=len(expected) - len(wanted))
    distance = len(differences)
    if differences and found.unknown and _is_within(texts, wanted):
        said = T("I cannot tell what these layers compute: {layers}.", layers=found.unknown)
        return Match(name, Likeness.UNCLEAR, expected, texts, distance, (said,))
    if differences:
        return Match(name, Likeness.FAILED, expected, texts, distance, tuple(differences))
    if found.unknown:
        said = T(
            "The known layers match, but I cannot tell what these compute: {layers}.",
            layers=found.unknown,
        )
        return Match(name, Likeness.UNCLEAR, expected, texts, 0, (said,))
    likeness = Likeness.PARTIAL if found.normalising else Likeness.PASSED
    return Match(
        name, likeness, expected, texts, 0, (), tuple(_remarks(found, wanted is not expected))
    )


def canonical(text: str) -> str:
    """Return a layer as it is compared: `Dense(10,linear)` → `Dense(10)`."""
    name, _, rest = text.strip().partition("(")
    words = [word.strip() for word in rest.rstrip(")").split(",") if word.strip()]
    words = [word for word in words if word != "linear"]
    return f"{name.strip()}({', '.join(words)})" if words else name.strip()


def arrows(layers: Sequence[str]) -> str:
    """Return layers as one line: `Flatten → Dense(128, relu)`."""
    return " → ".join(layers) if layers else "—"


def either(architectures: Mapping[str, Sequence[str]]) -> Readable:
    """Return architectures in words: one or the other."""
    lines = [arrows([canonical(layer) for layer in layers]) for layers in architectures.values()]
    return one_of(lines)


def one_of(words: Sequence[str]) -> Readable:
    """Return words as alternatives: `adam or sgd`."""
    whole: Readable = T("{text}", text=words[0])
    for word in words[1:]:
        whole = T("{first} or {second}", first=whole, second=word)
    return whole


def _optional_flatten(expected: Sequence[str], found: Sequence[str]) -> bool:
    return bool(expected) and expected[0] == "Flatten" and found[:1] != ("Flatten",)


def _is_within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether `part` is `whole` with layers left out: unknown layers may stand for those."""
    rest = iter(whole)
    return all(layer in rest for layer in part)


def _differences(expected: Sequence[str], found: Sequence[str], shift: int) -> list[Readable]:
    """Sentences about each layer that differs, numbered as in the expected architecture."""
    sentences: list[Readable] = []
    aligned = difflib.SequenceMatcher(a=list(expected), b=list(found), autojunk=False)
    for tag, low, high, first, last in aligned.get_opcodes():
        if tag == "equal":
            continue
        wanted, seen = expected[low:high], found[first:last]
        for offset in range(max(len(wanted), len(seen))):
            want = wanted[offset] if offset < len(wanted) else None
            saw = seen[offset] if offset < len(seen) else None
            sentences.append(_difference(low + offset + 1 + shift, want, saw))
    return sentences


def _difference(number: int, expected: str | None, found: str | None) -> Readable:
    if expected is None:
        return T("There is one layer too many: {found}.", found=found)
    if found is None:
        return T(
            "Layer {number}: {expected} is missing.",
            number=number,
            expected=expected,
        )
    return T(
        "Layer {number}: I expected {expected} and found {found}.",
        number=number,
        expected=expected,
        found=found,
    )


def _remarks(found: Outline, no_flatten: bool) -> list[Readable]:
    remarks: list[Readable] = []
    if no_flatten:
        remarks.append(T("Your images arrive flat already, so no Flatten layer is needed."))
    if found.scaling:
        remarks.append(
            T(
                "The first layer ({layer}) scales the images; it counts as scaling.",
                layer=found.scaling,
            )
        )
    if found.passed_through:
        remarks.append(
            T(
                "You added {layers}; it was not asked for and costs you no points.",
                layers=found.passed_through,
            )
        )
    if found.logits:
        remarks.append(
            T(
                "The loss applies softmax itself (from_logits=True), so the last layer does not "
                "need it."
            )
        )
    if found.bare:
        remarks.append(T("A Dense layer has no bias (use_bias=False); this costs you no points."))
    if found.normalising:
        remarks.append(
            T(
                "You added {layers}, which changes the architecture, so a part of the points "
                "is given.",
                layers=found.normalising,
            )
        )
    return remarks
