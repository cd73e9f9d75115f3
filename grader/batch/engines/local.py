"""This machine: a thread for each notebook in flight."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from functools import cached_property
from typing import Self

from grader.assignment import Assignment
from grader.batch.board import Board
from grader.batch.engines import Stopped, Task
from grader.batch.engines.place import Place
from grader.batch.machine import Machine, need_walls
from grader.dataset.store import Dataset
from grader.grading import Gathered, run_key
from grader.sandbox import Level

Done = tuple[Task, Gathered] | Exception | None


class LocalEngine:
    """Runs submissions on this machine.

    Args:
        ready: makes sure of the walls; attacking them takes a second, so only where something runs.
    """

    def __init__(
        self,
        assignment: Assignment,
        dataset: Dataset,
        machine: Machine,
        ready: Callable[[], object] = need_walls,
    ) -> None:
        self.assignment, self.dataset, self.machine = assignment, dataset, machine
        self._ready = ready if machine.level is Level.STANDARD else lambda: machine.level

    @property
    def unders(self) -> Collection[str]:
        return (run_key(self.assignment, self.machine.level, self.machine.train_in_kernel),)

    def prepare(self) -> None:
        _ = self._walls

    def ready(self) -> None:
        self._walls.result()

    @cached_property
    def _walls(self) -> Future[object]:
        found: Future[object] = Future()

        def look() -> None:
            try:
                found.set_result(self._ready())
            except BaseException as error:  # noqa: BLE001 - whoever waits is told
                found.set_exception(error)

        threading.Thread(target=look).start()  # no daemon: it removes what it looks with
        return found

    def gathered(
        self, tasks: Sequence[Task], board: Board, stop: threading.Event
    ) -> Iterator[tuple[Task, Gathered]]:
        if not tasks:
            return
        self.ready()
        with Place(self.assignment, self.dataset, self.machine) as place:
            board.load = lambda: place.service.load
            yield from _side_by_side(tasks, place, self.machine.kernels, board, stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _side_by_side(
    tasks: Sequence[Task], place: Place, kernels: int, board: Board, stop: threading.Event
) -> Iterator[tuple[Task, Gathered]]:
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    finished: queue.SimpleQueue[Done] = queue.SimpleQueue()
    left = threading.Event()  # nobody takes results any more

    def work() -> None:
        try:
            while not stop.is_set() and not left.is_set():
                task = waiting.get_nowait()
                watching = board.begins(task.submission)
                try:
                    finished.put((task, place.run(task, watching)))
                finally:
                    board.ends(task.submission)
        except queue.Empty:
            pass
        except Exception as error:  # noqa: BLE001 - the thread's border: the batch stops and says so
            finished.put(error)
        finished.put(None)  # this one will bring no more

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(kernels, len(tasks)))]
    for thread in threads:
        thread.start()
    working = len(threads)
    try:
        while working:
            done = finished.get()
            if isinstance(done, Exception):
                raise Stopped.by(done) from done
            if done is None:
                working -= 1
            else:
                yield done
    finally:
        left.set()
    for thread in threads:
        thread.join()
