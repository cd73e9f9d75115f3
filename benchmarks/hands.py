"""How one student writes: names, ways of building and training, what is printed, the order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from benchmarks.models import FREE, FUNCTIONS, RECIPE, RECIPE_ONLY, SEQUENTIAL_FUNCTION, Experiment

LOOP_REST, LOOP_ALL, IN_ONE_GO = "a loop over three", "a loop over all four", "a training function"
WAYS = (*FREE, *RECIPE_ONLY, *FUNCTIONS, IN_ONE_GO, LOOP_REST, LOOP_ALL)

# Images and labels for training, the same for the test, then the four models.
NAMES = (
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("X", "Y", "Xt", "Yt"),
    ("imagenes", "etiquetas", "imagenes_prueba", "etiquetas_prueba"),
)
MODELS = (
    ("model", "model_500", "model_20", "model_deep"),
    ("modelo", "modelo_ancho", "modelo_largo", "modelo_profundo"),
    ("m1", "m2", "m3", "m4"),
    ("model", "model", "model", "model"),
)
COMPILE = (
    'optimizer="$optimizer", loss="sparse_categorical_crossentropy", metrics=["accuracy"]',
    '"$optimizer", "sparse_categorical_crossentropy", metrics=["accuracy"]',
    (
        '\n    loss="sparse_categorical_crossentropy",\n    optimizer="$optimizer",\n'
        '    metrics=["accuracy"],\n'
    ),
    'loss="sparse_categorical_crossentropy", metrics=["acc"], optimizer="$optimizer"',
    (
        'optimizer="$optimizer", loss=keras.losses.sparse_categorical_crossentropy,'
        ' metrics=["accuracy"]'
    ),
    (
        'optimizer="$optimizer", loss=keras.losses.SparseCategoricalCrossentropy(),'
        ' metrics=["accuracy"]'
    ),
)
FIT = (
    "$x, $y, epochs=$epochs",
    "$x, $y, epochs=$epochs, verbose=0",
    "x=$x, y=$y, epochs=$epochs, verbose=2",
    "$x, $y, batch_size=32, epochs=$epochs",
    "$x, $y, epochs=$epochs, shuffle=True",
)
REMARKS = (
    "",
    "# Lo mismo que antes, solo cambia una cosa.\n",
    "# Esta celda tarda un poco.\n",
    "# Copié la celda de la línea base y cambié lo que pide la tarea.\n",
)


@dataclass(frozen=True)
class Hand:
    """How one student writes.

    Attributes:
        names: of training images and labels, test images and labels.
        models: the names of the four models.
        compiled, fit: the arguments of `compile` and `fit`, with placeholders.
        order: experiments after the baseline, as the cells stand.
        measures: `compare` (the template's function), `direct` or `own` (a function of their own).
        apart: whether an experiment is evaluated in a cell of its own.
        rows: the first rows only; None for all.
    """

    way: str
    names: tuple[str, str, str, str] = NAMES[0]
    models: tuple[str, str, str, str] = MODELS[0]
    compiled: str = COMPILE[0]
    fit: str = FIT[0]
    order: tuple[str, ...] = ("wide", "longer", "deep")
    measures: str = "compare"
    remark: str = ""
    cells: int = 0
    history: bool = False
    apart: bool = False
    seed: str = ""
    rows: int | None = None

    def model(self, experiment: Experiment) -> str:
        """Return the name of an experiment's model."""
        return self.models[[one.id for one in RECIPE].index(experiment.id)]

    def named(self, text: str, **others: object) -> str:
        """Fill in the names of the data, and what else is given."""
        cut = "" if self.rows is None else f"[:{self.rows}]"
        x, y, xt, yt = self.names
        known = {"x": x, "y": y, "xt": xt, "yt": yt, "cut": cut, "model": self.models[0]}
        return Template(text).substitute({**known, **others})


def hand(number: int, quick: bool = False) -> Hand:
    """Return the hand of a student: every way in turn, the rest drawn from the number."""
    draw = random.Random(number)
    way = WAYS[number % len(WAYS)]
    order = ["wide", "longer", "deep"]
    if way not in (LOOP_REST, LOOP_ALL):  # a loop goes through them as the text has them
        draw.shuffle(order)
    return Hand(
        way=way,
        names=draw.choice(NAMES),
        models=draw.choice(MODELS),
        compiled=draw.choice(COMPILE),
        fit=draw.choice(FIT),
        order=tuple(order),
        measures=draw.choice(("compare", "direct", "own")),
        remark=draw.choice(REMARKS),
        cells=draw.randrange(12),
        history=draw.random() < 0.4,
        rows=2000 if quick else None,
    )


def trained(hand: Hand, experiment: Experiment, source: str = "$x") -> str:
    """Return the lines that build, compile and train one experiment.

    Args:
        source: what `fit` gets as its images.
    """
    model = hand.model(experiment)
    if hand.way == IN_ONE_GO and experiment.plain:
        layers = f", {len(experiment.hidden)}" if len(experiment.hidden) > 1 else ""
        call = f"entrenar({experiment.hidden[0]}, {experiment.epochs}{layers})"
        return f"{hand.remark}{model}, historia = {call}\n"
    builders = {**FREE, **{name: call for name, (_, call) in FUNCTIONS.items()}}
    builders |= RECIPE_ONLY if experiment.plain else {}
    usable = hand.way in builders and (experiment.plain or hand.way in FREE)
    build = builders[hand.way if usable else "a list, Input"]
    fit = hand.fit if experiment.plain else FIT[0]
    fit = fit.replace("$x", f"{source}$cut").replace("$y", "$y$cut")
    text = (
        f"{hand.remark}{build(experiment, model)}\n{model}.compile({hand.compiled})\n"
        f"historia = {model}.fit({fit}{', ' if experiment.fit else ''}{experiment.fit})\n"
    )
    if hand.history:
        text += 'plt.plot(historia.history["loss"])\nplt.show()\n'
    return hand.named(text, optimizer=experiment.optimizer, epochs=experiment.epochs)


def defined(hand: Hand) -> str:
    """Return the functions that a student defines before the baseline."""
    if hand.way in FUNCTIONS:
        return FUNCTIONS[hand.way][0].lstrip() + "\n\n"
    if hand.way not in (IN_ONE_GO, LOOP_REST, LOOP_ALL):
        return ""
    fit = hand.fit.replace("$x", "$x$cut").replace("$y", "$y$cut").replace("$epochs", "epocas")
    training = (
        "def entrenar(neuronas, epocas, capas=1):\n"
        "    red = crear_modelo(*[neuronas] * capas)\n"
        f"    red.compile({hand.compiled})\n"
        f"    h = red.fit({fit})\n"
        '    print(neuronas, "x", capas, "->", h.history["loss"][-1])\n'
        "    return red, h\n\n\n"
    )
    return SEQUENTIAL_FUNCTION.lstrip() + "\n\n" + hand.named(training, optimizer="adam")


def looped(hand: Hand, experiments: Mapping[str, Experiment]) -> str:
    """Return one loop that trains several experiments and keeps the models by their titles."""
    listed = "".join(
        f'    ("{one.title}", {one.hidden[0]}, {one.epochs}, {len(one.hidden)}),\n'
        for one in experiments.values()
    )
    return (
        f"{hand.remark}modelos = {{}}\nfor nombre, neuronas, epocas, capas in [\n{listed}]:\n"
        "    modelos[nombre], historia = entrenar(neuronas, epocas, capas)\n"
    )


def measured(hand: Hand, model: str, title: str) -> str:
    """Return the lines that evaluate a model and show the numbers."""
    if hand.measures == "compare":
        return f"compare_splits({title}, {model})\n"
    if hand.measures == "own":
        return f'print({title}, "entrenamiento y prueba:", medir({model}))\n'
    return hand.named(
        f"perdida, exactitud = {model}.evaluate($xt, $yt, verbose=2)\n"
        f'print({title}, "prueba:", perdida, exactitud)\n'
    )
