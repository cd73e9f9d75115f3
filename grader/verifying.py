"""Trains again, from fresh variables, what a notebook says that it trained.

A local fit's variables, and those of a chain with a given state, are a claim. What counts is this:
the recorded recipe on pristine rows, from the start variables and under the seeds that delegation
would have used. Other seeds give samples of the same training, for where a threshold is near.
"""

from __future__ import annotations

from collections.abc import Sequence

from grader import wire
from grader.delegation import Budget, Service
from grader.delegation.service import epoch_seed
from grader.evidence import Fit
from grader.recipes import Part, Plan, State
from grader.trainer import Refused

GLOROT = ("Conv2D", "Dense")


class Unverifiable(Exception):
    """The training cannot be repeated; the message says why."""


def train_again(
    service: Service,
    fits: Sequence[Fit],
    seed: int,
    budget: Budget,
    sample: int | None = None,
) -> str:
    """Train a chain of fits from fresh variables; return the name of the weights it ends with.

    Args:
        fits: of the same variables, in order; the first from its start.
        seed: the assignment's.
        budget: what all of one notebook's trainings may take; what is spent is added.
        sample: number of another seed; None for the training as it was.

    Raises:
        Unverifiable, Refused: it cannot be repeated.
        TrainerFault: the trainer failed; ours.
    """
    if sample is not None:
        seed = wire.derived_seed(seed, "sample", sample)
    plans = [_plan(fit, seed, sample) for fit in fits]
    weights, optimizer = _fresh(service, plans[0])
    done, spent = 0, 0.0
    seeds = _generators(fits[0].seeds, seed, sample)
    for fit, plan in zip(fits, plans, strict=True):
        if fit.steps_before == 0:
            optimizer = service.start(plan, None).optimizer
        names, own = [weights], _rate(plan)
        for epoch in range(fit.epochs_run):
            rate = fit.learning_rates[epoch] if epoch < len(fit.learning_rates) else own
            state = State(weights=weights, optimizer=optimizer, seeds=seeds, learning_rate=rate)
            result = service.epoch(plan, state, epoch_seed(plan, seed, done))
            weights, optimizer = result.state.weights, result.state.optimizer
            seeds = result.state.seeds
            names.append(weights)
            done, spent = done + 1, spent + result.seconds
            budget.spent_s += result.seconds
            if spent > budget.fit_s:
                raise Unverifiable(f"its training takes more than {budget.fit_s:.0f} s")
            if budget.spent_s > budget.run_s:
                raise Unverifiable(f"all trainings together take more than {budget.run_s:.0f} s")
        if fit.kept is not None and fit.kept < len(names):
            weights = names[fit.kept]
    return weights


def _plan(fit: Fit, seed: int, sample: int | None) -> Plan:
    plan = fit.plan
    if plan is None:
        raise Unverifiable(why_unverifiable(fit))
    draws = plan.training.draws or []
    if not draws or None in draws:
        draws = _usual_draws(plan, seed)
    if sample is not None:
        draws = [_drawn_anew(draw, seed, place) for place, draw in enumerate(draws)]
    own = plan.training.tensorflow_seed
    changes = {
        "draws": draws,
        "tensorflow_seed": own if own is None or sample is None else wire.derived_seed(seed, own),
    }
    return plan.model_copy(update={"training": plan.training.model_copy(update=changes)}).normal


def _rate(plan: Plan) -> float | None:
    """The learning rate that the optimizer was made with, None where a schedule sets it."""
    optimizer = plan.training.optimizer
    rate = optimizer.settings.get("learning_rate")
    return rate if optimizer.schedule is None and isinstance(rate, float) else None


def why_unverifiable(fit: Fit) -> str:
    """Return why a fit cannot be trained again."""
    if fit.recipe is None:
        return fit.reason or "the model could not be read"
    if not fit.recipe.buildable:
        custom = next((node.op for node in fit.recipe.nodes if node.custom), "nothing")
        return f"the model holds {custom}, which only the notebook itself can build"
    if not fit.data.recognised:
        return fit.data.reason or "the training rows were not recognised"
    return fit.unsaid or "its labels or its settings are not known in full"


def _fresh(service: Service, plan: Plan) -> tuple[str, str]:
    start = service.start(plan, plan.training.draws)
    if start.weights is None:
        raise Refused("the model has no variables")
    return start.weights, start.optimizer


def _drawn_anew(draw: Part | None, seed: int, place: int) -> Part | None:
    if draw is None or "seed" not in draw.settings:
        return draw
    settings = {**draw.settings, "seed": wire.derived_seed(seed, "start", place)}
    return draw.model_copy(update={"settings": settings})


def _generators(seeds: list[list[int]], seed: int, sample: int | None) -> list[list[int]]:
    if sample is None:
        return seeds
    return [
        [wire.derived_seed(seed, "generator", place), *numbers[1:]]
        for place, numbers in enumerate(seeds)
    ]


def _usual_draws(plan: Plan, seed: int) -> list[Part | None]:
    """Keras's own initializers of the layers, where the notebook's are not known."""
    zeros, ones = Part(name="Zeros"), Part(name="Ones")
    draws: list[Part | None] = []
    for number, node in enumerate(plan.recipe.nodes):
        drawn = wire.derived_seed(seed, "start", number)
        glorot = Part(name="GlorotUniform", settings={"seed": drawn})
        if node.op in GLOROT:
            draws += [glorot, zeros] if node.config.get("use_bias", True) else [glorot]
        elif node.op in ("BatchNormalization", "LayerNormalization"):
            draws += [ones] * bool(node.config.get("scale", True))
            draws += [zeros] * bool(node.config.get("center", True))
            draws += [zeros, ones] if node.op == "BatchNormalization" else []
    return draws
