"""Where a model was wrong: the confusion matrix, its largest entries, the images themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grader.assignment import Assignment
from grader.evidence import Evidence, Mistake, Run
from grader.locale import T, Translator
from grader.report.images import array_uri
from grader.report.text import clip

Pixels = Callable[[int], npt.NDArray[np.uint8]]
"""The pristine image of a global row number."""

CLASSES = 20
"""A confusion matrix of more classes is given as its largest entries only."""


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: class names, rows of (count, shade 0–9), and its largest mistakes."""

    names: tuple[str, ...]
    rows: tuple[tuple[tuple[int, int], ...], ...]
    largest: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Picture:
    """One misclassified image with its classes and the model's confidence."""

    uri: str
    row: int
    label: str
    predicted: str
    confidence: str


@dataclass(frozen=True)
class MistakesView:
    """Where one experiment's model was wrong."""

    wrong: str
    total: str
    confusion: Confusion | None
    pictures: tuple[Picture, ...]


def mistakes(
    assignment: Assignment, evidence: Evidence, run: Run | None, say: Translator,
    pixels: Pixels | None,
) -> MistakesView | None:  # fmt: skip
    """Return where the model of a run was wrong, None when there is none or it was not measured."""
    if run is None or run.measured is None:
        return None
    matrix = run.measured.confusion
    total = sum(map(sum, matrix))
    right = sum(row[place] for place, row in enumerate(matrix) if place < len(row))
    names = _class_names(assignment, say, len(matrix))
    start = evidence.splits.get(assignment.spec.dataset.test, (0, 0))[0]
    return MistakesView(
        wrong=say.count(total - right),
        total=say.count(total),
        confusion=_confusion(matrix, names),
        pictures=tuple(_pictures(run.measured.mistakes, names, start, say, pixels)),
    )


def _class_names(assignment: Assignment, say: Translator, count: int) -> list[str]:
    names = [clip(say(sentence.text), 40) for sentence in assignment.spec.dataset.classes]
    return names + [str(number) for number in range(len(names), count)]


def _confusion(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> Confusion | None:
    if not matrix or any(len(row) != len(matrix) for row in matrix):
        return None
    wrong = [
        (names[true], names[guess], count)
        for true, row in enumerate(matrix)
        for guess, count in enumerate(row)
        if true != guess and count
    ]
    small = len(matrix) <= CLASSES
    return Confusion(
        names=tuple(names[: len(matrix)]) if small else (),
        rows=tuple(tuple((count, _shade(count, sum(row))) for count in row) for row in matrix)
        if small
        else (),
        largest=tuple(sorted(wrong, key=lambda entry: -entry[2])[:5]),
    )


def _shade(count: int, total: int) -> int:
    """Nine steps, finer where counts are small: a few mistakes must not look like none."""
    return (
        0
        if count == 0 or total == 0
        else min(9, 1 + math.floor(8 * math.sqrt(min(1.0, count / total))))
    )


def _pictures(
    found: Sequence[Mistake],
    names: Sequence[str],
    start: int,
    say: Translator,
    pixels: Pixels | None,
) -> list[Picture]:
    if pixels is None:
        return []
    shown = []
    for mistake in found:
        try:
            uri = array_uri(pixels(mistake.row))
        except (LookupError, ValueError):
            continue
        shown.append(
            Picture(
                uri=uri,
                row=mistake.row - start if mistake.row >= start else mistake.row,
                label=_name(names, mistake.label),
                predicted=_name(names, mistake.predicted),
                confidence=say(T("{share}%", share=say.number(100 * mistake.confidence, 1))),
            )
        )
    return shown


def _name(names: Sequence[str], label: int) -> str:
    return names[label] if label < len(names) else str(label)
