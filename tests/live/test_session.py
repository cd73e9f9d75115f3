"""A real IPython kernel with the extension: it is observed, and nothing that it does changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.tf, pytest.mark.timeout(300)]

# Runs cells as a notebook does, and prints what `%check` displayed and what the cells left.
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell, shown, errors = InteractiveShell.instance(), [], []
for source in json.loads(sys.stdin.read()):
    name, source = source if isinstance(source, list) else (None, source)
    with capture_output() as caught:
        done = shell.run_cell(source, store_history=True, cell_id=name)
    if done.error_in_exec is not None:
        errors.append(repr(done.error_in_exec))
    printed = caught.stdout
    shown += [output.data for output in caught.outputs if "text/html" in output.data]
    if source.startswith("%"):
        errors += [caught.stdout] if "Error" in caught.stdout else []
print("\\n" + json.dumps({"shown": shown, "errors": errors, "left": shell.user_ns.get("left"),
                         "printed": printed}))
"""
LOAD = "%load_ext grader"
DATA = """import random
import numpy as np
from tensorflow import keras
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, x_test = x / 255.0, x_test / 255.0
print(x.shape, x_test.shape)"""
MODEL = """keras.utils.set_random_seed(3)
model = keras.Sequential([keras.layers.Input((28, 28)), keras.layers.Flatten(),
                          keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])"""
FIT = "history = model.fit(x[:640], y[:640], epochs=10, verbose=0)"
EVALUATE = "print(model.evaluate(x_test, y_test, verbose=0))"
LEFT = """import hashlib
left = [hashlib.sha256(b"".join(v.numpy().tobytes() for v in model.variables)).hexdigest(),
        history.history["accuracy"], random.random(), float(np.random.rand()),
        sorted(n for n in globals() if "grader" in n.lower())]"""


Ran = Callable[[Sequence[str | list[str]]], dict[str, Any]]


@pytest.fixture
def ran(tmp_path: Path, keras_home: Path) -> Ran:
    """Runs cells in a shell of their own: a source, or a cell's id and its source."""
    return partial(_ran, tmp_path, keras_home)


def _ran(folder: Path, keras_home: Path, cells: Sequence[str | list[str]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "KERAS_HOME": str(keras_home)},
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return answer


def test_check_says_what_the_kernel_has_done(ran: Ran) -> None:
    """The model and its epochs pass, its accuracy is the notebook's own, nothing is trained."""
    cells = [LOAD, DATA, MODEL, FIT, EVALUATE, "%check", "import grader; grader.check('en')"]
    found = ran(cells)
    spanish, english = found["shown"]

    assert [] == found["errors"]
    assert "✔ Construir la línea base" in spanish["text/plain"]
    assert "✔ Entrenar la línea base durante 10 épocas" in spanish["text/plain"]
    assert "✔ Entrenar con imágenes escaladas" in spanish["text/plain"]
    assert "<i>(provisional)</i>" in english["text/html"]
    assert "Build the baseline" in english["text/html"]
    assert "la celda [4] «history = model.fit" in spanish["text/plain"]


def test_nothing_changes_for_the_notebook(ran: Ran) -> None:
    """Weights, history, generators and names are those of the same cells without the extension."""
    cells = [DATA, MODEL, FIT, EVALUATE, LEFT]
    watched, plain = ran([LOAD, *cells]), ran(["1 + 1", *cells])

    assert [] == watched["errors"] == plain["errors"]
    assert plain["left"] == watched["left"]


def test_what_was_imported_before_is_watched_too(ran: Ran) -> None:
    """The extension may come late; what it has not seen it does not claim to know."""
    found = ran([DATA, MODEL, LOAD, FIT, EVALUATE, "%check"])

    assert "✔ Construir la línea base" in found["shown"][0]["text/plain"]
    assert "la celda [4] «history = model.fit" in found["shown"][0]["text/plain"]


def test_loading_twice_and_failing_cells_do_no_harm(ran: Ran) -> None:
    """A cell that fails stays the student's own affair."""
    found = ran([LOAD, LOAD, "1 / 0", "model.fit()", "%check"])

    assert 2 == len(found["errors"])
    assert "ZeroDivisionError" in found["errors"][0] and "NameError" in found["errors"][1]
    assert "NameError" in found["shown"][0]["text/plain"]


def test_a_judge_that_fails_is_our_fault(ran: Ran) -> None:
    """One line says so; the cell has not failed."""
    broken = "import grader.live.session as s; s.JUDGE = ('false',)"
    found = ran([LOAD, broken, "%check"])

    assert [] == found["shown"] and [] == found["errors"]
    assert "es un fallo del corrector, no tuyo" in found["printed"]


def test_only_the_latest_run_of_a_cell_counts(ran: Ran) -> None:
    """A cell that was mended and run again replaces what it did before, error and all."""
    short = FIT.replace("epochs=10", "epochs=4")
    first = [["b", MODEL], ["c", FIT], ["e", "1 / 0"], "%check"]
    again = [["b", MODEL], ["c", short], ["e", "1 + 1"], "%check"]
    before, after = ran([LOAD, DATA, *first, *again])["shown"]

    assert "✔ Entrenar la línea base durante 10 épocas" in before["text/plain"]
    assert "ZeroDivisionError" in before["text/plain"]
    assert "◐ Entrenar la línea base durante 10 épocas" in after["text/plain"]
    assert "ZeroDivisionError" not in after["text/plain"]


def test_what_cells_do_is_seen_and_told_apart(ran: Ran) -> None:
    """What is printed after a progress bar; code that `%%capture` runs inside its cell; the same
    line in two cells, which without cell ids is two runs and not one that was mended.
    """
    quiet = DATA.replace("print(x.shape, x_test.shape)", "")
    noisy = f"{FIT.replace('verbose=0', 'verbose=1')}\nprint(y.shape, y_test.shape, 10000)"
    other = MODEL.replace("Dense(128", "Dense(500")
    cells = [LOAD, quiet, MODEL, f"%%capture\n{FIT}", other, FIT, other, noisy, "%check"]
    found = ran(cells)["shown"][0]["text/plain"]

    assert "Todavía falta algo: no se dibujó la imagen 100" in " ".join(found.split())
    assert "✔ Entrenar la línea base" in found and "✔ Entrenar el modelo de 500 neuronas" in found
    assert "la celda [4] «%%capture»" in found
