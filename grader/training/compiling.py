"""Plain data → optimizer, loss, metrics, initializers and regularizers, through the allow-lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from .. import wire
from .build import RecipeError, refusing


def optimizer_of(part: Mapping[str, Any]) -> Any:
    """Make an optimizer; a schedule, where there is one, stands in for its learning rate.

    Raises:
        RecipeError: it, its schedule or a setting is not on the allow-list.
    """
    settings = _settings(part, wire.OPTIMIZERS, "optimizer")
    schedule = part.get("schedule")
    if schedule is not None:
        given = _settings(schedule, wire.SCHEDULES, "learning rate schedule")
        home = keras.optimizers.schedules
        settings["learning_rate"] = _made(home, schedule["name"], given)
    return _made(keras.optimizers, part["name"], settings)


def loss_of(part: Mapping[str, Any]) -> Any:
    """Make a loss.

    Raises:
        RecipeError: it or a setting is not on the allow-list.
    """
    return _made(keras.losses, part["name"], _settings(part, wire.LOSSES, "loss"))


def metric_of(part: Mapping[str, Any]) -> Any:
    """Make a metric; the word `accuracy` stays a word, which Keras resolves by the shapes.

    Raises:
        RecipeError: it or a setting is not on the allow-list.
    """
    settings = _settings(part, wire.METRICS, "metric")
    if part["name"] == "Accuracy":
        return "accuracy"
    return _made(keras.metrics, part["name"], settings)


def drawn(part: Mapping[str, Any], shape: Sequence[int]) -> Any:
    """Return the start values that an initializer draws for a variable.

    Raises:
        RecipeError: it or a setting is not on the allow-list, or the seed is no whole number.
    """
    settings = dict(part["settings"])
    seed = settings.pop("seed", None)
    settings = _settings({**part, "settings": settings}, wire.INITIALIZERS, "initializer")
    if any(isinstance(value, list) for value in settings.values()):
        raise RecipeError(f"initializer {part['name']}: a setting is no number or word")
    if seed is not None:
        if type(seed) is not int:
            raise RecipeError(f"initializer {part['name']}: the seed is no whole number")
        settings["seed"] = seed
    with refusing(f"initializer {part['name']}"):
        return _made(keras.initializers, part["name"], settings)(tuple(shape), dtype="float32")


def _settings(
    part: Mapping[str, Any], allowed: Mapping[str, tuple[str, ...]], what: str
) -> dict[str, Any]:
    name = str(part.get("name"))
    if name not in allowed:
        raise RecipeError(f"{what} {str(name)[:60]!r} is not on the allow-list")
    settings = dict(part.get("settings") or {})
    for key in settings:
        if key not in allowed[name]:
            raise RecipeError(f"{what} {name}: setting {key[:40]!r} is not on the allow-list")
    return settings


def _made(home: Any, name: str, settings: Mapping[str, Any]) -> Any:
    with refusing(name):
        return getattr(home, name)(**settings)
