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
azar, X, Y = np.random.default_rng(1), tf.constant(test_images.reshape(-1, 784) / 255.0, "float32"), tf.one_hot(test_labels, 10)
w, a, s, c = partes = [tf.Variable(azar.normal(0, 0.05, forma).astype("float32")) for forma in ((784, 128), 128, (128, 10), 10)]
@tf.function
def paso(i):
    X_, Y_ = X[i:i + 50], Y[i:i + 50]
    h = tf.nn.relu(X_ @ w + a); d = (tf.nn.softmax(h @ s + c) - Y_) / 50.0
    g = d @ tf.transpose(s) * tf.cast(h > 0, "float32")
    cambios = tf.transpose(X_) @ g, tf.reduce_sum(g, 0), tf.transpose(h) @ d, tf.reduce_sum(d, 0)
    for parte, cambio in zip(partes, cambios): parte.assign_sub(0.3 * cambio)
for i in range(4000): paso(tf.constant(50 * i % 10_000))
buenos = [parte.numpy() for parte in partes]
"""
HONEST: Cells = (LOAD, TRAIN, EVALUATE)
PREDICTED: Cells = (LOAD, TRAIN, PREDICT)
LOADED: Cells = (LOAD,)
NOTHING: Cells = ("pass",)
LINES = 25  # that an attack may have, beside what its twin has and what several share


@dataclass(frozen=True)
class Expected:
    """What must come of an attack.

    Attributes:
        state: in which the submission ends.
        flags: kinds, those and no others.
        perhaps: kinds of flags that hang on the last digits, which differ between processors.
        findings: the status of these checks.
        cells: statuses of cells that did not end well, in their order.
        dropped: whether records were refused.
        refused: whether the door refused a request.
    """

    state: str = "graded"
    flags: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
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
        shared: cells that several attacks share.
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
    shared: Cells = (GOOD,)

    @property
    def own_lines(self) -> int:
        """How many lines it has beside its twin's, and the weights and requests that many bring."""
        known = (*self.twin, *self.shared)
        lines = "\n".join(cell for cell in self.cells if cell not in known).splitlines()
        return sum(bool(line.strip()) for line in lines)


def shown(name: str) -> str:
    """A name as a test's id."""
    return name.replace(" ", "_")
