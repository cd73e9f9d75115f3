"""Keras model → recipe: operations and edges as plain data, no names, no objects.

Sequential and functional models are read from the graph that Keras keeps; a subclassed model is
called once on a symbolic input, and the nodes which that leaves on its layers are taken off again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from .. import wire

Recipe = dict[str, Any]


class NoRecipe(Exception):
    """The model cannot be said as plain data; the message says why."""


def recipe_of(model: Any) -> tuple[Recipe, list[Any]]:
    """Return the recipe of a built model (the shape of `recipes.Recipe`), and each node's layer.

    Raises:
        NoRecipe: it is not built, has several inputs or outputs, or cannot be traced.
    """
    positions = {id(variable): place for place, variable in enumerate(model.variables)}
    writer = _Writer(positions)
    entry_shape = _input_shape(model)
    output = writer.add_model(model, -1, entry_shape)
    if output != len(writer.nodes) - 1:
        raise NoRecipe("the output is not the last operation")
    return {"input_shape": list(entry_shape), "nodes": writer.nodes}, writer.operations


def component_of(thing: Any, home: str, settings: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """Return an optimizer or loss as name, whether it is Keras's own, and its plain settings."""
    if thing is None:
        return None
    if isinstance(thing, str):
        return {"name": wire.snake(thing), "standard": True, "settings": {}}
    kind = thing if callable(thing) and hasattr(thing, "__name__") else type(thing)
    standard = str(getattr(kind, "__module__", "")).startswith(home)
    config = _config(thing)
    kept = {
        key: _plain(config[key]) for key in settings if key in config and _is_plain(config[key])
    }
    return {"name": wire.snake(kind.__name__), "standard": standard, "settings": kept}


def compiled_of(model: Any) -> dict[str, Any] | None:
    """Return what `compile` was told (the shape of `evidence.Compiled`), None before it."""
    if not getattr(model, "compiled", False):
        return None
    return {
        "optimizer": component_of(
            model.optimizer, "keras.src.optimizers", ("learning_rate", "momentum", "nesterov")
        ),
        "loss": component_of(model.loss, "keras.src.losses", ("from_logits", "label_smoothing")),
        "metrics": _metric_names(model)[:20],
    }


class _Writer:
    def __init__(self, positions: Mapping[int, int]) -> None:
        self.positions = positions
        self.nodes: list[dict[str, Any]] = []
        self.operations: list[Any] = []
        self.seen: set[int] = set()

    def add_model(self, model: Any, entry: int, shape: tuple[int, ...]) -> int:
        """Append a model's operations; return the node that is its output."""
        inner = _sequence(model)
        if inner is not None:
            for layer in inner:
                entry = self.add(layer, [entry])
            return entry
        graph = getattr(model, "_functional", None) or model
        if hasattr(graph, "_nodes_by_depth"):
            return self._add_graph(graph.inputs, graph.outputs, entry)
        inputs, outputs, clean = _traced(model, shape)
        try:
            return self._add_graph(inputs, outputs, entry)
        finally:
            clean()

    def _add_graph(self, inputs: list[Any], outputs: list[Any], entry: int) -> int:
        if len(inputs) != 1 or len(outputs) != 1:
            raise NoRecipe("the model has several inputs or outputs")
        places = {id(inputs[0]): entry}
        return self._place(outputs[0], places, 0)

    def _place(self, tensor: Any, places: dict[int, int], depth: int) -> int:
        if id(tensor) in places:
            return places[id(tensor)]
        if depth > 4 * wire.MAX_LAYERS:
            raise NoRecipe("the model is too deep")
        history = getattr(tensor, "_keras_history", None)
        if history is None or history.operation is None:
            raise NoRecipe("a value does not come from the model's input")
        node = history.operation._inbound_nodes[history.node_index]
        sources = [self._place(source, places, depth + 1) for source in node.input_tensors]
        if not sources:
            raise NoRecipe("a value does not come from the model's input")
        places[id(tensor)] = self.add(history.operation, sources)
        return places[id(tensor)]

    def add(self, operation: Any, sources: list[int]) -> int:
        """Append one operation, or all of a nested model's; return its node's number."""
        if len(self.nodes) >= wire.MAX_LAYERS:
            raise NoRecipe(f"the model has more than {wire.MAX_LAYERS} operations")
        if hasattr(operation, "layers") and len(sources) == 1:
            shape = tuple(operation.input_shape[1:]) if hasattr(operation, "input_shape") else ()
            return self.add_model(operation, sources[0], shape)
        kind = type(operation)
        own = [self.positions.get(id(variable)) for variable in getattr(operation, "variables", [])]
        name, config = _described(operation)
        shared = id(operation) in self.seen and bool(own)
        self.seen.add(id(operation))
        if name is None or None in own or shared:
            path = f"{kind.__module__}.{kind.__name__}"[:300]
            node = {"op": path, "custom": True, "config": {}, "inputs": sources, "variables": []}
        else:
            node = {
                "op": name,
                "custom": False,
                "config": config,
                "inputs": sources,
                "variables": own,
            }
        self.nodes.append(node)
        self.operations.append(operation)
        return len(self.nodes) - 1


def _described(operation: Any) -> tuple[str | None, dict[str, Any]]:
    """The allow-listed name and settings of an operation, or None."""
    kind = type(operation)
    module = str(kind.__module__)
    if module.startswith("keras.src.ops"):
        activation = wire.snake(kind.__name__)
        return (
            ("Activation", {"activation": activation})
            if activation in wire.ACTIVATIONS
            else (None, {})
        )
    allowed = wire.LAYERS.get(kind.__name__)
    if allowed is None or not module.startswith("keras.src.layers."):
        return None, {}
    config = _config(operation)
    plain: dict[str, Any] = {}
    for key in allowed:
        if key == "activation":
            name = _activation(operation.activation)
            if name is None:
                return None, {}
            plain[key] = name
        elif key.endswith("_regularizer"):
            regularizer = getattr(operation, key, None)
            if regularizer is not None:
                plain[key] = _regularizer(regularizer)
                if plain[key] is None:
                    return None, {}
        elif key in config:
            if not _is_plain(config[key]):
                return None, {}
            plain[key] = _plain(config[key])
    return kind.__name__, plain


def _regularizer(regularizer: Any) -> list[Any] | None:
    """The name and numbers of one of Keras's own regularizers, None for another."""
    kind = type(regularizer)
    names = wire.REGULARIZERS.get(kind.__name__)
    if names is None or not str(kind.__module__).startswith("keras.src.regularizers"):
        return None
    return [kind.__name__, *(float(getattr(regularizer, name)) for name in names)]


def why_unsaid(operations: Iterable[Any]) -> str | None:
    """Return which setting of a layer has no place in a recipe, None when all have one."""
    for layer in operations:
        kind = type(layer).__name__
        policy = getattr(getattr(layer, "dtype_policy", None), "name", "float32")
        if policy != "float32":
            return f"{kind} computes in {policy}"
        allowed = wire.LAYERS.get(kind, ())
        for key, value in vars(layer).items():
            kept = key.endswith(("_constraint", "_regularizer")) and key not in allowed
            if kept and value is not None:
                return f"{kind} has a {key.strip('_')}"
        if getattr(layer, "noise_shape", None) is not None or getattr(layer, "synchronized", False):
            return f"{kind} has settings of its own"
        if getattr(layer, "data_format", "channels_last") not in (None, "channels_last"):
            return f"{kind} has its channels first"
    return None


def part_of(thing: Any, home: str, allowed: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return one of Keras's own objects by its class's name and settings (`recipes.Part`).

    Raises:
        NoRecipe: its class is not in `allowed`, or a setting is not plain.
    """
    kind = type(thing)
    if kind.__name__ not in allowed or not str(kind.__module__).startswith(home):
        raise NoRecipe(f"{kind.__name__} is not on the allow-list")
    config = _config(thing)
    settings = {}
    for key in allowed[kind.__name__]:
        if key in config:
            value = config[key]
            if not _is_plain(value) and key != "learning_rate":
                raise NoRecipe(f"the {key} of {kind.__name__} is not plain")
            settings[key] = _plain(value)
    return {"name": kind.__name__, "settings": settings}


def _activation(function: Any) -> str | None:
    """The name of one of Keras's or TensorFlow's own activations, by identity."""
    keras = sys.modules["keras"]
    if function is None:
        return "linear"
    for name in wire.ACTIVATIONS:
        if function is getattr(keras.activations, name, None):
            return name
    tensorflow = sys.modules.get("tensorflow")
    for name in ("relu", "relu6", "elu", "selu", "gelu", "silu", "softmax", "log_softmax"):
        if tensorflow is not None and function is getattr(tensorflow.nn, name, None):
            return name
    for name in ("tanh", "sigmoid"):
        if tensorflow is not None and function in (
            getattr(tensorflow.math, name),
            getattr(tensorflow.nn, name),
        ):
            return name
    return None


def _sequence(model: Any) -> list[Any] | None:
    keras = sys.modules["keras"]
    return list(model.layers) if isinstance(model, keras.Sequential) else None


def _input_shape(model: Any) -> tuple[int, ...]:
    shape = (
        getattr(model, "input_shape", None)
        if hasattr(model, "_functional") or hasattr(model, "_nodes_by_depth")
        else None
    )
    if shape is None:
        build_shape = getattr(model, "_build_shapes_dict", None) or {}
        shape = next(iter(build_shape.values()), None)
    if (
        not isinstance(shape, tuple | list)
        or not shape
        or not all(type(size) is int for size in shape[1:])
    ):
        raise NoRecipe("the model's input shape is not known, or it has several inputs")
    return tuple(shape[1:])


def _traced(model: Any, shape: tuple[int, ...]) -> tuple[list[Any], list[Any], Any]:
    """Call a subclassed model on a symbolic input; also return what takes the traces off again."""
    keras = sys.modules["keras"]
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    marks = [(layer, len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers]

    def clean() -> None:
        for layer, inbound, outbound in marks:
            del layer._inbound_nodes[inbound:], layer._outbound_nodes[outbound:]

    entry = keras.KerasTensor((None, *shape), dtype="float32")
    try:
        output = model.call(entry)
    except Exception as error:
        clean()
        raise NoRecipe(f"the model's call cannot be traced: {type(error).__name__}") from error
    return [entry], [output], clean


def _metric_names(model: Any) -> list[str]:
    metrics = getattr(model, "_compile_metrics", None)
    given = getattr(metrics, "_user_metrics", None)
    flat = given if isinstance(given, list | tuple) else [] if given is None else [given]
    names = []
    for metric in flat:
        thing = (
            metric
            if isinstance(metric, str)
            else getattr(metric, "name", None) or getattr(metric, "__name__", "")
        )
        names.append(str(thing)[:300])
    return names


def _config(thing: Any) -> dict[str, Any]:
    try:
        config = thing.get_config()
    except Exception:
        return {}  # somebody's own class; without settings it is judged by its name
    return config if isinstance(config, dict) else {}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return (
        value is None
        or type(value) in (bool, int, str)
        or (isinstance(value, float) and value - value == 0)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, float) else value
