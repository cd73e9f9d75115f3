"""Plain data → Keras model, through an allow-list: no `load_model`, no class names from outside.

Everything is checked, and the number of parameters computed, before anything is allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from .. import wire

Shape = tuple[int, ...]


class RecipeError(ValueError):
    """The recipe cannot be built; the message says which node and why."""


@dataclass(frozen=True)
class Built:
    """A functional `keras.Model` and its layers in the order of the recipe's nodes."""

    model: Any
    layers: tuple[Any, ...]


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
    values: list[Any] = []
    for number, node in enumerate(nodes):
        inputs = [entry if source < 0 else values[source] for source in node["inputs"]]
        layers.append(_layer(number, node))
        try:
            values.append(layers[-1](inputs if len(inputs) > 1 else inputs[0]))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise RecipeError(
                f"node {number} ({node['op']}) does not fit its input: {_brief(error)}"
            ) from error
    return Built(keras.Model(entry, values[-1]), tuple(layers))


def _checked(recipe: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Shape]:
    nodes, input_shape = recipe.get("nodes"), recipe.get("input_shape")
    if not isinstance(nodes, list) or not 0 < len(nodes) <= wire.MAX_LAYERS:
        raise RecipeError(f"a recipe has 1 to {wire.MAX_LAYERS} nodes")
    shape = _shape(input_shape, "input_shape")
    shapes: list[Shape] = []
    total = 0
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
        incoming = [shape if source < 0 else shapes[source] for source in sources]
        outgoing, parameters = _sizes(number, node, incoming)
        total += parameters
        if total > wire.MAX_PARAMETERS or math.prod(outgoing) > wire.MAX_PARAMETERS:
            raise RecipeError(
                f"node {number}: more than {wire.MAX_PARAMETERS} parameters or values"
            )
        shapes.append(outgoing)
    return nodes, shape


def _sizes(number: int, node: Mapping[str, Any], incoming: Sequence[Shape]) -> tuple[Shape, int]:
    """Output shape and number of parameters, from the settings alone."""
    op, config, shape = node["op"], node.get("config", {}), incoming[0]
    if op == "Flatten":
        return (math.prod(shape),), 0
    if op == "Reshape":
        return _reshaped(number, config, shape), 0
    if op == "Dense":
        units = _whole(number, config, "units")
        return (*shape[:-1], units), (shape[-1] if shape else 1) * units + units
    if op == "Conv2D":
        filters = _whole(number, config, "filters")
        kernel = config.get("kernel_size", [1, 1])
        area = math.prod(kernel) if isinstance(kernel, list) else int(kernel) ** 2
        return (*shape[:-1], filters), area * shape[-1] * filters + filters
    if op in ("BatchNormalization", "LayerNormalization"):
        return shape, 4 * math.prod(shape)
    if op == "Concatenate":
        return (*shape[:-1], sum(part[-1] for part in incoming)), 0
    if op.startswith("Global"):
        return (shape[-1],), 0
    return shape, 0


def _reshaped(number: int, config: Mapping[str, Any], shape: Shape) -> Shape:
    target = config.get("target_shape")
    if not isinstance(target, list) or not all(type(size) is int and size >= -1 for size in target):
        raise RecipeError(f"node {number}: target_shape is no list of whole numbers")
    if -1 in target:
        rest = math.prod(size for size in target if size != -1)
        target = [math.prod(shape) // max(rest, 1) if size == -1 else size for size in target]
    return tuple(target)


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
            config[key] = _regularizer(number, value)
        else:
            config[key] = tuple(value) if isinstance(value, list) else value
    maker: Callable[..., Any] = getattr(keras.layers, node["op"])
    try:
        return maker(**config)
    except (ValueError, TypeError) as error:
        raise RecipeError(f"node {number} ({node['op']}): {_brief(error)}") from error


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
