"""The probe's attacks, run inside the walls: prints one JSON object, name -> [held, detail].

Bound into the walls as a single file: standard library only, imports nothing of ours.
Arguments: the level that is tried, the port of a listener on the host, a process outside, the most
processes, the job's folder, and files outside that must not be readable; the last of them is a
folder in which anybody outside may write.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ALLOWED_OUTSIDE = {"PWD"}


def network(port: int, separate: bool) -> str:
    """Try the host's own listener and an address far away; return what got through."""
    for address in (("127.0.0.1", port), ("192.0.2.1", 80), ("1.1.1.1", 53)):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                tried = socket.socket(socket.AF_INET, kind)
            except OSError:
                continue
            with tried:
                tried.settimeout(0.2)
                try:
                    tried.connect(address)
                except OSError:
                    continue
                # A datagram socket connects to the walls' own loopback without sending a byte.
                if kind == socket.SOCK_STREAM or address[0] != "127.0.0.1":
                    return f"reached {address[0]}:{address[1]}"
    names = [name for _, name in socket.if_nameindex() if name != "lo"] if separate else []
    return f"interfaces {names}" if names else ""


def canary(*paths: str) -> str:
    """Try to read files that lie outside; return the first that could be read."""
    for path in (*paths, "/etc/passwd", "/etc/shadow", "/root"):
        try:
            os.listdir(path) if os.path.isdir(path) else Path(path).read_bytes()
        except OSError:
            continue
        return f"read {path}"
    return ""


def environment() -> str:
    """Look for variables of the host in the first process."""
    try:
        text = Path("/proc/1/environ").read_text(errors="replace")
    except OSError:
        return ""
    names = {entry.partition("=")[0] for entry in text.split("\0") if entry} - ALLOWED_OUTSIDE
    return f"variables {sorted(names)}" if names else ""


def read_only(anybodys: str) -> str:
    """Try to write where nothing may change, and where anybody outside may write."""
    for folder in (
        anybodys,
        "/",
        "/dev",
        "/usr",
        "/venv",
        "/venv/bin",
        "/home",
        "/proc/sys/kernel",
    ):
        try:
            (Path(folder) / "written").write_text("x")
        except OSError:
            continue
        return f"wrote to {folder}"
    return ""


def signals(outside: int) -> str:
    """Try to signal a process outside."""
    try:
        os.kill(outside, 0)
    except OSError:
        return ""
    return f"signalled process {outside}"


def own_package(separate: bool) -> str:
    """Look for the package that these walls belong to."""
    if not separate:  # its name can be seen, and nothing of it read
        try:
            import_module("grader")
        except (ImportError, OSError):
            return ""
        return "import grader works"
    if find_spec("grader") is not None:
        return "import grader works"
    names = [name for name in _importable() if "grader" in name.lower()]
    return f"names {names}" if names else ""


def processes(limit: int) -> str:
    """Fork until it fails; return how many there were if it does not."""
    children: list[int] = []
    try:
        while len(children) <= limit:
            child = os.fork()
            if child == 0:
                time.sleep(30)
                os._exit(0)
            children.append(child)
    except OSError:
        return ""
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return f"{len(children)} processes with a limit of {limit}"


def leave_daemon(heartbeat: str) -> str:
    """Start a daemon, in a session of its own, that writes until somebody ends it."""
    beats = Path(heartbeat).resolve()  # a link may be gone after the job
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 3)  # nobody waits for a daemon's output
            for number in range(3000):
                beats.write_text(str(number))
                time.sleep(0.01)
        os._exit(0)
    while not beats.exists():
        time.sleep(0.005)
    return ""


def _importable() -> Iterator[str]:
    for folder in sys.path:
        if os.path.isdir(folder):
            yield from os.listdir(folder)


def main(level: str, port: str, outside: str, limit: str, job: str, *paths: str) -> None:
    """Run every attack and print what each one met."""
    separate = level == "standard"  # namespaces of its own
    attacks: dict[str, Callable[[], str]] = {
        "network": lambda: network(int(port), separate),
        "canary": lambda: canary(*paths),
        "environment": environment,
        "read_only": lambda: read_only(paths[-1]),
        "signals": lambda: signals(int(outside)),
        "own_package": lambda: own_package(separate),
        "processes": lambda: processes(int(limit)),
        "daemon": lambda: leave_daemon(f"{job}/heartbeat"),
    }
    print(json.dumps({name: attack() for name, attack in attacks.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
