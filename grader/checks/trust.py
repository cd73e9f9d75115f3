"""May a run's numbers give points? What a person must look at first, and the flags that say so.

Numbers count when a trainer trained the model from variables that it drew itself: for the notebook
(delegated), or again afterwards (verified). Everything else is a claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader import reasons
from grader.assignment import Assignment
from grader.checks.judging import Outcome, together
from grader.checks.rows import read_rows, row_text
from grader.evidence import Evaluation, Evidence, Run
from grader.findings import Flag, Status
from grader.locale import Readable, T
from grader.wire import OWN_LOOP, TAMPERED

PRETRAINED = 0.30  # test accuracy of a model that nobody has trained yet
SAME = 0.001  # claims further than this from the measurement differ
ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy")


@dataclass(frozen=True)
class Pending:
    """Why points must wait."""

    status: Status
    observed: Readable


def history(run: Run, evidence: Evidence) -> tuple[Run, ...]:
    """Return every run of the same variables up to this one, this one last."""
    earlier = [one for one in evidence.runs if one.fit.chain == run.fit.chain and one.id < run.id]
    return (*earlier, run)


def distrust(run: Run, evidence: Evidence, assignment: Assignment) -> Pending | None:
    """Return why a run's accuracy or gap cannot give points by itself, None when it can."""
    if run.fault:
        return Pending(
            Status.GRADER_ERROR,
            T("The grader failed to measure this model. It is not your fault; your points wait."),
        )
    rows = test_rows_trained_on(run, evidence, assignment)
    if rows is not None:
        said = T(
            "There are test images among the training data ({rows}), so a person decides.",
            rows=rows,
        )
        return _review(said, run, evidence, assignment)
    if evidence.live:
        return None if run.measured is not None else Pending(Status.NOT_ATTEMPTED, _not_yet())
    if run.measured is None or not run.trained:
        return _review(_unmeasured(run), run, evidence, assignment)
    return None


def confirmed(outcome: Outcome, run: Run, evidence: Evidence) -> Outcome:
    """Return an outcome without its points where only the kernel's word says how a run was trained.

    A record of a training that no trainer could repeat is a line in a file of the notebook's own.
    """
    if run.trained or evidence.live or run.fault or not outcome.earned:
        return outcome
    said = together(outcome.observed, _unmeasured(run))
    return replace(outcome, status=Status.NEEDS_REVIEW, observed=said, earned=0)


def _not_yet() -> Readable:
    return T(
        "It will be known as soon as you call evaluate with all the test images after this fit."
    )


def start_accuracy(run: Run, evidence: Evidence) -> float | None:
    """Return the test accuracy that the chain had before any epoch, None when not known."""
    first = history(run, evidence)[0]
    return first.start.test_accuracy if first.start and not first.fit.epochs_before else None


def test_rows_trained_on(run: Run, evidence: Evidence, assignment: Assignment) -> str | None:
    """Return which test rows the run or an earlier fit of its variables trained on."""
    name = assignment.spec.dataset.test
    test = evidence.splits.get(name, (0, 0))
    for one in history(run, evidence):
        rows = read_rows(one.fit.data)
        inside = rows.within(test) if rows else ()
        if inside:
            return row_text(inside, name, test[0])
    return None


def claim(run: Run, evidence: Evidence, assignment: Assignment) -> Readable | None:
    """Return what the notebook itself showed for this model, as its own words and no more."""
    shown = _evaluated(run, evidence, assignment)
    if shown is not None:
        return T(
            "Your notebook itself showed an accuracy of {value:.4f} on the test data (not "
            "verified).",
            value=shown,
        )
    for name in ACCURACIES:
        values = [value for value in run.fit.history.get(name, ()) if value is not None]
        if values:
            return T(
                "Your notebook itself showed an accuracy of {value:.4f} in its last training "
                "epoch (not verified).",
                value=values[-1],
            )
    return None


def flags(run: Run, evidence: Evidence, assignment: Assignment) -> Iterator[Flag]:
    """Yield what a person should know about a run that serves an experiment."""
    cell = evidence.called(run.fit.cell)
    rows = test_rows_trained_on(run, evidence, assignment)
    if rows is not None:
        yield Flag(
            "trained_on_test",
            T("In {cell}, the training data contain test images ({rows}).", cell=cell, rows=rows),
            run.id,
        )
    start = start_accuracy(run, evidence)
    if start is not None and start > PRETRAINED:
        said = T(
            "In {cell}, the model reached {start:.4f} on the test data before its first epoch, and "
            "no training of it was recorded until then. The points come from training the same "
            "model again from fresh weights.",
            cell=cell,
            start=start,
        )
        yield Flag("pretrained", said, run.id)
    if not run.fault and (run.measured is None or not run.trained):
        yield Flag(
            "unverifiable_model",
            T("The training is in {cell}. {why}", cell=cell, why=_unmeasured(run)),
            run.id,
        )
    shown = _evaluated(run, evidence, assignment)
    if shown is None or run.own is None:
        return
    if abs(shown - run.own.test_accuracy) > SAME:
        said = T(
            "For the model of {cell}, the notebook showed a test accuracy of {shown:.4f} and "
            "the grader measured {measured:.4f}.",
            cell=cell,
            shown=shown,
            measured=run.own.test_accuracy,
        )
        yield Flag("claim_differs", said, run.id)


def tampered(evidence: Evidence) -> Iterator[Flag]:
    """Yield a flag where the notebook replaced what records its trainings."""
    replaced = [note for note in evidence.notes if note.what == TAMPERED]
    if not replaced:
        return
    cells = sorted({note.cell for note in replaced if note.cell is not None})
    said = T(
        "In {cell} the notebook replaced {names}, so from there on the grader cannot confirm "
        "what the notebook shows with them.",
        cell=[evidence.called(cell) for cell in cells] or evidence.called(None),
        names=", ".join(dict.fromkeys(note.detail for note in replaced[:6])),
    )
    yield Flag("tampered_recorder", said)


def cells_of_own_loops(evidence: Evidence) -> tuple[int | None, ...]:
    """Return the cells in which the notebook trains step by step without `fit`."""
    return tuple(note.cell for note in evidence.notes if note.what == OWN_LOOP)


def own_loops(evidence: Evidence) -> Iterator[Flag]:
    """Yield a flag for each cell with a loop that no trainer could repeat."""
    for cell in dict.fromkeys(cells_of_own_loops(evidence)):
        said = T(
            "In {cell}, a loop of the notebook's own trains a model step by step. It could not be "
            "repeated, so a person decides.",
            cell=evidence.called(cell),
        )
        yield Flag("unverifiable_model", said)


def implausible(
    run: Run, evidence: Evidence, assignment: Assignment, highest: float
) -> Iterator[Flag]:
    """Yield a flag when a fit that no trainer ran claims more than honest training reaches."""
    shown = _evaluated(run, evidence, assignment)
    reached = run.claimed.test_accuracy if run.claimed is not None else None
    claims = [value for value in (shown, reached) if value is not None and value > highest]
    if run.trained_by == "trainer" or not claims:
        return
    said = T(
        "The model of {cell} shows a test accuracy of {shown:.4f}; our own trainings of this model "
        "reach up to {highest:.4f}.",
        cell=evidence.called(run.fit.cell),
        shown=max(claims),
        highest=highest,
    )
    yield Flag("implausible_accuracy", said, run.id)


def _evaluated(run: Run, evidence: Evidence, assignment: Assignment) -> float | None:
    """The accuracy that `evaluate` returned for this run over the whole test split."""
    test = evidence.splits.get(assignment.spec.dataset.test, (0, 0))
    # other rows, other pixels or another moment make another number honestly: not compared
    for one in reversed(evidence.evaluations):
        if one.chain == run.fit.chain and one.epochs == run.epochs and same_data(one, run, test):
            for name in ACCURACIES:
                value = one.results.get(name)
                if value is not None:
                    return value
    return None


def same_data(one: Evaluation, run: Run, test: tuple[int, int]) -> bool:
    """Whether `evaluate` saw the whole test split, as the run's own training saw its rows."""
    rows = read_rows(one.data)
    if rows is None or not rows.covers(test) or one.data.count != test[1] - test[0]:
        return False
    return one.data.table == run.fit.data.table and not (
        one.data.labels and one.data.labels.mismatched
    )


def _unmeasured(run: Run) -> Readable:
    if not run.fit.data.recognised:
        return T(
            "The training data were not recognised as images of the dataset, so the model "
            "could not be trained again."
        )
    if run.fit.recipe is None or not run.fit.recipe.buildable:
        return T(
            "The model has parts of its own that the grader cannot rebuild, so it was not measured."
        )
    if run.unmeasured:
        return T("The model was not measured: {reason}.", reason=reasons.said(run.unmeasured))
    return T("The model was trained in the notebook and could not be verified.")


def _review(said: Readable, run: Run, evidence: Evidence, assignment: Assignment) -> Pending:
    return Pending(Status.NEEDS_REVIEW, together(said, claim(run, evidence, assignment)))
