"""What each training of a notebook really gave: the controller's own record, and the trainer.

A delegated fit was trained by a trainer, and its numbers come from the states that the trainer
made. Of a local fit the notebook handed variables over: they are measured as its claim, and the
training is done again (`grader.verifying`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from grader import wire
from grader.assignment import Assignment
from grader.delegation import Budget, Passed, Service
from grader.delegation.memory import name_of
from grader.evidence import Compiled, Component, Fit, Measurement, Run, Start
from grader.execution import Execution
from grader.recipes import Data, Part, Recipe
from grader.trainer import Refused
from grader.verifying import Unverifiable, train_again

MAX_MEASURED = 60
MAX_OTHERS = 8  # sets of rows of earlier fits on which a model is measured, too
UNRECORDED = 1_000_000  # ids of trainings that were asked for without a record of the kernel's


class Measuring:
    """Measures the runs of one notebook.

    Raises:
        TrainerFault: (every method) the trainer failed; ours, never the student's.
    """

    def __init__(self, service: Service, assignment: Assignment) -> None:
        self.service, self.assignment = service, assignment
        limits = assignment.spec.limits
        self.budget = Budget(limits.fit_s, limits.trainings_s)

    def runs(self, execution: Execution) -> tuple[Run, ...]:
        """Return one `Run` for each training, measured where that is possible."""
        merged = merge(execution.records.of(Fit), execution.trainings)
        runs: list[Run] = []
        for place, (fit, passed) in enumerate(merged):
            if fit.epochs_run == 0:
                runs.append(_run(fit, unmeasured="no epoch was completed"))
            elif place < len(merged) - MAX_MEASURED:
                said = f"only the last {MAX_MEASURED} trainings of a notebook are measured"
                runs.append(_run(fit, _trained_by(passed), unmeasured=said))
            else:
                runs.append(self._measured(execution, fit, passed, runs))
        return tuple(runs)

    def sample(self, runs: Sequence[Run], run: Run, count: int) -> tuple[Measurement, ...]:
        """Return the measurements of a run's training from `count` other seeds."""
        done = []
        for number in range(count):
            try:
                weights = train_again(
                    self.service,
                    chain_of(run.fit, runs),
                    self.assignment.spec.seed,
                    self.budget,
                    number,
                )
                done.append(self._measure(run.fit, weights))
            except (Unverifiable, Refused):
                return ()
        return tuple(done)

    def _measured(
        self, execution: Execution, fit: Fit, passed: Passed | None, earlier: list[Run]
    ) -> Run:
        if passed is None or passed.given:  # epochs that nobody recorded are a word, and no more
            before = sum(one.epochs_run for one in chain_of(fit, earlier)[:-1])
            fit = fit.model_copy(update={"epochs_before": before})
        known: dict[str, Any] = {"start": self._start(execution, fit, passed)}
        by, fits = _trained_by(passed), chain_of(fit, earlier)
        try:
            if passed is not None and not passed.given:
                weights = passed.final or passed.states[-1].weights
            else:
                known["claimed"] = self._claimed(execution, fit, passed)
                weights = train_again(self.service, fits, self.assignment.spec.seed, self.budget)
                fit, by = _as_trained(fit), "kernel (verified)"
            measured = self._measure(fit, weights)
            known["earlier"] = self._on_earlier(fit, fits[:-1], weights)
            return _run(fit, by, measured=measured, **known)
        except (Unverifiable, Refused) as problem:
            return _run(fit, by, unmeasured=str(problem)[:300], **known)
        except ValidationError as error:
            said = f"the trainer's answer does not fit: {error}"[:300]
            return _run(fit, by, unmeasured=said, fault=True, **known)

    def _on_earlier(self, fit: Fit, before: Sequence[Fit], weights: str) -> float | None:
        """The highest accuracy on rows that earlier fits of the same variables trained on.

        A last fit on other rows would else choose where the difference to the test is taken.
        """
        others = {repr(one.data.rows): one.data.rows for one in before if one.data.recognised}
        others.pop(repr(fit.data.rows), None)
        if not 0 < len(others) <= MAX_OTHERS:
            return 1.0 if others else None
        found = []
        for rows in others.values():
            data = fit.data.model_copy(update={"rows": rows})
            found.append(self._measure_quietly(fit.model_copy(update={"data": data}), weights))
        return max(1.0 if one is None else one.train_accuracy for one in found)

    def _claimed(self, execution: Execution, fit: Fit, passed: Passed | None) -> Measurement | None:
        """Measure the variables that the notebook had in the end, by its own word."""
        if passed is not None:
            return self._measure_quietly(fit, passed.final or passed.states[-1].weights)
        data = execution.variables(fit.after)
        return None if data is None else self._measure_quietly(fit, name_of(data), data)

    def _start(self, execution: Execution, fit: Fit, passed: Passed | None) -> Start | None:
        """Measure the model as it was before the first epoch of this fit."""
        if passed is not None:
            name = passed.states[0].weights
            data = execution.uploads.get(name)
        else:
            data = execution.variables(fit.before)
            name = "" if data is None else name_of(data)
        if not name:
            return None
        found = self._measure_quietly(fit, name, *([data] if data is not None else []))
        if found is None:
            return None
        return Start(test_accuracy=found.test_accuracy, test_loss=found.test_loss)

    def _measure_quietly(self, fit: Fit, weights: str, *blobs: bytes) -> Measurement | None:
        try:
            return self._measure(fit, weights, *blobs)
        except (Refused, Unverifiable, ValidationError):
            return None

    def _measure(self, fit: Fit, weights: str, *blobs: bytes) -> Measurement:
        recipe, data = _measurable(fit)
        logits = bool(
            fit.compiled and fit.compiled.loss and fit.compiled.loss.settings.get("from_logits")
        )
        answer = self.service.measure(
            recipe, data, weights, self.assignment.spec.dataset.test, logits, blobs
        )
        return Measurement.model_validate(answer)


def merge(fits: Sequence[Fit], trainings: Sequence[Passed]) -> list[tuple[Fit, Passed | None]]:
    """Put the kernel's records and the controller's own beside each other.

    What the controller knows of a training it passed on replaces what the record says of it. A
    training without a record is one all the same: it was asked for over the socket.
    """
    by_number = {fit.delegated: fit for fit in fits if fit.delegated is not None}
    parents = {passed.parent for passed in trainings if passed.epochs}
    ids: dict[int, int] = {}
    chains: dict[int, int] = {}
    rows: list[tuple[Fit, Passed | None]] = []
    for passed in trainings:
        fit = by_number.get(passed.number)
        if passed.epochs == 0:
            continue
        ids[passed.number] = _id(fit, passed, ids)
        chain = fit.chain if fit is not None and passed.given else ids[passed.number]
        chains[passed.number] = chain if passed.parent is None else chains[passed.parent]
        rows.append((_known(fit, passed, ids[passed.number], chains[passed.number]), passed))
    for fit in fits:
        if fit.delegated is None or fit.delegated not in ids:
            rows.append((fit.model_copy(update={"delegated": None}), None))
        elif by_number[fit.delegated] is not fit:
            continue  # a second record of one training says nothing new
        elif fit.local is not None and fit.delegated not in parents:
            # the trainer was lost on the way: what it ended with is a claim
            rows = [row for row in rows if row[1] is None or row[1].number != fit.delegated]
            rows.append((fit, None))
    return sorted(rows, key=lambda row: row[0].id)


def _id(fit: Fit | None, passed: Passed, ids: Mapping[int, int]) -> int:
    """The record's number, where there is one that comes after that of the training's parent.

    The order of a chain is what the controller knows, never the kernel's word: an ancestor with a
    later number would not be seen when somebody looks for what the model was trained on.
    """
    parent = -1 if passed.parent is None else ids[passed.parent]
    if fit is not None and parent < fit.id < UNRECORDED:
        return fit.id
    return UNRECORDED + passed.number


def chain_of(fit: Fit, earlier: Sequence[Run]) -> list[Fit]:
    """Return every fit of the same variables up to this one, this one last."""
    before = [run.fit for run in earlier if run.fit.chain == fit.chain and run.id < fit.id]
    return [*(one for one in before if one.epochs_run), fit]


def _known(fit: Fit | None, passed: Passed, number: int, chain: int) -> Fit:
    """A fit as the controller knows it; cell, history and the like stay the kernel's word."""
    training = passed.plan.training
    final = [place for place, one in enumerate(passed.states) if one.weights == passed.final]
    known: dict[str, Any] = {
        "id": number,
        "chain": chain,
        "recipe": passed.plan.recipe,
        "reason": None,
        "compiled": _compiled(training.optimizer, training.loss, training.metrics),
        "data": passed.plan.data,
        "training": training,
        "unsaid": None,
        "batch_size": training.batch_size,
        "epochs_before": passed.before,
        "epochs_run": passed.epochs,
        "seeds": passed.states[0].seeds,
        "learning_rates": [state.learning_rate for state in passed.states[1:10_001]],
        "kept": final[-1] if final else passed.epochs,
        "given": passed.given,
        "delegated": passed.number,
    }
    if fit is not None:
        known["epochs_asked"] = max(fit.epochs_asked, passed.epochs)
        return fit.model_copy(update=known)
    return Fit(
        kind="fit", cell=None, how="fit", model="", epochs_asked=passed.epochs,
        seconds=round(passed.seconds, 3), **known,
    )  # fmt: skip


def _trained_by(passed: Passed | None) -> Any:
    """Who trained before anything is trained again."""
    made = passed is not None and not passed.given
    return "trainer" if made else "kernel (unverified)"


def _as_trained(fit: Fit) -> Fit:
    """A fit that was trained again: compiled as it was trained, whatever else its record says."""
    training = fit.training
    if training is None:
        return fit
    compiled = _compiled(training.optimizer, training.loss, training.metrics)
    return fit.model_copy(update={"compiled": compiled})


def _compiled(optimizer: Part, loss: Part, metrics: Sequence[Part]) -> Compiled:
    return Compiled(
        optimizer=_component(optimizer),
        loss=_component(loss),
        metrics=[_component(metric).name for metric in metrics],
    )


def _component(part: Part) -> Component:
    settings = {key: value for key, value in part.settings.items() if not isinstance(value, list)}
    return Component(name=wire.snake(part.name), standard=True, settings=settings)


def _measurable(fit: Fit) -> tuple[Recipe, Data]:
    if fit.recipe is None or not fit.recipe.buildable or not fit.data.recognised:
        raise Unverifiable("the model or its rows are not known in full")
    return fit.recipe, fit.data


def _run(fit: Fit, trained_by: Any = "kernel (unverified)", **known: Any) -> Run:
    return Run(fit=fit, epochs=fit.epochs_before + fit.epochs_run, trained_by=trained_by, **known)
