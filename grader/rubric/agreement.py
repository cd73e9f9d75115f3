"""How suggestions agree with people's marks: exactly, within one level, and beyond chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.assignment import Assignment
from grader.rubric.ideas import suggest
from grader.rubric.spec import Criterion


@dataclass(frozen=True)
class Agreement:
    """Of one criterion, or of all.

    Attributes:
        marks: answers that a person marked and a suggestion exists for.
        exact, within_one: the part of them that got the same level, or one beside it.
        kappa: Cohen's, with linear weights (Cohen 1968): 1 is full agreement, 0 is chance; None
            where everybody gave everything one level.
    """

    name: str
    marks: int
    exact: float
    within_one: float
    kappa: float | None


def agreements(assignment: Assignment, results: Iterable[Mapping[str, Any]]) -> list[Agreement]:
    """Return the agreement of each criterion with marks, and at last of all together.

    Args:
        results: result.json of each student.
    """
    pairs: dict[str, list[tuple[int, int]]] = {}
    levels: dict[str, int] = {}
    for result in results:
        for answer in result["answers"]:
            question = assignment.rubric.questions.get(answer["question"])
            for criterion in question.criteria if question else ():
                name = f"{answer['question']}.{criterion.id}"
                levels[name] = len(criterion.levels)
                pairs.setdefault(name, []).extend(_pair(criterion, answer))
    each = [_agreement(name, found, levels[name]) for name, found in pairs.items() if found]
    everything = [pair for found in pairs.values() for pair in found]
    most = max(levels.values(), default=0)
    return [*each, *([_agreement("all", everything, most)] if everything else [])]


def lines(found: Sequence[Agreement]) -> Iterator[str]:
    """Yield a table for a terminal."""
    if not found:
        yield "nobody has marked an answer yet; mark some first"
        return
    width = max(len(one.name) for one in found)
    yield f"{'criterion':{width}}  marks  exact  within one  kappa"
    for one in found:
        kappa = "    –" if one.kappa is None else f"{one.kappa:5.2f}"
        yield (
            f"{one.name:{width}}  {one.marks:5}  {one.exact:5.0%}  {one.within_one:10.0%}  {kappa}"
        )


def _pair(criterion: Criterion, answer: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield the places of the suggested and of the given level among a criterion's levels."""
    mark = (answer["marks"] or {}).get(criterion.id)
    suggestion = suggest(criterion, answer["text"])
    if mark is None or suggestion is None:
        return
    given = criterion.level(round(100 * mark["points"]))
    if given is not None:
        yield criterion.levels.index(suggestion.level), criterion.levels.index(given)


def _agreement(name: str, pairs: list[tuple[int, int]], levels: int) -> Agreement:
    apart = [abs(suggested - given) for suggested, given in pairs]
    count = len(pairs)
    return Agreement(
        name,
        count,
        sum(one == 0 for one in apart) / count,
        sum(one <= 1 for one in apart) / count,
        _kappa(pairs, levels),
    )


def _kappa(pairs: list[tuple[int, int]], levels: int) -> float | None:
    """Observed disagreement against that of two who give their levels by chance."""
    count = len(pairs)
    observed = sum(abs(one - other) for one, other in pairs) / count
    first = [sum(one == level for one, _ in pairs) / count for level in range(levels)]
    second = [sum(other == level for _, other in pairs) / count for level in range(levels)]
    chance = sum(
        first[one] * second[other] * abs(one - other)
        for one in range(levels)
        for other in range(levels)
    )
    return 1 - observed / chance if chance else None
