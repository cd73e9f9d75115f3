"""The controller's end of the trainer: starts it behind its own walls and asks it questions."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader import wire
from grader.dataset.store import Dataset
from grader.sandbox import Job, Limits, Mount, Sandbox, WallsError
from grader.staging import PACKAGE, stage_trainer

START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    f"from {PACKAGE}.training.trainer import main; main()"
)


class TrainerFault(Exception):
    """The trainer failed; ours, never the student's."""


class Refused(Exception):
    """The trainer will not serve this request; the message says what in it is wrong."""


class Trainer:
    """One trainer process; use it as a context manager.

    Args:
        sandbox: the walls to put around it.
        wall_s: the deadline of the whole process, in seconds.
        answer_s: the deadline of one request, in seconds; None for none.
    """

    def __init__(
        self, sandbox: Sandbox, dataset: Dataset, wall_s: float, answer_s: float | None = None
    ) -> None:
        self.sandbox, self.dataset, self.answer_s = sandbox, dataset, answer_s
        self.limits = Limits(wall_s=wall_s)

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="trainer-"))
        self._running = self.sandbox.start(
            Job(
                argv=lambda inside: ["-I", "-c", START, inside("/k"), inside("/data")],
                mounts=(
                    Mount(stage_trainer(self._folder / "k"), "/k"),
                    Mount(self.dataset.rows, "/data"),
                ),
                limits=self.limits,
                workdir="/tmp",
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.__exit__(kind, error, trace)
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, request: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> dict[str, Any]:
        """Return the last reply to a request.

        Raises:
            Refused: the request cannot be served.
            TrainerFault: the trainer failed, died or ran out of time.
        """
        *_, last = self.follow(request, blobs)
        return last

    def follow(
        self, request: Mapping[str, Any], blobs: Sequence[bytes] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield each reply to a request: `{"epoch": n}` while training, then the answer."""
        process = self._running.process
        assert process.stdin is not None and process.stdout is not None
        alarm = threading.Timer(self.answer_s or threading.TIMEOUT_MAX, self._running.kill)
        alarm.daemon = True
        alarm.start()
        try:
            wire.write_frame(process.stdin, request, blobs)  # type: ignore[arg-type]
            while True:
                reply, _ = wire.read_frame(process.stdout)  # type: ignore[arg-type]
                if "error" in reply:
                    raise (TrainerFault if reply.get("fault") else Refused)(
                        str(reply["error"])[:400]
                    )
                yield reply
                if "epoch" not in reply:
                    return
        except (OSError, EOFError, wire.FrameError) as error:
            raise TrainerFault(f"the trainer stopped: {self._reason(error)}") from error
        finally:
            alarm.cancel()

    def _reason(self, error: Exception) -> str:
        self._running.kill()
        try:
            ended = self._running.wait()
        except WallsError as problem:
            return str(problem)
        last = ended.stderr_tail.strip().splitlines()[-1:] or [""]
        return f"{ended.reason}, exit code {ended.exit_code}. {error} {last[0]}".strip()[:400]
