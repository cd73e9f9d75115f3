"""The memory's writer: only trainers write it, each entry whole or not at all.

    blobs/ab/<sha256>      the bytes of a state, named by their content
    entries/ab/<key>.json  what a request with this key gave, and the request, with a checksum
    plans/ab/<key>.json    the plans that requests name
    locks/<key>            held by the trainer that is working on a key

Keys come from the controller (`grader.delegation.memory`), which reads the same folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..states import name_of

SWEEP_EVERY_BYTES = 256 * 2**20
KEPT_S = 15 * 60  # what was used this recently stays, whatever the bounds say
STALE_S = 24 * 3600


class Busy(Exception):
    """Another trainer is working on this key."""


class Store:
    """One folder; several trainers may use it at the same time.

    Args:
        folder: made by the controller, which also says how large and how old it may grow.
    """

    def __init__(self, folder: Path, most_bytes: int, most_s: float) -> None:
        self.folder, self.most_bytes, self.most_s = folder, most_bytes, most_s
        self._written = SWEEP_EVERY_BYTES

    def blob(self, name: str) -> bytes | None:
        """Return the bytes of this name; None where they are missing or damaged."""
        try:
            data = (self.folder / "blobs" / name[:2] / name).read_bytes()
        except OSError:
            return None
        return data if name_of(data) == name else None

    def keep(self, data: bytes) -> str:
        """Keep bytes; return their name."""
        name = name_of(data)
        path = self.folder / "blobs" / name[:2] / name
        if not path.exists() or path.stat().st_size != len(data) or self.blob(name) is None:
            self._write(path, data)
        else:
            with contextlib.suppress(OSError):
                os.utime(path)
        return name

    def enter(self, key: str, made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        """Keep what a request gave, and the request itself, so that it can be repeated."""
        body = json.dumps([made, asked], sort_keys=True, separators=(",", ":"), allow_nan=False)
        digest = hashlib.sha256(f"{key}{body}".encode()).hexdigest()
        entry = {"made": made, "asked": asked, "sha256": digest}
        self._write(self.folder / "entries" / key[:2] / f"{key}.json", json.dumps(entry).encode())

    def keep_plan(self, key: str, plan: Mapping[str, Any]) -> None:
        """Keep a plan under its key; many requests name one."""
        path = self.folder / "plans" / key[:2] / f"{key}.json"
        if not path.exists():
            self._write(path, json.dumps(plan).encode())

    @contextlib.contextmanager
    def working(self, key: str) -> Iterator[None]:
        """Hold a key while working on it; it is free again when this process ends, however it does.

        Raises:
            Busy: another trainer holds it.
        """
        try:
            import fcntl
        except ImportError:  # Windows: two controllers at once may train one thing twice
            yield
            return
        folder = self.folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / key
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o660)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(key) from error
            yield
            with contextlib.suppress(OSError):
                path.unlink()
        finally:
            os.close(descriptor)

    def sweep(self) -> None:
        """Drop the oldest until the store is within its bounds; it looks again after much writing.

        Whatever goes missing is trained again when it is asked for.
        """
        if self._written < SWEEP_EVERY_BYTES:
            return
        self._written = 0
        now = time.time()
        files = sorted(_files(self.folder), key=lambda file: file[1])
        total = sum(size for _, _, size in files)
        for path, used, size in files:
            age = now - used
            recent = age < KEPT_S and total <= 2 * self.most_bytes
            if recent or (total <= self.most_bytes and age <= self.most_s):
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            os.chmod(partial, 0o664)
            os.replace(partial, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise
        self._written += len(data)


def _files(folder: Path) -> Iterator[tuple[Path, float, int]]:
    """Every kept file, when it was last used, its bytes."""
    for parent, _, names in os.walk(folder):
        if Path(parent).name == "locks":
            continue
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                status = path.stat()
                yield path, status.st_mtime, status.st_size
