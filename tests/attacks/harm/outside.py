"""Other processes: the controller, other runs, the first process inside."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

HARMS = (
    Harm("a signal to a process outside", "D02", 'os.kill(T["decoy"], signal.SIGTERM)', "ESRCH"),
    Harm("a signal to the controller", "D02", 'os.kill(T["controller"], 0)', "ESRCH"),
    Harm(
        "a handle of a process outside",
        "D02",
        'signal.pidfd_send_signal(os.pidfd_open(T["decoy"]), signal.SIGTERM)',
        "ESRCH",
    ),
    Harm(
        "the group of a process outside",
        "D02",
        'os.killpg(T["decoy"], signal.SIGTERM)',
        "ESRCH",
    ),
    Harm(
        "every process that it sees",
        "D02",
        """
pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
if len(pids) > 12 or T["decoy"] in pids:
    print("processes of others", pids)
    sys.exit()
for pid in pids:
    if pid not in (os.getpid(), 1):
        os.kill(pid, signal.SIGKILL)
raise OSError(errno.ESRCH, "nobody else")
""",
        "ESRCH",
    ),
    Harm(
        "a limit of a process outside",
        "D02",
        "import resource as r; r.prlimit(T['decoy'], r.RLIMIT_CPU)",
        "ProcessLookupError | ESRCH",
    ),
    Harm(
        "the processors of a process outside",
        "D02",
        'os.sched_setaffinity(T["decoy"], {0})',
        "ESRCH",
    ),
    Harm(
        "the first process inside",
        "C09",
        """
os.kill(1, signal.SIGKILL)
os.kill(1, signal.SIGTERM)
os.kill(1, signal.SIGSTOP)
time.sleep(0.2)
""",
        "done | killed",
    ),
    Harm(
        "its own watcher inside",
        "C09",
        """
for pid in range(2, os.getpid()):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    heartbeat()
    os._exit(0)
wait_for("/job/heartbeat")
""",
        "done | killed",
    ),
    Harm(
        "a message queue of the host",
        "D08",
        'libc_call("msgget", T["shm_key"], 0)',
        "EPERM",
    ),
    Harm(
        "semaphores of System V",
        "D08",
        'libc_call("semget", 0, 1, 0o1666)',
        "EPERM",
    ),
    Harm(
        "a process of the host's",
        "D05",
        """
if len([name for name in os.listdir("/proc") if name.isdigit()]) < 12:
    raise OSError(errno.ESRCH, "only its own")
print(open("/proc/1/cmdline").read())
""",
        "ESRCH",
    ),
    Harm(
        "a lock on the dataset that others wait for",
        "D08",
        """
import fcntl
file = open("/data/train", "rb")
fcntl.flock(file, fcntl.LOCK_EX)
time.sleep(3)
""",
        "deadline",
        limits={"wall_s": 0.6},
    ),
    Harm(
        "processor, disk and memory all at once",
        "C26",
        """
if os.fork() == 0:
    end = time.monotonic() + 3
    while time.monotonic() < end:
        pass
for number in range(5):
    with open(f"/job/{number}", "wb") as file:
        file.write(bytes(3 * MIB))
        os.fsync(file.fileno())
block = bytearray(30 * MIB)
end = time.monotonic() + 3
while time.monotonic() < end:
    pass
""",
        "deadline",
        limits={"wall_s": 1.0},
    ),
)
