"""What is not an attack but must hold, and what a job is offered: looked at from outside.

Each function returns what does not hold; empty: all does.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from grader.sandbox import Limits, WallsError, cgroup, rlimits, seccomp
from tests.attacks.ground import LIMITS, Ground
from tests.attacks.harm.program import PRELUDE
from tests.attacks.knobs import options

MACHINES = dict(seccomp.MACHINES)
OFFERS = """
import stat, subprocess
def mode(path):
    return oct(os.stat(path).st_mode) if os.path.exists(path) else None
def usable(folder):
    try:
        with open(folder + "/usable", "w") as file:
            file.write("x")
        return True
    except OSError as error:
        return error.errno
os.umask(mask := os.umask(0))
print("OFFERS" + json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "root": sorted(os.listdir("/")),
    "system": {n: os.path.realpath("/" + n) for n in ("bin", "sbin", "lib", "lib32", "lib64")},
    "modes": {n: mode(n) for n in ("/tmp", "/home/student", "/dev/shm", "/job", "/data", "/k",
              "/venv", "/dev", "/proc", *T["hidden"])},
    "usable": {n: usable(n) for n in ("/tmp", "/home/student", "/dev/shm", "/job")},
    "python": [sys.executable, sys.prefix, *sys.path[-1:],
               os.path.realpath("/venv/bin/python"), os.path.realpath("/venv/bin/python3")],
    "sizes": [os.statvfs(n).f_blocks for n in ("/tmp", "/home/student", "/dev/shm", *T["hidden"])],
    "packages": os.listdir(os.path.dirname(T["honest"])),
    "fonts": os.path.exists("/venv/fonts.conf"), "settings": os.path.exists("/venv/pyvenv.cfg"),
    "devices": sorted(os.listdir("/dev")), "data": sorted(os.listdir("/data")),
    "kit": os.listdir("/k"), "first": open("/proc/self/oom_score_adj").read(),
    "own": os.path.exists("/proc/self/stat"), "mask": mask, "pids": open("/proc/self/stat").read(2),
    "program": subprocess.run(["sh", "-c", "echo yes"], capture_output=True, text=True).stdout,
}), flush=True)
"""


def offered(ground: Ground) -> str:
    """What a job gets to see and to use is what it was when the ground was made."""
    try:
        ended, printed = ground.run(OFFERS)
    except WallsError as error:
        return f"no job starts: {str(error).partition(':')[0]}"
    if "OFFERS" not in printed:
        return f"a job ends with {ended.reason} {ended.exit_code}"
    found = json.loads(printed.partition("OFFERS")[2])
    if not ground.offers:
        ground.offers.update(found)
    different = [name for name in found if found[name] != ground.offers[name]]
    return f"a job is offered something else: {', '.join(different)}" if different else ""


def outermost_killed(ground: Ground) -> str:
    """Killing the outermost process ends all of them, when nobody else looks after them."""
    with _controller(ground) as (controller, outermost):
        os.kill(controller, signal.SIGSTOP)
        os.kill(outermost, signal.SIGKILL)
        left = ground.survivors()
    return f"{len(left)} processes outlive the outermost one" if left else ""


def controller_killed(ground: Ground) -> str:
    """Killing the controller ends all jobs."""
    with _controller(ground) as (controller, _):
        os.kill(controller, signal.SIGKILL)
        left = ground.survivors()
    return f"{len(left)} processes outlive the controller" if left else ""


@contextmanager
def _controller(ground: Ground) -> Iterator[tuple[int, int]]:
    """A controller of its own with a job; yields its pid and the job's outermost one."""
    folder, told = ground.new_folder(), ground.folder / "outermost"
    limits = Limits(**{**LIMITS, "wall_s": 20})  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of fork in a process with threads
        controller = os.fork()
    if controller == 0:
        job = ground.job(PRELUDE + "write('/job/up'); time.sleep(20)", folder, limits)
        told.write_text(str(ground.sandbox.start(job).process.pid))
        time.sleep(30)
        os._exit(0)
    try:
        _until(lambda: (folder / "up").exists() and told.exists())
        yield controller, int(told.read_text())
    finally:
        told.unlink(missing_ok=True)
        os.kill(controller, signal.SIGKILL)
        os.waitpid(controller, 0)
        ground.survivors()
        if (group := cgroup.make_group(Limits(wall_s=1))) is not None:
            group.close()  # sweeps what the controller left


def session_apart(ground: Ground) -> str:
    """A job has a session of its own: an interrupt from the keyboard is the controller's alone."""
    with ground.sandbox.start(ground.job("", ground.new_folder(), Limits(wall_s=5))) as running:
        same = os.getsid(running.process.pid) == os.getsid(0)
        running.wait()
    return "a job is in the controller's session" if same else ""


def setpriv_drops(ground: Ground) -> str:
    """Where root drops to a user of its own, nothing of root is left, and none comes back."""
    if not ground.root:
        return ""
    owner = ground.walls.owner
    says = "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status"
    command = [*rlimits.setpriv_arguments(owner.uid, owner.gid), "/bin/sh", "-c", says]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    wanted = f"{owner.uid}\n{owner.gid}\n{owner.gid}\nNoNewPrivs:\t1\n"
    return "" if said == wanted else "what setpriv starts could become more than the job's user"


def view_is_closed(ground: Ground) -> str:
    """What root's outer bubblewrap shows can be written in the job's folder only."""
    if not ground.root:
        return ""
    folder = ground.new_folder()
    ground.sandbox.give(folder)
    job = ground.job("", folder, Limits(wall_s=1))
    with ground.walls._plan(job, grouped=True) as plan:
        inner = len(plan.argv) - plan.argv[::-1].index("--args") - 2
        binds = [words for _, words in options(plan.gate_arguments, ())]
        closed = [words[2] for words in binds if words[0] == "--ro-bind"]
        open_ = [words[2] for words in binds if words[0] == "--bind" and words[2] != "/proc"]
        writes = f"for p in {' '.join(closed + open_)}; do touch $p/{ground.stray}; done"
        process = subprocess.Popen(
            [*plan.argv[:inner], "/usr/bin/sh", "-c", writes],
            env={"LC_ALL": "C", "PATH": "/usr/bin"},
            stderr=subprocess.PIPE,
            pass_fds=plan.keep,
            text=True,
        )
        os.write(plan.gate[1], b"".join(word.encode() + b"\0" for word in plan.gate_arguments))
    said = process.communicate()[1]
    for place in ground.places():
        place.unlink(missing_ok=True)
    written = (folder / ground.stray).exists() + said.count("Read-only file system")
    refused = said.count("Read-only file system")
    if written != refused + 1:
        return f"the view in front of the walls is not as it must be: {said[-100:]!r}"
    more = len(open_) - 1
    return f"{more} more places in front of the walls are not read-only" if more else ""


def group_limits(ground: Ground) -> str:
    """A control group has every limit that its version knows."""
    group = cgroup.make_group(Limits(wall_s=1, memory_mb=64, processes=9))
    if group is None:
        return ""
    wanted = {
        "memory.max": 64 * 2**20, "memory.swap.max": 0, "pids.max": 9,
        "memory.limit_in_bytes": 64 * 2**20, "memory.memsw.limit_in_bytes": 64 * 2**20,
    }  # fmt: skip
    try:
        for folder in set(group.folders.values()):
            for name, value in wanted.items():
                if (folder / name).exists() and (folder / name).read_text().strip() != str(value):
                    return f"{name} is not {value}"
        return ""
    finally:
        group.close()


def filter_decides(ground: Ground) -> str:
    """The filter refuses every listed call by itself, whatever the kernel would say to it."""
    for name, machine in MACHINES.items():
        program = seccomp.program(name)
        if program is None:
            return "there is none"
        refused, killed = 0x00050000, 0x80000000
        flags = {0x20000: "clone", 0x10000000: "clone"}
        cases = [
            (number, 0) for call, number in machine.calls.items() if call not in {"clone", "socket"}
        ]
        cases += [(machine.calls["clone"], flag) for flag in flags]
        cases += [(machine.calls["socket"], family) for family in (17, 31, 38, 40)]
        cases += [(0x40000000 | 39, 0)] if machine.has_x32 else []
        for number, first in cases:
            if decide(program, machine.audit, number, first) & 0xFFFF0000 != refused:
                names = {value: call for call, value in machine.calls.items()}
                return f"on {name} it lets {names.get(number, 'x32')} through"
        if decide(program, machine.audit + 1, 39, 0) != killed:
            return f"on {name} it takes calls of another architecture for its own"
    return ""


def decide(program: bytes, architecture: int, number: int, first: int) -> int:
    """Return what a filter says to a call, as the kernel would run it."""
    data = {0: number, 4: architecture, 16: first}
    steps = list(struct.iter_unpack("=HBBI", program))
    at = loaded = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == seccomp.RETURN:
            return int(value)
        if code == seccomp.LOAD:
            loaded = data[value]
            continue
        holds = {
            seccomp.EQUAL: loaded == value,
            seccomp.AT_LEAST: loaded >= value,
            seccomp.ANY_BIT: bool(loaded & value),
        }[code]
        at += yes if holds else no


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, "nothing came up")
        time.sleep(0.01)


PROMISES: dict[str, Callable[[Ground], str]] = {
    "promise: what a job is offered": offered,
    "promise: the outermost process takes all with it": outermost_killed,
    "promise: the controller takes all with it": controller_killed,
    "promise: a key press at the controller reaches no job": session_apart,
    "promise: the limits of the control group": group_limits,
    "promise: what setpriv starts is the job's user": setpriv_drops,
    "promise: root's view in front of the walls is read-only": view_is_closed,
    "promise: the filter's own decisions": filter_decides,
}
