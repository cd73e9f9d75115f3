# ruff: noqa: E501
"""Believable graded submissions for the report's tests; the sample is one student's whole story."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.evidence import CellRun, Evaluation, Evidence, Fit, Measurement, Run, Start
from grader.findings import Finding, Flag, Status
from grader.locale import Bilingual, Readable, Text
from grader.recipes import Data, Recipe
from grader.result import Answer, Graded, Mark, NotebookFile, Score, State, Student
from tests.report.assignment_factory import assignment

SPLITS = {"train": (0, 60_000), "test": (60_000, 70_000)}
TEST_ROWS = Data(
    recognised=True, count=10_000, rows=[[60_000, 70_000]], row_shape=[28, 28], text="test[0:10000]"
)
TRAIN_ROWS = Data(
    recognised=True,
    count=60_000,
    rows=[[0, 60_000]],
    row_shape=[28, 28],
    text="train[0:60000] /255",
)
EASY = (0.83, 0.97, 0.80, 0.89, 0.81, 0.96, 0.66, 0.95, 0.97, 0.95)
CONFUSED = {0: (6, 3), 2: (4, 6), 3: (0, 4), 4: (2, 6), 6: (0, 2), 5: (7, 9), 7: (9, 5), 9: (7, 5)}

SOURCES = (
    "# Taller 3 · Aprendizaje profundo",
    "import tensorflow as tf\nprint(tf.__version__)",
    "## 1. Los datos",
    "(train_images, train_labels), (test_images, test_labels) = fashion_mnist.load_data()",
    "for indice, nombre in enumerate(class_names):\n    print(indice, nombre)",
    "print(train_images.shape, train_labels.shape)",
    "train_images = train_images / 255.0\ntest_images = test_images / 255.0",
    "plt.figure(figsize=(10, 10))",
    "## 2. La línea base",
    "# ✏️ Tarea 2.1 · Línea base: 128 neuronas, 10 épocas\nmodel = keras.Sequential([",
    "test_loss, test_acc = model.evaluate(test_images, test_labels)",
    "## 3. Predicciones",
    "predictions = model.predict(test_images)",
    "plot_predictions(0)",
    "img = np.expand_dims(test_images[1], 0)",
    "## 4. Tres experimentos",
    "# ✏️ Tarea 4.1 · Más neuronas: 500 en la capa oculta, 10 épocas",
    "# ✏️ Tarea 4.2 · Más épocas: 20 en lugar de 10",
    "# ✏️ Tarea 4.3 · Más capas: tres capas ocultas de 500, 10 épocas",
    "comparar(resultados)",
)

ANSWERS = (
    "La exactitud en **entrenamiento** (0,912) es mayor que en **prueba** (0,881) porque los pesos se ajustaron con esas imágenes. Las de prueba no las había visto nunca.\n\nEso se llama *sobreajuste*: parte de lo que aprende son detalles que no se repiten.",
    "El modelo confunde sobre todo `Camisa` con `Camiseta`:\n\n- se parecen mucho a 28×28 píxeles,\n- una red densa no ve la forma, solo píxeles sueltos.\n\nUna red convolucional ayudaría.",
    "Con 500 neuronas sube la exactitud de entrenamiento y también la diferencia.\n\n| modelo | entrenamiento | prueba |\n|---|---|---|\n| 128 | 0,912 | 0,881 |\n| 500 | 0,921 | 0,887 |",
    "Con más épocas la pérdida de entrenamiento sigue bajando, pero la de prueba ya no mejora.",
    "",
)  # fmt: skip


def recipe(*units: int) -> Recipe:
    """Flatten, hidden layers with relu, ten outputs with softmax."""
    nodes: list[dict[str, Any]] = [{"op": "Flatten", "inputs": [-1]}]
    for count in units:
        config = {"units": count, "activation": "relu", "use_bias": True}
        nodes.append({"op": "Dense", "config": config, "inputs": [len(nodes) - 1]})
    last = {"units": 10, "activation": "softmax", "use_bias": True}
    nodes.append({"op": "Dense", "config": last, "inputs": [len(nodes) - 1]})
    return Recipe.model_validate({"input_shape": [28, 28], "nodes": nodes})


def curve(first: float, last: float, epochs: int) -> list[float | None]:
    """Values that approach `last` as training does."""
    return [last + (first - last) * 0.72**epoch for epoch in range(epochs)]


def fit(
    number: int, cell: int, epochs: int, layers: Recipe | None, train: float, **more: Any
) -> Fit:
    """One `fit` with a believable history."""
    values: dict[str, Any] = {
        "kind": "fit", "id": number, "cell": cell, "chain": number, "how": "fit", "model": "sequential",
        "recipe": layers, "compiled": None, "data": TRAIN_ROWS, "batch_size": 32, "epochs_before": 0,
        "epochs_asked": epochs, "epochs_run": epochs, "seconds": 24.5,
        "history": {
            "accuracy": curve(0.824, train - 0.002, epochs), "loss": curve(0.50, 0.24, epochs),
            "val_accuracy": curve(0.845, train - 0.030, epochs), "val_loss": curve(0.43, 0.345, epochs),
        },
    }  # fmt: skip
    return Fit(**{**values, **more})


def confusion(accuracy: float) -> list[list[int]]:
    """A matrix of 10,000 images that are mostly told apart, clothes less than shoes."""
    matrix = np.zeros((10, 10), dtype=int)
    for true, share in enumerate(EASY):
        right = round(1000 * min(0.99, share + accuracy - 0.879))
        matrix[true, true] = right
        nearest = CONFUSED.get(true, (8, 0))
        matrix[true, nearest[0]] += round((1000 - right) * 0.6)
        matrix[true, nearest[1]] += 1000 - int(matrix[true].sum())
    return [[int(count) for count in row] for row in matrix]


def measured(train: float, test: float, parameters: int) -> Measurement:
    """What the trainer measured of one run."""
    rows = [60_012, 60_017, 60_023, 60_040, 60_051, 60_066, 60_089, 60_107, 60_117, 60_127, 60_135, 60_142,
            60_147, 60_150, 60_163, 60_222, 60_227, 60_239, 60_247, 60_261, 60_271, 60_283, 60_316, 60_324]  # fmt: skip
    return Measurement.model_validate({
        "train_accuracy": train, "train_loss": 0.238, "test_accuracy": test, "test_loss": 0.341,
        "confusion": confusion(test), "parameters": parameters,
        "mistakes": [
            {"row": row, "label": (6, 2, 4, 0)[n % 4], "predicted": (0, 4, 6, 3)[n % 4], "confidence": 0.998 - 0.004 * n}
            for n, row in enumerate(rows)
        ],
    })  # fmt: skip


def runs() -> tuple[Run, ...]:
    """Four runs: the third stopped early, the fourth has one hidden layer too few."""
    start = Start(test_accuracy=0.093, test_loss=2.36)
    made = (
        (1, 9, 10, recipe(128), 0.9124, 0.8812, 101_770),
        (2, 16, 10, recipe(500), 0.9213, 0.8871, 397_510),
        (3, 17, 15, recipe(128), 0.9298, 0.8846, 101_770),
        (4, 18, 10, recipe(500, 500), 0.9226, 0.8853, 648_010),
    )
    return tuple(
        Run(
            fit(number, cell, epochs, layers, train),
            epochs,
            "trainer",
            start,
            measured(train, test, count),
        )
        for number, cell, epochs, layers, train, test, count in made
    )


def evaluations() -> tuple[Evaluation, ...]:
    """One that agrees with the trainer, one that does not."""
    return (
        Evaluation(kind="evaluate", id=20, cell=10, chain=1, epochs=10, data=TEST_ROWS, results={"loss": 0.341, "accuracy": 0.8812}),
        Evaluation(kind="evaluate", id=21, cell=16, chain=2, epochs=10, data=TEST_ROWS, results={"loss": 0.3, "accuracy": 0.9312}),
    )  # fmt: skip


def cells() -> tuple[CellRun, ...]:
    """The sample's code cells; one ended with an error."""
    code = [
        index for index, source in enumerate(SOURCES) if not source.startswith(("# Taller", "## "))
    ]
    made = [CellRun(kind="cell", index=index, status="ok", seconds=0.2 * index) for index in code]
    made[-1] = CellRun(
        kind="cell", index=19, status="error", seconds=0.02, error="NameError",
        message="name 'comparar' is not defined",
    )  # fmt: skip
    return tuple(made)


def say(es: str, en: str) -> Bilingual:
    """A sentence in both languages."""
    return Bilingual(es, en)


_AS_ASKED = say("lo que se pedía", "what was asked for")
_SKIPPED = say(
    "no se evaluó, porque las capas no son las pedidas",
    "not checked, because the layers are not those asked for",
)
STORY: dict[str, dict[str, Any]] = {
    "data.loaded": {
        "expected": say("60 000 imágenes de entrenamiento y 10 000 de prueba", "60,000 training and 10,000 test images"),
        "observed": say("las dos partes, con el cargador de Keras", "both splits, by the loader of Keras"), "cell": 3,
    },
    "data.explored": {
        "status": Status.PARTIAL, "earned": 100, "cell": 5,
        "expected": say("los cuatro tamaños impresos y la imagen 100 de cada parte con su barra de color", "the four shapes printed and image 100 of each split drawn with a colour bar"),
        "observed": say("dos de los cuatro tamaños; las dos imágenes, sin barra de color", "two of the four shapes; both images, no colour bar"),
        "hint": say("Imprime también los tamaños de los datos de prueba y llama a plt.colorbar().", "Print the shapes of the test arrays too and call plt.colorbar()."),
    },
    "data.scaled": {"expected": say("valores de 0 a 1, igual en las dos partes", "values from 0 to 1, the same in both splits"), "observed": say("/255 en las dos partes", "/255 in both splits"), "cell": 6},
    "data.grid": {"expected": say("25 imágenes", "25 images"), "observed": say("las imágenes 0 a 24, en orden", "images 0 to 24 in order"), "cell": 7},
    "baseline.architecture": {"expected": say("Flatten, Dense(128, relu), Dense(10, softmax)", "Flatten, Dense(128, relu), Dense(10, softmax)"), "observed": say("lo mismo", "the same"), "cell": 9},
    "baseline.accuracy": {"expected": say("al menos 0,869", "at least 0.869"), "observed": Text("{found}", {"found": 0.8812}), "cell": 9},
    "baseline.gap": {"expected": say("como mucho 0,046", "at most 0.046"), "observed": Text("{found}", {"found": 0.0312}), "cell": 9},
    "longer.epochs": {
        "status": Status.FAILED, "cell": 17, "expected": say("20 épocas", "20 epochs"), "observed": say("15 épocas, 5 menos", "15 epochs, 5 fewer"),
        "hint": say("Pon epochs=20 en fit y vuelve a ejecutar la celda.", "Set epochs=20 in fit and run the cell again."),
    },
    "longer.accuracy": {"remark": say("Una callback detuvo el entrenamiento, lo que no resta puntos.", "A callback stopped the training, which costs nothing.")},
    "deep.architecture": {
        "status": Status.FAILED, "cell": 18, "expected": say("tres capas ocultas Dense(500, relu)", "three hidden layers Dense(500, relu)"),
        "observed": say("dos capas ocultas Dense(500, relu); falta una", "two hidden layers Dense(500, relu); one is missing"),
        "hint": say("Añade la tercera Dense(500, activation='relu') antes de la capa de salida.", "Add the third Dense(500, activation='relu') before the output layer."),
    },
    "deep.accuracy": {"status": Status.SKIPPED, "expected": say("al menos 0,871", "at least 0.871"), "observed": _SKIPPED},
    "deep.gap": {"status": Status.SKIPPED, "expected": say("como mucho 0,052", "at most 0.052"), "observed": _SKIPPED},
    "predictions.grid_second": {
        "status": Status.NOT_ATTEMPTED, "expected": say("una cuadrícula de 5×3 con las predicciones de las imágenes 15 a 29", "a 5×3 grid with the predictions for images 15 to 29"),
        "observed": say("no se dibujó ninguna figura así", "no such figure was drawn"), "hint": say("Llama a tu función de dibujo con 15.", "Call your drawing function with 15."),
    },
    "predictions.single": {
        "status": Status.NEEDS_REVIEW, "cell": 14, "expected": say("una predicción de tamaño 1×10 y su gráfico de barras", "a prediction of shape 1×10 and its bar chart"),
        "observed": say("una predicción de tamaño 1×10; el gráfico tiene once barras", "a prediction of shape 1×10; the bar chart has eleven bars"),
    },
}  # fmt: skip


def finding(check: Any) -> Finding:
    """The story's finding for one check; what the story leaves out passed."""
    told = {"expected": _AS_ASKED, "observed": _AS_ASKED, **STORY.get(check.name, {})}
    status = told.pop("status", Status.PASSED)
    earned = told.pop("earned", check.possible if status is Status.PASSED else 0)
    return Finding(
        check=check.name, status=status, basis=check.basis, earned=earned, possible=check.possible,
        title=check.title.text, **told,
    )  # fmt: skip


def sample(**changes: Any) -> Graded:
    """One submission with a bit of everything; the written answers wait for a person."""
    spec = assignment()
    findings = tuple(finding(check) for check in spec.spec.checks)
    earned = sum(found.earned for found in findings)
    pending = 3000 + sum(found.possible for found in findings if found.status.pending)
    lowest, highest = (Decimal(points) / Decimal(2000) for points in (earned, earned + pending))
    graded = Graded(
        assignment=spec,
        student=Student("20231155", "Ana María Ñúñez Muñoz"),
        notebook=NotebookFile("taller3_ana_nunez.ipynb", "7f" * 32),
        state=State.NEEDS_REVIEW,
        score=Score(earned, spec.automatic, pending, spec.total, None, round(lowest, 1), round(highest, 1)),
        findings=findings,
        flags=(Flag("claim_differs", say("La celda 16 mostró 0,931; se midió 0,887.", "Cell 16 showed 0.931; measured was 0.887."), run=2),),
        answers=tuple(_answer(number, text) for number, text in enumerate(ANSWERS, start=1)),
        evidence=Evidence(
            cells=cells(), runs=runs(), evaluations=evaluations(), sources=SOURCES, splits=dict(SPLITS)
        ),
        experiments={"baseline": 1, "wide": 2, "longer": 3, "deep": 4},
        environment={
            "sandbox": "standard", "grader": "0.1.0", "keras": "3.15.1", "tensorflow": "2.21.0",
            "data_sha256": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        },
        notices=(Text("The file starts with a byte-order mark (BOM), which was skipped."),),
    )  # fmt: skip
    return replace(graded, **changes)


def _answer(number: int, text: str, marks: Any = None) -> Answer:
    found = {"status": "found", "found_by": "cell id", "cells": (20 + number,)} if text else {}
    return Answer(
        **{
            "question": f"q{number}",
            "status": "missing",
            "found_by": None,
            "text": text,
            "marks": {
                name: Mark(f"q{number}", name, points) for name, points in (marks or {}).items()
            },
            **found,
        }
    )


def marked() -> Graded:
    """The sample after a person marked every answer and decided the open check."""
    graded = sample()
    answers = tuple(
        _answer(n, text, {"cause": 400 if text else 0, "evidence": 100 if text else 0})
        for n, text in enumerate(ANSWERS, start=1)
    )
    findings = tuple(
        f.decided(200, "El gráfico vale: la barra de más es la rejilla.")
        if f.check == "predictions.single"
        else f
        for f in graded.findings
    )
    earned = sum(f.earned for f in findings) + 2000
    value = round(Decimal(earned) / Decimal(2000), 1)
    score = Score(
        earned,
        graded.score.possible,
        0,
        graded.score.total,
        value - Decimal("0.3"),
        value - Decimal("0.3"),
        value - Decimal("0.3"),
        90_000,
        Decimal("0.3"),
    )
    return replace(graded, answers=answers, findings=findings, score=score, state=State.GRADED)  # fmt: skip


def _nothing(graded: Graded) -> tuple[Finding, ...]:
    return tuple(
        Finding(f.check, Status.NOT_ATTEMPTED, f.basis, 0, f.possible, f.title, _AS_ASKED, say("no se encontró nada de esto", "nothing of it was found"))
        for f in graded.findings
    )  # fmt: skip


def empty() -> Graded:
    """A notebook without cells: graded, nothing earned."""
    graded = sample()
    missing = tuple(_answer(number, "") for number in range(1, 6))
    score = Score(
        0, graded.score.possible, 0, graded.score.total, Decimal(0), Decimal(0), Decimal(0)
    )
    return replace(
        graded, state=State.GRADED, score=score, findings=_nothing(graded), flags=(), answers=missing,
        evidence=Evidence(), experiments={}, notices=(),
    )  # fmt: skip


def _bare(state: State, problem: Readable) -> Graded:
    graded = sample()
    total = graded.score.total
    return replace(
        graded, state=state, score=Score(0, 7000, total, total, None, Decimal(0), Decimal(5)), findings=(),
        flags=(), answers=(), evidence=Evidence(), experiments={}, notices=(), problem=problem,
    )  # fmt: skip


def unreadable() -> Graded:
    """A file that is no notebook."""
    return _bare(
        State.UNREADABLE,
        Text(
            "{name} is empty; save the notebook again and hand in that copy.",
            {"name": "taller3.ipynb"},
        ),
    )


def grader_error() -> Graded:
    """The trainer failed three times."""
    return _bare(
        State.GRADER_ERROR,
        say(
            "El corrector falló tres veces; no se decidió nada sobre el cuaderno.",
            "The grader failed three times; nothing about the notebook was decided.",
        ),
    )


def half_dead() -> Graded:
    """A cell used all memory: what came before it stays, what came after was not run."""
    graded = sample()
    before = [cell for cell in cells() if cell.index < 16]
    killed = CellRun(kind="cell", index=16, status="killed", seconds=41.0, error="memory")
    after = [
        CellRun(kind="cell", index=index, status="not_run", seconds=0.0) for index in (17, 18, 19)
    ]
    evidence = replace(
        graded.evidence, cells=(*before, killed, *after), runs=runs()[:1], ended="memory"
    )
    findings = tuple(
        f if f.check.split(".")[0] in ("data", "baseline", "evaluation", "predictions") else g
        for f, g in zip(graded.findings, _nothing(graded), strict=True)
    )
    return replace(graded, evidence=evidence, findings=findings, experiments={"baseline": 1, "wide": None, "longer": None, "deep": None})  # fmt: skip


def pixels(row: int) -> npt.NDArray[np.uint8]:
    """A made-up garment for each row."""
    y, x = np.mgrid[0:28, 0:28]
    body = (abs(x - 13.5) < 6 + row % 5) & (y > 3) & (y < 25)
    return (body * (120 + 40 * np.sin(y / (2 + row % 3)) + 60 * (x % 4 == row % 4))).astype(
        np.uint8
    )


EVERY = {
    "sample": sample,
    "marked": marked,
    "empty": empty,
    "unreadable": unreadable,
    "grader_error": grader_error,
    "half_dead": half_dead,
}
