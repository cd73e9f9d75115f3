"""A recorded model → its outline: the layers between input and output that compute something.

The same meaning gives the same outline, however it was spelt: activations of their own fold into
the layer before, dead branches vanish, layers that change no shape are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.evidence import Compiled
from grader.recipes import Node, Recipe
from grader.result import layer_text

PASSED_THROUGH = ("Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout")
NORMALISING = ("BatchNormalization", "LayerNormalization")
# Keras's own classes that are not on the allow-list although their meaning is known.
NEUTRAL = ("Identity", "InputLayer")
OPERATIONS = {"Relu": "relu", "Softmax": "softmax", "Tanh": "tanh", "Sigmoid": "sigmoid"}
LEAKY = {"LeakyReLU": "leaky_relu", "ELU": "elu"}


@dataclass
class Layer:
    """One layer that computes something."""

    op: str
    config: Mapping[str, object]
    activations: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """As assignment.toml writes it: `Dense(128, relu)`."""
        activation = " → ".join(self.activations) or None
        return layer_text(self.op, {**self.config, "activation": activation})


@dataclass
class Outline:
    """A model's meaning.

    Attributes:
        layers: from the input to the output.
        logits: the loss applies the softmax that the last layer leaves out.
        flat_input: rows were flat already, so that no Flatten is needed.
        passed_through: names of layers that are welcome but not asked for, such as Dropout.
        normalising: names of layers that change the architecture in part.
        scaling: name of the layer before all others that scales the input.
        unknown: names of layers of which nothing is known.
        branches: the graph is no single chain.
        bare: a Dense without bias.
        readable: the graph could be followed from output to input.
    """

    layers: list[Layer] = field(default_factory=list)
    flat_input: bool = False
    passed_through: list[str] = field(default_factory=list)
    normalising: list[str] = field(default_factory=list)
    scaling: str | None = None
    unknown: list[str] = field(default_factory=list)
    branches: bool = False
    bare: bool = False
    logits: bool = False
    readable: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        """The layers as assignment.toml writes them."""
        return tuple(layer.text for layer in self.layers)

    @property
    def dense(self) -> int:
        """How many Dense layers there are."""
        return sum(layer.op == "Dense" for layer in self.layers)


def outline(recipe: Recipe | None, compiled: Compiled | None = None) -> Outline:
    """Return what a recipe means; `compiled` says whether the loss takes logits."""
    if recipe is None:
        return Outline(readable=False)
    chain, branches = _chain(recipe)
    if chain is None:
        return Outline(readable=False)
    if branches:
        return Outline(branches=True, layers=[_layer(node) for node in recipe.nodes])
    made = _walk(recipe.input_shape, chain)
    last = made.layers[-1] if made.layers else None
    if last is not None and not last.activations and takes_logits(compiled):
        made.logits = True
        last.activations.append("softmax")
    return made


def rescaling(recipe: Recipe | None) -> Node | None:
    """Return the node that scales the input before any other layer computes, if there is one."""
    chain = _chain(recipe)[0] if recipe else None
    for node in chain or ():
        name = _name(node)
        if name == "Rescaling" or (name == "Normalization" and _is_keras(node)):
            return node
        if name not in ("Flatten", "Reshape", *NEUTRAL):
            return None
    return None


def takes_logits(compiled: Compiled | None) -> bool:
    """Whether the loss applies softmax itself."""
    return bool(compiled and compiled.loss and compiled.loss.settings.get("from_logits") is True)


def _chain(recipe: Recipe) -> tuple[list[Node] | None, bool]:
    """The nodes that the output depends on, first to last, and whether they branch."""
    at = len(recipe.nodes) - 1
    chain: list[Node] = []
    while at >= 0:
        node = recipe.nodes[at]
        chain.append(node)
        sources = sorted(set(node.inputs))
        if not sources or sources[-1] >= at:
            return None, False
        if len(node.inputs) > 1:
            return chain[::-1], True
        at = sources[0]
    return (chain[::-1] or None), False


def _walk(input_shape: Sequence[int], chain: Sequence[Node]) -> Outline:
    made = Outline(flat_input=len(input_shape) == 1)
    shape = list(input_shape)
    for node in chain:
        shape = _add(made, node, shape)
    return made


def _add(made: Outline, node: Node, shape: list[int]) -> list[int]:
    """Add one node to an outline and return the shape that leaves it."""
    name = _name(node)
    activation = _activation(node)
    if name in ("Flatten", "Reshape"):
        return _reshape(made, node, shape)
    if activation is not None:
        _activate(made, activation)
    elif name in PASSED_THROUGH:
        made.passed_through.append(layer_text(name, node.config))
    elif name in NORMALISING:
        made.normalising.append(name)
    elif _scales(made, node):
        made.scaling = name
    elif node.custom:
        if not (name in NEUTRAL and _is_keras(node)):
            made.unknown.append(name)
    else:
        made.layers.append(_layer(node))
        made.bare = made.bare or (name == "Dense" and node.config.get("use_bias") is False)
        return [*shape[:-1], _units(node)] if name == "Dense" else shape
    return shape


def _units(node: Node) -> int:
    units = node.config.get("units")
    return units if type(units) is int else 1


def _reshape(made: Outline, node: Node, shape: list[int]) -> list[int]:
    target = node.config.get("target_shape")
    flat = _name(node) == "Flatten" or (isinstance(target, list) and len(target) == 1)
    if not flat:
        return (
            [int(size) for size in target if isinstance(size, int)]
            if isinstance(target, list)
            else shape
        )
    if len(shape) > 1:
        made.layers.append(Layer("Flatten", {}))
    elif made.flat_input and not made.layers:
        made.layers.append(Layer("Flatten", {}))
        made.flat_input = False
    return [math.prod(shape)]


def _layer(node: Node) -> Layer:
    activation = node.config.get("activation")
    config = {key: value for key, value in node.config.items() if key != "activation"}
    named = [str(activation)] if activation not in (None, "linear") else []
    return Layer(_name(node), config, named)


def _activate(made: Outline, activation: str) -> None:
    """Fold an activation of its own layer into the layer before it."""
    if activation == "linear":
        return
    if not made.layers or made.layers[-1].op in ("Flatten", "Activation"):
        made.layers.append(Layer("Activation", {}, [activation]))
    elif made.layers[-1].activations != [activation] or activation != "relu":
        made.layers[-1].activations.append(activation)  # ReLU after ReLU changes nothing


def _activation(node: Node) -> str | None:
    """The activation that a node is, None for another layer."""
    name, config = _name(node), node.config
    if node.custom:
        return OPERATIONS.get(name) if _is_keras(node) else None
    if name == "Activation":
        return str(config.get("activation") or "linear")
    if name == "ReLU":
        usual = (
            config.get("max_value") is None
            and not config.get("negative_slope")
            and not config.get("threshold")
        )
        return "relu" if usual else "relu6" if config.get("max_value") == 6 else "leaky_relu"
    if name == "Softmax":
        return "softmax" if config.get("axis", -1) in (-1, 1) else "softmax over another axis"
    return LEAKY.get(name)


def _scales(made: Outline, node: Node) -> bool:
    name = _name(node)
    first = not any(layer.op != "Flatten" for layer in made.layers)
    return first and (name == "Rescaling" or (name == "Normalization" and _is_keras(node)))


def _name(node: Node) -> str:
    return node.op.rsplit(".", 1)[-1]


def _is_keras(node: Node) -> bool:
    return node.op.startswith("keras.")
