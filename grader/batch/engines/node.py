"""What a Dask worker does: one task in each of its threads, behind walls of its own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Scheduler, SchedulerPlugin, Worker, WorkerPlugin, get_worker

from grader import __version__
from grader.batch.engines import Task
from grader.batch.engines.place import Place
from grader.batch.machine import Machine, default_workers, need_walls
from grader.dataset.store import open_dataset
from grader.gradebook.form import from_json, to_json
from grader.intake import Submission
from grader.loading import load_assignment
from grader.result import Student
from grader.sandbox import WallsError

TOPIC = "grader"


class Node(WorkerPlugin):
    """Makes a worker ready, as soon as it is there: walls, dataset, trainers.

    Args:
        files: the assignment's (`loading.files_of`).
        trainers: at the same time; as many as the machine carries by default.
        version: of the grader that asks.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        trainers: int | None,
        train_in_kernel: bool,
        version: str = __version__,
    ) -> None:
        self.files, self.trainers = dict(files), trainers
        self.train_in_kernel, self.version = train_in_kernel, version
        self.place: Place | None = None
        self._gone = False

    async def setup(self, worker: Worker) -> None:
        """Open kernels and trainers.

        Raises:
            WallsError: this machine offers no walls, or has another grader.
            DatasetError: the dataset is not to be had here.
        """
        for name in ("profile", "profile-cycle"):  # looks at each thread a hundred times a second
            if (callback := worker.periodic_callbacks.pop(name, None)) is not None:
                callback.stop()
        await asyncio.to_thread(self._open, worker.state.nthreads)
        if self._gone:  # the controller went while this opened
            await self.teardown(worker)

    async def teardown(self, worker: Worker) -> None:
        """Let go of everything, once what still runs here has ended."""
        self._gone, place, self.place = True, self.place, None
        if place is not None:
            await asyncio.to_thread(place.finish)

    def _open(self, kernels: int) -> None:
        if self.version != __version__:
            raise WallsError(
                f"this worker has grader {__version__}, and {self.version} asks: install the same"
            )
        level = need_walls()
        folder = Path(tempfile.mkdtemp(prefix="assignment-"))
        try:
            for name, data in self.files.items():
                (folder / name).write_bytes(data)
            assignment = load_assignment(folder)
        finally:
            shutil.rmtree(folder)
        dataset = open_dataset(assignment.spec.dataset.spec)
        trainers = self.trainers or default_workers()
        machine = Machine(level, trainers, kernels, train_in_kernel=self.train_in_kernel)
        self.place = Place(assignment, dataset, machine).__enter__()


class Host(SchedulerPlugin):
    """What a scheduler does for one controller.

    It repeats no task by itself, since tries are counted where it is known who ran beside whom. And
    it has the workers let go of a node whose controller has left, however it left.
    """

    def __init__(self, client: str, node: str) -> None:
        self.client, self.node = client, node
        self.name = f"host-{node}"
        self._leaving: asyncio.Task[Any] | None = None

    async def start(self, scheduler: Scheduler) -> None:
        """Begin."""
        scheduler.allowed_failures = 0

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """A client has left."""
        if client == self.client:
            scheduler.remove_plugin(self.name)
            leave = scheduler.unregister_worker_plugin(None, self.node)
            self._leaving = asyncio.get_running_loop().create_task(leave)


def under(node: str, dask_worker: Worker) -> str:
    """Return the name under which a worker runs notebooks."""
    plugins: Any = dask_worker.plugins
    return str(plugins[node].place.under)


def run(node: str, student: str, name: str, data: bytes, earlier: str | None) -> str:
    """Run one task on a worker; return what it left, as `gradebook.form` writes it.

    Raises:
        OSError, RuntimeError: what the next task would meet too; plain ones, that can travel.
    """
    worker: Any = get_worker()
    worker.log_event(TOPIC, {"node": node, "student": student, "where": worker.name})
    task = Task(
        Submission(Student(student, student), name, lambda: data),
        None if earlier is None else from_json(earlier),
    )
    place: Place | None = worker.plugins[node].place
    if place is None:
        raise RuntimeError(f"the worker {worker.name} did not become ready; look at its log")
    try:
        return to_json(place.run(task))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(error.filename)) from None
    except Exception as error:  # noqa: BLE001 - the worker's border
        raise RuntimeError(f"{type(error).__name__}: {error}"[:400]) from None
