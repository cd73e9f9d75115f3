"""Plain data → Keras model, through an allow-list: no `load_model`, no class names from outside.

Everything is checked, and the number of parameters computed, before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .. import wire
from ..states import StateError

Shape = tuple[int, ...]


class RecipeError(ValueError):
    """The recipe cannot be built; the message says which node and why."""


OURS = (
    tf.errors.ResourceExhaustedError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
    tf.errors.CancelledError,
)
SIDES = {"kernel_size": 4096, "pool_size": 4096, "strides": 4096, "dilation_rate": 8}
"""Settings that count pixels along each side, and the most of them."""
FREE = ("linear", "relu", "softmax", "sigmoid", "tanh")
"""Activations whose gradient needs their result and nothing else."""
STORED = 4
"""Values that training keeps for each result of another activation, a noise or a normalisation."""


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Whatever libraries object to in a request is the request's fault.

    Raises:
        RecipeError: with their complaint. Lack of memory or files goes on as it is: it is ours.
    """
    try:
        yield
    except (RecipeError, StateError, MemoryError, OSError, *OURS):
        raise
    except Exception as error:
        raise RecipeError(f"{what}: {_brief(error)}") from error


@dataclass(frozen=True)
class Built:
    """A functional `keras.Model` and its layers in the order of the recipe's nodes.

    Attributes:
        parameters: how many there are.
        values: how many numbers training keeps of one row, all layers together.
        work: multiply-adds that one row takes, forwards.
    """

    model: Any
    layers: tuple[Any, ...]
    parameters: int
    values: int
    work: int

    def most_rows(self, wanted: int) -> int:
        """Return how many rows at a time are not too many, `wanted` at most."""
        return max(1, min(wanted, wire.MAX_VALUES // max(self.values, 1)))

    def bear(self, rows: int, batch_size: int = 0) -> None:
        """See whether so many rows can be computed, in batches of this size when training.

        Raises:
            RecipeError: a batch is too large, or all of it would take too long.
        """
        batch = min(rows, batch_size)
        if self.most_rows(batch) < batch:
            raise RecipeError(
                f"a batch of {batch} rows is too large for this model: all layers together keep "
                f"{self.values} values of each row"
            )
        steps = math.ceil(rows / batch) * self.parameters if batch else 0
        if rows * self.work + 10 * steps > wire.MAX_WORK:
            raise RecipeError(f"{rows} rows in batches of {batch} take this model too long")


def build(recipe: Mapping[str, Any]) -> Built:
    """Build the model of a recipe; its start values are Keras's own draws, to be overwritten.

    Args:
        recipe: `input_shape` of one row and `nodes` in topological order.

    Raises:
        RecipeError: something in it is not on the allow-list or is too large.
    """
    nodes, input_shape = _checked(recipe)
    entry = keras.Input(shape=input_shape)
    layers: list[Any] = []
    results: list[Any] = []
    parameters = values = work = 0
    for number, node in enumerate(nodes):
        inputs = [entry if source < 0 else results[source] for source in node["inputs"]]
        with refusing(f"node {number} ({node['op']})"):
            own = _parameters(number, node, [tuple(one.shape[1:]) for one in inputs])
        parameters += own
        _bounded(number, parameters, values)
        layers.append(_layer(number, node))
        with refusing(f"node {number} ({node['op']}) does not fit its input"):
            results.append(layers[-1](inputs if len(inputs) > 1 else inputs[0]))
            shape = tuple(results[-1].shape[1:])
            made = math.prod(shape)
        values += made * (STORED if _stores(node) else 1)
        work += own * (made // max(shape[-1], 1) if shape else 1)
        _bounded(number, parameters, values)
    model = keras.Model(entry, results[-1])
    return Built(model, tuple(layers), parameters, values, work)


def _checked(recipe: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Shape]:
    nodes, input_shape = recipe.get("nodes"), recipe.get("input_shape")
    if not isinstance(nodes, list) or not 0 < len(nodes) <= wire.MAX_LAYERS:
        raise RecipeError(f"a recipe has 1 to {wire.MAX_LAYERS} nodes")
    shape = _shape(input_shape, "input_shape")
    for number, node in enumerate(nodes):
        if node.get("custom") or node.get("op") not in wire.LAYERS:
            raise RecipeError(
                f"node {number}: {str(node.get('op'))[:80]!r} is not on the allow-list"
            )
        sources = node.get("inputs")
        if (
            not isinstance(sources, list)
            or not sources
            or not all(type(source) is int and -1 <= source < number for source in sources)
        ):
            raise RecipeError(f"node {number}: inputs must be earlier nodes")
    return nodes, shape


def _bounded(number: int, parameters: int, values: int) -> None:
    if parameters > wire.MAX_PARAMETERS or values > wire.MAX_PARAMETERS:
        raise RecipeError(f"node {number}: more than {wire.MAX_PARAMETERS} parameters or values")


def _parameters(number: int, node: Mapping[str, Any], incoming: Sequence[Shape]) -> int:
    """How many parameters a node has, before any of them is made."""
    op, config, shape = node["op"], node.get("config", {}), incoming[0]
    if not all(incoming):
        raise RecipeError(f"node {number} ({op}): its input has no axis")
    if op == "Dense":
        units = _whole(number, config, "units")
        return shape[-1] * units + units
    if op == "Conv2D":
        filters = _whole(number, config, "filters")
        area = math.prod(_sides(number, config, "kernel_size", (1, 1)))
        return int(area * shape[-1] * filters + filters)
    if op in ("BatchNormalization", "LayerNormalization"):
        return 4 * math.prod(shape)
    if op == "Concatenate":
        axis = config.get("axis", -1)
        if type(axis) is not int or not (1 <= axis or -len(shape) <= axis < 0):
            raise RecipeError(f"node {number}: axis = {str(axis)[:40]} is none of a row's")
    return 0


def _sides(
    number: int, config: Mapping[str, Any], key: str, usual: tuple[int, int]
) -> tuple[int, ...]:
    """Read a number of pixels, the same along each side or one for each."""
    value = config.get(key, usual)
    sides = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(sides) != 2 or not all(type(side) is int and 0 < side <= SIDES[key] for side in sides):
        raise RecipeError(f"node {number}: {key} = {str(value)[:40]} is no pair of sizes")
    return sides


def _stores(node: Mapping[str, Any]) -> bool:
    """Whether training keeps more of a node than its result."""
    op, activation = node["op"], node.get("config", {}).get("activation", "linear")
    if op in ("Activation", "Conv2D", "Dense"):
        return activation not in FREE
    return "Norm" in op or "Dropout" in op or op in ("ELU", "GaussianNoise", "LeakyReLU", "Softmax")


def _shape(value: object, name: str) -> Shape:
    if not isinstance(value, list) or not 0 < len(value) <= 4:
        raise RecipeError(f"{name} is no list of 1 to 4 sizes")
    if not all(type(size) is int and 0 < size <= 4096 for size in value):
        raise RecipeError(f"{name} has a size out of range")
    return tuple(value)


def _whole(number: int, config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if type(value) is not int or not 0 < value <= 65_536:
        raise RecipeError(f"node {number}: {key} = {value!r} is not 1 to 65536")
    return value


def _layer(number: int, node: Mapping[str, Any]) -> Any:
    allowed = wire.LAYERS[node["op"]]
    config = {}
    for key, value in node.get("config", {}).items():
        if key not in allowed:
            raise RecipeError(f"node {number}: setting {key[:40]!r} is not on the allow-list")
        if key == "activation" and value not in wire.ACTIVATIONS:
            raise RecipeError(
                f"node {number}: activation {str(value)[:40]!r} is not on the allow-list"
            )
        if key.endswith("_regularizer"):
            with refusing(f"node {number}"):
                config[key] = _regularizer(number, value)
        elif key in SIDES and value is not None:
            config[key] = _sides(number, {key: value}, key, (1, 1))
        else:
            config[key] = tuple(value) if isinstance(value, list) else value
    maker: Callable[..., Any] = getattr(keras.layers, node["op"])
    with refusing(f"node {number} ({node['op']})"):
        return maker(**config)


def _regularizer(number: int, value: object) -> Any:
    """A list of a regularizer's name and its numbers, or None."""
    if value is None:
        return None
    if not isinstance(value, list) or not value or value[0] not in wire.REGULARIZERS:
        raise RecipeError(
            f"node {number}: regularizer {str(value)[:60]!r} is not on the allow-list"
        )
    names = wire.REGULARIZERS[value[0]]
    if len(value) != 1 + len(names) or not all(type(one) in (int, float) for one in value[1:]):
        raise RecipeError(f"node {number}: {value[0]} takes {len(names)} numbers")
    return getattr(keras.regularizers, value[0])(**dict(zip(names, value[1:], strict=True)))


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
