"""Too much memory, by every way that there is to get some."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

# The ground allows 160 MB; each program stops by itself at 300.
ANONYMOUS = "blocks = [bytearray(b'x' * MIB) for _ in range(300)]; time.sleep(0.5)"
FILL = """
for number in range(100):
    with open("{folder}/" + str(number), "wb", buffering=0) as file:
        file.write(bytes(3 * MIB))
"""

HARMS = (
    Harm("anonymous memory", "C03", ANONYMOUS, "memory", ungrouped="MemoryError"),
    Harm(
        "memory shared with a child",
        "C04",
        """
import mmap
block = mmap.mmap(-1, 300 * MIB)
if os.fork() == 0:
    for at in range(0, 150 * MIB, 4096):
        block[at] = 1
    os._exit(0)
os.wait()
for at in range(150 * MIB, 300 * MIB, 4096):
    block[at] = 1
time.sleep(0.5)
""",
        "memory",
        unheld_ungrouped="pages that only a dead process touched are in nobody's sum",
    ),
    Harm(
        "memory of children together",
        "C03",
        """
for _ in range(6):
    if os.fork() == 0:
        block = bytearray(b"x" * (50 * MIB))
        time.sleep(1)
        os._exit(0)
ends = [os.wait()[1] for _ in range(6)]
sys.exit(137 if 9 in ends else 0)
""",
        "memory",
        limits={"wall_s": 8},
    ),
    Harm(
        "memory of a process whose first thread has ended",
        "C03",
        """
if os.fork() == 0:
    blocks = [bytearray(b"x" * MIB) for _ in range(100)]
    threading.Thread(target=time.sleep, args=(4,)).start()
    libc.syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
blocks = [bytearray(b"x" * MIB) for _ in range(100)]
sys.exit(137 if os.wait()[1] == 9 else 0)  # the kernel chooses which of the two it ends
""",
        "memory",
    ),
    Harm(
        "memory as anonymous files that are only mapped",
        "C04",
        """
libc.mmap.restype = ctypes.c_void_p
for number in range(100):
    file = os.memfd_create("x")
    os.write(file, bytes(3 * MIB))
    libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))
    os.close(file)
time.sleep(0.5)
""",
        "memory",
        unheld_ungrouped="pages of a file that no descriptor leads to are in nobody's sum",
    ),
    Harm(
        "memory as locked pages",
        "C03",
        """
import mmap
block = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
libc_call("mlockall", 3)
blocks = [bytearray(b"x" * MIB) for _ in range(300)]
""",
        "ENOMEM | EPERM",
    ),
    Harm("memory as files in /dev/shm", "C04", FILL.format(folder="/dev/shm"), "ENOSPC"),
    Harm("memory as files in /tmp", "C04", FILL.format(folder="/tmp"), "ENOSPC"),
    Harm("memory as files in the home", "C04", FILL.format(folder="/home/student"), "ENOSPC"),
    Harm(
        "memory as inodes of /tmp",
        "C04",
        """
for number in range(150_000):
    os.mkdir(f"/tmp/{number}")
time.sleep(0.3)
""",
        "memory",
        ungrouped="memory | ENOSPC",
        limits={"wall_s": 15, "memory_mb": 64},
    ),
    Harm(
        "memory as anonymous files",
        "C04",
        """
files = [os.memfd_create(str(number)) for number in range(100)]
for file in files:
    os.write(file, bytes(3 * MIB))
time.sleep(0.5)
""",
        "memory",
    ),
    Harm(
        "memory as one anonymous file",
        "C04",
        """
file = os.memfd_create("big")
for _ in range(300):
    os.write(file, bytes(MIB))
""",
        "EFBIG",
    ),
    Harm(
        "memory as segments of System V",
        "C04",
        """
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
for _ in range(60):
    segment = libc_call("shmget", 0, ctypes.c_size_t(5 * MIB), 0o1666)
    place = libc.shmat(segment, None, 0)
    ctypes.memset(place, 1, 5 * MIB)
    libc.shmdt(place)
time.sleep(0.5)
""",
        "EPERM",
    ),
    Harm(
        "memory in the buffers of sockets",
        "C04",
        """
pairs = []
for _ in range(400):
    pair = socket.socketpair()
    for end in pair:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
        try:
            while True:
                end.send(bytes(65536))
        except BlockingIOError:
            pass
    pairs.append(pair)
time.sleep(0.3)
""",
        "memory",
        unheld_ungrouped="the kernel's own memory for sockets is in nobody's sum",
        limits={"memory_mb": 64},
    ),
    Harm(
        "address space without end, touched",
        "C03",
        """
import mmap
blocks = [mmap.mmap(-1, 2**34, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)]
for at in range(0, 300 * MIB, 4096):
    blocks[0][at] = 1
time.sleep(0.5)
""",
        "memory",
        ungrouped="ENOMEM",
    ),
    Harm(
        "its own killer called off",
        "C03",
        'write("/proc/self/oom_score_adj", "-1000"); ' + ANONYMOUS,
        "EACCES",
    ),
)
