"""A delegated fit is the fit that Keras would have done, bit for bit, in every supported shape.

With TensorFlow seeded the other side is Keras's stock `fit`, untouched; unseeded it is
`--train-in-kernel`. Compared are the model's, the optimizer's and the metrics' variables, history,
predictions, evaluations, and what every random generator would give next. Each case also asserts
that the fit really was delegated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import ClassVar

import pytest

from grader.evidence import Fit, Note
from grader.execution import Execution
from tests.delegation.shapes import LARGE, PRELUDE, SHAPES
from tests.kernel.conftest import Run

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(1500)]

STOCK = "type(m).fit.__wrapped__(m, "  # the recorder's wrapper taken off
TIMES = re.compile(r"\x1b\[[0-9;]*m|\d+(us|ms|s)(/(step|epoch))?")


class Exactness:
    """Runs every shape in two kernels, one of which trains by itself; a subclass says which."""

    shapes: ClassVar[Mapping[str, str]] = SHAPES
    seeded = False

    @pytest.fixture(scope="class")
    @classmethod
    def delegated(cls, run_cells: Run) -> Execution:
        return run_cells(*cls._cells(stock=False), cell_s=600, notebook_s=1400)

    @pytest.fixture(scope="class")
    @classmethod
    def local(cls, run_cells: Run) -> Execution:
        return run_cells(*cls._cells(stock=True), local=True, cell_s=600, notebook_s=1400)

    @classmethod
    def _cells(cls, *, stock: bool) -> list[str]:
        cells = [PRELUDE]
        for shape in cls.shapes.values():
            text = shape.replace("m.fit(", STOCK) if stock and cls.seeded else shape
            cells.append(("tf.random.set_seed(5)\n" if cls.seeded else "") + text)
        return cells

    def test_every_fit_is_delegated_and_the_same(
        self, delegated: Execution, local: Execution
    ) -> None:
        """No fit stayed in the kernel, and everything that a notebook can see is equal."""
        different = {}
        for place, name in enumerate(self.shapes, start=1):
            fits = [fit for fit in delegated.records.of(Fit) if fit.cell == place]
            stayed = [fit.local for fit in fits if fit.delegated is None or fit.local]
            first, second = shown(delegated, place), shown(local, place)
            if not fits or stayed or "SHOW" not in first or first != second:
                different[name] = stayed or _difference(first, second)

        assert {} == different
        assert delegated.trainings
        assert () == delegated.records.dropped
        assert [] == [note for note in delegated.records.of(Note) if note.what == "recorder"]

    def test_the_other_side_really_trained_by_itself(self, local: Execution) -> None:
        """Nothing was delegated there; else the comparison would be one of equals."""
        assert () == local.trainings
        fits = local.records.of(Fit)
        assert all(fit.delegated is None for fit in fits)
        assert bool(fits) is not self.seeded


@pytest.mark.long
class TestUnseeded(Exactness):
    """A fresh order in every epoch: delegated equals --train-in-kernel."""


class TestSomeUnseeded(Exactness):
    """The same for one shape of each kind, those below left out."""

    shapes: ClassVar[Mapping[str, str]] = {
        name: SHAPES[name]
        for name in (
            "batch normalisation", "validation every second", "compiled again",
            "early stopping, dropout, then on", "checkpoint", "nadam", "class weight", "progress",
        )
    }  # fmt: skip


@pytest.mark.long
class TestSeeded(Exactness):
    """TensorFlow seeded by the notebook: delegated equals Keras's stock fit."""

    seeded = True


class TestSomeSeeded(Exactness):
    """The same for the shapes in which seeds matter most."""

    seeded = True
    shapes: ClassVar[Mapping[str, str]] = {
        name: SHAPES[name]
        for name in ("plain", "dropout", "validation split", "two fits", "own callback", "unbuilt")
    }


@pytest.mark.long
class TestLarge(Exactness):
    """All 60,000 rows, the workshop's own models."""

    shapes = LARGE


def shown(execution: Execution, cell: int) -> str:
    """What a cell printed on standard output, without times."""
    outputs = execution.records.cells[cell].outputs
    printed = [str(one.get("text", "")) for one in outputs if one.get("name") == "stdout"]
    lines = TIMES.sub("", "".join(printed)).splitlines()
    # TensorFlow's advice on retracing names the functions that it saw by their addresses
    return "\n".join(line for line in lines if not line.startswith("WARNING:tensorflow"))


def _difference(first: str, second: str) -> object:
    try:
        one, other = (
            ast.literal_eval(text.split("SHOW ")[1].splitlines()[0]) for text in (first, second)
        )
        return {key: (one[key], other[key]) for key in one if one[key] != other[key]}
    except (IndexError, ValueError, SyntaxError):
        return first[-300:], second[-300:]
