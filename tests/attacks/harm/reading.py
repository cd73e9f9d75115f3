"""Secrets: files, environments, memories and names that are none of the job's business.

Each of them holds the ground's canary; printing it is the harm, whatever the way.
"""

from __future__ import annotations

from tests.attacks.harm.program import Harm

OUTSIDE = 'show(T["outside"]["{name}"])'

HARMS = (
    Harm("a key in the host's home", "D03", OUTSIDE.format(name="key"), "ENOENT"),
    Harm("the rubric", "D04", OUTSIDE.format(name="rubric"), "ENOENT"),
    Harm("the solution", "D04", OUTSIDE.format(name="solution"), "ENOENT"),
    Harm("the gradebook", "D03", OUTSIDE.format(name="gradebook"), "ENOENT"),
    Harm("another student's notebook", "D03", OUTSIDE.format(name="submission"), "ENOENT"),
    Harm("the trainers' memory", "D03", OUTSIDE.format(name="memory"), "ENOENT"),
    Harm("the host's /tmp", "D03", 'show(T["host_tmp"])', "ENOENT"),
    Harm("the host's /dev/shm", "D08", 'show(T["host_shm"])', "ENOENT"),
    Harm(
        "the host's accounts",
        "D06",
        'every(*(lambda p=p: show(p) for p in ("/etc/passwd", "/etc/group", "/etc/shadow")))',
        "ENOENT",
    ),
    Harm(
        "the host's homes",
        "D03",
        'every(*(lambda p=p: os.listdir(p) for p in ("/root", "/etc", "/run", "/var", "/sys")))',
        "ENOENT",
    ),
    Harm("other homes", "D03", 'print(*os.listdir("/home")); show("/home/" + T["user"])', "ENOENT"),
    Harm(
        "a file of root's in the dataset",
        "D06",
        'show("/data/private")',
        "EACCES",
        root_only=True,
    ),
    Harm(
        "a file of root's group in the dataset",
        "D06",
        'show("/data/grouped")',
        "EACCES",
        root_only=True,
    ),
    Harm(
        "a file of the controller's other groups",
        "D06",
        'show("/data/fourth")',
        "EACCES",
        root_only=True,
    ),
    Harm(
        "the grader's package",
        "D04",
        "import honest, grader; print(open(grader.__file__).read())",
        "ModuleNotFoundError",
    ),
    Harm("where the grader's source is", "D04", 'show(T["masked"])', "EACCES"),
    Harm(
        "packages of other Pythons",
        "D04",
        """
names = [name for folder in T["hidden"] for name in os.listdir(folder)]
if not names:
    raise OSError(errno.ENODATA, "nothing there")
print(names)
""",
        "ENODATA",
    ),
    Harm(
        "files of the grader by a search of all that there is",
        "D04",
        """
for top in ("/job", "/k", "/data", "/home", "/tmp", "/venv", "/dev/shm"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                try:
                    show(path)
                except OSError:
                    pass
""",
        "done",
    ),
    Harm(
        "the environment of the first process",
        "D05",
        """
names = show("/proc/1/environ") or open("/proc/1/environ").read().split("\\0")
if not {n.partition("=")[0] for n in names if n} - {"PWD"}:
    raise OSError(errno.ENODATA, "nothing there")
""",
        "ENODATA",
    ),
    Harm(
        "its own environment",
        "D05",
        """
show("/proc/self/environ")
if not [n for n in os.environ if "GRADER" in n or "SECRET" in n]:
    raise OSError(errno.ENODATA, "nothing there")
""",
        "ENODATA",
    ),
    Harm(
        "environments and command lines of all processes",
        "D05",
        """
import glob
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    if f"/{os.getpid()}/" not in path:
        try:
            show(path)
        except OSError:
            pass
""",
        "done",
    ),
    Harm(
        "files that other processes have open",
        "D04",
        """
import glob
for path in glob.glob("/proc/[0-9]*/fd/*"):
    if not os.path.realpath(path).startswith(("/dev", "/proc")) and os.path.isfile(path):
        try:
            show(path)
        except OSError:
            pass
""",
        "done",
    ),
    Harm(
        "descriptors that were left open",
        "D04",
        """
extra = [n for n in range(3, 256) if os.path.exists(f"/proc/self/fd/{n}")]
if not extra:
    raise OSError(errno.EBADF, "only the three")
for number in extra:
    print(os.readlink(f"/proc/self/fd/{number}"), os.pread(number, 4096, 0))
""",
        "EBADF",
    ),
    Harm(
        "roots and folders of other processes",
        "D03",
        """
import glob
for way in ("root", "cwd"):
    for path in glob.glob(f"/proc/[0-9]*/{way}"):
        for name in T["outside"].values():
            try:
                show(path + name)
            except OSError:
                pass
""",
        "done",
    ),
    Harm(
        "the memory of a process outside",
        "D03",
        """
pid = T["decoy"]
for line in open(f"/proc/{pid}/maps"):
    if "[heap]" in line or "[stack]" in line:
        start, end = (int(word, 16) for word in line.split()[0].split("-"))
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(start)
            print(memory.read(min(end - start, 2**22)).decode(errors="replace"))
""",
        "ENOENT",
    ),
    Harm(
        "the environment of a process outside",
        "D05",
        "show(f\"/proc/{T['decoy']}/environ\")",
        "ENOENT",
    ),
    Harm(
        "a segment of System V of the host",
        "D08",
        """
libc.shmat.restype = ctypes.c_void_p
segment = libc_call("shmget", T["shm_key"], ctypes.c_size_t(4096), 0)
print(ctypes.string_at(libc.shmat(segment, None, 0o10000)))
""",
        "EPERM",
    ),
    Harm(
        "the kernel's memory and messages",
        "D03",
        """
every(*(lambda p=p: open(p, "rb").read(16) for p in (
    "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/proc/kcore", "/proc/kmsg",
    "/proc/1/mem", "/proc/kpageflags")))
""",
        "ENOENT | EACCES | EPERM",
    ),
    Harm(
        "the kernel's log",
        "D03",
        'print(libc_call("klogctl", 3, ctypes.create_string_buffer(4096), 4096))',
        "EPERM",
    ),
    Harm(
        "disks and other devices",
        "D03",
        """
known = {"null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm", "fd",
         "stdin", "stdout", "stderr", "core", "console", "mqueue"}
more = set(os.listdir("/dev")) - known
if not more:
    raise OSError(errno.ENODEV, "no device")
print(more)
""",
        "ENODEV",
    ),
    Harm(
        "the host's name",
        "D03",
        """
if socket.gethostname() != "nb":
    print(socket.gethostname())
    sys.exit()
raise OSError(errno.ENODATA, "a neutral name")
""",
        "ENODATA",
    ),
    Harm(
        "the name of its control group",
        "D03",
        """
text = open("/proc/self/cgroup").read()
if T["group"] in text or any(line.count("/..") for line in text.splitlines()):
    print(text)
    sys.exit()
raise OSError(errno.ENODATA, "nothing there")
""",
        "ENODATA",
    ),
    Harm(
        "host paths on the first command line",
        "D05",
        """
before = open("/proc/1/cmdline").read().partition("\\0-c\\0")[0]
if T["folder"] in before:
    print(before)
    sys.exit()
raise OSError(errno.ENODATA, "nothing there")
""",
        "ENODATA",
    ),
    Harm(
        "what the job before left",
        "D09",
        """
every(*(lambda p=p: show(p) for p in ("/tmp/left", "/home/student/left", "/dev/shm/left")))
""",
        "ENOENT",
        first="""
for folder in ("/tmp", "/home/student", "/dev/shm"):
    write(folder + "/left")
""",
    ),
    Harm(
        "a file by its handle",
        "D03",
        """
handle = (ctypes.c_char * 136)(128, 0, 0, 0, 1, 0, 0, 0)
call("open_by_handle_at", os.open("/job", os.O_RDONLY), handle, 0)
""",
        "EPERM",
    ),
)
