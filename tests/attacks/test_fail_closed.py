"""A fault at each border between two steps: nobody passes by it, and nobody gets a zero unsaid.

What breaks while results are judged and written is in tests/batch/test_rescoring.py, and a check
that breaks in tests/checks/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader import execution, wire
from grader.cli import main
from grader.dataset.store import Dataset
from grader.delegation import Door, Memory, Service
from grader.grading import Grading, open_service
from grader.loading import default_folder, load_assignment
from grader.locale import Translator
from grader.measuring import Measuring
from grader.records import Records, read_records
from grader.report.log import problems
from grader.result import Graded, Student
from grader.sandbox import Level
from grader.trainer import Trainer
from tests.attacks.attack import EVALUATE, HONEST, LOAD, NOTHING, TRAIN, Cells
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

Patch = pytest.MonkeyPatch
ASSIGNMENT = load_assignment(default_folder())


def no_kernel(patch: Patch) -> None:
    """Python starts behind the walls and leaves."""
    patch.setattr(execution, "START", "raise SystemExit('no kernel today')")


def changed(patch: Patch, name: str, change: Callable[[bytes], bytes | None]) -> None:
    """A file of the run folder is another one before it is read; None: it is not there."""

    def read(folder: Path) -> Records:
        path = folder / name
        data = change(path.read_bytes())
        path.unlink()
        if data is not None:
            path.write_bytes(data)
        return read_records(folder)

    patch.setattr(execution, "read_records", read)


def torn_events(patch: Patch) -> None:
    changed(patch, wire.EVENTS, lambda data: data[: len(data) // 2])


def no_events(patch: Patch) -> None:
    changed(patch, wire.EVENTS, lambda data: None)


def torn_cells(patch: Patch) -> None:
    changed(patch, wire.CELLS, lambda data: data[: len(data) // 2])


def no_cells(patch: Patch) -> None:
    changed(patch, wire.CELLS, lambda data: None)


def strange_events(patch: Patch) -> None:
    """Each record has a field that we do not know."""
    changed(patch, wire.EVENTS, lambda data: data.replace(b'{"kind":', b'{"new":1,"kind":'))


def cut_socket(patch: Patch) -> None:
    """The door closes every line after one answer."""

    def serve(door: Door, stream: Any) -> None:
        message, blobs = wire.read_frame(stream)
        wire.write_frame(stream, *door._answer(message, blobs))
        raise EOFError

    patch.setattr(Door, "_serve", serve)


def dead_trainers(patch: Patch) -> None:
    """A trainer is killed as soon as it is asked for something."""
    ask = Trainer.ask

    def killed(trainer: Trainer, *request: Any) -> dict[str, Any]:
        trainer._running.kill()
        return ask(trainer, *request)

    patch.setattr(Trainer, "ask", killed)


def out_of_time(patch: Patch) -> None:
    """The deadline that is kept outside comes while the notebook runs."""
    patch.setattr(execution, "MARGIN_S", 10 - ASSIGNMENT.spec.limits.notebook_s)


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("broken")


def broken_measuring(patch: Patch) -> None:
    patch.setattr(Measuring, "runs", broken)


@dataclass(frozen=True)
class Fault:
    """What breaks, how the submission must end, and words that must be said about it."""

    breaks: Callable[[Patch], None]
    state: str
    says: str
    cells: Cells = HONEST
    quick: bool = False
    ran: int = 0
    """Cells that must have run all the same."""


FAULTS = (
    Fault(no_kernel, "grader_error", "no kernel today", NOTHING, quick=True),
    Fault(torn_events, "graded", "could not be read"),
    Fault(no_events, "graded", "could not be read", NOTHING, quick=True),
    Fault(torn_cells, "graded", "could not be read", (LOAD, TRAIN, EVALUATE, "1", "2", "3")),
    Fault(no_cells, "needs_review", "record of its run is gone", NOTHING),
    Fault(strange_events, "graded", "could not be read"),
    Fault(cut_socket, "graded", ""),
    Fault(dead_trainers, "grader_error", "the trainer stopped"),
    Fault(
        out_of_time,
        "graded",
        "time limit",
        (*NOTHING, "import time; time.sleep(60)"),
        quick=True,
        ran=1,
    ),
    Fault(broken_measuring, "grader_error", "broken", NOTHING, quick=True),
)


@pytest.fixture(scope="module")
def honest(dataset: Dataset, service: Service) -> Graded:
    """The notebook that most faults meet, without a fault."""
    return graded(dataset, service, HONEST)


def graded(dataset: Dataset, service: Service, cells: Cells) -> Graded:
    grading = Grading(ASSIGNMENT, dataset, Level.STANDARD, service, slot=17)
    return grading.grade(file_of(*cells), "x.ipynb", Student("x", "X"))[1]


def said(one: Graded) -> str:
    """What a report says at its top, and the reasons of what waits."""
    say = Translator("en")
    waits = [say(finding.observed) for finding in one.findings if finding.status.pending]
    return " ".join([*problems(one, say), *waits])


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(one, id=one.breaks.__name__, marks=[] if one.quick else [pytest.mark.long])
        for one in FAULTS
    ],
)
def test_a_fault_is_no_pass_and_no_silent_zero(
    fault: Fault, request: pytest.FixtureRequest, dataset: Dataset, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It earns no more than without it; what it lost is said, or it lost nothing."""
    without = request.getfixturevalue("honest") if fault.cells[:3] == HONEST else None
    memory = Memory(tmp_path / "memory")
    fault.breaks(monkeypatch)
    with open_service(ASSIGNMENT, dataset, Level.STANDARD, memory=memory) as fresh:
        found = graded(dataset, fresh, fault.cells)

    earned = found.score.earned
    assert (fault.state, True) == (found.state.value, fault.says in said(found)), said(found)
    assert fault.ran == sum(cell.status == "ok" for cell in found.evidence.cells) or not fault.ran
    assert earned <= (without.score.earned if without else 0)
    assert said(found) or without is None or earned == without.score.earned
    if fault.state == "grader_error":
        assert found.score.pending == ASSIGNMENT.total


def test_a_report_that_nobody_can_get_stops_the_class_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is in the gradebook, and the same call goes on once it is mended."""
    source, out = tmp_path / "ana.ipynb", tmp_path / "out"
    source.write_bytes(b"no notebook")
    words = ["grade", str(source), "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr("grader.report.html._render", broken)
        stopped = CliRunner().invoke(main, words)
    again = CliRunner().invoke(main, words)

    assert 3 == stopped.exit_code
    assert "ZeroDivisionError: broken; ejecútala de nuevo para seguir" in stopped.output
    assert (1, True) == (again.exit_code, (out / "students" / "ana" / "report.html").exists())
