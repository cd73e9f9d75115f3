"""Benchmark 6: what `%load_ext grader` costs a `fit` in the student's own kernel."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.report import Section, seconds, table
from grader.dataset.store import open_dataset
from grader.loading import default_folder, load_assignment

LIVE = "6 · The self-check in the notebook"
ROUNDS, EPOCHS, TARGET = 16, 2, 2
MODEL = """
from tensorflow import keras
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, x_test = x / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Input((28, 28)), keras.layers.Flatten(),
                          keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y)"""
Took = tuple[float, float]  # wall and processor seconds


def live(bench: Bench) -> Section:
    """Fit in two shells, one with the extension, by turns: the machine's pace is then the same."""
    rounds = bench.count(ROUNDS, 2)
    plain: list[Took] = []
    watched: list[Took] = []
    os.environ["KERAS_HOME"] = str(_keras_home(bench))
    with _shell(False) as without, _shell(True) as extended:
        both = [(without, plain), (extended, watched)]
        for number in range(rounds):
            for shell, took in reversed(both) if number % 2 else both:
                took.append(_in(shell, f"model.fit(x, y, epochs={EPOCHS})"))
            bench.say(f"live: {number + 1} of {rounds}, {plain[-1][0]:.2f} {watched[-1][0]:.2f} s")
        _in(extended, "model.evaluate(x_test, y_test)")
        check_s = _in(extended, "%check")[0]
    rows = [
        ("fit without the extension", *_medians(plain), ""),
        ("fit with the extension", *_medians(watched), ""),
        ("**so it costs**", *_more(plain, watched), f"≤ {TARGET} %"),
        ("`%check`", seconds(check_s, 2), "", ""),
    ]
    said = (
        f"The baseline on all training images, {EPOCHS} epochs, in two IPython shells by turns, "
        f"{rounds} times; medians. The cost is the median of each turn's ratio, with the quartiles."
    )
    return Section(LIVE, f"{said}\n\n{table(('what', 'wall', 'processor', 'target'), rows)}")


def _medians(took: Sequence[Took]) -> tuple[str, ...]:
    return tuple(seconds(statistics.median(part), 2) for part in zip(*took, strict=True))


def _more(plain: Sequence[Took], watched: Sequence[Took]) -> Iterator[str]:
    for before, after in zip(zip(*plain, strict=True), zip(*watched, strict=True), strict=True):
        percent = [100 * (b / a - 1) for a, b in zip(before, after, strict=True)]
        low, middle, high = statistics.quantiles(percent, n=4)
        yield f"**{middle:+.1f} %** ({low:+.1f} to {high:+.1f})"


def _keras_home(bench: Bench) -> Path:
    """A home of Keras in which `load_data` finds the dataset."""
    spec = load_assignment(default_folder()).spec.dataset.spec
    home = bench.folder("keras-home")
    place = home / "datasets" / spec.keras_folder
    if not place.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(open_dataset(spec).keras)
    return home


@contextmanager
def _shell(watched: bool) -> Iterator[Connection]:
    """Start a shell in a process of its own, in which the model has been trained once."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, watched), daemon=True)
    process.start()
    there.close()
    try:
        _in(here, MODEL)
        yield here
    finally:
        here.close()
        process.join()


def _in(shell: Connection, source: str) -> Took:
    shell.send(source)
    took: Took = shell.recv()
    return took


def _serve(connection: Connection, watched: bool) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    shell: Any = InteractiveShell.instance()
    if watched:
        shell.run_cell("%load_ext grader").raise_error()
    while True:
        try:
            source = connection.recv()
        except EOFError:
            return
        began = time.perf_counter(), time.process_time()
        shell.run_cell(source, store_history=True).raise_error()
        connection.send((time.perf_counter() - began[0], time.process_time() - began[1]))
