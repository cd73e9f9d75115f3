"""Others on the machine while an attack runs: a job beside it, and a process outside the walls."""

from __future__ import annotations

import hashlib
import select
import subprocess
import sys
from pathlib import Path

from grader.sandbox import Job, Limits, Mount, Sandbox

ROUNDS = 5000
BESIDE = """
import hashlib, sys
kept = {"/tmp/own": sys.argv[1], "/home/student/own": "home", "/dev/shm/own": "shm"}
for path, text in kept.items():
    open(path, "w").write(text)
for line in sys.stdin:
    digest = line.strip().encode()
    for _ in range(int(sys.argv[2])):
        digest = hashlib.sha256(digest).digest()
    same = all(open(path).read() == text for path, text in kept.items())
    print(digest.hex(), same, flush=True)
"""
DECOY = """
import sys, time
secret = sys.argv[1] * 2
print("up", flush=True)
time.sleep(3600)
"""


class Neighbour:
    """A job in another slot that goes on working; its answers must never change."""

    def __init__(self, sandbox: Sandbox, folder: Path, canary: str) -> None:
        folder.mkdir()
        job = Job(
            ["-I", "-c", BESIDE, canary, str(ROUNDS)],
            (Mount(folder, "/job", writable=True),),
            Limits(wall_s=3600, memory_mb=96, processes=24, tmp_mb=4),
            {"SECRET": canary},
        )
        self._running = sandbox.start(job, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asked = 0

    def ask(self) -> None:
        """Give it something to compute."""
        assert self._running.process.stdin is not None
        self._asked += 1
        self._running.process.stdin.write(b"%d\n" % self._asked)
        self._running.process.stdin.flush()

    def answers(self) -> bool:
        """Tell whether it answers what it must."""
        assert self._running.process.stdout is not None
        if not select.select([self._running.process.stdout], [], [], 20)[0]:
            return False
        digest = str(self._asked).encode()
        for _ in range(ROUNDS):
            digest = hashlib.sha256(digest).digest()
        return self._running.process.stdout.readline() == f"{digest.hex()} True\n".encode()

    def close(self) -> None:
        """End it."""
        with self._running:
            pass


class Decoy:
    """A process outside with the job's own user, a secret in its environment and its memory."""

    def __init__(self, uid: int | None, canary: str) -> None:
        user = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
        self._process = subprocess.Popen(
            [python, "-I", "-c", DECOY, canary],
            env={"SECRET": canary},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            **user,  # type: ignore[call-overload]
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.pid: int = self._process.pid

    def unharmed(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
