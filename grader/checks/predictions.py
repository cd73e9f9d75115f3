"""Predictions: of the whole test split, the class of image 0, one image alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader import reasons
from grader.checks.figures import bar_axes
from grader.checks.judging import Case, Outcome, graded
from grader.checks.names import class_names, names_class, names_classes
from grader.checks.rows import read_rows
from grader.checks.settings import Nothing, SinglePrediction
from grader.evidence import Axes, CellRun, Figure, Prediction
from grader.findings import Status
from grader.locale import Readable, T

ONE = 1e-3  # how far from 1 the probabilities of a row may add up


def predicted_test(case: Case) -> Outcome:
    """`predict` was called with all test images and gave probabilities that add up to 1."""
    Nothing.model_validate(case.check.settings)
    size = case.test[1] - case.test[0]
    expected = T(
        "The predictions of all the test images have the shape {shape}, and each row adds up to 1.",
        shape=f"({size}, {case.classes})",
    )
    calls = case.evidence.predictions
    if not calls:
        return Outcome(Status.NOT_ATTEMPTED, expected, T("I saw no call to predict."))
    best = max(calls, key=lambda call: (_share(case, call), -call.id))
    share, shape = _share(case, best), _shape(best)
    if share >= 1:
        fine = T(
            "Your predictions have the shape {shape}, and every row adds up to 1.", shape=shape
        )
        return graded(case.check.possible, 1, expected=expected, observed=fine, cell=best.cell)
    unknown = next(
        (call for call in calls if read_rows(call.data) is None and call.shape[:1] == [size]), None
    )
    if unknown is not None:
        asked: Readable = T(
            "The images given to predict could not be recognised ({reason}), so a person looks at "
            "them.",
            reason=reasons.said(unknown.data.reason),
        )
        return Outcome(Status.NEEDS_REVIEW, expected, asked, cell=unknown.cell)
    said, hint = _short_of(case, best)
    return graded(
        case.check.possible, share, expected=expected, observed=said, hint=hint, cell=best.cell
    )


def _share(case: Case, call: Prediction) -> float:
    """1 for probabilities of all test rows, 0.5 for logits or for some of the rows, else 0."""
    rows = read_rows(call.data)
    if (
        rows is None
        or not rows.count(case.test)
        or call.shape[-1:] != [case.classes]
        or len(call.shape) != 2
    ):
        return 0.0
    return 1.0 if _is_whole(case, call) and _sums_to_one(call) else 0.5


def _is_whole(case: Case, call: Prediction) -> bool:
    rows = read_rows(call.data)
    size = case.test[1] - case.test[0]
    return rows is not None and rows.covers(case.test) and call.shape == [size, case.classes]


def _sums_to_one(call: Prediction) -> bool:
    return call.row_sum is not None and all(abs(total - 1) <= ONE for total in call.row_sum)


def _short_of(case: Case, call: Prediction) -> tuple[Readable, Readable | None]:
    if not _share(case, call):
        return T(
            "This prediction has the shape {shape}: it is not of the test images, or it does "
            "not have one probability for each class.",
            shape=_shape(call),
        ), None
    if _is_whole(case, call):
        said = T(
            "Your predictions have the shape {shape}, but the rows do not add up to 1.",
            shape=_shape(call),
        )
        if call.row_sum is not None:
            said = T(
                "Your predictions have the shape {shape}, but the sums of their rows go from "
                "{low:.2f} to {high:.2f}, and each should be 1.",
                shape=_shape(call),
                low=call.row_sum[0],
                high=call.row_sum[1],
            )
        return said, T(
            "These values are not probabilities yet: apply tf.nn.softmax to the predictions."
        )
    rows = read_rows(call.data)
    count = rows.count(case.test) if rows else 0
    return T(
        "You predicted {count} of the {size} test images.",
        count=count,
        size=case.test[1] - case.test[0],
    ), None


def _shape(call: Prediction) -> str:
    return f"({', '.join(map(str, call.shape))})"


def printed_argmax(case: Case) -> Outcome:
    """The most likely class of test image 0 was found with argmax and printed."""
    Nothing.model_validate(case.check.settings)
    expected = T(
        "The class with the highest probability for test image 0 is found with argmax and printed."
    )
    predicted = dict(_predicted_first(case))
    if not predicted:
        said = T("I saw no prediction that has test image 0 in it.")
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    cells = [
        cell
        for cell in case.evidence.cells
        if "argmax" in _source(case, cell) and case.evidence.printed(cell)
    ]
    for cell in cells:
        classes = {number for at, number in predicted.items() if at <= cell.index}
        shown = next((number for number in classes if _shows_class(case, cell, number)), None)
        if shown is not None:
            name = case.assignment.spec.dataset.classes[shown].text
            said = T(
                "Your notebook shows class {number} ({name}) for test image 0.",
                number=shown,
                name=name,
            )
            remark = _true_label(case, shown)
            return graded(
                case.check.possible,
                1,
                expected=expected,
                observed=said,
                cell=cell.index,
                remark=remark,
            )
    number = list(predicted.values())[-1]
    said = T(
        "The model predicts class {number} for test image 0, but I saw no cell with argmax "
        "that prints it.",
        number=number,
    )
    status = Status.FAILED if cells else Status.NOT_ATTEMPTED
    return Outcome(status, expected, said, cell=cells[-1].index if cells else None)


def _predicted_first(case: Case) -> Iterator[tuple[int, int]]:
    """Yield (cell, predicted class) of each prediction that holds test row 0."""
    for call in case.evidence.predictions:
        rows = read_rows(call.data)
        if rows is None or case.test[0] not in rows.first:
            continue
        place = rows.first.index(case.test[0])
        if place < len(call.argmax) and call.argmax[place] < case.classes:
            yield call.cell if call.cell is not None else 0, call.argmax[place]


def _source(case: Case, cell: CellRun) -> str:
    return case.evidence.sources[cell.index] if cell.index < len(case.evidence.sources) else ""


def _shows_class(case: Case, cell: CellRun, number: int) -> bool:
    printed = case.evidence.printed(cell)
    if re.search(rf"(?<![\w.,]){number}(?!\w|[.,]\d)", printed):
        return True
    return names_class(printed, class_names(case.assignment.spec.dataset)[number])


def _true_label(case: Case, shown: int) -> Readable | None:
    if not case.evidence.labels or case.evidence.labels[0] == shown:
        return None
    return T(
        "The true class of that image is {label}: this time your model was wrong; this costs "
        "you no points here.",
        label=int(case.evidence.labels[0]),
    )


def single_prediction(case: Case) -> Outcome:
    """One test image was predicted alone, and its bars were drawn with the class names."""
    settings = SinglePrediction.model_validate(case.check.settings)
    expected = T(
        "Test image {row} is predicted alone, which gives the shape (1, {classes}), and its "
        "{classes} bars are drawn with the class names.",
        classes=case.classes,
        row=settings.row,
    )
    calls = [call for call in case.evidence.predictions if call.shape == [1, case.classes]]
    if not calls:
        said = T("I saw no prediction of a single image.")
        return Outcome(Status.NOT_ATTEMPTED, expected, said)
    best = max(calls, key=lambda call: (_row_share(case, call, settings.row)[0], -call.id))
    share, row_note = _row_share(case, best, settings.row)
    bars, bar_note = _bars_share(case, best)
    notes = [note for note in (row_note, bar_note) if note is not None]
    observed = T("The prediction and its bars are there.")
    if notes:
        observed = T("You predicted a single image, but {notes}.", notes=notes)
    return graded(
        case.check.possible,
        (share + bars) / 2,
        expected=expected,
        observed=observed,
        cell=best.cell,
    )


def _row_share(case: Case, call: Prediction, wanted: int) -> tuple[float, Readable | None]:
    rows = read_rows(call.data)
    row = rows.first[0] - case.test[0] if rows and rows.first else None
    if row == wanted:
        return 1.0, None
    if row is None or not 0 <= row < case.test[1] - case.test[0]:
        return 0.5, T("I could not recognise it as a test image")
    return 0.5, T("it was image {row} and not {wanted}", row=row, wanted=wanted)


def _bars_share(case: Case, call: Prediction) -> tuple[float, Readable | None]:
    """1 for bars with class names drawn after the prediction, 0.5 without names, 0 for none."""
    after = [figure for figure in case.evidence.figures if (figure.cell or 0) >= (call.cell or 0)]
    charts = [axes for figure in after for axes in _charts(figure, case.classes)]
    if any(names_classes(axes.texts, case.assignment.spec.dataset) for axes in charts):
        return 1.0, None
    if charts:
        return 0.5, T("its bars have no class names")
    return 0.0, T("I saw no figure with its bars")


# A figure with more bar charts is the grid of predictions, which has a check of its own.
SINGLE = 2


def _charts(figure: Figure, classes: int) -> list[Axes]:
    """The bar axes of a figure for one prediction; a grid of many predictions is another task."""
    charts = bar_axes(figure, classes)
    return charts if len(charts) <= SINGLE else []
