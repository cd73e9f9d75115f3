"""A compiled model and the arguments of `fit` → how it is trained, as plain data.

What cannot be said in full raises `Unsaid`; nobody then repeats the training, and the reason goes
into the record.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from .. import wire
from .recipes import NoRecipe, part_of

ALIASES = {
    "acc": "Accuracy",
    "accuracy": "Accuracy",
    "kl_divergence": "KLDivergence",
    "kld": "KLDivergence",
    "mae": "MeanAbsoluteError",
    "mse": "MeanSquaredError",
}
# Settings of an optimizer that change a step and have no place in a plan.
OPTIMIZER_DEFAULTS = {
    "use_ema": False,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
# Methods and arguments of `fit` that change a step and have no place in a plan.
STEP_METHODS = ("train_step", "test_step", "compute_loss", "compute_metrics", "make_train_function")
FIT_DEFAULTS = ("sample_weight", "steps_per_epoch", "validation_steps")


class Unsaid(NoRecipe):
    """The training cannot be said as plain data; the message says why."""


def training_of(
    model: Any, weights: list[Any], arguments: Mapping[str, Any], draws: Mapping[int, Any]
) -> dict[str, Any]:
    """Return a training (the shape of `recipes.Training`) but for the notebook's own seed.

    Args:
        weights: the model's variables in the order of its recipe's nodes.
        draws: by `id`, how each variable was drawn.

    Raises:
        Unsaid: something in it has no place in a plan.
    """
    for name in STEP_METHODS:
        home = next((kind for kind in type(model).__mro__ if name in vars(kind)), None)
        if home is None:  # a loop of the notebook's own takes its steps itself
            continue
        if not str(home.__module__).startswith("keras.src.") or name in vars(model):
            raise Unsaid(f"the model has its own {name}")
    for name in FIT_DEFAULTS:
        if arguments.get(name) is not None:
            raise Unsaid(f"fit was given {name}")
    shuffle = arguments.get("shuffle", True)
    if type(shuffle) is not bool:
        raise Unsaid(f"shuffle is {shuffle!r}")
    batch_size = arguments.get("batch_size")
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise Unsaid("the batch size is no whole number")
    return {
        "order": _order(model, weights),
        "optimizer": _optimizer(model.optimizer),
        "loss": _loss(model),
        "metrics": _metrics(model),
        "batch_size": batch_size or 32,
        "shuffle": shuffle,
        "class_weight": _class_weight(arguments.get("class_weight")),
        "draws": [draws.get(id(variable)) for variable in weights],
    }


def why_not_exact(model: Any) -> str | None:
    """Return what makes a step differ from a rebuilt model's, None when nothing does."""
    keras = sys.modules["keras"]
    if keras.config.floatx() != "float32":
        return f"floatx is {keras.config.floatx()}"
    if getattr(model, "run_eagerly", False):
        return "run_eagerly is set"
    if getattr(model, "jit_compile", False):
        return "jit_compile is set"
    if model._distribute_strategy is not None:
        return "there is a distribution strategy"
    from tensorflow.python.framework.config import is_op_determinism_enabled

    if is_op_determinism_enabled():
        return "op determinism is enabled"
    if keras.config.max_epochs() or keras.config.max_steps_per_epoch():
        return "Keras's debugging limits are set"
    return None


def _order(model: Any, weights: list[Any]) -> list[int] | None:
    trained = [one for one in weights if one.trainable]
    places = {id(one): place for place, one in enumerate(trained)}
    order = [places.get(id(one), -1) for one in model.trainable_variables]
    if sorted(order) != list(range(len(trained))):
        raise Unsaid("some of the model's variables are not trained")
    if any(
        layer.trainable is False or layer.trainable is not known
        for layer, known in getattr(model, "_compiled_trainable_state", {}).items()
    ):
        raise Unsaid("some layers are frozen")
    return None if order == list(range(len(order))) else order


def _optimizer(optimizer: Any) -> dict[str, Any]:
    if optimizer is None:
        raise Unsaid("there is no optimizer")
    part = part_of(optimizer, "keras.src.optimizers", wire.OPTIMIZERS)
    config = optimizer.get_config()
    for key, usual in OPTIMIZER_DEFAULTS.items():
        if config.get(key, usual) != usual:
            raise Unsaid(f"the optimizer's {key} is set")
    if getattr(optimizer, "_exclude_from_weight_decay", None):
        raise Unsaid("some variables have no weight decay")
    rate = optimizer._learning_rate
    if hasattr(rate, "assign"):
        part["settings"]["learning_rate"] = float(rate.numpy())
        return part
    del part["settings"]["learning_rate"]
    part["schedule"] = part_of(rate, "keras.src.optimizers.schedules", wire.SCHEDULES)
    return part


def _loss(model: Any) -> dict[str, Any]:
    if _compile_argument(model, "loss_weights") is not None:
        raise Unsaid("there are loss weights")
    return _named(model.loss, "losses", wire.LOSSES)


def _metrics(model: Any) -> list[dict[str, Any]]:
    if _compile_argument(model, "weighted_metrics") is not None:
        raise Unsaid("there are weighted metrics")
    given = _compile_argument(model, "metrics")
    given = [] if given is None else given
    if not isinstance(given, list | tuple):
        raise Unsaid("the metrics are no list")
    if len(given) == 1 and isinstance(given[0], list | tuple):
        given = given[0]
    return [_named(one, "metrics", wire.METRICS) for one in given]


def _compile_argument(model: Any, name: str) -> Any:
    config = getattr(model, "_compile_config", None)
    if config is None:
        raise Unsaid("compile left no trace")
    return config.config[name]


def _named(thing: Any, home: str, allowed: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """A loss or metric that was given as a word, as one of Keras's functions, or as an object."""
    known = {wire.snake(name): name for name in allowed} | ALIASES
    if isinstance(thing, str):
        name = known.get(thing) or (thing if thing in allowed and thing != "Accuracy" else None)
        if name not in allowed:
            raise Unsaid(f"{home}: {thing[:60]!r} is not on the allow-list")
        return {"name": name, "settings": {}}
    if not isinstance(thing, type) and hasattr(thing, "__name__"):
        keras = sys.modules["keras"]
        for word, name in known.items():
            if name in allowed and thing is getattr(getattr(keras, home), word, None):
                return {"name": name, "settings": {}}
        raise Unsaid(f"{home}: a function of the notebook's own")
    if (
        getattr(thing, "reduction", "sum_over_batch_size") != "sum_over_batch_size"
        and home == "losses"
    ):
        raise Unsaid("the loss has a reduction of its own")
    if type(thing).__name__ == "Accuracy":
        raise Unsaid("metrics: 'Accuracy' compares labels with outputs")
    return part_of(thing, f"keras.src.{home}", allowed)


def _class_weight(given: Any) -> list[list[Any]] | None:
    if given is None:
        return None
    try:
        pairs = [[int(label), float(weight)] for label, weight in given.items()]
    except (AttributeError, TypeError, ValueError) as error:
        raise Unsaid("class_weight is no table of numbers") from error
    return sorted(pairs)
