"""Changes outside of the job's own folder, and things to be found there by the next one."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

HARMS = (
    Harm("the dataset changed", "D09", 'write("/data/train")', "EROFS"),
    Harm("a file beside the dataset", "D09", 'write("/data/" + T["stray"])', "EROFS"),
    Harm("the dataset removed", "D09", 'os.unlink("/data/train")', "EROFS"),
    Harm("the kernel side's code changed", "D09", 'write("/k/driver.py")', "EROFS"),
    Harm(
        "the installed packages", "D09", 'os.chmod(T["honest"], 0o777); write(T["honest"])', "EROFS"
    ),
    Harm(
        "a module beside the packages",
        "D09",
        """
every(*(lambda f=f: write(f + "/" + T["stray"]) for f in
        ["/venv", "/venv/bin", "/venv/lib", os.path.dirname(T["honest"])]))
""",
        "EROFS",
    ),
    Harm("what hides the grader's package", "D09", 'os.chmod(T["masked"], 0o777)', "EROFS"),
    Harm("the interpreter's settings", "D09", 'write("/venv/pyvenv.cfg")', "EROFS"),
    Harm("the fonts' settings", "D09", 'write("/venv/fonts.conf")', "EROFS"),
    Harm(
        "the interpreter itself",
        "D09",
        """
real = os.path.realpath("/venv/bin/python")
write(os.path.dirname(real) + "/" + T["stray"])
""",
        "EROFS",
    ),
    Harm(
        "packages of other Pythons changed",
        "D09",
        """
def put(folder):
    os.chmod(folder, 0o777)
    write(folder + "/" + T["stray"])
every(*(lambda f=f: put(f) for f in T["hidden"]))
""",
        "EROFS",
    ),
    Harm(
        "the system's programs",
        "D09",
        """
every(*(lambda f=f: write(f + "/" + T["stray"]) for f in
        ("/usr", "/usr/bin", "/usr/lib", "/bin", "/lib")))
""",
        "EROFS",
    ),
    Harm(
        "the root",
        "D09",
        'every(*(lambda f=f: write(f + T["stray"]) for f in ("/", "/home/")))',
        "EROFS",
    ),
    Harm("devices", "D09", 'write("/dev/" + T["stray"])', "EROFS"),
    Harm(
        "the host's /tmp changed",
        "D09",
        'write(T["host_tmp"])\nsys.exit(not os.path.exists(T["host_tmp"]))',
        "done",
    ),
    Harm("a home of the host", "D09", 'write(T["outside"]["rc"])', "ENOENT"),
    Harm("the gradebook changed", "D03", 'write(T["outside"]["gradebook"])', "ENOENT"),
    Harm("another run's records", "D03", 'write(T["outside"]["events"])', "ENOENT"),
    Harm(
        "its own home, for the next one",
        "D09",
        """
os.makedirs("/home/student/.ipython/profile_default/startup")
write("/home/student/.ipython/profile_default/startup/00.py")
write("/home/student/.bashrc")
write("/tmp/" + T["stray"])
write("/dev/shm/" + T["stray"])
""",
        "done",
    ),
    Harm(
        "the kernel's settings",
        "D09",
        """
every(*(lambda p=p: write(p, "1") for p in (
    "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/hostname")))
""",
        "EROFS | EACCES",
    ),
    # "h" only prints help, if it gets there.
    Harm(
        "the kernel's emergency key",
        "D09",
        'write("/proc/sysrq-trigger", "h")',
        "EROFS | EACCES | ENOENT",
    ),
    Harm(
        "a binary format of its own",
        "D09",
        'write("/proc/sys/fs/binfmt_misc/register", ":h:M::h::/bin/true:")',
        "EROFS | EACCES | ENOENT",
    ),
    Harm(
        "an identity map of its own",
        "D06",
        'write("/proc/self/uid_map", "0 0 1")',
        "EPERM | EROFS | EACCES",
    ),
    Harm("a device node", "D11", 'os.mknod("/job/disk", 0o60666, os.makedev(7, 0))', "EPERM"),
    Harm(
        "attributes that only root may set",
        "D11",
        'os.setxattr("/job", "trusted.harm", b"1")',
        "EPERM",
    ),
)
