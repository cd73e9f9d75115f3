"""Is a recorded model the architecture that was asked for? By meaning, never by spelling.

A recipe is first normalised into an outline: the layers between input and output that compute
something, written as assignment.toml writes them. Outlines are then compared with what is
expected, layer by layer.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from grader.evidence import Compiled, Node, Recipe
from grader.locale import Readable, T
from grader.result import layer_text

PASSED_THROUGH = ("Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout")
NORMALISING = ("BatchNormalization", "LayerNormalization")
# Keras's own classes that are not on the allow-list although their meaning is known.
NEUTRAL = ("Identity", "InputLayer")
OPERATIONS = {"Relu": "relu", "Softmax": "softmax", "Tanh": "tanh", "Sigmoid": "sigmoid"}
LEAKY = {"LeakyReLU": "leaky_relu", "ELU": "elu"}


class Fit(IntEnum):
    """How well an outline fits an expectation; more is better."""

    FAILED = 0
    UNCLEAR = 1
    PARTIAL = 2
    PASSED = 3


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


@dataclass(frozen=True)
class Match:
    """An outline beside one architecture.

    Attributes:
        name: the architecture's, which is also its calibration's.
        distance: how many layers differ.
        differences, remarks: sentences.
    """

    name: str
    fit: Fit
    expected: tuple[str, ...]
    found: tuple[str, ...]
    distance: int
    differences: tuple[Readable, ...] = ()
    remarks: tuple[Readable, ...] = ()


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


def closest(found: Outline, architectures: Mapping[str, Sequence[str]]) -> Match:
    """Return the match with the architecture that the outline fits best."""
    matches = [match(found, name, layers) for name, layers in architectures.items()]
    return max(matches, key=lambda one: (one.fit, -one.distance))


def match(found: Outline, name: str, layers: Sequence[str]) -> Match:
    """Compare an outline with one architecture."""
    expected = tuple(canonical(layer) for layer in layers)
    if not found.readable:
        said = T(
            "The model could not be described as a chain of layers, so a person must look at it."
        )
        return Match(name, Fit.UNCLEAR, expected, (), len(expected), (said,))
    texts = found.texts
    if found.branches:
        said = T("The model has branches that join again; a single chain of layers was asked for.")
        return Match(name, Fit.FAILED, expected, texts, len(expected) + 1, (said,))
    wanted = expected[1:] if found.flat_input and _optional_flatten(expected, texts) else expected
    differences = _differences(wanted, texts, shift=len(expected) - len(wanted))
    distance = len(differences)
    if differences and found.unknown and _is_within(texts, wanted):
        said = T("I cannot tell what these layers compute: {layers}.", layers=found.unknown)
        return Match(name, Fit.UNCLEAR, expected, texts, distance, (said,))
    if differences:
        return Match(name, Fit.FAILED, expected, texts, distance, tuple(differences))
    if found.unknown:
        said = T(
            "The known layers fit, but I cannot tell what these compute: {layers}.",
            layers=found.unknown,
        )
        return Match(name, Fit.UNCLEAR, expected, texts, 0, (said,))
    fit = Fit.PARTIAL if found.normalising else Fit.PASSED
    return Match(name, fit, expected, texts, 0, (), tuple(_remarks(found, wanted is not expected)))


def canonical(text: str) -> str:
    """Return a layer as it is compared: `Dense(10,linear)` → `Dense(10)`."""
    name, _, rest = text.strip().partition("(")
    words = [word.strip() for word in rest.rstrip(")").split(",") if word.strip()]
    words = [word for word in words if word != "linear"]
    return f"{name.strip()}({', '.join(words)})" if words else name.strip()


def arrows(layers: Sequence[str]) -> str:
    """Return layers as one line: `Flatten → Dense(128, relu)`."""
    return " → ".join(layers) if layers else "—"


def either(architectures: Mapping[str, Sequence[str]]) -> Readable:
    """Return architectures in words: one or the other."""
    lines = [arrows([canonical(layer) for layer in layers]) for layers in architectures.values()]
    return one_of(lines)


def one_of(words: Sequence[str]) -> Readable:
    """Return words as alternatives: `adam or sgd`."""
    whole: Readable = T("{text}", text=words[0])
    for word in words[1:]:
        whole = T("{first} or {second}", first=whole, second=word)
    return whole


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
        return [*shape[:-1], int(node.config.get("units") or 1)] if name == "Dense" else shape  # type: ignore[arg-type]
    return shape


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


def takes_logits(compiled: Compiled | None) -> bool:
    """Whether the loss applies softmax itself."""
    return bool(compiled and compiled.loss and compiled.loss.settings.get("from_logits") is True)


def _optional_flatten(expected: Sequence[str], found: Sequence[str]) -> bool:
    return bool(expected) and expected[0] == "Flatten" and found[:1] != ("Flatten",)


def _is_within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether `part` is `whole` with layers left out: unknown layers may stand for those."""
    rest = iter(whole)
    return all(layer in rest for layer in part)


def _differences(expected: Sequence[str], found: Sequence[str], shift: int) -> list[Readable]:
    """Sentences about each layer that differs, numbered as in the expected architecture."""
    sentences: list[Readable] = []
    aligned = difflib.SequenceMatcher(a=list(expected), b=list(found), autojunk=False)
    for tag, low, high, first, last in aligned.get_opcodes():
        if tag == "equal":
            continue
        wanted, seen = expected[low:high], found[first:last]
        for offset in range(max(len(wanted), len(seen))):
            want = wanted[offset] if offset < len(wanted) else None
            saw = seen[offset] if offset < len(seen) else None
            sentences.append(_difference(low + offset + 1 + shift, want, saw))
    return sentences


def _difference(number: int, expected: str | None, found: str | None) -> Readable:
    if expected is None:
        return T("There is one layer too many: {found}.", found=found)
    if found is None:
        return T(
            "Layer {number}: {expected} was expected and is missing.",
            number=number,
            expected=expected,
        )
    return T(
        "Layer {number}: {expected} was expected, I found {found}.",
        number=number,
        expected=expected,
        found=found,
    )


def _remarks(found: Outline, no_flatten: bool) -> list[Readable]:
    remarks: list[Readable] = []
    if no_flatten:
        remarks.append(T("Your images arrive flat already, so no Flatten layer is needed."))
    if found.scaling:
        remarks.append(
            T(
                "The first layer ({layer}) scales the images; it counts as scaling.",
                layer=found.scaling,
            )
        )
    if found.passed_through:
        remarks.append(
            T(
                "You added {layers}, which was not asked for and costs nothing.",
                layers=found.passed_through,
            )
        )
    if found.logits:
        remarks.append(
            T(
                "The loss takes logits (from_logits=True), which stands for softmax in the "
                "last layer."
            )
        )
    if found.bare:
        remarks.append(T("A Dense layer has no bias (use_bias=False), which costs nothing."))
    if found.normalising:
        remarks.append(
            T(
                "You added {layers}, which changes the architecture, so a part of the points "
                "is given.",
                layers=found.normalising,
            )
        )
    return remarks
