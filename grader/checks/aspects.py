"""The five aspects of one run as one experiment: architecture, compile, epochs, accuracy, gap."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader import reasons
from grader.assignment import Assignment, Check, Experiment
from grader.checks import architecture, causes
from grader.checks.architecture import Likeness, Match
from grader.checks.judging import Outcome, all_of, epochs, graded, together
from grader.checks.outline import outline, takes_logits
from grader.checks.trust import ACCURACIES, distrust
from grader.evidence import Compiled, Evidence, Run
from grader.findings import Status
from grader.locale import Readable, T
from grader.recipes import Labels
from grader.thresholds import Thresholds

METRICS: Mapping[str, tuple[str, ...]] = {
    "accuracy": ACCURACIES,
}
TOO_MANY = 1.5  # times the epochs asked for: passes, with a word


@dataclass(frozen=True)
class Candidate:
    """One run as one experiment."""

    run: Run
    experiment: Experiment
    match: Match
    evidence: Evidence
    assignment: Assignment

    @property
    def trained(self) -> tuple[Run, Experiment, int]:
        """What its training can be explained by; the number is that of the training images."""
        start, stop = self.evidence.splits.get(self.assignment.spec.dataset.train, (0, 0))
        return self.run, self.experiment, stop - start

    @cached_property
    def thresholds(self) -> Thresholds | None:
        """Where points begin and end for the architecture that the run matched."""
        calibration = self.assignment.calibration
        return calibration.thresholds(self.match.name) if calibration else None


def judge_architecture(candidate: Candidate, check: Check) -> Outcome:
    """The model is the architecture that the experiment asks for."""
    match = candidate.match
    expected = T(
        "Your model has the layers {layers}.",
        layers=architecture.either(candidate.experiment.architectures),
    )
    found = architecture.arrows(match.found)
    if match.likeness is Likeness.UNCLEAR:
        reason = candidate.run.fit.reason
        why = T("The reason: {reason}.", reason=reasons.said(reason)) if reason else None
        said = together(*match.differences, why)
        return Outcome(Status.NEEDS_REVIEW, expected, said)
    if match.likeness is Likeness.FAILED:
        observed = together(T("Your model is {layers}.", layers=found), *match.differences)
        return Outcome(Status.FAILED, expected, observed, hint=_softmax_hint(match))
    if match.likeness is Likeness.PARTIAL:
        share, observed = (
            0.5,
            T("Your model has the layers {layers} and others besides.", layers=found),
        )
    else:
        share, observed = 1.0, T("Your model is {layers}, as was asked for.", layers=found)
    return graded(
        check.possible,
        share,
        expected=expected,
        observed=observed,
        remark=all_of(list(match.remarks)),
    )


def _softmax_hint(match: Match) -> Readable | None:
    """A last layer that misses only its softmax has a remedy of its own."""
    *before, last = match.expected
    bare = last.replace(", softmax)", ")")
    if bare == last or match.found != (*before, bare):
        return None
    return T('Give the last layer activation="softmax".')


def judge_compile(candidate: Candidate, check: Check) -> Outcome:
    """Optimizer, loss and metric are those of the workshop, or mean the same."""
    wanted, compiled = candidate.experiment, candidate.run.fit.compiled
    expected = T(
        "The model is compiled with the optimizer {optimizer}, the loss {loss} and the metric "
        "{metric}.",
        optimizer=wanted.optimizer,
        loss=architecture.one_of(wanted.loss),
        metric=wanted.metric,
    )
    if compiled is None or compiled.optimizer is None or compiled.loss is None:
        said = T(
            "I could not see with which optimizer and loss this model was compiled, so a person "
            "looks at it."
        )
        return Outcome(Status.NEEDS_REVIEW, expected, said)
    seen = T(
        "You compiled with the optimizer {optimizer}, the loss {loss} and these metrics: "
        "{metrics}.",
        optimizer=compiled.optimizer.name,
        loss=compiled.loss.name,
        metrics=", ".join(compiled.metrics) or "—",
    )
    if not (compiled.optimizer.standard and compiled.loss.standard):
        own = T("The optimizer or the loss is one of your own, so a person looks at it.")
        return Outcome(Status.NEEDS_REVIEW, expected, together(seen, own))
    wrong = _loss_problem(compiled, wanted, candidate.run.fit.data.labels)
    if wrong is not None:
        return Outcome(Status.FAILED, expected, together(seen, wrong))
    short = _shortfalls(compiled, wanted)
    return graded(
        check.possible,
        0.5 ** len(short),  # the loss, which matters most, is right here
        expected=expected,
        observed=together(seen, *short),
        remark=_double_softmax(candidate, compiled),
    )


def _loss_problem(compiled: Compiled, wanted: Experiment, labels: Labels | None) -> Readable | None:
    name = compiled.loss.name if compiled.loss else ""
    if name not in wanted.loss:
        return T("The loss should be {loss}.", loss=architecture.one_of(wanted.loss))
    one_hot = labels is not None and labels.kind == "one-hot"
    if labels is not None and name.startswith("categorical") and not one_hot:
        return T(
            "The loss categorical_crossentropy needs labels with one column for each class "
            "(one-hot), and yours are class numbers."
        )
    if name.startswith("sparse") and one_hot:
        return T(
            "The loss sparse_categorical_crossentropy needs class numbers, and your labels have "
            "one column for each class (one-hot)."
        )
    return None


def _shortfalls(compiled: Compiled, wanted: Experiment) -> list[Readable]:
    short: list[Readable] = []
    if compiled.optimizer and compiled.optimizer.name != wanted.optimizer:
        short.append(T("The optimizer asked for was {optimizer}.", optimizer=wanted.optimizer))
    if not set(METRICS.get(wanted.metric, (wanted.metric,))) & set(compiled.metrics):
        short.append(T("The metric {metric} is missing.", metric=wanted.metric))
    return short


def _double_softmax(candidate: Candidate, compiled: Compiled) -> Readable | None:
    logits = outline(candidate.run.fit.recipe, compiled).logits
    if not takes_logits(compiled) or logits or candidate.match.likeness < Likeness.PARTIAL:
        return None
    return T(
        "Your model ends in softmax, but from_logits=True says that it does not: remove "
        "from_logits=True from the loss."
    )


def judge_epochs(candidate: Candidate, check: Check) -> Outcome:
    """The model was trained for as many epochs as were asked for, all fits together."""
    run, asked = candidate.run, candidate.experiment.epochs
    expected = T("The model is trained for {epochs} in all.", epochs=epochs(asked))
    observed: Readable = T("This model was trained for {epochs}.", epochs=epochs(run.epochs))
    if run.fit.epochs_before:
        observed = T(
            "This model was trained for {epochs}: {before} from before and {now} in this cell.",
            epochs=epochs(run.epochs),
            before=run.fit.epochs_before,
            now=run.fit.epochs_run,
        )
    planned = run.fit.epochs_before + run.fit.epochs_asked
    hint: Readable | None = None
    if run.epochs >= TOO_MANY * asked:
        hint = T(
            "Next time make a new model for each experiment: fit goes on where the last one "
            "stopped."
        )
        remark = T("These are more epochs than were asked for; this costs you no points here.")
        return graded(
            check.possible, 1, expected=expected, observed=observed, hint=hint, remark=remark
        )
    if run.epochs >= asked:
        return graded(check.possible, 1, expected=expected, observed=observed)
    if run.fit.stopped and planned >= asked:
        remark = T(
            "You asked for {epochs} and a callback stopped the training earlier; it counts as "
            "complete.",
            epochs=epochs(planned),
        )
        return graded(check.possible, 1, expected=expected, observed=observed, remark=remark)
    failed: Readable | None = None
    if candidate.evidence.cut(run.fit):
        failed = T("The time limit ended the training.")
        hint = T(
            "Look for what takes long in that cell, and put what is not part of this training "
            "into a cell of its own."
        )
    elif run.fit.error:
        failed = T("The cell ended in an error ({error}).", error=run.fit.error)
        hint = T("Fix the error in that cell first, and then run the whole notebook again.")
    missing = T("You need {epochs} more.", epochs=epochs(asked - run.epochs))
    return graded(
        check.possible,
        run.epochs / asked,
        expected=expected,
        observed=together(observed, failed, missing),
        hint=hint,
    )


def judge_accuracy(candidate: Candidate, check: Check) -> Outcome:
    """The trained model reaches the test accuracy that honest training of it reaches."""
    limits = candidate.thresholds
    expected: Readable = T("The test accuracy is like that of our own trainings of this model.")
    if limits is not None:
        expected = T(
            "A test accuracy of {full:.4f} or more earns all points; {none:.4f} or less earns "
            "none, and what lies between earns a part.",
            full=limits.accuracy_full,
            none=limits.accuracy_none,
        )
    pending = distrust(candidate.run, candidate.evidence, candidate.assignment)
    if pending is not None:
        return Outcome(pending.status, expected, pending.observed)
    if limits is None or candidate.run.measured is None:
        return _uncalibrated(candidate, expected)
    own = candidate.run.measured.test_accuracy
    others = [one.test_accuracy for one in candidate.run.samples]
    accuracy = max(own, statistics.median([own, *others]))
    observed = _distance(own, limits.accuracy_full)
    share = accuracy_share(limits, accuracy)
    return graded(
        check.possible,
        share,
        expected=expected,
        observed=observed,
        hint=None if share >= 1 else causes.of_low_accuracy(*candidate.trained),
        remark=_other_seeds(own, others, accuracy),
    )


def _other_seeds(own: float, others: Sequence[float], counts: float) -> Readable | None:
    """Say what the same training gave from other seeds, where that was tried."""
    if not others:
        return None
    return T(
        "The result was near the limit, so the grader trained the model twice more from other "
        "random weights and got {first:.4f} and {second:.4f}. Between your value and the middle "
        "one of the three, the one that is better for you counts: {counts:.4f}.",
        first=others[0],
        second=others[-1],
        counts=counts,
    )


def accuracy_share(limits: Thresholds, accuracy: float) -> float:
    """Return which part of the points an accuracy earns: all, none, or linear between."""
    if accuracy >= limits.accuracy_full:
        return 1.0
    return max(
        0.0, (accuracy - limits.accuracy_none) / (limits.accuracy_full - limits.accuracy_none)
    )


def judge_gap(candidate: Candidate, check: Check) -> Outcome:
    """Train accuracy minus test accuracy is no larger than honest training makes it."""
    limits = candidate.thresholds
    expected: Readable = T(
        "The difference between training and test is like that of our own trainings of this model."
    )
    if limits is not None:
        expected = T(
            "The accuracy on the training data is at most {limit:.4f} above the one on the test "
            "data.",
            limit=limits.gap_limit,
        )
    pending = distrust(candidate.run, candidate.evidence, candidate.assignment)
    if pending is not None:
        return Outcome(pending.status, expected, pending.observed)
    measured = candidate.run.measured
    if limits is None or measured is None:
        return _uncalibrated(candidate, expected)
    others = [one.gap for one in candidate.run.samples]
    gap = min(measured.gap, statistics.median([measured.gap, *others]))
    observed = T(
        "Your model reached an accuracy of {train:.4f} on the training data and {test:.4f} on "
        "the test data: the difference is {gap:.4f}, {left:.4f} below the limit.",
        train=measured.train_accuracy,
        test=measured.test_accuracy,
        gap=measured.gap,
        left=limits.gap_limit - measured.gap,
    )
    if measured.gap > limits.gap_limit:
        observed = T(
            "Your model reached an accuracy of {train:.4f} on the training data and {test:.4f} "
            "on the test data: the difference is {gap:.4f}, {over:.4f} above the limit.",
            train=measured.train_accuracy,
            test=measured.test_accuracy,
            gap=measured.gap,
            over=measured.gap - limits.gap_limit,
        )
    remarks = [_other_seeds(measured.gap, others, gap), _two_numbers(candidate.run)]
    passes = gap <= limits.gap_limit
    earlier = candidate.run.earlier
    if passes and earlier is not None and earlier - measured.test_accuracy > limits.gap_limit:
        said = T(
            "An earlier fit trained this model on other images, and on those the difference may be "
            "larger, so a person decides."
        )
        return Outcome(Status.NEEDS_REVIEW, expected, together(observed, said))
    return graded(
        check.possible,
        1.0 if passes else 0.0,
        expected=expected,
        observed=observed,
        hint=None if passes else causes.of_large_gap(*candidate.trained),
        remark=all_of([one for one in remarks if one is not None]),
    )


ASPECTS: Mapping[str, Callable[[Candidate, Check], Outcome]] = {
    "architecture": judge_architecture,
    "compile": judge_compile,
    "epochs": judge_epochs,
    "accuracy": judge_accuracy,
    "gap": judge_gap,
}


def _uncalibrated(candidate: Candidate, expected: Readable) -> Outcome:
    measured = candidate.run.measured
    said = T("There are no reference values for this model yet, so a person must decide.")
    if measured is not None:
        numbers = T(
            "Your model reached an accuracy of {train:.4f} on the training data and {test:.4f} "
            "on the test data.",
            train=measured.train_accuracy,
            test=measured.test_accuracy,
        )
        return Outcome(Status.NEEDS_REVIEW, expected, together(numbers, said))
    return Outcome(Status.NEEDS_REVIEW, expected, said)


def _distance(accuracy: float, full: float) -> Readable:
    if accuracy >= full:
        return T(
            "Your model reached an accuracy of {accuracy:.4f} on the test data, {over:.4f} "
            "above what earns all points.",
            accuracy=accuracy,
            over=accuracy - full,
        )
    return T(
        "Your model reached an accuracy of {accuracy:.4f} on the test data, {short:.4f} below "
        "what earns all points.",
        accuracy=accuracy,
        short=full - accuracy,
    )


def _two_numbers(run: Run) -> Readable | None:
    """Why fit's own accuracy is not the one measured here."""
    shown = next((run.fit.history[name] for name in ACCURACIES if run.fit.history.get(name)), None)
    last = shown[-1] if shown else None
    if last is None or run.measured is None or abs(last - run.measured.train_accuracy) < 0.001:
        return None
    return T(
        "fit showed an accuracy of {shown:.4f} for its last epoch: that is an average from "
        "while the weights were still changing. Here the finished model is measured.",
        shown=last,
    )
