"""Every engine keeps the same promises; a Dask cluster also when its workers die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import Client

from grader.batch.board import Board
from grader.batch.engines import Engine, Stopped, Task, UsageProblem
from grader.batch.engines.dask import DaskEngine
from grader.batch.engines.local import LocalEngine
from grader.batch.machine import Machine
from grader.cli import main
from grader.dataset.store import Dataset
from grader.gradebook.form import to_json
from grader.grading import Gathered
from grader.intake import IntakeError, Submission
from grader.loading import default_folder, load_assignment
from grader.locale import T
from grader.result import NotebookFile, Student
from grader.sandbox import Level
from tests.batch.cluster import cluster
from tests.batch.folders import timeless
from tests.kernel.conftest import LOAD
from tests.test_grading import file_of

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(240, method="signal")]
ASSIGNMENT = load_assignment(default_folder())
EMPTY = file_of()


def task(name: str, data: bytes = EMPTY, read: Callable[[], bytes] | None = None) -> Task:
    return Task(Submission(Student(name, name), f"{name}.ipynb", read or (lambda: data)))


def gone(error: Exception) -> bytes:
    raise error


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(tmp_path_factory.mktemp("cluster")) as file:
        yield file


@pytest.fixture(scope="module", params=["local", "dask"])
def engine(request: pytest.FixtureRequest, dataset: Dataset) -> Iterator[Engine]:
    """Two trainers: on this machine, or on the two workers of a cluster."""
    if request.param == "local":
        with LocalEngine(ASSIGNMENT, dataset, Machine(Level.STANDARD, 2, 2)) as opened:
            yield opened
    else:
        with DaskEngine(ASSIGNMENT, str(request.getfixturevalue("scheduler")), 1, False) as opened:
            yield opened


def gathered(
    engine: Engine, *tasks: Task, stop: threading.Event | None = None
) -> dict[str, Gathered]:
    found = engine.gathered(tasks, Board(), stop or threading.Event())
    return {one.submission.student.id: left for one, left in found}


CODE = file_of(LOAD, "m = net(16); _ = m.fit(x[:600], y[:600], epochs=1, verbose=0)")
TASKS = (
    task("ana", CODE),
    task("bruno", b"no notebook"),
    task("carla", read=partial(gone, IntakeError(T("does not exist; check the name")))),
)


@pytest.fixture(scope="module")
def alone(dataset: Dataset) -> dict[str, Gathered]:
    """What the tasks leave on this machine, one after the other."""
    with LocalEngine(ASSIGNMENT, dataset, Machine(Level.STANDARD, 1, 1)) as local:
        return gathered(local, *TASKS)


class TestEngine:
    def test_a_notebook_leaves_the_same_everywhere(
        self, engine: Engine, alone: dict[str, Gathered]
    ) -> None:
        """What a run leaves does not tell who ran it: cells, trainings, what could not be read."""
        found = alone if isinstance(engine, LocalEngine) else gathered(engine, *TASKS)

        assert {"ana", "bruno", "carla"} == set(found)
        assert ["ana"] == [name for name, one in found.items() if one.notebook is not None]
        assert not any(one.fault for one in found.values())
        assert {found["ana"].under} == set(engine.unders)
        (run,) = found["ana"].evidence.runs
        assert run.measured is not None
        for name, one in alone.items():
            assert plain(one) == plain(found[name])

    def test_who_begins_is_on_the_board(self, engine: Engine) -> None:
        """A submission is named when it begins, and struck out when it has ended."""
        began: list[str] = []
        board = Board(lambda submission: began.append(submission.student.id))
        list(engine.gathered([task("ana", b"none"), task("bruno")], board, threading.Event()))

        assert ["ana", "bruno"] == sorted(began)
        assert [] == board.seats()

    def test_nothing_begins_after_a_stop(self, engine: Engine) -> None:
        """What runs is finished, what waits is not begun."""
        stop = threading.Event()
        found = engine.gathered([task(f"s{number}") for number in range(8)], Board(), stop)
        next(found)
        stop.set()

        assert len(list(found)) < 7
        assert {} == gathered(engine, task("ana"), stop=stop)

    def test_an_earlier_run_is_not_run_again(self, engine: Engine) -> None:
        """What an earlier run left comes back with its seeds; here none are missing."""
        earlier = Gathered(NotebookFile("ana.ipynb", "0" * 64), problem=T("does not exist"))
        submission = task("ana", read=partial(gone, AssertionError())).submission

        assert {"ana": earlier} == gathered(engine, Task(submission, earlier))

    def test_a_fault_of_the_machine_stops_with_one_line(self, engine: Engine) -> None:
        """The next submission would meet it too."""
        full = OSError(28, "No space left on device", "/disk/notebook")
        with pytest.raises(Stopped, match="/disk/notebook: No space left on device; make room"):
            gathered(engine, task("ana", read=partial(gone, full)))


def plain(one: Gathered) -> object:
    """What a run left, without what the clock wrote."""
    return timeless(json.loads(to_json(one)))


def test_a_lost_worker_costs_a_try_and_a_deadly_notebook_only_itself(scheduler: Path) -> None:
    """Retried elsewhere; after three workers it is our fault, and the others have their results."""
    with DaskEngine(ASSIGNMENT, str(scheduler), 1, False) as engine:
        others = [task(f"s{number}", b"none") for number in range(6)]
        found = gathered(engine, task("always"), *others, task("once"))

    assert 8 == len(found)
    assert ["always"] == [name for name, one in found.items() if one.fault]
    assert "3 workers were lost" in str(found["always"].problem)
    assert found["once"].notebook is not None
    assert 3 == len((scheduler.parent / "died-always.ipynb").read_text())
    assert 1 == len((scheduler.parent / "died-once.ipynb").read_text())


OPENS = """
import sys, time
from grader.batch.engines.dask import DaskEngine
from grader.loading import default_folder, load_assignment
with DaskEngine(load_assignment(default_folder()), sys.argv[1], 1, False) as engine:
    print(engine.node, flush=True)
    time.sleep(600)
"""


def test_workers_let_go_of_a_controller_that_was_killed(scheduler: Path) -> None:
    """Its kernels and trainers would stay for ever."""

    def held(dask_worker: Any, node: str) -> tuple[bool, int]:
        """Whether a worker has a node, and how many slots it holds."""
        import os
        from pathlib import Path

        opened = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
        return node in dask_worker.plugins, sum("/grader-slots-" in path for path in opened)

    with (
        Client(scheduler_file=str(scheduler), set_as_default=False) as client,  # type: ignore[no-untyped-call]
        subprocess.Popen(
            [sys.executable, "-c", OPENS, str(scheduler)], stdout=subprocess.PIPE, text=True
        ) as controller,
    ):
        assert controller.stdout is not None
        node = controller.stdout.readline().strip()
        before = client.run(held, node=node)
        controller.kill()
        after = before
        while any(count >= before[name][1] for name, (_, count) in after.items()):
            time.sleep(0.1)
            after = client.run(held, node=node)

    assert {True} == {there for there, _ in before.values()}
    assert {False} == {there for there, _ in after.values()}


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        ("tcp://10.0.0.7:8786", "use tls:// and certificates"),
        ("cluster.example.org:8786", "use tls:// and certificates"),
        ("tcp://127.0.0.1", "give an address such as"),
        ("http://127.0.0.1:8786", "give an address such as"),
        ("{}", "is no scheduler's file"),
        ("[1]", "is no scheduler's file"),
    ],
)
def test_an_address_that_cannot_be(scheduler: str, said: str, tmp_path: Path) -> None:
    """One line says which, and what to give."""
    if scheduler[0] in "[{":
        file = tmp_path / "scheduler.json"
        file.write_text(scheduler)
        scheduler = str(file)
    with pytest.raises(UsageProblem, match=said) as caught:
        DaskEngine(ASSIGNMENT, scheduler, None, False)

    assert 1 == len(str(caught.value).splitlines())


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the address."""
    monkeypatch.setattr("grader.batch.engines.dask.CONNECT_S", 1)
    with (
        pytest.raises(Stopped, match=r"tcp://127\.0\.0\.1:9: no scheduler answers"),
        DaskEngine(ASSIGNMENT, "127.0.0.1:9", None, False),
    ):
        pass


def test_a_scheduler_without_the_grader(tmp_path: Path) -> None:
    """The line says where to start it."""
    bare = "import sys; sys.modules['grader'] = None"
    with (
        cluster(tmp_path, scheduler_first=bare) as file,
        pytest.raises(Stopped, match="the scheduler has no grader, or another one"),
        DaskEngine(ASSIGNMENT, str(file), 1, False),
    ):
        pass


def test_a_class_on_a_cluster_tells_programs_what_it_does(scheduler: Path, tmp_path: Path) -> None:
    """`grade --engine dask --json`: each line is an event; the folder is as always."""
    source, out = tmp_path / "class", tmp_path / "out"
    source.mkdir()
    (source / "ana.ipynb").write_bytes(EMPTY)
    (source / "bruno.ipynb").write_bytes(b"no notebook")
    words = ["grade", str(source), "--out", str(out), "--engine", "dask", "--json"]

    def grade() -> list[dict[str, Any]]:
        said = CliRunner().invoke(main, [*words, "--scheduler", str(scheduler)])
        assert 1 == said.exit_code, said.output
        return [json.loads(line) for line in said.stdout.splitlines()]

    first, again = grade(), grade()

    assert ["taken", "begins", "ends"] == [
        one["event"] for one in first if one["event"] in ("taken", "begins", "ends")
    ]
    assert {"ana": "graded", "bruno": "unreadable"} == {
        one["student"]: one["state"] for one in first if one["event"] == "finished"
    }
    assert {"ana", "bruno"} == {one["student"] for one in first if one["event"] == "running"}
    assert {"event": "begins", "run": 0, "score": 0, "kept": 2} in again
    assert (out / "index.html").exists() and (out / "students" / "ana" / "report.html").exists()
    assert 2 == CliRunner().invoke(main, words).exit_code


@pytest.mark.long
def test_a_scheduler_that_others_can_reach_is_spoken_to_by_tls(
    tmp_path: Path,
) -> None:
    """The certificates of docs/how-to/cluster.md, and a client without them that gets nowhere."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj",
         "/CN=grader", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    prefix = "DASK_DISTRIBUTED__COMM"
    environment = {f"{prefix}__REQUIRE_ENCRYPTION": "true", f"{prefix}__TLS__CA_FILE": str(cert)}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        environment[f"{prefix}__TLS__{role}__KEY"] = str(key)
        environment[f"{prefix}__TLS__{role}__CERT"] = str(cert)
    source = tmp_path / "ana.ipynb"
    source.write_bytes(b"no notebook")

    def grade(file: Path, out: str, **words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "grader", "grade", str(source), "--out", str(tmp_path / out),
             "--engine", "dask", "--scheduler", str(file)],
            env={**os.environ, **words}, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    with cluster(tmp_path, **environment) as file:
        assert json.loads(file.read_text())["address"].startswith("tls://")
        good, bad = grade(file, "good", **environment), grade(file, "bad")

    assert 1 == good.returncode, good.stderr
    assert (2, 1) == (bad.returncode, len(bad.stderr.strip().splitlines())), bad.stderr
    assert not (tmp_path / "bad").exists()
