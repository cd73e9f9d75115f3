"""A real scheduler and real workers, for as long as tests need them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# What a worker loads first: it dies of some notebooks, as one dies that runs out of memory, which
# takes a while: a worker that dies before its nanny has heard of it is not started again.
DEADLY = """
import os, signal, time
from pathlib import Path
from grader.batch.engines.place import Place

folder = Path(os.environ["DIED"])

def deadly(self, task, watching=None, run=Place.run):
    name = task.submission.name
    died = folder / f"died-{name}"
    if name == "always.ipynb" or (name == "once.ipynb" and not died.exists()):
        with died.open("a") as stream:
            stream.write("x")
        time.sleep(2)
        os.kill(os.getpid(), signal.SIGKILL)
    return run(self, task, watching)

if Place.run.__name__ != "deadly":  # a worker loads it twice
    Place.run = deadly
"""


@contextmanager
def cluster(
    folder: Path, workers: int = 2, scheduler_first: str = "", **environment: str
) -> Iterator[Path]:
    """Start a scheduler and workers of two threads; yield the scheduler's file.

    Args:
        scheduler_first: code that the scheduler runs before anything else.
    """
    file, preload, first = (folder / name for name in ("scheduler.json", "deadly.py", "first.py"))
    preload.write_text(DEADLY)
    first.write_text(scheduler_first)
    protocol = "tls" if "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION" in environment else "tcp"
    common = ["--scheduler-file", str(file), "--protocol", protocol, "--no-dashboard"]
    with (
        _started(
            folder,
            ["scheduler", "--host", "127.0.0.1", "--port", "0", "--preload", str(first), *common],
            environment,
        ),
        _started(
            folder,
            ["worker", "--host", "127.0.0.1", "--nworkers", str(workers), "--nthreads", "2",
             "--memory-limit", "0", "--preload", str(preload), *common],
            environment,
        ),
    ):  # fmt: skip
        deadline = time.monotonic() + 60
        while not _written(file):
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        yield file


@contextmanager
def _started(folder: Path, words: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    module, *rest = words
    with (folder / f"{module}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{module}", *rest],
            env={**os.environ, "DIED": str(folder), **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _written(file: Path) -> bool:
    try:
        return "address" in json.loads(file.read_text())
    except (OSError, ValueError):
        return False
