"""Names the level this machine offers by attacking its walls, not by looking for a program.

Takes about a second. Anything that gets through, and anything that cannot be tried, makes the
level none; nothing is remembered on disk.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.box import Sandbox
from grader.sandbox.disk import remove_tree
from grader.sandbox.jobs import Job, Level, Limits, Mount, WallsError
from grader.sandbox.scratch import new_folder
from grader.sandbox.slots import free_slots

WALL_S = 60  # of an attack that takes a tenth of a second; the machine may be busy
PROCESSES = 48
MEMORY_MB = 128
QUIET_S = 0.1
HOG = f"blocks = [bytearray(b'x' * 2**20) for _ in range({4 * MEMORY_MB})]; print('grew')"
ATTACKS = Path(__file__).with_name("attacks.py")
NAMES = ("network", "canary", "environment", "read_only", "signals", "own_package", "processes")


@dataclass(frozen=True)
class ProbeCheck:
    """One attack: whether the walls held, and what got through if not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Probe:
    """What the machine offers, and why in one line."""

    level: Level
    checks: tuple[ProbeCheck, ...]
    reason: str


def probe(sandbox: Sandbox | None = None) -> Probe:
    """Attack the walls and report the level; never raises for walls that do not hold.

    Args:
        sandbox: whose walls; by default the standard ones, and where these do not hold the
            reduced ones.
    """
    if sandbox is not None:
        return _probed(sandbox.level, sandbox)
    standard = _probed(Level.STANDARD)
    if standard.level is Level.STANDARD:
        return standard
    reduced = _probed(Level.REDUCED)
    if reduced.level is Level.REDUCED:
        why = f"{reduced.reason}; the standard walls are not offered here: {standard.reason}"
        return Probe(Level.REDUCED, reduced.checks, why)
    why = f"{standard.reason}; the reduced walls are not offered either: {reduced.reason}"
    return Probe(Level.NONE, standard.checks, why)


def _probed(level: Level, sandbox: Sandbox | None = None) -> Probe:
    folder = new_folder("nb-")
    try:
        with free_slots(1) as (slot,):  # others may look at this machine at the same time
            checks = _attack(sandbox or Sandbox(level, slot), folder)
    except WallsError as error:
        checks = (ProbeCheck("start", False, str(error)),)
    except OSError as error:
        checks = (ProbeCheck("start", False, f"cannot start a process: {error}"),)
    finally:
        remove_tree(folder)
    failed = next((check for check in checks if not check.ok), None)
    if failed is not None:
        return Probe(Level.NONE, checks, f"{failed.name}: {failed.detail}")
    return Probe(level, checks, f"all {len(checks)} attacks were held back")


def _attack(sandbox: Sandbox, folder: Path) -> tuple[ProbeCheck, ...]:
    job, canary, open_canary = folder / "job", folder / "canary", folder / "open"
    anybodys = folder / "anybodys"
    job.mkdir()
    canary.write_text("secret")
    canary.chmod(0o600)
    open_canary.write_text("secret")
    anybodys.mkdir()
    anybodys.chmod(0o777)  # only the walls keep a job from writing here
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        paths = [str(canary), str(open_canary), str(anybodys)]
        met = _run_attacks(sandbox, job, [sandbox.level, port, str(os.getpid())], paths)
    checks = [ProbeCheck(name, met.get(name) == "", _detail(met, name)) for name in NAMES]
    return (*checks, _memory(sandbox, job), _daemon(met, job / "heartbeat"))


def _run_attacks(
    sandbox: Sandbox, job: Path, arguments: list[str], paths: list[str]
) -> dict[str, object]:
    def argv(inside: Callable[[str], str]) -> list[str]:
        script, folder = inside("/k/attacks.py"), inside("/job")
        return ["-I", script, *arguments, str(PROCESSES), folder, *paths]

    mounts = (Mount(job, "/job", writable=True), Mount(ATTACKS, "/k/attacks.py"))
    limits = Limits(wall_s=WALL_S, memory_mb=512, processes=PROCESSES, tmp_mb=16)
    started = sandbox.start(Job(argv, mounts, limits), stdout=subprocess.PIPE)
    with started as running:
        assert running.process.stdout is not None
        printed = running.process.stdout.read()
        ended = running.wait()
    try:
        met = json.loads(printed)
    except ValueError as error:
        said = ended.stderr_tail.strip().splitlines() or ["no message"]
        raise WallsError(f"the attacks could not run ({ended.reason}): {said[-1]}") from error
    return met if isinstance(met, dict) else {}


def _memory(sandbox: Sandbox, job: Path) -> ProbeCheck:
    limits = Limits(wall_s=WALL_S, memory_mb=MEMORY_MB, tmp_mb=16)
    hog = Job(["-I", "-S", "-c", HOG], (Mount(job, "/job", writable=True),), limits)
    ended = sandbox.start(hog).wait()
    stopped = ended.reason == "memory" or "MemoryError" in ended.stderr_tail
    detail = "" if stopped else f"{4 * MEMORY_MB} MB were used with a limit of {MEMORY_MB} MB"
    return ProbeCheck("memory", stopped, detail)


def _daemon(met: dict[str, object], heartbeat: Path) -> ProbeCheck:
    if "daemon" not in met:
        return ProbeCheck("daemon", False, "the attack did not run")
    before = os.stat(heartbeat).st_mtime_ns
    time.sleep(QUIET_S)
    survived = os.stat(heartbeat).st_mtime_ns != before
    return ProbeCheck("daemon", not survived, "a daemon outlived its job" if survived else "")


def _detail(met: dict[str, object], name: str) -> str:
    return str(met.get(name, "the attack did not run"))
