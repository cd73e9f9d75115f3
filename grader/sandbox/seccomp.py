"""A small deny-list of system calls, as the BPF program that bubblewrap loads.

The walls hold without it; it takes away the parts of the kernel that had most of the holes and
that no notebook needs. Numbers are the kernel's own, for x86-64 and 64-bit ARM.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
X32 = 0x40000000
NEW_NAMESPACES = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
FAMILIES = (0, 1, 2, 10, 16)  # unspecified, UNIX, IPv4, IPv6, netlink

# Newer calls have one number everywhere.
COMMON = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "clone3": 435, "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip
X86_64 = {
    "clone": 56, "socket": 41, "ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155,
    "unshare": 272, "setns": 308, "add_key": 248, "request_key": 249, "keyctl": 250,
    "userfaultfd": 323, "bpf": 321, "perf_event_open": 298, "open_by_handle_at": 304,
    "process_vm_readv": 310, "process_vm_writev": 311, "kexec_load": 246, "init_module": 175,
    "finit_module": 313, "delete_module": 176, "shmget": 29, "semget": 64, "msgget": 68,
}  # fmt: skip
AARCH64 = {
    "clone": 220, "socket": 198, "ptrace": 117, "mount": 40, "umount2": 39, "pivot_root": 41,
    "unshare": 97, "setns": 268, "add_key": 217, "request_key": 218, "keyctl": 219,
    "userfaultfd": 282, "bpf": 280, "perf_event_open": 241, "open_by_handle_at": 265,
    "process_vm_readv": 270, "process_vm_writev": 271, "kexec_load": 104, "init_module": 105,
    "finit_module": 273, "delete_module": 106, "shmget": 194, "semget": 190, "msgget": 186,
}  # fmt: skip
# glibc takes ENOSYS as "old kernel" and uses clone, whose flags a filter can read.
UNKNOWN = {"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"}


@dataclass(frozen=True)
class Machine:
    """One architecture: its audit identity and its system call numbers."""

    audit: int
    calls: dict[str, int]
    has_x32: bool


MACHINES = {
    "x86_64": Machine(0xC000003E, X86_64 | COMMON, has_x32=True),
    "aarch64": Machine(0xC00000B7, AARCH64 | COMMON, has_x32=False),
}


def program(machine: str | None = None, families: tuple[int, ...] = FAMILIES) -> bytes | None:
    """Return the filter for this machine, or None for an architecture without a table.

    Args:
        families: of sockets that may be made.
    """
    found = MACHINES.get(machine or platform.machine())
    return None if found is None else b"".join(_instructions(found, families))


def _instructions(machine: Machine, families: tuple[int, ...]) -> Iterator[bytes]:
    yield _step(LOAD, ARCHITECTURE)
    yield _step(EQUAL, machine.audit, 1, 0)
    yield _step(RETURN, KILL)
    yield _step(LOAD, NUMBER)
    if machine.has_x32:
        yield _step(AT_LEAST, X32, 0, 1)
        yield _step(RETURN, FAIL | errno.ENOSYS)
    for name, number in machine.calls.items():
        if name not in {"clone", "socket"}:
            yield _step(EQUAL, number, 0, 1)
            yield _step(RETURN, FAIL | (errno.ENOSYS if name in UNKNOWN else errno.EPERM))
    yield _step(EQUAL, machine.calls["clone"], 0, 4)
    yield _step(LOAD, FIRST_ARGUMENT)
    yield _step(ANY_BIT, NEW_NAMESPACES, 0, 1)
    yield _step(RETURN, FAIL | errno.EPERM)
    yield _step(RETURN, ALLOW)
    yield _step(EQUAL, machine.calls["socket"], 0, len(families) + 2)
    yield _step(LOAD, FIRST_ARGUMENT)
    for left, family in zip(range(len(families), 0, -1), families, strict=True):
        yield _step(EQUAL, family, left, 0)
    yield _step(RETURN, FAIL | errno.EAFNOSUPPORT)
    yield _step(RETURN, ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
