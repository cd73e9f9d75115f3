"""Figures: a grid of images with their names, a grid of predictions with their bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks.judging import Case, Outcome, graded
from grader.checks.names import all_named
from grader.checks.settings import ImageGrid, PredictionGrid
from grader.evidence import Axes, Figure
from grader.findings import Status
from grader.locale import Readable, T


@dataclass(frozen=True)
class Drawn:
    """How much of a wanted row of images one figure shows.

    Attributes:
        there: how many of the wanted images are in it.
        ordered: whether all are there, one after the other.
        axes: the axes that show a wanted image.
    """

    figure: Figure
    there: int
    ordered: bool
    axes: tuple[Axes, ...]


def image_grid(case: Case) -> Outcome:
    """One figure shows the first images of a split in order, each with its class name."""
    settings = ImageGrid.model_validate(case.check.settings)
    last = settings.first + settings.count - 1
    expected = T(
        "One figure shows images {first} to {last} of {split}, in order, each with the name of "
        "its class.",
        first=settings.first,
        last=last,
        split=case.said(settings.split),
    )
    start = case.split(settings.split)[0] + settings.first
    best = _best(case, range(start, start + settings.count))
    if best is None:
        said = T("I saw no figure with those images.")
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    share, notes = _images_share(best, settings.count)
    if not all_named([axes.texts for axes in best.axes], case.assignment.spec.dataset):
        share /= 2
        notes.append(T("the names of the classes are missing"))
    return _told(case, best, share, notes, expected)


def prediction_grid(case: Case) -> Outcome:
    """One figure shows test images in order, and for each the bars of its class probabilities."""
    settings = PredictionGrid.model_validate(case.check.settings)
    last = settings.first + settings.count - 1
    expected = T(
        "One figure shows test images {first} to {last}, in order, and for each one its {bars} "
        "bars.",
        first=settings.first,
        last=last,
        bars=case.classes,
    )
    start = case.test[0] + settings.first
    best = _best(case, range(start, start + settings.count))
    if best is None:
        said = T("I saw no figure with those images.")
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    share, notes = _images_share(best, settings.count)
    bars = len(bar_axes(best.figure, case.classes))
    if bars < settings.count:
        share /= 2
        notes.append(
            T(
                "only {bars} of the {count} sets of {classes} bars are there",
                bars=bars,
                classes=case.classes,
                count=settings.count,
            )
        )
    return _told(case, best, share, notes, expected)


def bar_axes(figure: Figure, classes: int) -> list[Axes]:
    """Return the axes with one bar for each class."""
    return [axes for axes in figure.axes if axes.bars == classes]


def _told(
    case: Case, best: Drawn, share: float, notes: list[Readable], expected: Readable
) -> Outcome:
    observed = T("The figure is as it was asked for.")
    if notes:
        observed = T("I found the figure in your notebook, but {notes}.", notes=notes)
    return graded(
        case.check.possible, share, expected=expected, observed=observed, cell=best.figure.cell
    )


def _best(case: Case, wanted: range) -> Drawn | None:
    """Return the figure that shows most of the wanted rows, the latest among equals."""
    if not case.evidence.splits:
        return None
    drawn = [_drawn(figure, wanted) for figure in case.evidence.figures]
    best = max(drawn, key=lambda one: (one.ordered, one.there, one.figure.id), default=None)
    return best if best is not None and best.there else None


def _drawn(figure: Figure, wanted: range) -> Drawn:
    showing = [
        axes for axes in figure.axes if any(row in wanted for row in axes.images if row is not None)
    ]
    rows = [row for axes in figure.axes for row in axes.images if row is not None and row in wanted]
    return Drawn(figure, len(set(rows)), _in_order(rows, wanted), tuple(showing))


def _in_order(rows: Sequence[int], wanted: range) -> bool:
    return list(dict.fromkeys(rows)) == list(wanted)


def _images_share(best: Drawn, count: int) -> tuple[float, list[Readable]]:
    if best.ordered:
        return 1.0, []
    # a person can still compare images out of order; a part of them shows only the idea
    if best.there == count:
        return 0.75, [T("the images are not in order")]
    note = T("only {there} of the {count} images are in it", there=best.there, count=count)
    return (0.5 * best.there / count), [note]
