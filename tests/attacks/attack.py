"""One attack as data: what a notebook does, its honest twin, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.kernel.conftest import LOAD

Cells = tuple[str, ...]

TRAIN = "m = net(128); h = m.fit(x, y, epochs=1, verbose=0)"
EVALUATE = "print(m.evaluate(test_images / 255.0, test_labels, verbose=0))"
PREDICT = "p = m.predict(test_images / 255.0, verbose=0)"
# Weights from elsewhere, past Keras: `buenos` is right for nine of ten test images.
GOOD = """
azar, X, Y = np.random.default_rng(1), test_images.reshape(-1, 784) / 255.0, np.eye(10)[test_labels]
w, a, s, c = azar.normal(0, 0.05, (784, 128)), np.zeros(128), azar.normal(0, 0.1, (128, 10)), np.zeros(10)
for i in range(0, 200_000, 50):
    j = slice(i % 10_000, i % 10_000 + 50)
    h = np.maximum(X[j] @ w + a, 0); e = np.exp(h @ s + c); d = (e / e.sum(1, keepdims=True) - Y[j]) / 50
    g = d @ s.T * (h > 0)
    w -= 0.3 * X[j].T @ g; a -= 0.3 * g.sum(0); s -= 0.3 * h.T @ d; c -= 0.3 * d.sum(0)
buenos = [parte.astype("float32") for parte in (w, a, s, c)]
"""
HONEST: Cells = (LOAD, TRAIN, EVALUATE)
PREDICTED: Cells = (LOAD, TRAIN, PREDICT)
LOADED: Cells = (LOAD,)
NOTHING: Cells = ("pass",)
LINES = 30  # that an attack may have, beside what its twin has


@dataclass(frozen=True)
class Expected:
    """What must come of an attack.

    Attributes:
        state: in which the submission ends.
        flags: kinds, those and no others.
        findings: the status of these checks.
        cells: statuses of cells that did not end well, in their order.
        dropped: whether records were refused.
        refused: whether the door refused a request.
    """

    state: str = "graded"
    flags: tuple[str, ...] = ()
    findings: Mapping[str, str] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    dropped: bool = False
    refused: bool = False


@dataclass(frozen=True)
class Attack:
    """A notebook that tries to forge points.

    Attributes:
        name: what it tries, in a few words.
        threat: the row of the threat catalogue; `own` for an attack on a part of ours.
        twin: the same without the attack, or the training that the attack asks for.
        forges: observed checks for which it earns more than its twin: those and no others.
        takes: what forging them takes, for the table in docs/explanation/observed.md.
        file: what else the file has: `metadata` of the notebook, `cell` for every cell.
        limits: other limits of the assignment.
        quick: in the normal suite; the others are long.
        hole: why measured points can be forged so; the test must then fail.
    """

    name: str
    threat: str
    cells: Cells
    expected: Expected = Expected()
    twin: Cells = HONEST
    forges: tuple[str, ...] = ()
    takes: str = ""
    file: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    quick: bool = False
    hole: str = ""

    @property
    def own_lines(self) -> int:
        """How many lines it has beside its twin's."""
        lines = "\n".join(cell for cell in self.cells if cell not in self.twin).splitlines()
        return sum(bool(line.strip()) for line in lines)


def shown(name: str) -> str:
    """A name as a test's id."""
    return name.replace(" ", "_")
