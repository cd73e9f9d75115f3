"""Which training serves which experiment.

A candidate is every run (a fit with all earlier fits of the same variables). Each run is judged
for each experiment; then runs are given to experiments so that the points add up to the most.
A run serves at most one experiment; between equals the latest run is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grader.assignment import Assignment, Experiment
from grader.checks import architecture, trust
from grader.checks.architecture import Likeness, Match
from grader.checks.aspects import ASPECTS, Candidate
from grader.checks.judging import Case, Outcome, epochs, guarded, skipped, together
from grader.checks.outline import Outline, outline
from grader.evidence import Evidence, Run
from grader.findings import Flag, Status
from grader.locale import Readable, T


@dataclass(frozen=True)
class Judged:
    """One run judged for one experiment.

    Attributes:
        worth: the points it earns; those that a fault of ours withholds, or that wait because no
            trainer could repeat the run, count as earned.
        epochs_off: how many epochs more or fewer than were asked for.
    """

    run: Run
    outcomes: Mapping[str, Outcome]
    worth: int
    epochs_off: int = 0


@dataclass(frozen=True)
class Choice:
    """The run and the outcomes of every experiment, by its name, and what a person should know."""

    runs: Mapping[str, Run | None]
    outcomes: Mapping[str, Mapping[str, Outcome]]
    flags: tuple[Flag, ...]


class Trainings:
    """All runs of one notebook beside all experiments of the assignment."""

    def __init__(self, assignment: Assignment, evidence: Evidence) -> None:
        self.assignment = assignment
        self.evidence = evidence
        self.experiments = assignment.spec.experiments

    @cached_property
    def outlines(self) -> dict[int, Outline]:
        """What each run's model means."""
        return {run.id: outline(run.fit.recipe, run.fit.compiled) for run in self.evidence.runs}

    def match(self, run: Run, experiment: Experiment) -> Match:
        """Return how a run's model fits an experiment."""
        return architecture.closest(self.outlines[run.id], experiment.architectures)

    def eligible(self, run: Run, experiment: Experiment) -> bool:
        """Whether a run may serve an experiment: trained long enough, and a model like its own."""
        # a fit of 20 epochs that early stopping ended at 8 is an attempt at 20, not at 10
        if not run.epochs or intended(run) < experiment.attempt_epochs:
            return False
        if self.match(run, experiment).likeness > Likeness.FAILED:
            return True
        # the 500-unit model is no failed baseline; a 64-unit model may be one
        if any(self.match(run, other).likeness > Likeness.UNCLEAR for other in self.experiments):
            return False
        dense = {
            sum(layer.startswith("Dense") for layer in layers)
            for layers in experiment.architectures.values()
        }
        return self.outlines[run.id].dense in dense

    def choose(self) -> Choice:
        """Give runs to experiments and return what each aspect says."""
        judged = {experiment.id: self._candidates(experiment) for experiment in self.experiments}
        taken = assign([judged[experiment.id] for experiment in self.experiments])
        runs: dict[str, Run | None] = {}
        outcomes: dict[str, Mapping[str, Outcome]] = {}
        for experiment, number in zip(self.experiments, taken, strict=True):
            chosen = next((one for one in judged[experiment.id] if one.run.id == number), None)
            runs[experiment.id] = chosen.run if chosen else None
            if chosen:
                outcomes[experiment.id] = chosen.outcomes
        for experiment in self.experiments:
            if experiment.id not in outcomes:
                outcomes[experiment.id] = self._not_attempted(experiment, runs)
        return Choice(runs, outcomes, tuple(self._flags(runs)))

    def _flags(self, runs: Mapping[str, Run | None]) -> Iterator[Flag]:
        yield from trust.tampered(self.evidence)
        if None in runs.values():
            yield from trust.own_loops(self.evidence)
        for experiment in self.experiments:
            run = runs[experiment.id]
            if run is None:
                continue
            yield from trust.flags(run, self.evidence, self.assignment)
            match, calibration = self.match(run, experiment), self.assignment.calibration
            limits = calibration.thresholds(match.name) if calibration else None
            if limits is not None:
                highest = limits.accuracy_band[1] + limits.accuracy_spread
                yield from trust.implausible(run, self.evidence, self.assignment, highest)

    def _candidates(self, experiment: Experiment) -> list[Judged]:
        runs = [run for run in self.evidence.runs if self.eligible(run, experiment)]
        return [self._judged(run, experiment) for run in runs]

    def _judged(self, run: Run, experiment: Experiment) -> Judged:
        outcomes = self._judge(run, experiment)
        withheld = sum(
            self.assignment.check(f"{experiment.id}.{aspect}").possible
            for aspect, outcome in outcomes.items()
            if outcome.status is Status.GRADER_ERROR  # else our fault could push a good run aside
        )
        earned = sum(one.earned for one in outcomes.values())
        outcomes = {
            aspect: trust.confirmed(outcome, run, self.evidence)
            for aspect, outcome in outcomes.items()
        }
        return Judged(run, outcomes, earned + withheld, abs(run.epochs - experiment.epochs))

    def _judge(self, run: Run, experiment: Experiment) -> dict[str, Outcome]:
        candidate = Candidate(
            run, experiment, self.match(run, experiment), self.evidence, self.assignment
        )
        outcomes: dict[str, Outcome] = {}
        for aspect, judge in ASPECTS.items():
            check = self.assignment.check(f"{experiment.id}.{aspect}")
            case = Case(self.assignment, self.evidence, check, {})
            blocking = [needed for needed in check.needs if _failed(outcomes, experiment, needed)]
            if blocking:
                outcome = skipped(self.assignment.check(blocking[0]))
            else:
                outcome = guarded(lambda case, judge=judge: judge(candidate, case.check), case)  # type: ignore[misc]
            outcomes[aspect] = replace(outcome, cell=run.fit.cell, run=run.id)
        return outcomes

    def _not_attempted(
        self, experiment: Experiment, runs: Mapping[str, Run | None]
    ) -> dict[str, Outcome]:
        expected = T(
            "A model with the layers {layers} is trained for {epochs}.",
            layers=architecture.either(experiment.architectures),
            epochs=epochs(experiment.epochs),
        )
        loops = trust.cells_of_own_loops(self.evidence)
        if loops and self.evidence.live:
            said = T(
                "I found no fit like this one. In {cell} a loop of its own trains step by step, "
                "which the self-check in the notebook cannot follow; grader check can.",
                cell=self.evidence.called(loops[0]),
            )
            outcome = Outcome(Status.NOT_ATTEMPTED, expected, said, cell=loops[0])
            return dict.fromkeys(ASPECTS, outcome)
        if loops:
            said = T(
                "I found no fit like this one, but {cell} trains step by step in a loop of its "
                "own, so a person looks at it.",
                cell=self.evidence.called(loops[0]),
            )
            outcome = Outcome(Status.NEEDS_REVIEW, expected=expected, observed=said, cell=loops[0])
            return dict.fromkeys(ASPECTS, outcome)
        observed, cell = self._nearest(experiment, runs)
        outcome = Outcome(Status.NOT_ATTEMPTED, expected=expected, observed=observed, cell=cell)
        return dict.fromkeys(ASPECTS, outcome)

    def _nearest(
        self, experiment: Experiment, runs: Mapping[str, Run | None]
    ) -> tuple[Readable, int | None]:
        none = T("I found no training like this one.")
        failed = [run for run in self.evidence.runs if not run.epochs]
        trained = [run for run in self.evidence.runs if run.epochs]
        if not trained and not failed:
            return none, None
        if not trained:
            return together(none, self._without_epochs(failed[-1])), failed[-1].fit.cell
        near = max(trained, key=lambda run: (*self._closeness(run, experiment), run.id))
        served = [name for name, run in runs.items() if run is not None and run.id == near.id]
        fits = self.match(near, experiment).likeness > Likeness.FAILED
        if served and fits and self.eligible(near, experiment):
            said = together(none, self._already_counts(near, served[0]))
        else:
            said = together(none, self._nearest_text(near, experiment))
        unfinished = [
            run for run in failed if self.match(run, experiment).likeness > Likeness.FAILED
        ]
        if unfinished:
            said = together(said, self._without_epochs(unfinished[-1]))
        return said, near.fit.cell

    def _without_epochs(self, run: Run) -> Readable:
        cell = self.evidence.called(run.fit.cell)
        if self.evidence.cut(run.fit):
            return T(
                "In {cell} a training was started, and the time limit came before its first epoch "
                "was done.",
                cell=cell,
            )
        if run.fit.error:
            return T(
                "In {cell} the training ended in an error before its first epoch was done: "
                "{error}.",
                cell=cell,
                error=run.fit.error,
            )
        return T("In {cell} a training was started, but no epoch was finished.", cell=cell)

    def _already_counts(self, run: Run, server: str) -> Readable:
        return T(
            "The training of {cell} would also serve here, but it already counts for “{title}”, "
            "and each training counts once.",
            cell=self.evidence.called(run.fit.cell),
            title=title(self.assignment, server),
        )

    def _nearest_text(self, run: Run, experiment: Experiment) -> Readable:
        match, cell = self.match(run, experiment), self.evidence.called(run.fit.cell)
        if match.likeness > Likeness.FAILED:
            return T(
                "The model of {cell} has this architecture, but it was trained for {epochs}; from "
                "{least} on it counts as this experiment.",
                cell=cell,
                epochs=epochs(run.epochs),
                least=epochs(experiment.attempt_epochs),
            )
        return T(
            "The nearest is in {cell}: {found}. {differences}",
            cell=cell,
            found=architecture.arrows(match.found),
            differences=together(*match.differences[:4]),
        )

    def _closeness(self, run: Run, experiment: Experiment) -> tuple[bool, int, int]:
        match = self.match(run, experiment)
        return self.eligible(run, experiment), match.likeness, -match.distance


def intended(run: Run) -> int:
    """Return how many epochs a run had, or was to have if it ended early."""
    return max(run.epochs, run.fit.epochs_before + run.fit.epochs_asked)


def title(assignment: Assignment, name: str) -> Readable:
    """Return an experiment's title."""
    return next(one.title.text for one in assignment.spec.experiments if one.id == name)


def assign(candidates: Sequence[Sequence[Judged]]) -> list[int | None]:
    """Give each experiment at most one run, and each run to at most one experiment.

    The points add up to the most; between equals later runs win, then runs with the epochs that
    were asked for. With E experiments only the best E runs of each can ever matter, so the search
    stays small however many runs there are.
    """
    count = len(candidates)
    options = [
        {one.run.id: one for one in sorted(some, key=_order, reverse=True)[:count]}
        for some in candidates
    ]
    nothing: tuple[int | None, ...] = (None,) * count
    # which experiments are served → (points, how late, minus epochs off), the runs
    best = {0: ((0, 0, 0), nothing)}
    for place, run in enumerate(sorted({run for some in options for run in some}), start=1):
        for served, ((points, late, off), runs) in list(best.items()):
            for number, some in enumerate(options):
                if run not in some or served & 1 << number:
                    continue
                one = some[run]
                value = (points + one.worth, late + place, off - one.epochs_off)
                key = served | 1 << number
                if key not in best or value > best[key][0]:
                    best[key] = (value, (*runs[:number], run, *runs[number + 1 :]))
    return list(max(best.values(), key=lambda state: state[0])[1])


def _order(one: Judged) -> tuple[int, int]:
    return one.worth, one.run.id


def _failed(outcomes: Mapping[str, Outcome], experiment: Experiment, needed: str) -> bool:
    owner, _, aspect = needed.partition(".")
    outcome = outcomes.get(aspect) if owner == experiment.id else None
    return outcome is not None and outcome.status in (Status.FAILED, Status.SKIPPED)
