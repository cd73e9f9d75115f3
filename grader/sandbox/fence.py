"""Level reduced, inside: fences this process in for good, then becomes the job's program.

Started as a file of its own: standard library only, imports nothing of ours. The process that the
controller started stays outside the fence as the job's reaper: whatever the job starts stays below
it (PR_SET_CHILD_SUBREAPER), so that nothing can slip away, and it ends what the job leaves behind.

Landlock (Linux 5.13, docs.kernel.org/userspace-api/landlock.html) needs no rights and no
namespaces: it lists which files may be read or written, and from version 6 on it keeps signals and
abstract sockets inside. Usage: `fence.py SPEC -- PROGRAM …`, SPEC being JSON:
`{"read": [paths], "list": [folders], "write": [paths], "filter": base64 of a BPF program,
"parent": the pid of whoever starts this}`.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import struct
import sys
import time
from contextlib import suppress

NEEDED = 6  # of Landlock: signals and abstract sockets
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
SET_SECCOMP, SET_NO_NEW_PRIVS, SET_CHILD_SUBREAPER, SET_PDEATHSIG = 22, 38, 36, 1
FILTER = 2
BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
EVERYTHING = (1 << 16) - 1  # of files, versions 1 to 5
FILES_ONLY = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15  # truncate, device control
TCP = 3  # bind and connect; no rule allows any
SCOPES = 3  # abstract sockets, signals
LOST = 120  # the exit code where the fence could not be built
WAKING = {signal.SIGCHLD, signal.SIGTERM}  # a child has ended; so has whoever started this

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the kernel's version of Landlock, 0 where it has none."""
    return max(0, int(_libc.syscall(CREATE_RULESET, None, 0, 1)))


def close_in(spec: dict[str, object]) -> None:
    """Fence this process and all its children in; there is no way back.

    Raises:
        OSError: the kernel does not do it.
    """
    _done(_libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    attributes = struct.pack("=QQQ", EVERYTHING, TCP, SCOPES)
    ruleset = _done(_libc.syscall(CREATE_RULESET, attributes, len(attributes), 0))
    for kind, allowed in (
        ("read", EXECUTE | READ_FILE | READ_DIR), ("list", READ_DIR), ("write", EVERYTHING),
    ):  # fmt: skip
        for path in spec[kind]:  # type: ignore[attr-defined]
            _allow(ruleset, path, allowed)
    _done(_libc.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    program = base64.b64decode(str(spec["filter"]))
    if program:
        code = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
        _done(_libc.prctl(SET_SECCOMP, FILTER, header, 0, 0))


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            allowed &= FILES_ONLY
        rule = struct.pack("=Qi", allowed, place)
        _done(_libc.syscall(ADD_RULE, ruleset, BENEATH, rule, 0))
    finally:
        os.close(place)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def reap(job: int) -> int:
    """Wait for the job, end what it left behind, and return its exit code as a shell says it.

    Signals are waited for, never handled: another one, in the middle of a handler, would end it.
    """
    code = 0
    while signal.sigwait(WAKING) == signal.SIGCHLD:
        try:
            while not _stopping() and (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == job:
                    code = os.waitstatus_to_exitcode(ended[1])
                    code = code if code >= 0 else 128 - code
                    end_children()
        except ChildProcessError:
            return code
    end_children()  # whoever started this is gone: nothing of the job may stay
    return LOST


def _stopping() -> bool:
    return signal.SIGTERM in signal.sigpending()


def end_children() -> None:
    """Kill everything below this process, also what appears meanwhile."""
    while children := _children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.002)


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", "rb") as stream:
        return [int(pid) for pid in stream.read().split()]


def main(spec: str, argv: list[str]) -> int:
    """Fork the job's process, and stay as its reaper."""
    wanted = json.loads(spec)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # one that is ignored is not waited for either
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
    die_with(wanted["parent"], signal.SIGTERM)
    _done(_libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    reaper = os.getpid()
    job = os.fork()
    if job == 0:
        try:
            die_with(reaper, signal.SIGKILL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            close_in(wanted)
            os.execv(argv[0], argv)
        except OSError as error:
            print(f"fence: {error}", file=sys.stderr, flush=True)
        os._exit(LOST)
    for stream in (0, 1):
        os.close(stream)  # they are the job's
    return reap(job)


def die_with(parent: int, number: int) -> None:
    """Have the kernel send a signal when the parent ends, also where it has ended by now."""
    _done(_libc.prctl(SET_PDEATHSIG, number, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(LOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[3:]))
