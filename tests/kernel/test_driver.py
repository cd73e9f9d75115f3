"""The driver goes on after a failing cell, stops what does not stop, keeps what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader import wire
from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.evidence import Fit, Note
from grader.execution import Execution, execute
from grader.notebook import read_notebook, to_run
from grader.sandbox import Level, open_sandbox
from grader.watching import Watching

from .conftest import LOAD, Run, limited, notebook

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

STUBBORN = """
import time
while True:
    try:
        while True: time.sleep(0.05)
    except KeyboardInterrupt: pass
"""
DROPPED = """
import time, weakref
class Thing: pass
def slow(_): time.sleep(8)
thing = Thing()
reference = weakref.ref(thing, slow)
del thing
while True: time.sleep(0.05)
"""
COLAB = """
!pip install -q tensorflow==1.0
if True:
    !wget -q http://example.org/x.zip
    lista = !curl http://example.org
%tensorflow_version 2.x
from google.colab import drive, files
drive.mount('/content/drive')
files.upload()
%load_ext grader
%check
import google.protobuf
print('listo')
"""


def statuses(execution: Execution) -> list[str]:
    return [cell.status for cell in execution.records.cells]


def printed(execution: Execution, cell: int) -> str:
    return json.dumps(execution.records.cells[cell].outputs)


@pytest.fixture(scope="module")
def everyday(run_cells: Run) -> Execution:
    """One kernel that meets an error, Colab's ways, a flood and a question."""
    return run_cells(
        LOAD, "1/0", COLAB, "print('x' * 30_000_000)", "input('?')", "print(x.shape)",
        "from IPython.display import HTML\nfor i in range(3000): display(HTML('y' * 1000))",
    )  # fmt: skip


def test_goes_on_after_a_failing_cell(everyday: Execution) -> None:
    """An error costs its own cell and nothing else."""
    assert ["ok", "error", "ok", "ok", "error", "ok", "ok"] == statuses(everyday)
    assert "finished" == everyday.reason
    assert "(2000, 28, 28)" in printed(everyday, 5)


def test_says_what_failed(everyday: Execution) -> None:
    """The error's name and message are kept; a question gets a clear one."""
    division, question = everyday.records.cells[1], everyday.records.cells[4]

    assert ("ZeroDivisionError", "division by zero") == (division.error, division.message)
    assert "StdinNotImplementedError" == question.error


def test_tensorflows_start_up_lines_are_filtered(everyday: Execution) -> None:
    """What TensorFlow says when it starts is no output of the student's."""
    assert "oneDNN" not in printed(everyday, 0)
    assert "absl" not in printed(everyday, 0)


def test_colabs_ways_are_neutral(everyday: Execution) -> None:
    """Installing, downloading and Colab's own modules are skipped with a note."""
    notes = [(note.what, note.detail) for note in everyday.records.of(Note)]

    assert [
        ("shell", "pip install -q tensorflow==1.0"),
        ("shell", "wget -q http://example.org/x.zip"),
        ("shell", "curl http://example.org"),
        ("magic", "2.x"),
    ] == notes
    assert "listo" in printed(everyday, 2)


def test_floods_are_capped(everyday: Execution) -> None:
    """Outputs over the cap are dropped, in one message or in thousands."""
    for cell in (3, 6):
        assert len(printed(everyday, cell)) < 1.3 * wire.MAX_OUTPUT_BYTES


def test_an_endless_cell_is_interrupted_until_it_stops(run_cells: Run) -> None:
    """One at once; one whose first interrupt falls into a weak reference's callback later."""
    execution = run_cells("while True: pass", DROPPED, "print('sigo')", cell_s=5)

    assert ["timeout", "timeout", "ok"] == statuses(execution)
    assert "finished" == execution.reason


def test_a_cell_that_ignores_interrupts_costs_the_rest(run_cells: Run) -> None:
    """The kernel is ended; later cells are not run; what was recorded before stays."""
    execution = run_cells("print('antes')", STUBBORN, "print(1)", cell_s=3)

    assert ["ok", "timeout", "not_run"] == statuses(execution)
    assert "a cell did not stop when it was interrupted" == execution.reason
    assert "antes" in printed(execution, 0)


@pytest.mark.parametrize(
    ("code", "cut"),
    [("import os; os.kill(os.getpid(), 9)", True), ("import os; os.abort()", False)],
)
def test_a_kernel_that_is_killed_may_be_our_machines_fault(
    run_cells: Run, code: str, cut: bool
) -> None:
    """The system kills the largest process where the machine has too little memory."""
    execution = run_cells("print(1)", code)

    assert ["ok", "killed"] == statuses(execution)
    assert cut == execution.cut == ("the kernel was killed" == execution.reason)


def test_a_kernel_that_is_too_large_is_nobody_elses_fault(run_cells: Run) -> None:
    """Its own limit is the notebook's affair, whoever of its processes was the largest."""
    execution = run_cells("x = bytearray(2 << 30)", memory_mb=1024)

    assert execution.reason in {"memory", "the kernel was killed", "finished"}
    assert not execution.cut


def test_an_interrupt_on_the_way_into_a_call_hides_no_later_one(run_cells: Run) -> None:
    """What it left half done ends with its cell."""
    half = """
import gc
half = next(one for one in gc.get_objects() if type(one).__name__ == "Recorder").nested.inside()
half.__enter__()
"""
    execution = run_cells(LOAD, half, "net().fit(x, y, epochs=1, verbose=0)")

    assert ["ok", "ok", "ok"] == statuses(execution)
    assert 1 == len(execution.records.of(Fit))


def test_what_is_trained_after_the_end_changes_nothing(run_cells: Run) -> None:
    """A thread of the notebook's may still wait for an epoch when its last cell ends."""
    watching = Watching()
    execution = run_cells(LOAD, "net().fit(x, y, epochs=1, verbose=0)", watching=watching)
    assert watching.ledger is not None
    (fit,) = watching.ledger.fits
    fit.states.append(fit.states[-1])

    assert [1] == [one.epochs for one in execution.trainings]


def test_a_kernel_that_dies_half_way(run_cells: Run) -> None:
    """A dead kernel ends the run with what was recorded."""
    execution = run_cells(
        LOAD, "net().fit(x, y, epochs=1, verbose=0)", "import os; os._exit(7)", "print(1)"
    )

    assert ["ok", "ok", "killed", "not_run"] == statuses(execution)
    assert "the kernel died" == execution.reason
    assert 1 == len(execution.records.of(Fit))


def test_an_interrupted_fit_keeps_its_finished_epochs(run_cells: Run) -> None:
    """A training over the cell's limit counts the epochs that it completed."""
    execution = run_cells(
        LOAD, "net().fit(x, y, epochs=100000, verbose=0)", "print('sigo')", cell_s=15, local=True
    )

    assert ["ok", "timeout", "ok"] == statuses(execution)
    (fit,) = execution.records.of(Fit)
    assert "KeyboardInterrupt" == fit.error
    assert 0 < fit.epochs_run < 100_000
    assert fit.epochs_run == len(fit.history["accuracy"])


def test_a_training_over_its_budget_goes_on_in_the_kernel(run_cells: Run) -> None:
    """Waiting stops the cell's clock; past the trainer's budget the clock runs again."""
    execution = run_cells(
        LOAD, "net().fit(x, y, epochs=100000, verbose=0)", "print('sigo')", cell_s=12, fit_s=15
    )

    assert ["ok", "timeout", "ok"] == statuses(execution)
    (fit,) = execution.records.of(Fit)
    assert fit.error  # the interrupt; Keras or TensorFlow may have made another error of it
    assert "took more than 15 s" in str(fit.local)
    assert ("took more than 15 s" in execution.refusals[0], True) == (
        True, execution.waited_s > 12,
    )  # fmt: skip
    assert fit.epochs_run > execution.trainings[0].epochs > 8


def test_the_whole_notebooks_deadline_is_kept_outside(
    tmp_path: Path,
    assignment: Assignment,
    dataset: Dataset,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A student who kills the driver still meets the deadline, and the records stay."""
    monkeypatch.setattr("grader.execution.MARGIN_S", 1)
    cells = notebook(
        "print('antes')",
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(999)",
    )
    execution = execute(
        open_sandbox(Level.STANDARD, slot=61),
        cells,
        limited(assignment, notebook_s=12),
        dataset,
        tmp_path,
        service,
    )

    assert ("deadline", "deadline") == (execution.ended.reason, execution.reason)
    assert ["ok"] == statuses(execution)


def test_tags_and_kernelspecs_do_not_steer(
    run_cells: Run, tmp_path: Path, assignment: Assignment, dataset: Dataset, service: Service
) -> None:
    """Tags that skip a cell or allow its error, and another kernel's name, change nothing."""
    cell: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    hostile = {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "bash", "language": "bash", "display_name": "x"}},
        "cells": [
            {**cell, "id": "a", "source": "print(6 * 7, open('/proc/1/comm').read())", "metadata": {"tags": ["skip-execution"]}},
            {**cell, "id": "b", "source": "1/0", "metadata": {"tags": ["raises-exception"]}},
        ],
    }  # fmt: skip
    clean = to_run(read_notebook(json.dumps(hostile).encode(), "hostile.ipynb"))
    execution = execute(
        open_sandbox(Level.STANDARD, slot=62), clean, assignment, dataset, tmp_path, service
    )

    assert ["ok", "error"] == statuses(execution)
    assert "42 bwrap" in printed(execution, 0)
