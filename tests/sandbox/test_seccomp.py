"""The system call filter, as bytes and in force."""

from __future__ import annotations

import json
import platform
import struct

import pytest

from grader.sandbox import seccomp

CALLS = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
met = {}
for name, number in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    met[name] = [libc.syscall(number, -1, -1, -1, -1, -1), ctypes.get_errno()]
print(json.dumps(met))
"""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_lands_on_an_instruction(machine: str) -> None:
    """The program is whole instructions, jumps stay inside, and it ends with a return."""
    program = seccomp.program(machine)

    assert program is not None
    steps = list(struct.iter_unpack("=HBBI", program))
    assert len(steps) < 4096
    assert steps[-1][0] == seccomp.RETURN
    assert all(at + 1 + max(yes, no) < len(steps) for at, (_, yes, no, _) in enumerate(steps[:-1]))


def test_unknown_machines_have_no_filter() -> None:
    """Without a table of numbers there is no filter, rather than a wrong one."""
    assert seccomp.program("riscv64") is None


@pytest.mark.sandbox
def test_listed_calls_are_refused(run) -> None:
    """Inside, every listed call fails as forbidden or unknown; none reaches the kernel."""
    machine = seccomp.MACHINES.get(platform.machine())
    if machine is None:
        pytest.skip(f"no filter for {platform.machine()}")
    calls = {name: number for name, number in machine.calls.items() if name not in {"clone"}}

    met = json.loads(run(CALLS, json.dumps(calls)).printed)

    wanted = {
        name: [-1, 97 if "socket" == name else 38 if name in seccomp.UNKNOWN else 1]
        for name in calls
    }
    assert wanted == met


@pytest.mark.sandbox
def test_threads_and_processes_still_start(run) -> None:
    """Threads, subprocesses and local sockets work under the filter."""
    code = """
import asyncio, socket, subprocess, threading
thread = threading.Thread(target=print, args=("thread",), daemon=True)
thread.start(); thread.join()
subprocess.run(["echo", "process"])
left, right = socket.socketpair(); left.send(b"socket"); print(right.recv(9).decode())
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
print(asyncio.run(asyncio.sleep(0, "loop")))
"""

    assert {"thread", "process", "socket", "loop"} == set(run(code).printed.split())
