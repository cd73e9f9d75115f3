# ruff: noqa: E501
"""An assignment for the report's tests: the workshop's names and shape, written down in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.assignment import Assignment, Spec
from grader.rubric.spec import Rubric
from grader.thresholds import Calibration

CLASSES = (
    ("Camiseta", "T-shirt/top"), ("Pantalón", "Trouser"), ("Suéter", "Pullover"),
    ("Vestido", "Dress"), ("Abrigo", "Coat"), ("Sandalia", "Sandal"), ("Camisa", "Shirt"),
    ("Zapatilla", "Sneaker"), ("Bolso", "Bag"), ("Botín", "Ankle boot"),
)  # fmt: skip
HIDDEN_IDEA = "zz-una-idea-clave-que-nadie-debe-ver"


def both(es: str, en: str) -> dict[str, str]:
    """A sentence in both languages."""
    return {"es": es, "en": en}


def check(
    name: str, points: float, es: str, en: str, basis: str = "measured", needs: Any = ()
) -> Any:
    """One check of assignment.toml."""
    return {
        "name": name, "kind": "any", "points": points, "basis": basis, "title": both(es, en),
        "hint": both("Vuelve a leer el enunciado.", "Read the task again."), "needs": tuple(needs),
    }  # fmt: skip


def experiment(name: str, es: str, en: str, epochs: int, *layers: tuple[str, ...]) -> Any:
    """One experiment of assignment.toml."""
    return {
        "id": name, "title": both(es, en), "epochs": epochs, "optimizer": "adam",
        "loss": ("sparse_categorical_crossentropy",),
        "architectures": {f"{name}-{place}": names for place, names in enumerate(layers)},
    }  # fmt: skip


def dense(*units: int) -> tuple[str, ...]:
    """Flatten, hidden layers, ten outputs."""
    hidden = tuple(f"Dense({count}, relu)" for count in units)
    return ("Flatten", *hidden, "Dense(10, softmax)")


EXPERIMENTS = (
    experiment("baseline", "Línea base", "Baseline", 10, dense(128)),
    experiment("wide", "Más neuronas", "More units", 10, dense(500)),
    experiment("longer", "Más épocas", "More epochs", 20, dense(128), dense(500)),
    experiment("deep", "Más capas", "More layers", 10, dense(500, 500, 500)),
)


def _of(name: str) -> list[Any]:
    needs = (f"{name}.architecture",)
    return [
        check(f"{name}.architecture", 4, "El modelo tiene las capas pedidas", "The model has the layers asked for"),
        check(f"{name}.compile", 2, "Se compila con Adam y la pérdida adecuada", "It is compiled with Adam and a fitting loss"),
        check(f"{name}.epochs", 1, "Se entrena las épocas pedidas", "It is trained for the epochs asked for"),
        check(f"{name}.accuracy", 2.5, "La exactitud en prueba es la esperada", "Test accuracy is as expected", needs=needs),
        check(f"{name}.gap", 1.5, "La diferencia entre entrenamiento y prueba es moderada", "The gap between training and test is moderate", needs=needs),
    ]  # fmt: skip


CHECKS = (
    check("data.loaded", 3, "Los datos se cargan con Keras", "The data is loaded with Keras"),
    check("data.explored", 2, "Se muestran los tamaños y la imagen 100", "Shapes and image 100 are shown", "observed"),
    check("data.scaled", 6, "Las dos partes se escalan igual, de 0 a 1", "Both splits are scaled alike, 0 to 1"),
    check("data.grid", 2, "La cuadrícula muestra las primeras 25 imágenes", "The grid shows the first 25 images", "observed"),
    *_of("baseline"),
    check("evaluation.test", 4, "La línea base se evalúa con los datos de prueba", "The baseline is evaluated on the test split", "observed"),
    check("predictions.test", 2, "Hay una predicción para cada imagen de prueba", "There is a prediction for each test image", "observed"),
    check("predictions.argmax", 1, "La clase de la imagen 0 sale de arg-max", "The class of image 0 comes from arg-max", "observed"),
    check("predictions.grid_first", 2, "La primera cuadrícula de predicciones está completa", "The first grid of predictions is complete", "observed"),
    check("predictions.grid_second", 2, "La segunda cuadrícula de predicciones está completa", "The second grid of predictions is complete", "observed"),
    check("predictions.single", 2, "La imagen 1 se predice sola, con su eje de lote", "Image 1 is predicted alone, with its batch axis", "observed"),
    *_of("wide"), *_of("longer"), *_of("deep"),
)  # fmt: skip


def level(points: float, es: str, en: str, more_es: str, more_en: str) -> Any:
    """One level of a criterion."""
    return {"points": points, "label": both(es, en), "description": both(more_es, more_en)}


def criterion(name: str, points: float, es: str, en: str) -> Any:
    """One criterion with three levels and a key idea that only markers may read."""
    return {
        "id": name, "title": both(es, en),
        "levels": (
            level(points, "Completo", "Complete", "Lo explica y lo apoya en sus números.", "Explains it and supports it with numbers."),
            level(points / 2, "Parcial", "Partial", "Lo menciona sin explicar la causa.", "Mentions it without the cause."),
            level(0, "Ausente", "Absent", "No habla de esto.", "Says nothing about it."),
        ),
        "key_ideas": ({"id": "idea", "es": HIDDEN_IDEA, "en": HIDDEN_IDEA},),
    }  # fmt: skip


PROMPTS = (
    ("¿Por qué difieren la exactitud y la pérdida entre entrenamiento y prueba?", "Why do accuracy and loss differ between training and test?"),
    ("¿Por qué se clasificaron mal algunas imágenes y qué ayudaría a distinguirlas?", "Why were some images misclassified, and what would tell them apart?"),
    ("¿Qué ocurre al pasar de 128 a 500 neuronas? ¿Y con la diferencia?", "What does going from 128 to 500 units do? And to the gap?"),
    ("¿Qué ocurre al pasar de 10 a 20 épocas? ¿Y con la diferencia?", "What does going from 10 to 20 epochs do? And to the gap?"),
    ("Explica línea por línea la arquitectura de tres capas ocultas.", "Explain the architecture with three hidden layers line by line."),
)  # fmt: skip


def question(es: str, en: str) -> Any:
    """One written question of six points."""
    return {
        "prompt": both(es, en), "points": 6, "model_answer": both(HIDDEN_IDEA, HIDDEN_IDEA),
        "criteria": (
            criterion("cause", 4, "La causa", "The cause"),
            criterion("evidence", 2, "El apoyo en lo observado", "The support by what was observed"),
        ),
    }  # fmt: skip


def band(mean: float, sd: float) -> dict[str, float]:
    """What ten seeds reached."""
    return {"seeds": 10, "mean": mean, "sd": sd, "min": mean - 2 * sd, "max": mean + 2 * sd}


def variants(train: float, test: float) -> Any:
    """A plain variant and one with a validation split."""
    return {
        "plain": {"train_accuracy": band(train, 0.004), "test_accuracy": band(test, 0.003), "gap": band(train - test, 0.004)},
        "validation": {"train_accuracy": band(train - 0.002, 0.004), "test_accuracy": band(test - 0.004, 0.003), "gap": band(train - test + 0.002, 0.004)},
    }  # fmt: skip


CALIBRATION = {
    "environment": {"tensorflow": "2.21.0"},
    "assignment_seed": 42,
    "architectures": {
        "baseline-0": variants(0.914, 0.882),
        "wide-0": variants(0.921, 0.887),
        "longer-0": variants(0.938, 0.885),
        "longer-1": variants(0.949, 0.890),
        "deep-0": variants(0.922, 0.884),
    },
}


def assignment() -> Assignment:
    """The workshop as the tests need it."""
    return Assignment(
        folder=Path("assignment"),
        spec=Spec.model_validate(_spec()),
        rubric=Rubric.model_validate(
            {"questions": {f"q{number}": question(*prompt) for number, prompt in enumerate(PROMPTS, start=1)}}
        ),
        calibration=Calibration.model_validate(CALIBRATION),
        sha256="a5" * 32,
    )  # fmt: skip


def _spec() -> dict[str, Any]:
    files = {
        "images": {"name": "images", "sha256": "0" * 64},
        "labels": {"name": "labels", "sha256": "1" * 64},
    }
    return {
        "id": "taller3",
        "title": both("Taller 3 · Aprendizaje profundo", "Workshop 3 · Deep learning"),
        "language": "es",
        "notebook": "taller3.ipynb",
        "seed": 42,
        "due": "2025-05-02T23:59:00-05:00",
        "scale": {"minimum": 0.0, "maximum": 5.0, "passing": 3.0},
        "late": {},
        "limits": {},
        "dataset": {
            "name": "fashion-mnist", "loader": "keras.datasets.fashion_mnist", "keras_folder": "fashion-mnist",
            "shape": (28, 28), "classes": tuple(both(es, en) for es, en in CLASSES),
            "splits": {"train": files, "test": files},
        },
        "experiments": EXPERIMENTS,
        "checks": CHECKS,
    }  # fmt: skip
