"""Every kind of check that assignment.toml may name, the settings it takes, and what must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from grader import wire
from grader.assignment import Check, Experiment, Spec
from grader.checks import data, evaluation, figures, predictions
from grader.checks.architecture import canonical
from grader.checks.aspects import ASPECTS
from grader.checks.judging import Case, Judge, Outcome
from grader.checks.settings import (
    Explored,
    ImageGrid,
    Nothing,
    PredictionGrid,
    Settings,
    SinglePrediction,
)
from grader.specfile import nearest


@dataclass(frozen=True)
class Kind:
    """A kind of check: its function, its settings, whether it is an aspect of an experiment."""

    judge: Judge
    settings: type[Settings] = Nothing
    aspect: bool = False


def _together(case: Case) -> Outcome:
    raise LookupError(f"{case.check.name} is judged with its experiment")


KINDS: Mapping[str, Kind] = {
    **{aspect: Kind(_together, aspect=True) for aspect in ASPECTS},
    "loaded": Kind(data.loaded),
    "explored": Kind(data.explored, Explored),
    "scaled": Kind(data.scaled),
    "image_grid": Kind(figures.image_grid, ImageGrid),
    "evaluated_test": Kind(evaluation.evaluated_test),
    "predicted_test": Kind(predictions.predicted_test),
    "printed_argmax": Kind(predictions.printed_argmax),
    "prediction_grid": Kind(figures.prediction_grid, PredictionGrid),
    "single_prediction": Kind(predictions.single_prediction, SinglePrediction),
}


def problems(spec: Spec) -> Iterator[str]:
    """Yield a line for each check or experiment of an assignment that cannot be judged."""
    yield from _plan_problems(spec)
    before: set[str] = set()
    for number, check in enumerate(spec.checks):
        yield from _check_problems(f"checks[{number}]", check, spec)
        for needed in sorted(set(check.needs) - before):
            yield f"checks[{number}].needs ({check.name}): {needed!r} must stand before it"
        before.add(check.name)
    ids = [experiment.id for experiment in spec.experiments]
    for number, experiment in enumerate(spec.experiments):
        if experiment.id in ids[:number]:
            yield f"experiments[{number}].id = {experiment.id!r} stands twice; each name once"
        for aspect in ASPECTS:
            if f"{experiment.id}.{aspect}" not in before:
                yield (
                    f"experiments[{number}] ({experiment.id}) has no check "
                    f"{experiment.id + '.' + aspect!r}; add it under [[checks]]"
                )
        yield from _experiment_problems(f"experiments[{number}]", experiment, spec)


def _plan_problems(spec: Spec) -> Iterator[str]:
    known = [name for experiment in spec.experiments for name in experiment.architectures]
    for wanted in spec.calibration.variants_on:
        if wanted not in known:
            yield f"calibration.variants_on: {wanted!r} is no architecture{nearest(wanted, known)}"


def _check_problems(key: str, check: Check, spec: Spec) -> Iterator[str]:
    kind = KINDS.get(check.kind)
    if kind is None:
        close = nearest(check.kind, list(KINDS))
        yield f"{key}.kind = {check.kind!r} ({check.name}) is no kind of check{close}"
        return
    owner, _, aspect = check.name.partition(".")
    experiments = [experiment.id for experiment in spec.experiments]
    if kind.aspect and (owner not in experiments or aspect != check.kind):
        yield (
            f"{key}.kind = {check.kind!r} ({check.name}): a check of this kind is named "
            f"<experiment>.{check.kind}; experiments: {', '.join(experiments)}"
        )
    if not kind.aspect and owner in experiments:
        yield (
            f"{key}.kind = {check.kind!r} ({check.name}): a check of an experiment is of one of "
            f"the kinds {', '.join(ASPECTS)}"
        )
    try:
        settings = kind.settings.model_validate(check.settings)
    except ValidationError as error:
        yield from _settings_problems(f"{key}.settings", check, kind.settings, error)
        return
    split = getattr(settings, "split", None)
    if split is not None and split not in spec.dataset.splits:
        close = nearest(split, list(spec.dataset.splits))
        yield f"{key}.settings.split = {split!r} is no split of the dataset{close}"


def _settings_problems(
    key: str, check: Check, model: type[Settings], error: ValidationError
) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            allowed = nearest(name, list(model.model_fields)) or "; this kind takes no settings"
            yield f"{key}.{name} is no setting of kind {check.kind!r}{allowed}"
        elif problem["type"] == "missing":
            yield f"{key}.{name} is missing; kind {check.kind!r} needs it"
        else:
            message = problem["msg"][:1].lower() + problem["msg"][1:]
            yield f"{key}.{name} = {problem['input']!r}: {message}"


def _experiment_problems(key: str, experiment: Experiment, spec: Spec) -> Iterator[str]:
    if experiment.attempt_epochs > experiment.epochs:
        yield (
            f"{key}.attempt_epochs = {experiment.attempt_epochs} ({experiment.id}) must be at most "
            f"epochs = {experiment.epochs}"
        )
    for name, layers in experiment.architectures.items():
        for layer in layers:
            yield from _layer_problems(f"{key}.architectures.{name}", layer)


def _layer_problems(key: str, text: str) -> Iterator[str]:
    name, _, rest = canonical(text).partition("(")
    if name not in wire.LAYERS:
        yield f"{key}: {text!r} is no layer that can be trained{nearest(name, sorted(wire.LAYERS))}"
        return
    for word in (part.strip() for part in rest.rstrip(")").split(",") if rest):
        if word[:1].isalpha() and word not in wire.ACTIVATIONS:
            close = nearest(word, list(wire.ACTIVATIONS))
            yield f"{key}: {text!r} has the unknown activation {word!r}{close}"
    if name == "Dense" and not rest[:1].isdigit():
        yield f"{key}: {text!r} does not say how many units it has; write Dense(128, relu)"
