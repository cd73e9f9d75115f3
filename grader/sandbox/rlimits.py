"""Limits for each process, set inside the walls by prlimit(1) just before Python starts.

Inside, because a limit on processes must count in the walls' own user namespace, not the
instructor's desktop. Never RLIMIT_AS: TensorFlow maps far more than it uses.
"""

from __future__ import annotations

import resource
import shutil

from grader.sandbox.jobs import Limits, WallsError

MIB = 1024 * 1024
OPEN_FILES = 4096
STACK_MB = (8, 64)
# Below about 1.4 GB of data TensorFlow crashes where it should raise MemoryError.
DATA_MB = 3072


def prlimit_arguments(limits: Limits, grouped: bool) -> list[str]:
    """Return the prlimit command that goes before the interpreter.

    Args:
        limits: of the job.
        grouped: a control group limits memory; without one each process gets its own limit.
    """
    program = _find("prlimit")
    stack, most_stack = (size * MIB for size in STACK_MB)
    wanted = {
        "core": (resource.RLIMIT_CORE, 0, 0),
        "fsize": (resource.RLIMIT_FSIZE, limits.file_mb * MIB, limits.file_mb * MIB),
        "nofile": (resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES),
        "nproc": (resource.RLIMIT_NPROC, limits.processes, limits.processes),
        "stack": (resource.RLIMIT_STACK, stack, most_stack),
    }
    if limits.cpu_s is not None:
        # At the soft limit a handler may still run; the second after it is the end.
        wanted["cpu"] = (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)
    if not grouped:
        data = min(limits.memory_mb, DATA_MB) * MIB
        wanted["data"] = (resource.RLIMIT_DATA, data, data)
    return [program, *(f"--{name}={_allowed(*values)}" for name, values in wanted.items()), "--"]


def setpriv_arguments(uid: int, gid: int) -> list[str]:
    """Return the setpriv command that drops root for good."""
    program = _find("setpriv")
    user = ["--reuid", str(uid), "--regid", str(gid), "--clear-groups"]
    return [program, *user, "--no-new-privs", "--"]


def powerless_arguments() -> list[str]:
    """Return the setpriv command that leaves root of a namespace nothing but its name."""
    program = _find("setpriv")
    nothing = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    return [program, *nothing, "--no-new-privs", "--"]


def _allowed(kind: int, soft: int, hard: int) -> str:
    """Limits may only be lowered: stay below what this process has."""
    present = resource.getrlimit(kind)[1]
    if present != resource.RLIM_INFINITY:
        soft, hard = min(soft, present), min(hard, present)
    return f"{soft}:{hard}"


def _find(program: str) -> str:
    found = shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        raise WallsError(f"{program} is missing: install util-linux")
    return found
