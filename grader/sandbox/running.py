"""A job that runs: one thread keeps its deadline and ends its whole tree, come what may."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Protocol, Self

from grader.sandbox.jobs import Ended, Limits, Reason, WallsError

POLL_S = 0.1
TAIL_BYTES = 16 * 1024
DRAIN_S = 1.0
LOOK_S = 1.0  # the deadline may move meanwhile


class Tree(Protocol):
    """The processes of one job, as the level that started them knows them."""

    watched: bool
    """Whether `excess` wants to be asked every 100 ms."""

    def excess(self) -> Reason | None:
        """Return why the job must be stopped now, if it must."""

    def cpu_s(self) -> float | None:
        """Return the processor seconds used so far, None where nothing counts them."""

    def kill(self) -> None:
        """Kill every process at once."""

    def ended(self, code: int, stderr_tail: str) -> Reason:
        """Return why a job ended that ended by itself; WallsError if it never began."""

    def usage(self) -> tuple[float | None, float | None, int]:
        """Return processor seconds, peak memory in MiB and kills for lack of memory."""

    def close(self) -> None:
        """Check that nothing is left and clean up; WallsError if something is."""


class Running:
    """A started job. `process` has the binary pipes that the caller asked for.

    As a context manager it kills the job, if it still runs, and closes the pipes.
    """

    def __init__(self, process: subprocess.Popen[bytes], tree: Tree, limits: Limits) -> None:
        self.process = process
        self._tree = tree
        self._started = time.monotonic()
        self._deadline = self._started + limits.wall_s
        self._last = self._deadline + limits.pauses_s
        self._lock = threading.Lock()
        self._waits = 0
        self._since: tuple[float, float | None] = (self._started, None)
        self.paused_s = 0.0
        self._stop: Reason | None = None
        self._result: Ended | WallsError | None = None
        self._tail = b""
        assert process.stderr is not None
        self._reader = threading.Thread(target=self._drain, args=(process.stderr,), daemon=True)
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._reader.start()
        self._keeper.start()

    def wait(self) -> Ended:
        """Block until the job has ended or its deadline passed, and nothing of it is left.

        Raises:
            WallsError: the walls could not be put up, or something survived.
        """
        self._keeper.join()
        assert self._result is not None
        if isinstance(self._result, WallsError):
            raise self._result
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._keeper.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the deadline's clock while the job waits for us; what it computes still counts."""
        with self._lock:
            self._waits += 1
            if self._waits == 1:
                self._since = (time.monotonic(), self._cpu_s())
        try:
            yield
        finally:
            with self._lock:
                self._waits -= 1
                if self._waits == 0:
                    self._pause_ended()

    def _pause_ended(self) -> None:
        began, before = self._since
        now = self._cpu_s()
        used = 0.0 if before is None or now is None else now - before
        pause = max(0.0, time.monotonic() - began - used)
        self._deadline += pause
        self.paused_s += pause

    def _cpu_s(self) -> float | None:
        try:
            return self._tree.cpu_s()
        except OSError:  # the job is over, and its control group gone
            return None

    def kill(self) -> None:
        """Stop the job now; `wait` then says "killed"."""
        self._stop = self._stop or "killed"
        self._tree.kill()

    def stderr_tail(self) -> str:
        """Return the last 16 KiB of stderr so far; bytes that are not UTF-8 are replaced."""
        return self._tail.decode("utf-8", errors="replace")

    def _keep(self) -> None:
        try:
            self._result = self._until_end()
        except WallsError as error:
            self._result = error
        # A thread's border: whatever fails here, wait() must not hang.
        except Exception as error:  # noqa: BLE001
            self._result = WallsError(f"supervising a job failed: {type(error).__name__}: {error}")

    def _until_end(self) -> Ended:
        try:
            self._watch()
        finally:
            try:
                self._tree.kill()
            finally:
                code = self.process.wait()
            seconds = time.monotonic() - self._started
            self._reader.join(DRAIN_S)
            cpu_s, peak_mb, oom_kills = self._tree.usage()
            self._tree.close()
        tail = self.stderr_tail()
        reason = self._stop or self._tree.ended(code, tail)
        exit_code = _shell_code(code) if reason == "exited" else None
        return Ended(reason, exit_code, seconds, cpu_s, peak_mb, oom_kills, tail)

    def _watch(self) -> None:
        while self._stop is None:
            left = min(self._left_s(), LOOK_S)
            if _ended_within(self.process, min(left, POLL_S) if self._tree.watched else left):
                return
            if self._left_s() <= 0:
                self._stop = self._stop or "deadline"
            elif self._tree.watched:
                self._stop = self._stop or self._tree.excess()

    def _left_s(self) -> float:
        """Seconds to the deadline; while it stands still, to the latest that it can become."""
        due = self._last if self._waits else min(self._deadline, self._last)
        return due - time.monotonic()

    def _drain(self, stream: IO[bytes]) -> None:
        with stream:
            while block := os.read(stream.fileno(), 65536):
                self._tail = (self._tail + block)[-TAIL_BYTES:]


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    if hasattr(os, "pidfd_open") and process.returncode is None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            return _polled_end(process, seconds)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(max(seconds, 0) * 1000))
        finally:
            os.close(descriptor)
    return _polled_end(process, seconds)


def _polled_end(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return False
    return True


def _shell_code(code: int) -> int:
    return code if code >= 0 else 128 - code
