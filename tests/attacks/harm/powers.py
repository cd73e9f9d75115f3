"""Rights that a job must not have: other users, other roots, other namespaces, capabilities."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

NEW = {"a user": 0x10000000, "a mount": 0x20000, "a network": 0x40000000, "a process": 0x20000000}
CHILD = """
child = call("clone", {flags} | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
print("a child", os.waitpid(child, 0))
"""

HARMS = (
    *(
        Harm(f"{name} namespace of its own", "D06", f'call("unshare", {flag})', "EPERM")
        for name, flag in NEW.items()
    ),
    Harm("a child in a namespace of its own", "D06", CHILD.format(flags=0x10000000), "EPERM"),
    Harm(
        "a child in a namespace, by the newer call",
        "D06",
        """
given = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
child = call("clone3", given, 88)
if child == 0:
    os._exit(0)
print("a child", os.waitpid(child, 0))
""",
        "ENOSYS",
    ),
    Harm("namespaces of others", "D06", 'call("setns", os.open("/proc/1/ns/mnt", 0), 0)', "EPERM"),
    Harm("another root", "D06", 'os.chroot("/job")', "EPERM"),
    Harm("root's uid", "D06", "os.setuid(0)", "EINVAL | EPERM"),
    Harm("root's groups", "D06", "os.setgroups([0])", "EPERM"),
    Harm(
        "another user's file", "D06", 'write("/job/f"); os.chown("/job/f", 0, 0)', "EINVAL | EPERM"
    ),
    Harm(
        "capabilities",
        "D06",
        """
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
libc_call("capset", header, (ctypes.c_uint32 * 6)(2**21, 2**21, 0, 0, 0, 0))
""",
        "EPERM",
    ),
    Harm(
        "capabilities that were left",
        "D06",
        """
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
held = {n: status[n].strip() for n in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh")}
if not any(int(value, 16) for value in held.values()):
    raise OSError(errno.EPERM, "none")
print(held)
""",
        "EPERM",
    ),
    Harm(
        "new privileges by a program of root's",
        "D06",
        """
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
if status["NoNewPrivs"].strip() == "1":
    raise OSError(errno.EPERM, "no new privileges")
print(status)
""",
        "EPERM",
    ),
    Harm(
        "an identity other than the walls'",
        "D06",
        """
if (os.getresuid(), os.getresgid()) == ((1000,) * 3, (1000,) * 3):
    raise OSError(errno.EPERM, "nobody in particular")
print(os.getresuid(), os.getresgid())
""",
        "EPERM",
    ),
    Harm("the host's name changed", "D09", 'socket.sethostname("harm")', "EPERM"),
    Harm("the clock", "D09", "time.clock_settime(0, time.time())", "EPERM"),
    Harm(
        "precedence over everybody",
        "C17",
        "os.setpriority(os.PRIO_PROCESS, 0, -20)",
        "EACCES | EPERM",
    ),
    Harm(
        "real time", "C17", "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))", "EPERM"
    ),
    # Harmless where it would work: it only says who handles ctrl-alt-del.
    Harm("the restart key", "D09", 'libc_call("reboot", 0)', "EPERM"),
    Harm("accounting", "D09", 'libc_call("acct", None)', "EPERM"),
    Harm("swap", "D09", 'write("/job/s"); libc_call("swapon", b"/job/s", 0)', "EPERM"),
    Harm("watching all files", "D03", 'libc_call("fanotify_init", 0xC, 0)', "EPERM"),
    Harm(
        "the instructor's terminal",
        "D10",
        """
import fcntl, termios
terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(terminal, termios.TIOCSTI, b"h")
""",
        "ENXIO",
    ),
    Harm(
        "the instructor's session",
        "D10",
        """
if os.getsid(0) == 0:
    print("a session outside")
    sys.exit()
raise OSError(errno.ENXIO, "a session of its own")
""",
        "ENXIO",
    ),
    Harm("ports of the machine", "D09", 'libc_call("iopl", 3)', "EPERM | ENOSYS", machine="x86_64"),
)
