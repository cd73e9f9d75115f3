"""A Dask cluster: each worker has kernels and trainers of its own (docs/how-to/cluster.md).

Only bytes travel: a notebook to a worker, and what its run left, as JSON, back; the controller
validates it like everything that comes from outside. Workers are trusted, as Dask's messages are
pickles: a scheduler that others can reach is therefore spoken to by TLS only.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from distributed import Client, KilledWorker
from distributed.security import Security

from grader.assignment import Assignment
from grader.batch.board import Board
from grader.batch.engines import Stopped, Task, UsageProblem
from grader.batch.engines.node import TOPIC, Host, Node, run, under
from grader.batch.engines.place import unread
from grader.gradebook.form import from_json, to_json
from grader.grading import Gathered, our_fault
from grader.intake import IntakeError
from grader.loading import files_of
from grader.locale import T, Text
from grader.result import NotebookFile
from grader.unreadable import Unreadable

DEATHS = 3  # of workers, after which a submission is held to be what kills them
LOOK_S = 1.0  # between looks at which workers came and went
CONNECT_S = 30
WITHOUT_WORKERS_S = 300.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class DaskEngine:
    """Runs submissions on the workers of a scheduler.

    A worker that is lost costs its tasks a try; a task that has lost two runs alone the third time,
    so that nobody is blamed for a neighbour.

    Args:
        scheduler: its address, or the file in which it wrote it (`--scheduler-file`).
        trainers: on each worker at the same time.
    """

    def __init__(
        self, assignment: Assignment, scheduler: str, trainers: int | None, train_in_kernel: bool
    ) -> None:
        self.address = _address(scheduler)
        self.node = f"{TOPIC}-{uuid.uuid4().hex}"
        self.unders: Collection[str] = ()
        self._plugin = Node(files_of(assignment), trainers, train_in_kernel)
        self._client: Any = None

    def __enter__(self) -> Self:
        try:
            self._client = _connected(self.address)
        except (OSError, ValueError) as error:
            raise Stopped(
                T(
                    "{address}: no scheduler answers ({reason}); start one, or correct --scheduler",
                    address=self.address,
                    reason=" ".join(str(error).split()) or type(error).__name__,
                )
            ) from error
        try:
            self._client.register_plugin(Host(self._client.id, self.node))
            self._client.register_plugin(self._plugin, name=self.node)
            self._client.wait_for_workers(1, timeout=CONNECT_S)
            self.unders = set(self._client.run(under, self.node).values())
        except TimeoutError as error:
            self.__exit__()
            raise Stopped(_no_workers(self.address)) from error
        except (ImportError, AttributeError) as error:  # it cannot load what it is sent
            self.__exit__()
            raise Stopped(
                T(
                    "{address}: the scheduler has no grader, or another one ({reason}); start it "
                    "where this one is installed",
                    address=self.address,
                    reason=" ".join(str(error).split()),
                )
            ) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()  # the workers then let go of the node (`Host`)

    def prepare(self) -> None:
        """Workers are prepared when they get the plugin."""

    def ready(self) -> None:
        """Workers made sure of their walls when they got the plugin."""

    def gathered(
        self, tasks: Sequence[Task], board: Board, stop: threading.Event
    ) -> Iterator[tuple[Task, Gathered]]:
        if tasks:
            yield from _Round(self._client, self.node, tasks, board, stop).results()


class _Round:
    """Tasks on their way: as many at workers as these have threads, so that `stop` means stop."""

    def __init__(
        self, client: Any, node: str, tasks: Sequence[Task], board: Board, stop: threading.Event
    ) -> None:
        self.client, self.node, self.board, self.stop = client, node, board, stop
        self.waiting = deque(tasks)
        self.alone: deque[Task] = deque()
        self.deaths: Counter[str] = Counter()
        self.running: dict[Any, Task] = {}
        self.finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.seen = time.monotonic()  # when there were workers

    def results(self) -> Iterator[tuple[Task, Gathered]]:
        self.client.subscribe_topic(TOPIC, self._begun)
        try:
            while True:
                yield from self._fill()
                left = not self.stop.is_set() and (self.waiting or self.alone)
                if not self.running and not left:
                    return
                self._need_workers()
                try:
                    future = self.finished.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                task = self.running.pop(future)
                self.board.ends(task.submission)
                gathered = self._result(future, task)
                if gathered is not None:
                    yield task, gathered
        finally:
            self.client.unsubscribe_topic(TOPIC)
            if self.running:  # to cancel nothing would be told to everybody
                self.client.cancel(list(self.running))

    def _need_workers(self) -> None:
        """Wait for workers that are being started again, but not for ever."""
        if self.client.nthreads():
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > WITHOUT_WORKERS_S:
            raise Stopped(_no_workers(self.client.scheduler.address))

    def _fill(self) -> Iterator[tuple[Task, Gathered]]:
        """Send out what there is room for; yield what need not run."""
        if self.stop.is_set() or self._one_is_alone():
            return
        room = sum(self.client.nthreads().values())
        while self.waiting and len(self.running) < room:
            yield from self._sent(self.waiting.popleft())
        if self.alone and not self.running:
            yield from self._sent(self.alone.popleft())

    def _one_is_alone(self) -> bool:
        return any(
            self.deaths[task.submission.student.id] == DEATHS - 1 for task in self.running.values()
        )

    def _sent(self, task: Task) -> Iterator[tuple[Task, Gathered]]:
        try:
            self._send(task)
        except (IntakeError, Unreadable) as problem:
            yield task, unread(task.submission, problem)
        except OSError as error:
            raise Stopped.by(error) from error

    def _send(self, task: Task) -> None:
        one = task.submission
        data = b"" if task.earlier is not None else one.read()
        earlier = None if task.earlier is None else to_json(task.earlier)
        key = f"{self.node}-{uuid.uuid4().hex}"
        future = self.client.submit(
            run, self.node, one.student.id, one.name, data, earlier, key=key, pure=False
        )
        self.running[future] = task
        future.add_done_callback(self.finished.put)

    def _result(self, future: Any, task: Task) -> Gathered | None:
        """Return what a task left, None where it is tried again."""
        try:
            left = future.result()
        except KilledWorker:
            return self._died(task)
        except Exception as error:
            raise Stopped.by(error) from error
        try:
            return from_json(left)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return self._fault(task, f"what its run left cannot be read: {type(error).__name__}")

    def _died(self, task: Task) -> Gathered | None:
        student = task.submission.student.id
        self.deaths[student] += 1
        if self.deaths[student] < DEATHS - 1:
            self.waiting.appendleft(task)
        elif self.deaths[student] < DEATHS:
            self.alone.append(task)
        else:
            if task.earlier is not None:
                raise Stopped(
                    T(
                        "grading stopped: {count} workers were lost over trainings from other "
                        "seeds; look at their logs and start it again to go on",
                        count=DEATHS,
                    )
                )
            return self._fault(task, f"{DEATHS} workers were lost while it ran")
        return None

    def _fault(self, task: Task, problem: str) -> Gathered:
        sha256 = ""
        with suppress(IntakeError, Unreadable, OSError):
            sha256 = hashlib.sha256(task.submission.read()).hexdigest()
        file = NotebookFile(task.submission.name, sha256)
        return Gathered(file, problem=our_fault(problem), fault=True)

    def _begun(self, event: tuple[float, Mapping[str, Any]]) -> None:
        said = event[1]
        for task in list(self.running.values()):
            student = task.submission.student.id
            if (said["node"], said["student"]) == (self.node, student):
                self.board.begins(task.submission, str(said["where"]))


def _connected(address: str) -> Client:
    """Return a client of a scheduler.

    A client expects the scheduler's greeting alone, and gives up (`AssertionError`) where something
    that all clients are told came with it; the next greeting will be alone.
    """
    connect: Callable[[], Client] = partial(
        Client, address, timeout=CONNECT_S, set_as_default=False
    )
    with suppress(AssertionError):
        return connect()
    return connect()


def _address(scheduler: str) -> str:
    """Return a scheduler's address.

    Raises:
        UsageProblem: it is none, or others can reach it without TLS.
    """
    path = Path(scheduler)
    try:
        address = str(json.loads(path.read_text())["address"]) if path.is_file() else scheduler
    except (ValueError, KeyError, TypeError) as error:
        raise UsageProblem(f"{scheduler}: is no scheduler's file; give its address") from error
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme not in ("tcp", "tls") or parts.hostname is None or parts.port is None:
        raise UsageProblem(f"--scheduler {scheduler}: give an address such as tcp://127.0.0.1:8786")
    if parts.scheme == "tcp" and parts.hostname not in LOOPBACK:
        raise UsageProblem(
            f"--scheduler {address}: whoever reaches it runs code here; use tls:// and "
            "certificates (docs/how-to/cluster.md)"
        )
    if parts.scheme == "tls" and not _has_certificates():
        raise UsageProblem(
            f"--scheduler {address}: no certificates are configured; export where they are "
            "(docs/how-to/cluster.md)"
        )
    return parts.geturl()


def _no_workers(address: str) -> Text:
    return T(
        "{address}: the scheduler has no workers; start some with `dask worker`", address=address
    )


def _has_certificates() -> bool:
    security: Any = Security  # its methods have no types
    return security().get_connection_args("client")["ssl_context"] is not None
