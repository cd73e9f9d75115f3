"""How much a job has added to the host's disk through its writable mounts."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

MIB = 1024 * 1024
ENTRY_BYTES = 4096
PAUSE_S = 1.0
MOST_OF_THE_TIME = 0.05


class DiskWatch:
    """Measures folders once a second, less often when that takes long."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self._first: int | None = None
        self._added = 0
        self._next = 0.0

    def added_mb(self) -> float:
        """Return what was added since the first call, in MiB; every entry costs at least 4 KiB."""
        begun = time.monotonic()
        if begun < self._next:
            return self._added / MIB
        now = sum(map(_used_bytes, self.folders))
        self._first = now if self._first is None else self._first
        self._added = now - self._first
        ended = time.monotonic()
        self._next = ended + max(PAUSE_S, (ended - begun) / MOST_OF_THE_TIME)
        return self._added / MIB


def _used_bytes(top: Path) -> int:
    used, folders = 0, [os.fspath(top)]
    while folders:
        # Code inside renames and removes while we look; what cannot be read was counted as entry.
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    used += max(blocks * 512, ENTRY_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
    return used
