"""The workshop's four experiments, and many ways in which students write the same models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """One training.

    Attributes:
        hidden: units of the hidden layers.
        fit: further arguments of `fit`, as a student writes them.
    """

    id: str
    title: str
    hidden: tuple[int, ...]
    epochs: int
    activation: str = "relu"
    dropout: float | None = None
    optimizer: str = "adam"
    fit: str = ""

    @property
    def plain(self) -> bool:
        """Whether a function for the recipe's own models can build and train it."""
        usual = (self.activation, self.dropout, self.optimizer) == ("relu", None, "adam")
        return usual and not self.fit


RECIPE = (
    Experiment("baseline", "Línea base", (128,), 10),
    Experiment("wide", "500 neuronas", (500,), 10),
    Experiment("longer", "20 épocas", (128,), 20),
    Experiment("deep", "Tres capas", (500, 500, 500), 10),
)


def _hidden(experiment: Experiment, layers: str) -> list[str]:
    """Return the hidden layers as expressions, dropout after each where there is any."""
    made: list[str] = []
    for units in experiment.hidden:
        made.append(f'{layers}.Dense({units}, activation="{experiment.activation}")')
        if experiment.dropout:
            made.append(f"{layers}.Dropout({experiment.dropout})")
    return made


def _listed(model: str, first: list[str], experiment: Experiment, layers: str) -> str:
    last = f'{layers}.Dense(10, activation="softmax")'
    inner = "".join(f"    {line},\n" for line in [*first, *_hidden(experiment, layers), last])
    return f"{model} = keras.Sequential([\n{inner}])"


def _list_with_shape(experiment: Experiment, model: str) -> str:
    first = ["keras.layers.Flatten(input_shape=(28, 28))"]
    return _listed(model, first, experiment, "keras.layers")


def _list_with_input(experiment: Experiment, model: str) -> str:
    first = ["keras.Input(shape=(28, 28))", "keras.layers.Flatten()"]
    return _listed(model, first, experiment, "keras.layers")


def _list_named(experiment: Experiment, model: str) -> str:
    """The import of `layers` stands beside it, as in many tutorials."""
    first = ["layers.Input((28, 28))", "layers.Flatten()"]
    made = _listed(model, first, experiment, "layers").replace("keras.Seq", "tf.keras.models.Seq")
    return f"layers = tf.keras.layers\n{made}"


def _added(experiment: Experiment, model: str) -> str:
    layers = ["keras.Input(shape=(28, 28))", "keras.layers.Flatten()"]
    layers += _hidden(experiment, "keras.layers")
    layers += ['keras.layers.Dense(10, activation="softmax")']
    return "\n".join([f"{model} = keras.Sequential()", *(f"{model}.add({one})" for one in layers)])


def _functional(experiment: Experiment, model: str) -> str:
    lines = ["entrada = keras.Input(shape=(28, 28))", "h = keras.layers.Flatten()(entrada)"]
    lines += [f"h = {layer}(h)" for layer in _hidden(experiment, "keras.layers")]
    lines += ['salida = keras.layers.Dense(10, activation="softmax")(h)']
    return "\n".join([*lines, f"{model} = keras.Model(inputs=entrada, outputs=salida)"])


def _comprehension(experiment: Experiment, model: str) -> str:
    units = ", ".join(map(str, experiment.hidden))
    return (
        f"ocultas = [keras.layers.Dense(n, activation=tf.nn.relu) for n in ({units},)]\n"
        f"{model} = keras.Sequential(\n"
        "    [keras.Input(shape=(28, 28)), keras.layers.Flatten()]\n"
        "    + ocultas\n"
        "    + [keras.layers.Dense(10, activation=tf.nn.softmax)]\n)"
    )


def _activations_apart(experiment: Experiment, model: str) -> str:
    lines = [f"{model} = keras.models.Sequential()"]
    lines += [f"{model}.add(keras.layers.Flatten(input_shape=(28, 28)))"]
    for units in experiment.hidden:
        lines += [f"{model}.add(keras.layers.Dense({units}))"]
        lines += [f'{model}.add(keras.layers.Activation("relu"))']
    return "\n".join([*lines, f'{model}.add(keras.layers.Dense(10, activation="softmax"))'])


Build = Callable[[Experiment, str], str]
# Ways that can say every experiment; the others can say the recipe's models only.
FREE: Mapping[str, Build] = {
    "a list, input_shape": _list_with_shape,
    "a list, Input": _list_with_input,
    "a list, layers imported": _list_named,
    "add": _added,
    "functional": _functional,
}
RECIPE_ONLY: Mapping[str, Build] = {
    "a comprehension": _comprehension,
    "activations apart": _activations_apart,
}

SEQUENTIAL_FUNCTION = '''
def crear_modelo(*neuronas):
    """Una red con una capa oculta por cada número."""
    red = keras.Sequential()
    red.add(keras.Input(shape=(28, 28)))
    red.add(keras.layers.Flatten())
    for n in neuronas:
        red.add(keras.layers.Dense(n, activation="relu"))
    red.add(keras.layers.Dense(10, activation="softmax"))
    return red
'''
FUNCTIONAL_FUNCTION = '''
def construir(neuronas, capas=1):
    """Devuelve la red; todas las capas ocultas son iguales."""
    x0 = keras.Input(shape=(28, 28))
    x1 = keras.layers.Flatten()(x0)
    for _ in range(capas):
        x1 = keras.layers.Dense(neuronas, activation="relu")(x1)
    return keras.Model(x0, keras.layers.Dense(10, activation="softmax")(x1))
'''


def _called(experiment: Experiment, model: str) -> str:
    return f"{model} = crear_modelo({', '.join(map(str, experiment.hidden))})"


def _constructed(experiment: Experiment, model: str) -> str:
    layers = f", capas={len(experiment.hidden)}" if len(experiment.hidden) > 1 else ""
    return f"{model} = construir({experiment.hidden[0]}{layers})"


# Way → the function that is defined once, before the baseline, and how it is called.
FUNCTIONS: Mapping[str, tuple[str, Build]] = {
    "a function, Sequential": (SEQUENTIAL_FUNCTION, _called),
    "a function, functional": (FUNCTIONAL_FUNCTION, _constructed),
}
