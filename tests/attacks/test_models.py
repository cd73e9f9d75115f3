"""What lies beside a notebook is never opened by a trusted process, and does nothing.

Keras's own faults (threats E) need somebody to load the file; the controller has no loader at all
(`make check`: its layer may import none), and the trainer is given recipes, never files.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.notebook import read_notebook
from grader.unreadable import Unreadable
from tests.attacks.models import FILES
from tests.attacks.test_intake import ROOT
from tests.review.a_class import QUESTIONS, notebook_of

LOADERS: dict[str, Any] = {
    "modelo.pkl": pickle.loads,
    "pesos.npy": lambda data: np.load(io.BytesIO(data), allow_pickle=True),
    "sitecustomize.py": lambda data: exec(data, {}),
}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def class_(tmp_path: Path, canary: Path) -> Path:
    """A class of two; one has every file beside the notebook, the notebook speaks of them."""
    folder = tmp_path / "in" / "clase"
    names = ", ".join(FILES)
    for student in ("ana", "luis"):
        (folder / student).mkdir(parents=True)
        (folder / student / "taller3.ipynb").write_bytes(
            notebook_of(dict.fromkeys(QUESTIONS, f"Mis modelos están en {names}."))
        )
    for name, make in FILES.items():
        path = folder / "ana" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(make(canary))
    return folder


def read(folder: Path) -> dict[str, Any]:
    """What the reading process says of the one source in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.reading", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-2_000:]
    line, _ = map(json.loads, done.stdout.splitlines())
    return dict(line)


@pytest.mark.parametrize("name", LOADERS)
def test_the_files_are_armed(name: str, canary: Path) -> None:
    """Loaded as its kind usually is, a file leaves its canary: the others look at something."""
    LOADERS[name](FILES[name](canary))

    assert canary.exists()


def test_a_class_with_model_files(class_: Path, canary: Path) -> None:
    """Intake, judgement and report open the notebooks and nothing beside them."""
    said = read(class_.parent)
    notebooks = {str(class_ / student / "taller3.ipynb") for student in ("ana", "luis")}

    assert notebooks == set(said["others"]) and ["read", "read"] == said["verdicts"][-2:]
    assert len(FILES) == said["verdicts"].count("ignored") and not canary.exists()


def test_an_archive_with_model_files(class_: Path, canary: Path) -> None:
    """In a ZIP: the archive is opened, and of it only the notebooks are read."""
    packed = class_.parent.parent / "packed"
    packed.mkdir()
    shutil.make_archive(str(packed / "clase"), "zip", class_)
    said = read(packed)

    assert [] == said["others"] and ["read", "read"] == said["verdicts"][-2:]
    assert len(FILES) == said["verdicts"].count("ignored") and not canary.exists()


@pytest.mark.parametrize("name", FILES)
def test_a_model_file_handed_in_as_the_notebook(tmp_path: Path, canary: Path, name: str) -> None:
    """Renamed to .ipynb it is unreadable, in words."""
    with pytest.raises(Unreadable) as caught:
        read_notebook(FILES[name](canary), f"{Path(name).stem}.ipynb")

    assert caught.value.looks_like and not canary.exists()
