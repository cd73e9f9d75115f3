"""Which rows of the dataset a record says it holds, as sorted spans: cheap for any number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grader.dataset.identity import rows_of
from grader.recipes import Data

FIRST = 64  # as many as `Prediction.argmax` holds

Span = tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """Rows of an array.

    Attributes:
        first: the first rows in the array's own order.
        spans: all rows, sorted, without repetition: half-open and apart from each other.
    """

    first: tuple[int, ...]
    spans: tuple[Span, ...]

    def within(self, span: Span) -> tuple[Span, ...]:
        """Return the rows that lie in a span, as spans."""
        cut = ((max(start, span[0]), min(stop, span[1])) for start, stop in self.spans)
        return tuple((start, stop) for start, stop in cut if start < stop)

    def count(self, span: Span) -> int:
        """Return how many different rows lie in a span."""
        return sum(stop - start for start, stop in self.within(span))

    def covers(self, span: Span) -> bool:
        """Whether every row of a span that has rows is there."""
        return span[0] < span[1] and self.count(span) == span[1] - span[0]


def read_rows(data: Data | None) -> Rows | None:
    """Return the rows of recognised data; None where they were not recognised or are no rows."""
    if data is None or not data.recognised or data.rows is None:
        return None
    # runs are never expanded: a hostile record may say two million rows in a few bytes
    if isinstance(data.rows, str):
        try:
            numbers = rows_of(data.rows)
        except ValueError:
            return None
        different = np.unique(numbers)
        ends = np.flatnonzero(np.diff(different) != 1)
        starts = different[np.concatenate([[0], ends + 1])] if different.size else different
        stops = different[np.concatenate([ends, [-1]])] + 1 if different.size else different
        spans = tuple(zip(starts.tolist(), stops.tolist(), strict=True))
        return Rows(tuple(numbers[:FIRST].tolist()), spans)
    if not all(len(run) == 2 and run[0] < run[1] for run in data.rows):
        return None
    runs = [(run[0], run[1]) for run in data.rows]
    return Rows(_first(runs), _merged(runs))


def row_text(spans: Iterable[Span], split: str, start: int) -> str:
    """Return spans as people write them: `test[0:100] + test[400:401]`."""
    parts = [f"{split}[{low - start}:{high - start}]" for low, high in spans]
    more = f" + … ({len(parts)})" if len(parts) > 4 else ""
    return " + ".join(parts[:4]) + more


def _first(runs: list[Span]) -> tuple[int, ...]:
    first: list[int] = []
    for start, stop in runs:
        first.extend(range(start, min(stop, start + FIRST - len(first))))
        if len(first) >= FIRST:
            break
    return tuple(first)


def _merged(runs: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, stop in sorted(runs):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return tuple(merged)
