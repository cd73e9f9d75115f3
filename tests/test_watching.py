"""The line that says where a running notebook is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader import wire
from grader.locale import Translator
from grader.watching import Watching, _left_s, _line, shown

SOURCES = ["", "import tensorflow as tf", "", "# Tarea 2.1 · Línea base\nmodel.fit(x)", "  "]


def ledger(*epochs: int, final: str | None = None) -> Any:
    return SimpleNamespace(fits=[SimpleNamespace(epochs=one, final=final) for one in epochs])


def test_the_line_names_cell_epoch_and_what_is_left(tmp_path: Path) -> None:
    """Code cells are counted as Jupyter counts them."""
    (tmp_path / wire.CELL).write_text("3", encoding="utf-8")
    watching = Watching(tmp_path, ledger(10, 4))
    watching.began -= 140.0
    line = _line(watching, SOURCES, 50, Translator("es"))

    assert line.startswith("Celda 2 de 2 «# Tarea 2.1 · Línea base» · época 4 de este")
    assert "cerca de 6 min" in line


def test_what_a_kernel_writes_is_only_shown(tmp_path: Path) -> None:
    """A cell that is no number, or none of the notebook's, is left out."""
    for text in ("[red]", "99", "-1", "2"):
        (tmp_path / wire.CELL).write_text(text, encoding="utf-8")

        assert "Preparo el cuaderno" == _line(Watching(tmp_path), SOURCES, 50, Translator("es"))


def test_an_epoch_is_told_only_while_its_training_goes_on() -> None:
    """The cells after it have no epoch."""
    assert (4, 14) == Watching(None, ledger(10, 4)).epochs
    assert (0, 14) == Watching(None, ledger(10, 4, final="state")).epochs


def test_nothing_is_said_of_a_time_that_is_not_known() -> None:
    """Before the first epoch nobody knows; after the last one nothing is left."""
    assert _left_s(30.0, 0, 50) is None
    assert 30.0 == _left_s(30.0, 25, 50)
    assert 0.0 == _left_s(30.0, 60, 50)


def test_without_a_terminal_nothing_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    with shown(Watching(), SOURCES, 50, Translator("es")):
        pass

    assert ("", "") == capfd.readouterr()
