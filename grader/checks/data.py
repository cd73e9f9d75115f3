"""The data: loaded, explored, scaled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader import reasons
from grader.checks import trust
from grader.checks.judging import Case, Outcome, graded
from grader.checks.outline import rescaling
from grader.checks.rows import Rows, read_rows
from grader.checks.scaling import Scaling, scaling_of
from grader.checks.settings import Explored, Nothing
from grader.evidence import Evaluation, Prediction, Run
from grader.findings import Status
from grader.locale import Readable, T
from grader.recipes import Data

Span = tuple[int, int]


def loaded(case: Case) -> Outcome:
    """Images of both splits were recognised wherever the notebook used them."""
    expected = T("Your notebook uses the training images and the test images of the dataset.")
    seen = list(all_data(case))
    rows = [read for data in seen if (read := read_rows(data)) is not None]
    drawn = {
        row
        for figure in case.evidence.figures
        for axes in figure.axes
        for row in axes.images
        if row is not None
    }
    has = [_any_in(case.train, rows, drawn), _any_in(case.test, rows, drawn)]
    if all(has):
        said = T(
            "I recognised training images and test images in what you trained, evaluated or drew."
        )
        return Outcome(Status.PASSED, expected, said, case.check.possible)
    unknown = next((data for data in seen if not data.recognised and data.count), None)
    if unknown is not None:
        said = T(
            "Some data could not be recognised as images of the dataset ({reason}), so a person "
            "looks at them.",
            reason=reasons.said(unknown.reason),
        )
        return Outcome(Status.NEEDS_REVIEW, expected, said)
    if not any(has):
        said = T(
            "I saw no images of the dataset in a training, an evaluation, a prediction or a figure."
        )
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    dataset = case.assignment.spec.dataset
    seen_split, other = (dataset.train, dataset.test) if has[0] else (dataset.test, dataset.train)
    said = T(
        "I recognised images of {seen}, but none of {missing}.",
        seen=case.said(seen_split),
        missing=case.said(other),
    )
    return graded(case.check.possible, 0.5, expected=expected, observed=said)


def explored(case: Case) -> Outcome:
    """The sizes of both splits were printed and one image of each was drawn with a colour bar."""
    settings = Explored.model_validate(case.check.settings)
    sizes = {name: stop - start for name, (start, stop) in _splits(case).items()}
    expected = T(
        "The shapes are printed (with {train} and {test} images), and image {image} of each part "
        "is drawn with a colour bar.",
        train=sizes[case.assignment.spec.dataset.train],
        test=sizes[case.assignment.spec.dataset.test],
        image=settings.image,
    )
    printed = "\n".join(case.evidence.printed(cell) for cell in case.evidence.cells)
    share = 0.0
    notes: list[Readable] = []
    cell: int | None = None
    for name, size in sizes.items():
        if size and _shows_number(printed, size):
            share += 0.25
        else:
            notes.append(
                T("the size of {split} ({size}) was not printed", split=case.said(name), size=size)
            )
    for name, (start, _) in _splits(case).items():
        drawn, at = _drawn(case, start + settings.image)
        cell = at if cell is None else cell
        share += drawn / 4
        if not drawn:
            notes.append(
                T(
                    "image {image} of {split} was not drawn",
                    image=settings.image,
                    split=case.said(name),
                )
            )
        elif drawn < 1:
            notes.append(
                T(
                    "image {image} of {split} has no colour bar",
                    image=settings.image,
                    split=case.said(name),
                )
            )
    if share == 0:
        said = T(
            "I saw neither the sizes of the two parts nor image {image} of either.",
            image=settings.image,
        )
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    observed = T("Both sizes and both images are there, with their colour bars.")
    if notes:
        observed = T("Something is still missing: {notes}.", notes=notes)
    return graded(case.check.possible, share, expected=expected, observed=observed, cell=cell)


def scaled(case: Case) -> Outcome:
    """The images that models were trained on go from 0 to 1."""
    Nothing.model_validate(case.check.settings)
    expected = T("The images on which you train your models go from 0 to 1.")
    runs = case.used_runs or tuple(run for run in case.evidence.runs if run.epochs)
    if not runs:
        said = T("I saw no training, so I cannot tell how the images were scaled.")
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    scalings = [(run, scaling_of(run.fit.data, rescaling(run.fit.recipe))) for run in runs]
    unread = next((run for run, scaling in scalings if scaling is None), None)
    if unread is not None:
        said = T(
            "The training data could not be recognised ({reason}), so a person looks at how they "
            "were scaled.",
            reason=reasons.said(unread.fit.data.reason),
        )
        return Outcome(Status.NEEDS_REVIEW, expected, said, cell=unread.fit.cell)
    known = [(run, scaling) for run, scaling in scalings if scaling is not None]
    outcome = _scaled(case, known, expected)
    for run in runs:
        outcome = trust.confirmed(outcome, run, case.evidence)
    return outcome


def _scaled(case: Case, known: Sequence[tuple[Run, Scaling]], expected: Readable) -> Outcome:
    wrong = [(run, scaling) for run, scaling in known if scaling.share < 1]
    share = sum(scaling.share for _, scaling in known) / len(known)
    if wrong:
        run, scaling = wrong[0]
        said = T("In {cell}, {seen}", cell=case.evidence.called(run.fit.cell), seen=scaling.text)
        hint = scaling.hint
        return graded(
            case.check.possible,
            share,
            expected=expected,
            observed=said,
            hint=hint,
            cell=run.fit.cell,
        )
    run, scaling = known[0]
    said = T("The training images go from 0 to 1.")
    remark, cell = scaling.remark, run.fit.cell
    return graded(
        case.check.possible, 1, expected=expected, observed=said, remark=remark, cell=cell
    )


def all_data(case: Case) -> Iterator[Data]:
    """Yield all data that a model was given."""
    for run in case.evidence.runs:
        yield run.fit.data
        if run.fit.validation is not None:
            yield run.fit.validation
    for one in _calls(case):
        yield one.data


def _calls(case: Case) -> list[Evaluation | Prediction]:
    return [*case.evidence.evaluations, *case.evidence.predictions]


def _splits(case: Case) -> dict[str, Span]:
    dataset = case.assignment.spec.dataset
    return {dataset.train: case.train, dataset.test: case.test}


def _any_in(span: Span, rows: Sequence[Rows], drawn: set[int]) -> bool:
    return any(one.count(span) for one in rows) or any(span[0] <= row < span[1] for row in drawn)


def _shows_number(text: str, number: int) -> bool:
    """Whether a text shows a number, with or without a sign between thousands."""
    thousands, rest = divmod(number, 1000)
    digits = rf"{thousands}[.,_ \u00a0\u202f]?{rest:03d}" if thousands else str(number)
    return re.search(rf"(?<![\d.]){digits}(?!\d|\.\d)", text) is not None


def _drawn(case: Case, row: int) -> tuple[float, int | None]:
    """How well an image was drawn (1 with a colour bar, 0.5 without, 0 not) and in which cell."""
    best: tuple[float, int | None] = (0.0, None)
    for figure in case.evidence.figures:
        if any(row in axes.images for axes in figure.axes):
            share = 1.0 if any(axes.colorbar for axes in figure.axes) else 0.5
            best = max(best, (share, figure.cell), key=lambda pair: pair[0])
    return best
