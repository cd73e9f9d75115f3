"""Equal notebooks give equal results, whoever grades them beside whom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.cli import main
from tests.batch.folders import left, timeless
from tests.batch.test_lost_processes import a_class
from tests.kernel.conftest import LOAD
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(900)]

CLASS = {
    "ana": "m = net(16); m.fit(x, y, epochs=2, verbose=0); m.evaluate(x_test, y_test, verbose=0)",
    "bruno": """
    keras.layers.Dense(7)  # used by nothing
    red = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(16),
                            keras.layers.Activation("relu"), keras.layers.Dense(10, "softmax")])
    red.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    red.fit(x, y, epochs=3, verbose=0)""".replace("\n    ", "\n"),
}


def graded(
    folder: Path, names: tuple[str, ...], workers: int, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Grade some of the class from an empty memory; return each result.json without times."""
    monkeypatch.setenv("GRADER_MEMORY", str(folder / "memory"))
    source = folder / "class"
    source.mkdir()
    for name in names:
        (source / f"{name}.ipynb").write_bytes(file_of(LOAD, CLASS[name]))
    words = ["grade", str(source), "--out", str(folder / "out"), "--workers", str(workers)]
    said = CliRunner().invoke(main, words)
    assert said.exit_code in (0, 1), said.output
    found = {}
    for name in names:
        path = folder / "out" / "students" / name / "result.json"
        found[name] = timeless(json.loads(path.read_text(encoding="utf-8")))
    return found


def test_any_number_of_workers_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One trainer, two trainers, or in other company: everything in result.json but times."""
    folders = [tmp_path / name for name in ("one", "two", "apart")]
    for folder in folders:
        folder.mkdir()
    one = graded(folders[0], tuple(CLASS), 1, monkeypatch)
    two = graded(folders[1], tuple(CLASS), 2, monkeypatch)
    apart = graded(folders[2], ("bruno",), 1, monkeypatch)

    assert one == two
    assert one["bruno"] == apart["bruno"]
    measured = {name: [run["test_accuracy"] for run in one[name]["runs"]] for name in one}
    assert all(len(runs) == 1 and runs[0] is not None for runs in measured.values()), measured
    assert measured["ana"] != measured["bruno"]


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_thirty_beside_a_hog_are_the_same_for_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One, two and four trainers, each from an empty memory, and a process that takes a core."""
    source = a_class(tmp_path / "class", 30)
    found = []
    for workers in (1, 2, 4):
        out = tmp_path / f"out{workers}"
        monkeypatch.setenv("GRADER_MEMORY", f"{out}-memory")
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as hog:
            words = ["grade", str(source), "--out", str(out), "--workers", str(workers)]
            said = CliRunner().invoke(main, words)
            hog.kill()
        assert said.exit_code in (0, 1), said.output
        found.append(left(out))

    assert 30 == len(found[0])
    assert found[0] == found[1] == found[2]
