"""One controller at a time for a class's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.locale import T, Translator
from grader.sandbox.slots import taken

LOCK = ".grading"


class Occupied(Exception):
    """Another controller works on this folder; `text` is the one line that says so."""

    def __init__(self, folder: Path, process: str) -> None:
        self.text = T(
            "{folder}: is being graded by process {process} already; wait for it, or give another "
            "--out",
            folder=str(folder), process=process or "?",
        )  # fmt: skip
        super().__init__(Translator("en")(self.text))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder; the system lets go of it when this process ends, however it ends.

    Raises:
        Occupied: another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not taken(descriptor):
            process = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise Occupied(folder, process)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
