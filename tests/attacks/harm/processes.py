"""Too many processes, threads and descriptors."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

# The limit of the ground is far below 80.
FORK = """
for _ in range(80):
    if os.fork() == 0:
        {first}
        time.sleep(3)
        os._exit(0)
"""

HARMS = (
    Harm("fork bomb", "C01", FORK.format(first="pass"), "EAGAIN"),
    Harm(
        "fork bomb, each in a session of its own", "C02", FORK.format(first="os.setsid()"), "EAGAIN"
    ),
    Harm(
        "fork bomb by double fork",
        "C02",
        """
for _ in range(80):
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            os._exit(1)
        time.sleep(3)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise OSError(errno.EAGAIN, "a child could not fork")
""",
        "EAGAIN",
    ),
    Harm(
        "fork bomb in which every child forks",
        "C01",
        """
def grow(depth):
    for _ in range(2):
        try:
            child = os.fork()
        except OSError:
            write("/job/refused")
            return
        if child == 0:
            if depth < 6:
                grow(depth + 1)
            time.sleep(3)
            os._exit(0)
grow(0)
wait_for("/job/refused")
if os.path.exists("/job/refused"):
    raise OSError(errno.EAGAIN, "a child could not fork")
""",
        "EAGAIN",
    ),
    Harm(
        "thread bomb",
        "C02",
        """
for _ in range(80):
    threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
""",
        "RuntimeError",
    ),
    Harm(
        "bomb of other programs",
        "C01",
        """
import subprocess
for _ in range(80):
    subprocess.Popen(["/bin/sleep", "3"])
""",
        "EAGAIN",
    ),
    Harm(
        "a limit on processes raised again",
        "C01",
        "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (5000, 5000))",
        "ValueError",
    ),
    Harm(
        "open files without end",
        "C18",
        """
import resource as r
most = r.getrlimit(r.RLIMIT_NOFILE)[1]
r.setrlimit(r.RLIMIT_NOFILE, (most, most))
for _ in range(5000):
    os.dup(0)
""",
        "EMFILE",
    ),
    Harm(
        "a core dump",
        "C18",
        """
import resource as r
os.chdir("/job")
r.setrlimit(r.RLIMIT_CORE, (MIB, MIB))
os.abort()
""",
        "ValueError",
    ),
    Harm(
        "a stack of a gigabyte for each thread",
        "C18",
        "import resource as r; r.setrlimit(r.RLIMIT_STACK, (2**30, 2**30))",
        "ValueError",
    ),
    Harm(
        "a command line of many megabytes", "C18", 'os.execv("/bin/true", ["x" * 2**23])', "E2BIG"
    ),
    Harm(
        "processor time beyond its seconds",
        "C17",
        """
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
end = time.process_time() + 3.2
while time.process_time() < end:
    pass
""",
        "SIGKILL",
        limits={"cpu_s": 1, "wall_s": 20},
    ),
)
