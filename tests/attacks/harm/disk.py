"""The disk filled, and output without end."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

# The ground allows 24 MB in /job, 4 MB for a file; each program stops by itself at about 100 MB.
FULL = """
for number in range(36):
    with open({name}, "wb") as file:
        file.write(bytes(3 * MIB))
time.sleep(2.5)
"""
NAMELESS = """
files = []
for number in range(36):
    files.append(open(f"/job/{number}", "wb", buffering=0))
    os.unlink(f"/job/{number}")
    files[-1].write(bytes(3 * MIB))
"""
MAPPED = """
libc.mmap.restype = ctypes.c_void_p
for number in range(36):
    file = os.open(f"/job/{number}", os.O_RDWR | os.O_CREAT)
    os.unlink(f"/job/{number}")
    os.write(file, bytes(3 * MIB))
    libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))
    os.close(file)
"""
FIRST_THREAD_ENDS = """
threading.Thread(target=time.sleep, args=(5,)).start()
libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""

HARMS = (
    Harm(
        "one big file",
        "C07",
        """
with open("/job/big", "wb", buffering=0) as file:
    for _ in range(40):
        file.write(bytes(MIB))
""",
        "EFBIG",
    ),
    Harm(
        "a sparse file of a terabyte", "C08", 'os.truncate(os.open("/job/s", 66), 2**40)', "EFBIG"
    ),
    Harm(
        "disk promised ahead",
        "C08",
        'os.posix_fallocate(os.open("/job/s", os.O_RDWR | os.O_CREAT), 0, 64 * MIB)',
        "EFBIG",
    ),
    Harm("many files", "C07", FULL.format(name='f"/job/{number}"'), "disk"),
    Harm(
        "many empty files",
        "C08",
        """
for number in range(8_000):
    os.close(os.open(f"/job/{number}", os.O_CREAT | os.O_WRONLY))
time.sleep(2.5)
""",
        "disk",
        limits={"wall_s": 15},
    ),
    Harm(
        "many long names",
        "C08",
        """
for number in range(8_000):
    os.symlink("x" * 1000, "/job/" + f"{number:06}".ljust(255, "n"))
time.sleep(2.5)
""",
        "disk",
        limits={"wall_s": 15},
    ),
    Harm(
        "files deeper than a path can say",
        "C08",
        """
os.chdir("/job")
for _ in range(40):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
"""
        + FULL.format(name="str(number)"),
        "disk",
    ),
    Harm(
        "files whose names are gone",
        "C07",
        NAMELESS + "time.sleep(2.5)",
        "disk",
    ),
    Harm(
        "nameless files on their way between two sockets",
        "C07",
        """
left, right = socket.socketpair()
for number in range(36):
    with open(f"/job/{number}", "wb", buffering=0) as file:
        os.unlink(f"/job/{number}")
        file.write(bytes(3 * MIB))
        socket.send_fds(left, [b"x"], [file.fileno()])
time.sleep(5)
""",
        "disk",
    ),
    Harm(
        "nameless files on their way to somebody who never answers",
        "C07",
        """
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0x")
listener.listen(64)
for number in range(36):
    with open(f"/job/{number}", "wb", buffering=0) as file:
        os.unlink(f"/job/{number}")
        file.write(bytes(3 * MIB))
        caller = socket.socket(socket.AF_UNIX)
        caller.connect("\\0x")
        socket.send_fds(caller, [b"x"], [file.fileno()])
        caller.close()
time.sleep(5)
""",
        "disk",
    ),
    Harm(
        "nameless files that are only mapped",
        "C07",
        MAPPED + "time.sleep(5)",
        "disk",
    ),
    Harm(
        "nameless files of a process whose first thread has ended",
        "C07",
        NAMELESS + FIRST_THREAD_ENDS,
        "disk",
    ),
    Harm(
        "nameless files that are mapped by a process whose first thread has ended",
        "C07",
        MAPPED + FIRST_THREAD_ENDS,
        "disk",
    ),
    Harm(
        "nameless files of a process that may not be looked into",
        "C07",
        "libc_call('prctl', 4, 0, 0, 0, 0)\n" + NAMELESS + "time.sleep(5)",
        "disk",
    ),
    Harm(
        "nameless files behind so many descriptors that a look takes long",
        "C07",
        """
spare = socket.socket()
for _ in range(14):
    if os.fork() == 0:
        for _ in range(4000):
            os.dup(spare.fileno())
        time.sleep(12)
        os._exit(0)
if os.fork() == 0:
"""
        + NAMELESS.replace("\n", "\n    ")
        + """
    time.sleep(12)
    os._exit(0)
time.sleep(12)
""",
        "disk",
        limits={"wall_s": 20},
    ),
    Harm(
        "nameless files on their way in a socket that is itself on its way",
        "C07",
        """
outer = socket.socketpair()
for turn in range(2):
    left, right = socket.socketpair()
    for number in range(18):
        with open(f"/job/{turn}-{number}", "wb", buffering=0) as file:
            os.unlink(f"/job/{turn}-{number}")
            file.write(bytes(3 * MIB))
            socket.send_fds(left, [b"x"], [file.fileno()])
    socket.send_fds(outer[0], [b"x"], [right.fileno()])
    left.close(), right.close()
time.sleep(5)
""",
        "disk",
    ),
    Harm(
        "files in a folder that nobody may list",
        "C07",
        'os.mkdir("/job/h"); os.chmod("/job/h", 0o300)\n' + FULL.format(name='f"/job/h/{number}"'),
        "disk",
    ),
    Harm(
        "a big file through a hole in the limit",
        "C07",
        """
import mmap
file = os.open("/job/m", os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 40 * MIB)
block = mmap.mmap(file, 40 * MIB)
""",
        "EFBIG",
    ),
    Harm(
        "a limit on files raised again",
        "C07",
        "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (2**40, 2**40))",
        "ValueError",
    ),
    Harm(
        "stdout without end",
        "C05",
        """
block = b"x" * 65536
for _ in range(4000):
    os.write(1, block)
""",
        "done",
    ),
    Harm(
        "stderr without end",
        "C05",
        """
block = b"x" * 65535 + b"\\n"
for _ in range(4000):
    os.write(2, block)
""",
        "done",
    ),
    Harm(
        "a child that writes on after the end",
        "C05",
        """
if os.fork() == 0:
    for _ in range(300):
        os.write(2, b"still here\\n")
        time.sleep(0.01)
    os._exit(0)
""",
        "done",
    ),
    Harm("text that is no text", "C19", 'os.write(1, b"\\xed\\xa0\\x80\\xff" * 99)', "done"),
)
