"""Benchmark 6: what `%load_ext grader` costs a `fit` in the student's own kernel."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.report import Section, seconds, table
from grader.dataset.store import open_dataset
from grader.loading import default_folder, load_assignment

LIVE = "6 · The self-check in the notebook"
TIMES, EPOCHS, TARGET = 5, 10, 2
# Prints the seconds of a fit that nobody measures from the outside, and of the first `%check`.
SCRIPT = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def run(source):
    shell.run_cell(source, store_history=True).raise_error()
if sys.argv[1] == "watched":
    run("%load_ext grader")
run('''from tensorflow import keras
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, x_test = x / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Input((28, 28)), keras.layers.Flatten(),
                          keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])''')
began = time.monotonic()
run(f"model.fit(x, y, epochs={sys.argv[2]})")
fitted = time.monotonic() - began
run("model.evaluate(x_test, y_test, verbose=0)")
began = time.monotonic()
if sys.argv[1] == "watched":
    run("%check")
print(f"\\n{fitted} {time.monotonic() - began}")
"""


def live(bench: Bench) -> Section:
    """Fit the baseline with and without the extension, one after the other."""
    times, epochs = bench.count(TIMES, 1), bench.count(EPOCHS, 1)
    home = _keras_home(bench)
    watched: list[float] = []
    plain: list[float] = []
    checks: list[float] = []
    for number in range(times):
        both = [("plain", plain), ("watched", watched)]
        for how, fits in reversed(both) if number % 2 else both:
            fit_s, check_s = _run(home, how, epochs)
            fits.append(fit_s)
            checks += [check_s] if how == "watched" else []
            bench.say(f"live: {number + 1} of {times}, {how}: {fit_s:.2f} s")
    more = 100 * (statistics.median(watched) / statistics.median(plain) - 1)
    rows = [
        ("fit without the extension", seconds(statistics.median(plain), 2), ""),
        ("fit with the extension", seconds(statistics.median(watched), 2), ""),
        ("**so it costs**", f"**{more:+.1f} %**", f"≤ {TARGET} %"),
        ("`%check`", seconds(statistics.median(checks), 2), ""),
    ]
    said = (
        f"The baseline on all training images, {epochs} epochs, in an IPython shell; medians of "
        f"{times}, with and without the extension by turns."
    )
    return Section(LIVE, f"{said}\n\n{table(('what', 'wall', 'target'), rows)}")


def _keras_home(bench: Bench) -> Path:
    """A home of Keras in which `load_data` finds the dataset."""
    spec = load_assignment(default_folder()).spec.dataset.spec
    home = bench.folder("keras-home")
    place = home / "datasets" / spec.keras_folder
    if not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(open_dataset(spec).keras)
    return home


def _run(home: Path, how: str, epochs: int) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how, str(epochs)],
        env={**os.environ, "KERAS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    fit_s, check_s = done.stdout.strip().rpartition("\n")[2].split()
    return float(fit_s), float(check_s)
