"""The controller's end of the trainer: starts it behind its own walls and asks it questions."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from grader import wire
from grader.dataset.store import Dataset
from grader.sandbox import Job, Limits, Mount, Sandbox, WallsError, new_folder
from grader.staging import PACKAGE, stage_trainer

if TYPE_CHECKING:
    from grader.delegation.memory import Memory

START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    f"from {PACKAGE}.training.trainer import main; main()"
)


class TrainerFault(Exception):
    """The trainer failed; ours, never the student's."""


class StoreFull(TrainerFault, OSError):
    """The disk of the memory is full or read-only: whoever asks next meets it too."""


class Refused(Exception):
    """The trainer will not serve this request; the message says what in it is wrong."""


class Busy(Exception):
    """Another trainer on this machine is working on the same thing."""


class Trainer:
    """One trainer process; use it as a context manager, or `close` it.

    Args:
        sandbox: the walls to put around it.
        memory: the folder that it keeps its answers in, with its bounds.
        wall_s: the deadline of the whole process, in seconds.
        answer_s: the deadline of one request, in seconds; None for none.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        dataset: Dataset,
        memory: Memory,
        wall_s: float,
        answer_s: float | None = None,
    ) -> None:
        self.answer_s = answer_s
        self._store = memory.folder
        self._folder = new_folder("trainer-")
        try:
            self._running = sandbox.start(
                self._job(dataset, memory, wall_s), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _job(self, dataset: Dataset, memory: Memory, wall_s: float) -> Job:
        bounds = [str(memory.most_bytes), str(memory.most_s)]
        return Job(
            argv=lambda inside: [
                "-I", "-c", START, inside("/k"), inside("/data"), inside("/memory"), *bounds,
            ],
            mounts=(
                Mount(stage_trainer(self._folder / "k"), "/k"),
                Mount(dataset.rows, "/data"),
                Mount(memory.folder, "/memory", writable=True),
            ),
            limits=Limits(wall_s=wall_s, disk_mb=None),  # the memory keeps its own bounds
            environment={"TF_NUM_INTEROP_THREADS": "1"},  # a trainer is one core's work
            workdir="/tmp",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._running.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, request: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> dict[str, Any]:
        """Return what a request gives.

        Raises:
            Busy: another trainer is working on it.
            Refused: the request cannot be served.
            StoreFull: what was made cannot be kept.
            TrainerFault: the trainer failed, died or ran out of time.
        """
        process = self._running.process
        assert process.stdin is not None and process.stdout is not None
        alarm = threading.Timer(self.answer_s or threading.TIMEOUT_MAX, self._running.kill)
        alarm.daemon = True
        alarm.start()
        try:
            wire.write_frame(process.stdin, request, blobs)  # type: ignore[arg-type]
            reply, _ = wire.read_frame(process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, ValueError, wire.FrameError) as error:
            raise TrainerFault(f"the trainer stopped: {self._reason(error)}") from error
        finally:
            alarm.cancel()
        if reply.get("busy"):
            raise Busy
        if reply.get("full"):
            number = int(reply["full"])
            raise StoreFull(number, os.strerror(number), str(self._store))
        if "error" in reply:
            raise (TrainerFault if reply.get("fault") else Refused)(str(reply["error"])[:400])
        made: dict[str, Any] = reply["made"]
        return made

    def _reason(self, error: Exception) -> str:
        self._running.kill()
        try:
            ended = self._running.wait()
        except WallsError as problem:
            return str(problem)
        last = ended.stderr_tail.strip().splitlines()[-1:] or [""]
        return f"{ended.reason}, exit code {ended.exit_code}. {error} {last[0]}".strip()[:400]
