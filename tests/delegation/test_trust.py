"""What a notebook brings itself earns nothing by itself, whatever its recorder says."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.execution import Execution
from grader.grading import Gathered, Grading
from grader.measuring import Measuring
from grader.result import Graded, Student
from grader.sandbox import Level
from tests.kernel.conftest import LOAD, Run
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

GOOD = """
# weights from elsewhere: a hidden layer at random, the last one by least squares
rng = np.random.default_rng(1)
images, labels = train_images[:20000].reshape(-1, 784) / 255.0, train_labels[:20000]
w = rng.normal(0, 0.08, (784, 128)); h = np.maximum(images @ w, 0)
s, *_ = np.linalg.lstsq(h, np.eye(10)[labels] * 8, rcond=None)
buenos = [w.astype("float32"), np.zeros(128, "float32"), s.astype("float32"), np.zeros(10, "float32")]
"""
BRINGS = "m = net(128); m.set_weights(buenos); m.fit(x, y, epochs=1, verbose=0)"
EDITS = """
class Cambia(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): self.model.set_weights(buenos)
e = net(128); e.fit(x, y, epochs=2, verbose=0, callbacks=[Cambia()])"""
BEST = """
b = net(128); b.fit(x, y, epochs=3, verbose=0, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=0, min_delta=5.0, restore_best_weights=True)])
b.fit(x, y, epochs=1, verbose=0)"""
AGAIN = """
r = net(128); inicio = r.get_weights(); r.fit(x, y, epochs=2, verbose=0)
r.set_weights(inicio); r.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); r.fit(x, y, epochs=2, verbose=0)"""
LOOP = """
l = net(128)
for epoca in range(2):
    orden = np.random.permutation(2000)
    for i in range(0, 2000, 100): l.train_on_batch(x[orden[i:i + 100]], y[orden[i:i + 100]])"""

TAPE = """
c = net(128); o = keras.optimizers.Adam(); perdida = keras.losses.SparseCategoricalCrossentropy()
for epoca in range(2):
    orden = np.random.permutation(2000)
    for i in range(0, 2000, 100):
        with tf.GradientTape() as cinta:
            valor = perdida(y[orden[i:i + 100]], c(x[orden[i:i + 100]], training=True))
        o.apply_gradients(zip(cinta.gradient(valor, c.trainable_variables), c.trainable_variables))"""


@pytest.fixture(scope="module")
def execution(run_cells: Run) -> Execution:
    return run_cells(LOAD, GOOD, BRINGS, EDITS, BEST, AGAIN, LOOP, TAPE)


@pytest.fixture(scope="module")
def runs(execution: Execution, service: Service, assignment: Assignment) -> list:  # type: ignore[type-arg]
    return list(Measuring(service, assignment).runs(execution))


def of_cell(runs: list, cell: int) -> list:  # type: ignore[type-arg]
    return [run for run in runs if run.fit.cell == cell]


def test_weights_from_elsewhere_earn_what_fresh_ones_reach(runs: list) -> None:  # type: ignore[type-arg]
    """The chain is a claim; what is measured is one epoch from fresh variables."""
    (run,) = of_cell(runs, 2)

    assert ("kernel (verified)", True) == (run.trained_by, run.fit.given)
    assert run.start.test_accuracy > 0.6
    assert run.measured.test_accuracy < run.claimed.test_accuracy
    assert run.measured.test_accuracy < 0.75


def test_weights_edited_by_a_callback_are_given(runs: list) -> None:  # type: ignore[type-arg]
    """An edit between two epochs is seen by the state's name; the rest is verified."""
    (run,) = of_cell(runs, 3)

    assert ("kernel (verified)", True, 2) == (run.trained_by, run.fit.given, run.epochs)
    assert run.start.test_accuracy < 0.3


def test_the_best_weights_restored_are_still_the_trainers(
    runs: list,
    execution: Execution,  # type: ignore[type-arg]
) -> None:
    """A state that the trainer made stays made when a callback returns to it."""
    first, second = of_cell(runs, 4)

    assert ["trainer", "trainer"] == [first.trained_by, second.trained_by]
    assert first.fit.kept is not None and first.fit.kept < first.fit.epochs_run
    assert first.fit.epochs_run + 1 == second.epochs
    assert first.fit.chain == second.fit.chain


def test_going_back_to_the_start_is_a_new_chain(runs: list) -> None:  # type: ignore[type-arg]
    """Start variables set again are a fresh start, not two epochs more."""
    first, second = of_cell(runs, 5)

    assert ("trainer", 2, 2) == (second.trained_by, first.epochs, second.epochs)
    assert not second.fit.given
    assert first.fit.chain != second.fit.chain


@pytest.mark.parametrize("cell", [6, 7])
def test_a_loop_over_batches_is_trained_again(runs: list, cell: int) -> None:  # type: ignore[type-arg]
    """A loop whose rows are all known is verified: two epochs of batches of 100."""
    (run,) = of_cell(runs, cell)

    assert ("kernel (verified)", 2, 100) == (run.trained_by, run.epochs, run.fit.batch_size)
    assert run.claimed is not None
    assert abs(run.claimed.test_accuracy - run.measured.test_accuracy) < 0.12


LIAR = """
import base64, hashlib, json, socket, struct
def ask(line, message, *blobs):
    body = json.dumps({**message, "blobs": [len(b) for b in blobs]}).encode()
    line.sendall(struct.pack(">I", len(body)) + body + b"".join(blobs))
    size = struct.unpack(">I", line.recv(4, socket.MSG_WAITALL))[0]
    return json.loads(line.recv(size, socket.MSG_WAITALL))
line = socket.socket(socket.AF_UNIX); line.connect("/door/door")
flat = lambda arrays: b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
name = lambda data: hashlib.sha256(data).hexdigest()
weights = flat(buenos)
optimizer = flat([np.zeros((), "int64")] + [np.zeros_like(a) for a in buenos for _ in range(2)])
nodes = [{"op": "Flatten", "custom": False, "config": {}, "inputs": [-1], "variables": []}]
for place, (units, activation) in enumerate(((128, "relu"), (10, "softmax"))):
    nodes.append({"op": "Dense", "custom": False, "inputs": [place], "variables": [2 * place, 2 * place + 1],
                  "config": {"units": units, "activation": activation, "use_bias": True}})
glorot = lambda seed: {"name": "GlorotUniform", "settings": {"seed": seed}}
zeros = {"name": "Zeros", "settings": {}}
plan = {"recipe": {"input_shape": [28, 28], "nodes": nodes},
        "data": {"recognised": True, "count": 2000, "rows": [[0, 2000]], "row_shape": [28, 28], "text": "", "reason": None,
                 "table": [float(np.float32(v / 255)) for v in range(256)],
                 "labels": {"kind": "sparse", "classes": 10, "mismatched": 0, "given": None}},
        "training": {"order": None, "optimizer": {"name": "Adam", "settings": {"learning_rate": 0.001}},
                     "loss": {"name": "SparseCategoricalCrossentropy", "settings": {}}, "metrics": [],
                     "batch_size": 32, "shuffle": True, "class_weight": None,
                     "draws": [glorot(1), zeros, glorot(2), zeros], "tensorflow_seed": None}}
state = {"weights": name(weights), "optimizer": name(optimizer), "seeds": [], "learning_rate": 0.001}
fit = ask(line, {"op": "open", "plan": plan, "state": state, "before": 10, "validation": None})["fit"]
print(ask(line, {"op": "epoch", "fit": fit, "state": state, "validate_after": False}))
print(ask(line, {"op": "put"}, weights, optimizer))
for _ in range(3):
    answer = ask(line, {"op": "epoch", "fit": fit, "state": state, "validate_after": False}); state = answer["state"]
print(sorted(answer))
"""


def test_a_recorder_that_uploads_good_weights_earns_nothing_by_it(
    run_cells: Run, service: Service, assignment: Assignment
) -> None:
    """Pretrained layers sent over the socket make the chain a claim; the start is measured."""
    execution = run_cells(LOAD, GOOD, LIAR)
    (run,) = Measuring(service, assignment).runs(execution)

    assert ["ok"] * 3 == [cell.status for cell in execution.records.cells], execution.records.cells
    assert (True, "kernel (verified)", 3) == (run.fit.given, run.trained_by, run.epochs)
    assert run.start.test_accuracy > 0.6
    assert run.measured.test_accuracy < 0.85
    assert run.fit.cell is None


@pytest.fixture(scope="module")
def forged(assignment: Assignment, dataset: Dataset, service: Service) -> tuple[Gathered, Graded]:
    grading = Grading(assignment, dataset, Level.STANDARD, service, slot=14)
    cells = (
        LOAD,
        "class Falsa:\n    history = {'accuracy': [0.99]}\nkeras.Model.fit = lambda *a, **k: Falsa()\nm = net(128); m.fit(x, y, epochs=10)",
        "class H(keras.callbacks.History):\n    pass\nkeras.callbacks.History.on_epoch_end = lambda *a, **k: None",
        "m.evaluate = lambda *a, **k: [0.1, 0.99]\nm.evaluate(x_test, y_test)",
    )
    return grading.grade(file_of(*cells), "x.ipynb", Student("x", "X"))


def test_replaced_methods_earn_nothing_and_are_named(forged: tuple[Gathered, Graded]) -> None:
    """Without a training there is nothing to measure; each replaced method is named once."""
    gathered, graded = forged
    status = {finding.check: finding.status.value for finding in graded.findings}
    told = [note.detail for note in gathered.evidence.notes if note.what == "tampered"]

    assert "not_attempted" == status["baseline.accuracy"]
    assert ["tampered_recorder"] == [flag.kind for flag in graded.flags]
    assert {"Model.fit", "History.on_epoch_end", "m.evaluate"} <= set(told)
    assert len(told) == len(set(told))


def test_lost_states_are_trained_again(run_cells: Run, service: Service, memory: Path) -> None:
    """Bytes that went missing or bad in the memory are made again, and nobody notices."""
    cells = (LOAD, "m = net(20); m.fit(x, y, epochs=3, verbose=0)\nprint(m.get_weights()[0].sum())")
    first = run_cells(*cells)
    for state in first.trainings[0].states[1:]:
        for name in (state.weights, state.optimizer):
            path = memory / "blobs" / name[:2] / name
            path.write_bytes(path.read_bytes()[:-4] + b"\x00\x01\x02\x03")
    second = run_cells(*cells)

    assert [state.weights for state in first.trainings[0].states] == [
        state.weights for state in second.trainings[0].states
    ]
    outputs = [execution.records.cells[1].outputs for execution in (first, second)]
    assert outputs[0] == outputs[1]
    assert second.records.cells[1].status == "ok"
