"""The kernels and trainers of one process: what every engine runs submissions on."""

from __future__ import annotations

import queue
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from grader.assignment import Assignment
from grader.batch.engines import Task
from grader.batch.machine import Machine
from grader.dataset.store import Dataset
from grader.delegation import Service
from grader.grading import Gathered, Grading, open_service, run_key
from grader.intake import IntakeError, Submission
from grader.result import NotebookFile
from grader.sampling import add_samples
from grader.sandbox import WallsError
from grader.sandbox.slots import free_slots
from grader.trainer import TrainerFault
from grader.unreadable import Unreadable
from grader.watching import Watching


class Place:
    """Runs tasks, each in the thread of who asks; use it as a context manager."""

    def __init__(self, assignment: Assignment, dataset: Dataset, machine: Machine) -> None:
        self.assignment, self.dataset, self.machine = assignment, dataset, machine
        self.under = run_key(assignment, machine.level, machine.train_in_kernel)
        self.service: Service
        self._gradings: queue.SimpleQueue[Grading] = queue.SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        machine = self.machine
        with ExitStack() as stack:
            slots = stack.enter_context(free_slots(machine.kernels + machine.workers))
            kernels, trainers = slots[: machine.kernels], slots[machine.kernels :]
            self.service = stack.enter_context(
                open_service(self.assignment, self.dataset, machine.level, trainers, machine.memory)
            )
            for slot in kernels:
                self._gradings.put(self._grading(slot))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*(error or (None, None, None)))  # type: ignore[arg-type]

    def finish(self) -> None:
        """Wait for what runs, then let go of everything."""
        for _ in range(self.machine.kernels):
            self._gradings.get()
        self.__exit__()

    def run(self, task: Task, watching: Watching | None = None) -> Gathered:
        """Run a task.

        Raises:
            OSError: the disk is full, or something else that the next task would meet too.
        """
        if task.earlier is not None:
            return self._sampled(task.earlier)
        submission = task.submission
        grading = self._gradings.get()
        try:
            return grading.gather(submission.read(), submission.name, watching)
        except (IntakeError, Unreadable) as problem:
            return unread(submission, problem)
        finally:
            self._gradings.put(grading)

    def _grading(self, slot: int) -> Grading:
        machine = self.machine
        return Grading(
            self.assignment, self.dataset, machine.level, self.service, slot,
            machine.train_in_kernel,
        )  # fmt: skip

    def _sampled(self, gathered: Gathered) -> Gathered:
        """What an earlier run left, with the seeds that the thresholds of today ask for."""
        if gathered.notebook is None or gathered.fault:
            return gathered
        try:
            evidence = add_samples(self.service, self.assignment, gathered.evidence)
        except (WallsError, TrainerFault, OSError):
            raise
        except Exception:  # noqa: BLE001 - the border between students; judging will say what it is
            return gathered
        return replace(gathered, evidence=evidence)


def unread(submission: Submission, problem: IntakeError | Unreadable) -> Gathered:
    """Return what is known of a file that could not be read."""
    return Gathered(NotebookFile(submission.name, ""), problem=problem.text)
