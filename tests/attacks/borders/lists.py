"""The allow-lists, less one entry at a time: something honest is then not rebuilt.

An entry is needed when one of Keras's own objects that uses it comes out of the kernel's side and
the trainer's as it was, and does not once the entry is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from grader import wire
from grader.kernel import recipes
from grader.training import build, compiling

TABLES = (
    "LAYERS", "REGULARIZERS", "OPTIMIZERS", "SCHEDULES", "LOSSES", "METRICS", "INITIALIZERS",
    "ACTIVATIONS",
)  # fmt: skip
# A value for each setting, other than Keras's default. By name alone, or for one class.
UNUSUAL: dict[str, Any] = {
    "activation": "tanh", "activity_regularizer": "l2", "alpha": 0.3, "amsgrad": True, "axis": 1,
    "beta_1": 0.8, "beta_2": 0.8, "bias_regularizer": "l1", "boundaries": [10], "center": False,
    "centered": True, "clipnorm": 1.0, "clipvalue": 1.0, "cycle": True, "decay_rate": 0.5,
    "decay_steps": 70, "dilation_rate": 2, "distribution": "uniform", "end_learning_rate": 0.01,
    "epsilon": 0.01, "filters": 4, "from_logits": True, "gain": 2.0, "gamma": 3.0,
    "global_clipnorm": 1.0, "groups": 2, "ignore_class": 3, "initial_accumulator_value": 0.2,
    "initial_learning_rate": 0.07, "k": 2, "keepdims": True, "kernel_regularizer": "l2",
    "kernel_size": 3, "l1": 0.1, "l2": 0.2, "label_smoothing": 0.1, "learning_rate": 0.07,
    "max_value": 6.0, "maxval": 0.3, "mean": 0.2, "minval": -0.3, "mode": "fan_out",
    "momentum": 0.7, "negative_slope": 0.2, "nesterov": True, "offset": 0.5, "padding": "same",
    "pool_size": 3, "power": 2.0, "rate": 0.3, "rho": 0.8, "scale": 0.5, "staircase": True,
    "stddev": 0.2, "strides": 2, "target_shape": (4,), "threshold": 0.2, "units": 3,
    "use_bias": False, "value": 0.3, "values": [0.1, 0.01], "warmup_steps": 5,
    "warmup_target": 0.1, "weight_decay": 0.01,
    "AveragePooling2D.strides": 3, "MaxPooling2D.strides": 3, "BatchNormalization.scale": False, "LayerNormalization.scale": False,
    "PiecewiseConstantDecay.values": [0.1, 0.01],
}  # fmt: skip
# What a class cannot be made without, or what another setting needs beside it.
NEEDED: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "relu"},
    "AveragePooling2D": {"pool_size": 2},
    "Conv2D": {"filters": 2, "kernel_size": 2},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 50},
    "CosineDecay.warmup_steps": {"warmup_target": 0.1},
    "CosineDecay.warmup_target": {"warmup_steps": 5},
    "Dense": {"units": 2},
    "Dropout": {"rate": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9},
    "GaussianDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 0.9},
    "PiecewiseConstantDecay": {"boundaries": [5], "values": [0.2, 0.1]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 50},
    "Rescaling": {"scale": 0.1},
    "Reshape": {"target_shape": (2, 2)},
    "SGD.nesterov": {"momentum": 0.9},
}


@dataclass(frozen=True)
class Entry:
    """A class on a list, or one of its settings."""

    table: str
    name: str
    setting: str = ""

    def __str__(self) -> str:
        return f"{self.table}: {self.name}{self.setting and f', {self.setting}'}"

    def without(self) -> Any:
        """The list less this entry."""
        table = getattr(wire, self.table)
        if not isinstance(table, Mapping):
            return tuple(each for each in table if each != self.name)
        if not self.setting:
            return {name: settings for name, settings in table.items() if name != self.name}
        kept = tuple(each for each in table[self.name] if each != self.setting)
        return {**table, self.name: kept}

    def honest(self) -> Any:
        """One of Keras's own objects that uses it, other than by Keras's default."""
        if self.table == "ACTIVATIONS":
            return keras.layers.Dense(2, activation=self.name)
        if self.table == "REGULARIZERS":
            given = {self.setting: 0.3} if self.setting else {}
            return keras.layers.Dense(
                2, kernel_regularizer=getattr(keras.regularizers, self.name)(**given)
            )
        given = dict(NEEDED.get(self.name, {}))
        if self.setting:
            own = f"{self.name}.{self.setting}"
            given |= NEEDED.get(own, {})
            given[self.setting] = UNUSUAL.get(own, UNUSUAL[self.setting])
        if (self.name, self.setting) == ("Conv2D", "groups"):
            given["filters"] = 4
        return getattr(HOMES[self.table], self.name)(**given)

    def shown(self, honest: Any) -> str:
        """The object as one would write it."""
        config = honest.get_config()
        setting = {"ACTIVATIONS": "activation", "REGULARIZERS": "kernel_regularizer"}.get(
            self.table, self.setting
        )
        return f"{type(honest).__name__}({f'{setting}={config[setting]!r}' if setting else ''})"

    def comes_back(self, honest: Any) -> bool:
        """Tell whether both sides, one after the other, make the same object of it."""
        try:
            return _config(_REBUILT[self.table](honest)) == _config(honest)
        except (recipes.NoRecipe, build.RecipeError):
            return False


def all_entries() -> Iterator[Entry]:
    """Yield every class and every setting of every list."""
    for table in TABLES:
        listed = getattr(wire, table)
        for name in listed:
            yield Entry(table, name)
            if isinstance(listed, Mapping):
                yield from (Entry(table, name, setting) for setting in listed[name])


def _config(thing: Any) -> Any:
    config = thing if isinstance(thing, str) else {**thing.get_config(), "name": ""}
    return type(thing), repr(config)


def _layer(layer: Any) -> Any:
    name, config = recipes._described(layer)
    if name is None:
        raise recipes.NoRecipe("a layer of its own")
    if reason := recipes.why_unsaid([layer]):
        raise recipes.NoRecipe(reason)
    build._checked({"input_shape": [4], "nodes": [{"op": name, "inputs": [-1]}]})
    return build._layer(0, {"op": name, "config": config})


def _optimizer(optimizer: Any) -> Any:
    return compiling.optimizer_of(
        recipes.part_of(optimizer, "keras.src.optimizers", wire.OPTIMIZERS)
    )


def _schedule(schedule: Any) -> Any:
    part = recipes.part_of(schedule, "keras.src.optimizers", wire.SCHEDULES)
    made = compiling.optimizer_of({"name": "SGD", "settings": {}, "schedule": part})
    return made._learning_rate


def _loss(loss: Any) -> Any:
    return compiling.loss_of(recipes.part_of(loss, "keras.src.losses", wire.LOSSES))


def _metric(metric: Any) -> Any:
    made = compiling.metric_of(recipes.part_of(metric, "keras.src.metrics", wire.METRICS))
    return metric if made == "accuracy" else made


def _initializer(initializer: Any) -> Any:
    part = recipes.part_of(initializer, "keras.src.initializers", wire.INITIALIZERS)
    seeded = {"seed": 3} if hasattr(initializer, "seed") else {}
    compiling.drawn({**part, "settings": {**part["settings"], **seeded}}, (3, 3))
    return type(initializer)(**part["settings"])


HOMES = {
    "LAYERS": keras.layers, "OPTIMIZERS": keras.optimizers, "LOSSES": keras.losses,
    "SCHEDULES": keras.optimizers.schedules, "METRICS": keras.metrics,
    "INITIALIZERS": keras.initializers,
}  # fmt: skip
_REBUILT: dict[str, Callable[[Any], Any]] = {
    "LAYERS": _layer, "REGULARIZERS": _layer, "ACTIVATIONS": _layer, "OPTIMIZERS": _optimizer,
    "SCHEDULES": _schedule, "LOSSES": _loss, "METRICS": _metric, "INITIALIZERS": _initializer,
}  # fmt: skip
