"""Equal notebooks give equal results, whoever grades them beside whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.cli import main
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
    "carla": "m = net(16); m.fit(x, y, epochs=2, batch_size=50, verbose=0)",
    "diego": "m = net(24); m.fit(x.reshape(-1, 28, 28), y, epochs=2, verbose=0)",
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
        found[name] = _timeless(json.loads(path.read_text(encoding="utf-8")))
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
    assert measured["ana"] != measured["carla"]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name != "seconds"}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
