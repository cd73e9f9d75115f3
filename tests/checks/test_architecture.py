"""Models are compared by meaning: what passes, what passes with a word, what fails and how."""

from __future__ import annotations

import pytest

from grader.checks.architecture import Likeness, canonical, closest, match
from grader.checks.outline import outline, rescaling
from grader.evidence import Compiled
from grader.recipes import Node, Recipe
from tests.factories import (
    assignment,
    compiled,
    dense,
    evidence,
    finding,
    mlp,
    node,
    recipe,
    run,
    spanish,
)

BASE = ("Flatten", "Dense(128, relu)", "Dense(10, softmax)")
KERAS_NORMALIZATION = "keras.src.layers.preprocessing.normalization.Normalization"


def fit_of(model: Recipe | None, with_loss: Compiled | None = None) -> Likeness:
    return match(outline(model, with_loss), "baseline", BASE).likeness


def said(model: Recipe | None) -> list[str]:
    return [spanish(one) for one in match(outline(model), "baseline", BASE).differences]


def remarks(model: Recipe, with_loss: Compiled | None = None) -> str:
    found = match(outline(model, with_loss), "baseline", BASE)
    return " ".join(spanish(one) for one in found.remarks)


FLATTEN, HIDDEN, OUTPUT = node("Flatten"), dense(128, "relu"), dense(10, "softmax")


@pytest.mark.parametrize(
    "layers",
    [
        (FLATTEN, HIDDEN, OUTPUT),
        (node("Reshape", target_shape=[784]), HIDDEN, OUTPUT),
        (node("Reshape", target_shape=[28, 28, 1]), FLATTEN, HIDDEN, OUTPUT),
        (FLATTEN, FLATTEN, HIDDEN, OUTPUT),
        (FLATTEN, dense(128), node("Activation", activation="relu"), OUTPUT),
        (FLATTEN, dense(128), node("ReLU", max_value=None, negative_slope=0.0), OUTPUT),
        (FLATTEN, HIDDEN, node("ReLU"), OUTPUT),
        (FLATTEN, HIDDEN, dense(10), node("Softmax", axis=-1)),
        (FLATTEN, dense(128), node("keras.src.ops.nn.Relu", custom=True), OUTPUT),
        (FLATTEN, dense(128), node("Dropout", rate=0.2), node("ReLU"), OUTPUT),
        (FLATTEN, HIDDEN, node("Activation", activation="linear"), OUTPUT),
        (node("keras.src.layers.core.identity.Identity", custom=True), FLATTEN, HIDDEN, OUTPUT),
    ],
)
def test_same_meaning_passes(layers: tuple[Node, ...]) -> None:
    """A model that computes the same passes, however it is written."""
    assert Likeness.PASSED == fit_of(recipe(*layers))


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (node("Dropout", rate=0.2), "Dropout(0.2)"),
        (node("GaussianNoise", stddev=0.1), "GaussianNoise(0.1)"),
        (node("GaussianDropout", rate=0.1), "GaussianDropout(0.1)"),
        (node("AlphaDropout", rate=0.1), "AlphaDropout(0.1)"),
    ],
)
def test_regularising_layers_pass_with_a_remark(layer: Node, word: str) -> None:
    """Dropout and noise cost nothing, and the remark names them."""
    model = recipe(FLATTEN, HIDDEN, layer, OUTPUT)

    assert (Likeness.PASSED, True) == (fit_of(model), word in remarks(model))


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization"])
def test_normalising_layers_are_partial(name: str) -> None:
    """A normalising layer changes the architecture in part, also between Dense and its ReLU."""
    between = recipe(FLATTEN, dense(128), node(name), node("ReLU"), OUTPUT)
    after = recipe(FLATTEN, HIDDEN, node(name), OUTPUT)

    assert (Likeness.PARTIAL, Likeness.PARTIAL) == (fit_of(between), fit_of(after))


def test_flat_rows_need_no_flatten() -> None:
    """Rows of 784 values pass without Flatten, with a remark; and with it, without."""
    bare = recipe(HIDDEN, OUTPUT, shape=[784])
    flattened = recipe(FLATTEN, HIDDEN, OUTPUT, shape=[784])

    assert (Likeness.PASSED, Likeness.PASSED) == (fit_of(bare), fit_of(flattened))
    assert "aplanadas" in remarks(bare)
    assert "" == remarks(flattened)


def test_missing_flatten_fails_on_images() -> None:
    """Without Flatten, Dense would work on rows of pixels: it fails and says what is missing."""
    model = recipe(HIDDEN, OUTPUT)

    assert (Likeness.FAILED, ["Capa 1: falta Flatten."]) == (
        fit_of(model),
        said(model),
    )


def test_logits_count_as_softmax() -> None:
    """A linear last layer passes when the loss takes logits, and only then."""
    model = recipe(FLATTEN, HIDDEN, dense(10))

    assert Likeness.PASSED == fit_of(model, compiled(from_logits=True))
    assert Likeness.FAILED == fit_of(model, compiled())
    assert "from_logits" in remarks(model, compiled(from_logits=True))


@pytest.mark.parametrize("op", ["Rescaling", KERAS_NORMALIZATION])
def test_first_scaling_layer_passes_with_a_remark(op: str) -> None:
    """A first layer that scales is welcome, before or after Flatten."""
    scaling = node(op, custom="." in op)

    assert Likeness.PASSED == fit_of(recipe(scaling, FLATTEN, HIDDEN, OUTPUT))
    assert Likeness.PASSED == fit_of(recipe(FLATTEN, scaling, HIDDEN, OUTPUT))
    assert "escala" in remarks(recipe(scaling, FLATTEN, HIDDEN, OUTPUT))
    assert rescaling(recipe(FLATTEN, scaling, HIDDEN, OUTPUT)) is not None
    assert rescaling(recipe(FLATTEN, HIDDEN, scaling, OUTPUT)) is None


def test_a_late_scaling_layer_fails() -> None:
    """Scaling after a Dense layer is another model."""
    assert Likeness.FAILED == fit_of(recipe(FLATTEN, HIDDEN, node("Rescaling", scale=2.0), OUTPUT))


@pytest.mark.parametrize(
    ("model", "sentences"),
    [
        (mlp(64), ["Capa 2: esperaba Dense(128, relu) y encontré Dense(64, relu)."]),
        (mlp(128, 128), ["Hay una capa de más: Dense(128, relu)."]),
        (mlp(), ["Capa 2: falta Dense(128, relu)."]),
        (
            recipe(FLATTEN, dense(128, "tanh"), OUTPUT),
            ["Capa 2: esperaba Dense(128, relu) y encontré Dense(128, tanh)."],
        ),
        (
            recipe(FLATTEN, HIDDEN, dense(10)),
            ["Capa 3: esperaba Dense(10, softmax) y encontré Dense(10)."],
        ),
        (
            recipe(FLATTEN, HIDDEN, OUTPUT, node("Softmax")),
            ["Capa 3: esperaba Dense(10, softmax) y encontré Dense(10, softmax → softmax)."],
        ),
        (
            recipe(FLATTEN, dense(128), node("LeakyReLU", negative_slope=0.3), OUTPUT),
            ["Capa 2: esperaba Dense(128, relu) y encontré Dense(128, leaky_relu)."],
        ),
    ],
)
def test_differences_are_told_layer_by_layer(model: Recipe, sentences: list[str]) -> None:
    """A model that differs fails, and the sentences say where and what is there."""
    assert (Likeness.FAILED, sentences) == (fit_of(model), said(model))


def test_convolutions_fail_as_layers_too_many() -> None:
    """A convolution before a fitting rest is named."""
    conv = node("Conv2D", filters=32, kernel_size=[3, 3], activation="relu")

    assert ["Hay una capa de más: Conv2D(32, 3×3, relu)."] == said(
        recipe(conv, FLATTEN, HIDDEN, OUTPUT)
    )


def test_branches_fail_with_words() -> None:
    """Two branches that join are no chain, however fitting their layers."""
    model = recipe(
        FLATTEN,
        dense(64, "relu", inputs=[0]),
        dense(64, "relu", inputs=[0]),
        node("Concatenate", inputs=[1, 2]),
        dense(10, "softmax"),
    )

    assert Likeness.FAILED == fit_of(model)
    assert "ramas" in said(model)[0]


def test_dead_branches_do_not_count() -> None:
    """A layer whose output nobody reads changes nothing."""
    model = recipe(
        FLATTEN,
        dense(7, "relu", inputs=[0]),
        dense(128, "relu", inputs=[0]),
        dense(10, "softmax", inputs=[2]),
    )

    assert Likeness.PASSED == fit_of(model)


def test_unknown_layers_leave_it_to_a_person() -> None:
    """A layer of one's own is unclear where the rest fits or it may stand for a missing layer."""
    own = node("__main__.Mine", custom=True)

    assert Likeness.UNCLEAR == fit_of(recipe(FLATTEN, HIDDEN, own, OUTPUT))
    assert Likeness.UNCLEAR == fit_of(recipe(FLATTEN, own, OUTPUT))
    assert Likeness.UNCLEAR == fit_of(None)


def test_unknown_layers_do_not_hide_a_wrong_one() -> None:
    """A wrong width fails whatever stands beside it."""
    own = node("__main__.Mine", custom=True)

    assert Likeness.FAILED == fit_of(recipe(FLATTEN, dense(64, "relu"), own, OUTPUT))


@pytest.mark.parametrize("inputs", [[5], [1], []])
def test_impossible_graphs_are_unclear(inputs: list[int]) -> None:
    """A graph that reads from later nodes or from nowhere is never followed for ever."""
    broken = Recipe(
        input_shape=[28, 28],
        nodes=[node("Flatten", inputs=[-1]), dense(10).model_copy(update={"inputs": inputs})],
    )

    assert Likeness.UNCLEAR == fit_of(broken)


def test_closest_prefers_the_better_fit() -> None:
    """Of several architectures the one that fits is taken, with its calibration's name."""
    longer = assignment().spec.experiments[2]

    assert "longer_500" == closest(outline(mlp(500)), longer.architectures).name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Dense(10,softmax)", "Dense(10, softmax)"),
        ("Dense(10, linear)", "Dense(10)"),
        ("Flatten()", "Flatten"),
    ],
)
def test_layer_texts_have_one_form(text: str, wanted: str) -> None:
    """Spaces, empty brackets and `linear` make no difference."""
    assert wanted == canonical(text)


def test_a_passing_architecture_says_so() -> None:
    """The finding shows the layers and earns all points."""
    found = finding(evidence(run()), "baseline.architecture")

    assert ("passed", 600, 1) == (found.status, found.earned, found.run)
    assert found.hint is None


def test_a_partial_architecture_earns_half() -> None:
    """BatchNormalization earns half of the points, with a remark."""
    model = recipe(FLATTEN, HIDDEN, node("BatchNormalization"), OUTPUT)
    found = finding(evidence(run(model=model)), "baseline.architecture")

    assert ("partial", 300) == (found.status, found.earned)
    assert "BatchNormalization" in spanish(found.remark)


def test_a_missing_softmax_has_its_own_hint() -> None:
    """Only the softmax is missing: the hint says both ways to give it."""
    model = recipe(FLATTEN, HIDDEN, dense(10))
    found = finding(evidence(run(model=model)), "baseline.architecture")

    assert "failed" == found.status
    assert 'activation="softmax"' in spanish(found.hint)


def test_an_unclear_architecture_waits_for_a_person() -> None:
    """A model that cannot be described is pending, with the recorder's reason."""
    unread = run().fit.model_copy(update={"recipe": None, "reason": "call cannot be traced"})
    found = finding(
        evidence(run().__class__(**{**run().__dict__, "fit": unread})), "baseline.architecture"
    )

    assert "needs_review" == found.status
    assert "call cannot be traced" in spanish(found.observed)
