"""Parts of the kernel that no notebook needs, called by number with arguments that would work."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

PATHS = 'ctypes.c_char_p(b"none"), ctypes.c_char_p(b"{at}"), ctypes.c_char_p(b"tmpfs")'
# A 32-bit call from 64-bit code: mov eax, 20 (getpid); int 0x80; ret.
OLD_DOOR = """
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(run())
"""
MEMORY_OF = """
local = ctypes.create_string_buffer(64)
word = ctypes.create_string_buffer(b"x" * 64)
here = (ctypes.c_void_p * 2)(ctypes.addressof(local), 64)
there = (ctypes.c_void_p * 2)(ctypes.addressof(word), 64)
child = os.fork()
if child == 0:
    time.sleep(3)
    os._exit(0)
call("{name}", child, here, 1, there, 1, 0)
"""

HARMS = (
    Harm(
        "io_uring", "D01", 'call("io_uring_setup", 4, ctypes.create_string_buffer(256))', "ENOSYS"
    ),
    Harm("io_uring entered", "D01", 'call("io_uring_enter", -1, 0, 0, 0, 0, 0)', "ENOSYS"),
    Harm("io_uring registered", "D01", 'call("io_uring_register", -1, 0, 0, 0)', "ENOSYS"),
    Harm("mount", "D09", f'call("mount", {PATHS.format(at="/tmp")}, 0, 0)', "EPERM"),
    Harm(
        "the dataset mounted writable",
        "D09",
        f'call("mount", {PATHS.format(at="/data")}, 4096 | 32, 0); write("/data/train")',
        "EPERM",
    ),
    Harm("unmount", "D09", 'call("umount2", ctypes.c_char_p(b"/data"), 2)', "EPERM"),
    Harm(
        "another root for all",
        "D09",
        'call("pivot_root", ctypes.c_char_p(b"/job"), ctypes.c_char_p(b"/job"))',
        "EPERM",
    ),
    Harm(
        "a tree of mounts", "D09", 'call("open_tree", -100, ctypes.c_char_p(b"/job"), 0)', "EPERM"
    ),
    Harm("a mount moved", "D09", 'call("move_mount", -1, 0, -1, 0, 0)', "EPERM"),
    Harm("a file system opened", "D09", 'call("fsopen", ctypes.c_char_p(b"tmpfs"), 0)', "EPERM"),
    Harm("a file system set up", "D09", 'call("fsconfig", -1, 0, 0, 0, 0)', "EPERM"),
    Harm("a file system mounted", "D09", 'call("fsmount", -1, 0, 0)', "EPERM"),
    Harm("a file system picked", "D09", 'call("fspick", -1, ctypes.c_char_p(b"/job"), 0)', "EPERM"),
    Harm(
        "a mount's attributes",
        "D09",
        'call("mount_setattr", -1, ctypes.c_char_p(b"/data"), 0, (ctypes.c_uint64 * 4)(), 32)',
        "EPERM",
    ),
    Harm("ptrace", "D03", 'call("ptrace", 0, 0, 0, 0)', "EPERM"),
    Harm("another's memory read", "D03", MEMORY_OF.format(name="process_vm_readv"), "EPERM"),
    Harm("another's memory written", "D03", MEMORY_OF.format(name="process_vm_writev"), "EPERM"),
    Harm(
        "another's descriptor",
        "D03",
        """
child = os.fork()
if child == 0:
    time.sleep(3)
    os._exit(0)
print(call("pidfd_getfd", os.pidfd_open(child), 0, 0))
""",
        "EPERM",
    ),
    Harm(
        "a key of the controller's",
        "D08",
        """
text = ctypes.create_string_buffer(200)
call("keyctl", 11, T["keyring"], text, 200, 0)
print(text.value)
""",
        "EPERM",
    ),
    Harm(
        "a key left for others",
        "D08",
        """
call("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"harm"), ctypes.c_char_p(b"h"), 1, -3)
""",
        "EPERM",
    ),
    Harm(
        "a key asked for",
        "D08",
        'call("request_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"none"), 0, 0)',
        "EPERM",
    ),
    Harm("userfaultfd", "D03", 'call("userfaultfd", 1)', "EPERM"),
    Harm("bpf", "D03", 'call("bpf", 0, ctypes.create_string_buffer(128), 128)', "EPERM"),
    Harm(
        "performance counters",
        "D03",
        """
given = (ctypes.c_uint32 * 32)(1, 128, 1)
given[10] = 0x60
call("perf_event_open", given, 0, -1, -1, 0)
""",
        "EPERM",
    ),
    Harm("another kernel", "D09", 'call("kexec_load", 0, 0, 0, 0)', "EPERM"),
    Harm(
        "a module",
        "D09",
        'call("init_module", ctypes.c_char_p(b"h"), 1, ctypes.c_char_p(b""))',
        "EPERM",
    ),
    Harm(
        "a module from a file", "D09", 'call("finit_module", 0, ctypes.c_char_p(b""), 0)', "EPERM"
    ),
    Harm("a module removed", "D09", 'call("delete_module", ctypes.c_char_p(b"harm"), 0)', "EPERM"),
    Harm("calls of 32-bit programs", "D06", OLD_DOOR, "SIGSYS | SIGSEGV", machine="x86_64"),
    Harm(
        "calls of x32 programs",
        "D06",
        "checked(libc.syscall(ctypes.c_long(0x40000000 | 39)))",
        "ENOSYS",
        machine="x86_64",
    ),
)
