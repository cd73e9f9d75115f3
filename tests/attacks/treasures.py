"""Things outside the walls that are worth reading and changing; every one holds the canary.

Files are open to everybody, so that nothing but the walls keeps a job from them.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
from contextlib import ExitStack
from pathlib import Path

from grader.sandbox import seccomp

OTHER_GROUP = 4
SHM_KEY = 0x6E620000
OUTSIDE = {
    "key": ".ssh/id_ed25519",
    "rc": ".bashrc",
    "rubric": "rubric.toml",
    "solution": "solution.ipynb",
    "gradebook": "out/gradebook.sqlite",
    "submission": "in/other/taller3.ipynb",
    "memory": "memory/state",
    "events": "run/job/events.jsonl",
}


class Treasures:
    """Makes them; as a context manager it removes what lies outside of its folder."""

    masked = "_grader.pth"

    def __init__(self, folder: Path, canary: str, stray: str) -> None:
        self.folder, self._canary = folder, canary
        self.outside = self._outside()
        self.site, self.data, self.kit = (folder / name for name in ("site", "data", "kit"))
        self.mounted = [self.site, self.data, self.kit]
        self.shared = [Path("/tmp") / stray, Path("/dev/shm") / stray]
        self.key = 0
        self.shm_key = SHM_KEY + os.getpid() % 65536
        self._undo = ExitStack()

    def __enter__(self) -> Treasures:
        self._mounts()
        if os.geteuid() == 0:
            self._of_root()
        os.environ["GRADER_HARM_SECRET"] = self._canary
        self._undo.callback(os.environ.pop, "GRADER_HARM_SECRET", None)
        descriptor = os.open(self.outside["key"], os.O_RDONLY)
        os.set_inheritable(descriptor, True)
        self._undo.callback(os.close, descriptor)
        for path in self.shared:
            path.write_text(self._canary)
            path.chmod(0o666)
            self._undo.callback(path.unlink, missing_ok=True)
        self._key()
        self._segment()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def snapshot(self) -> set[tuple[str, ...]]:
        """Everything outside that must not change, as it is now."""
        places = [self.folder / "host", *self.mounted]
        files = [file for place in places for file in [place, *sorted(place.rglob("*"))]]
        return {_state(file) for file in [*files, *self.shared]}

    def _outside(self) -> dict[str, Path]:
        top = self.folder / "host"
        for place in OUTSIDE.values():
            (top / place).parent.mkdir(parents=True, exist_ok=True)
            (top / place).write_text(self._canary)
            (top / place).chmod(0o666)
        return {name: top / place for name, place in OUTSIDE.items()}

    def _mounts(self) -> None:
        """What a job does see: packages, a dataset, the kernel side's code."""
        for folder in (*self.mounted, self.site / "grader"):
            folder.mkdir()
            folder.chmod(0o777)
        files = {
            self.site / "grader" / "__init__.py": f"SECRET = {self._canary!r}\n",
            self.site / "honest.py": "",
            self.site / self.masked: self._canary,
            self.data / "train": "rows",
            self.kit / "driver.py": "code",
        }
        for path, text in files.items():
            path.write_text(text)
            path.chmod(0o666)

    def _of_root(self) -> None:
        """Files in the dataset that only root, its group or another group of ours may read."""
        for name, mode, group in (
            ("private", 0o600, 0),
            ("grouped", 0o640, 0),
            ("fourth", 0o640, OTHER_GROUP),
        ):
            (self.data / name).write_text(self._canary)
            (self.data / name).chmod(mode)
            os.chown(self.data / name, 0, group)
        self._undo.callback(os.setgroups, os.getgroups())
        os.setgroups([OTHER_GROUP])

    def _key(self) -> None:
        """A key of the controller's that everybody may read, where the kernel keeps keys."""
        calls, libc = seccomp.MACHINES[platform.machine()].calls, ctypes.CDLL(None)
        secret = self._canary.encode()
        number = int(libc.syscall(calls["add_key"], b"user", secret[:20], secret, len(secret), -4))
        if number > 0:
            self.key = number
            libc.syscall(calls["keyctl"], 5, number, 0x3F3F3F3F)
            self._undo.callback(libc.syscall, calls["keyctl"], 3, number)

    def _segment(self) -> None:
        """Memory and a queue of System V that everybody may use."""
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        secret = self._canary.encode()
        number = libc.shmget(self.shm_key, ctypes.c_size_t(4096), 0o1666)
        if number >= 0:
            place = libc.shmat(number, None, 0)
            ctypes.memmove(place, secret, len(secret))
            self._undo.callback(libc.shmctl, number, 0, None)
        queue = libc.msgget(self.shm_key, 0o1666)
        if queue >= 0:
            self._undo.callback(libc.msgctl, queue, 0, None)


def _state(path: Path) -> tuple[str, ...]:
    try:
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        return str(path), type(error).__name__
    facts = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
    return str(path), str(facts), hashlib.sha256(data).hexdigest()
