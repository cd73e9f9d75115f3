"""Programs that do not end, and what outlives them."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

SOON = {"wall_s": 0.5}
DEAF = """
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
"""

HARMS = (
    Harm(
        "a daemon in a session of its own",
        "C09",
        """
if os.fork() == 0:
    os.setsid()
    heartbeat()
    os._exit(0)
wait_for("/job/heartbeat")
""",
        "done",
    ),
    Harm(
        "a daemon by double fork, deaf to signals",
        "C09",
        DEAF
        + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(1); os.close(2)
        heartbeat()
    os._exit(0)
wait_for("/job/heartbeat")
""",
        "done",
    ),
    Harm(
        "a daemon started at the very end",
        "C09",
        """
import atexit
def leave():
    if os.fork() == 0:
        heartbeat()
        os._exit(0)
    wait_for("/job/heartbeat")
atexit.register(leave)
""",
        "done",
    ),
    Harm(
        "a daemon that outlives a kill by the clock",
        "C09",
        """
if os.fork() == 0:
    os.setsid()
    heartbeat()
    os._exit(0)
time.sleep(3)
""",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "nohup and another program's name",
        "C09",
        """
import subprocess
loop = "n=0; while [ $n -lt 200 ]; do echo >> /job/heartbeat; n=$((n+1)); sleep 0.02; done"
subprocess.Popen(["nohup", "sh", "-c", loop], start_new_session=True, stdout=2)
wait_for("/job/heartbeat")
""",
        "done",
    ),
    Harm(
        "busy and deaf",
        "C11",
        DEAF + "end = time.monotonic() + 3\nwhile time.monotonic() < end: pass",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "busy in C",
        "C10",
        'import re; re.match(r"(a|aa)+$", "a" * 34 + "b")',
        "deadline",
        limits=SOON,
    ),
    Harm("asleep", "C12", "time.sleep(3)", "deadline", limits=SOON),
    Harm("pause", "C12", "signal.alarm(3); signal.pause()", "deadline", limits=SOON),
    Harm(
        "stops itself",
        "C12",
        """
if os.fork() == 0:
    time.sleep(3)
    os.kill(os.getppid(), signal.SIGCONT)
    os._exit(0)
os.kill(os.getpid(), signal.SIGSTOP)
""",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "select without end",
        "C12",
        "import select; select.select([], [], [], 3)",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "two threads that wait for each other",
        "C13",
        """
a, b = threading.Lock(), threading.Lock()
def hold(mine, other):
    with mine:
        time.sleep(0.1)
        other.acquire(timeout=3)
for pair in ((a, b), (b, a)):
    threading.Thread(target=hold, args=pair).start()
""",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "a child that is never done",
        "C13",
        """
if os.fork() == 0:
    time.sleep(3)
    os._exit(0)
os.wait()
""",
        "deadline",
        limits=SOON,
    ),
    Harm(
        "an open that nobody answers",
        "C12",
        """
os.mkfifo("/job/fifo")
signal.alarm(3)
open("/job/fifo")
""",
        "deadline",
        limits=SOON,
    ),
    Harm("input()", "C14", "input()", "EOFError"),
    Harm("a debugger that waits", "C14", "import pdb; pdb.set_trace(); x = 1", "BdbQuit"),
    Harm(
        "every signal blocked",
        "C11",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); time.sleep(3)",
        "deadline",
        limits=SOON,
    ),
    Harm("dies of a fault", "C15", "ctypes.string_at(0)", "SIGSEGV"),
    Harm("dies without a word", "C15", "os._exit(7)", "exit 7"),
    Harm("kills itself", "C15", "os.kill(os.getpid(), 9)", "SIGKILL"),
)
