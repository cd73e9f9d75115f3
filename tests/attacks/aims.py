"""Which attack needs which knob: where test_mutations.py looks first, and what holds instead.

A knob that is in neither table is tried with the whole corpus; when nothing gets through, it is
redundant or an attack is missing, and the test says so.
"""

from __future__ import annotations

from tests.attacks.knobs import NO_CAPABILITIES, ROOTS_CHAIN

OFFERS = "promise: what a job is offered"
OUTERMOST = "promise: the outermost process takes all with it"
CONTROLLER = "promise: the controller takes all with it"
GROUP = "promise: the limits of the control group"
FILTER = "promise: the filter's own decisions"
SESSION = "promise: a key press at the controller reaches no job"
SETPRIV = "promise: what setpriv starts is the job's user"
VIEW = "promise: root's view in front of the walls is read-only"

OFFERED = (
    "--setenv",
    "--symlink",
    "--dir",
    "--perms",
    "--chdir",
    "--bind /job",
    "--json-status-fd",
)

AIMED: dict[str, tuple[str, ...]] = {
    "inner: --unshare-user": (OFFERS,),
    "inner: --unshare-all, cgroup": ("the name of its control group",),
    "inner: --unshare-all, net": ("TCP to the host's loopback",),
    "inner: --unshare-all, pid": ("a signal to a process outside", "every process that it sees"),
    "inner: --unshare-all, uts": (OFFERS,),
    "inner: --new-session": ("the instructor's session",),
    "inner: --hostname nb": ("the host's name",),
    "inner: --uid": ("an identity other than the walls'",),
    "inner: --gid": ("an identity other than the walls'",),
    "inner: --seccomp": ("userfaultfd",),
    "inner: --tmpfs (packages of other Pythons)": ("packages of other Pythons",),
    "inner: --remount-ro (packages of other Pythons)": ("packages of other Pythons changed",),
    "inner: --tmpfs (what is ours of the packages)": ("packages of other Pythons",),
    "inner: --remount-ro (what is ours of the packages)": ("packages of other Pythons changed",),
    "inner: --ro-bind (what is ours of the packages)": ("where the grader's source is",),
    "inner: --ro-bind (what is ours of the packages), read-only": (
        "what hides the grader's package",
    ),
    "inner: --ro-bind-data /venv/pyvenv.cfg, read-only": ("the interpreter's settings",),
    "inner: --ro-bind-data /venv/fonts.conf, read-only": ("the fonts' settings",),
    "inner: --size of /tmp": ("memory as files in /tmp",),
    "inner: --tmpfs /tmp": (OFFERS,),
    "inner: --size of /home/student": ("memory as files in the home",),
    "inner: --tmpfs /home/student": (OFFERS,),
    "inner: --size of /dev/shm": ("memory as files in /dev/shm",),
    "inner: --tmpfs /dev/shm": (OFFERS,),
    "inner: --proc /proc": (OFFERS,),
    "inner: --proc /proc of its own": ("a process of the host's",),
    "inner: --dev /dev": (OFFERS,),
    "inner: --dev /dev of its own": ("disks and other devices",),
    "inner: --remount-ro /": ("the root",),
    "inner: --remount-ro /dev": ("devices",),
    "outer: --unshare-pid": (OUTERMOST,),
    "outer: --die-with-parent": (CONTROLLER,),
    "outer: --ro-bind /usr, read-only": (VIEW,),
    "outer: --ro-bind /python, read-only": (VIEW,),
    "outer: --ro-bind (installed packages), read-only": (VIEW,),
    "outer: --ro-bind /data, read-only": (VIEW,),
    "outer: --ro-bind /k, read-only": (VIEW,),
    "outer: --ro-bind (bubblewrap), read-only": (VIEW,),
    "outer: --dev-bind /dev": (OFFERS,),
    "outer: --bind /proc": (OFFERS,),
    "prlimit: --core": ("a core dump",),
    "prlimit: --fsize": ("one big file",),
    "prlimit: --nofile": ("open files without end",),
    "prlimit: --nproc": ("a limit on processes raised again",),
    "prlimit: --stack": ("a stack of a gigabyte for each thread",),
    "prlimit: --cpu": ("processor time beyond its seconds",),
    "prlimit: --data": ("anonymous memory",),
    "control group: memory.limit_in_bytes": ("anonymous memory",),
    "control group: memory.memsw.limit_in_bytes": (GROUP,),
    "control group: memory.max": ("anonymous memory",),
    "control group: memory.swap.max": (GROUP,),
    "filter: ptrace": ("ptrace",),
    "filter: mount": ("mount", FILTER),
    "filter: umount2": ("unmount", FILTER),
    "filter: pivot_root": ("another root for all", FILTER),
    "filter: unshare": ("a user namespace of its own",),
    "filter: setns": ("namespaces of others", FILTER),
    "filter: add_key": ("a key left for others",),
    "filter: request_key": ("a key asked for",),
    "filter: keyctl": ("a key of the controller's",),
    "filter: userfaultfd": ("userfaultfd", FILTER),
    "filter: bpf": ("bpf", FILTER),
    "filter: perf_event_open": ("performance counters", FILTER),
    "filter: open_by_handle_at": ("a file by its handle", FILTER),
    "filter: process_vm_readv": ("another's memory read",),
    "filter: process_vm_writev": ("another's memory written",),
    "filter: kexec_load": ("another kernel", FILTER),
    "filter: init_module": ("a module", FILTER),
    "filter: finit_module": ("a module from a file", FILTER),
    "filter: delete_module": ("a module removed", FILTER),
    "filter: shmget": ("memory as segments of System V",),
    "filter: semget": ("semaphores of System V",),
    "filter: msgget": ("a message queue of the host",),
    "filter: io_uring_setup": ("io_uring",),
    "filter: io_uring_enter": ("io_uring entered",),
    "filter: io_uring_register": ("io_uring registered",),
    "filter: open_tree": ("a tree of mounts",),
    "filter: move_mount": ("a mount moved", FILTER),
    "filter: fsopen": ("a file system opened", FILTER),
    "filter: fsconfig": ("a file system set up", FILTER),
    "filter: fsmount": ("a file system mounted", FILTER),
    "filter: fspick": ("a file system picked", FILTER),
    "filter: clone3": ("a child in a namespace, by the newer call",),
    "filter: pidfd_getfd": ("another's descriptor",),
    "filter: mount_setattr": ("a mount's attributes", FILTER),
    "filter: clone": ("a child in a namespace of its own",),
    "filter: socket, family 17": ("a packet socket",),
    "filter: socket, family 31": ("Bluetooth", FILTER),
    "filter: socket, family 38": ("the kernel's ciphers", FILTER),
    "filter: socket, family 40": ("VSOCK to the host", FILTER),
    "filter: x32": ("calls of x32 programs", FILTER),
    "filter: other architectures": ("calls of 32-bit programs", FILTER),
    "filter": ("ptrace",),
    "packages: ours are left out": ("the grader's package",),
    "start: an empty environment": ("the environment of the first process",),
    "start: no descriptor but the named ones": ("descriptors that were left open",),
    "start: a session of its own": (SESSION,),
    "start: the mask of new files": (OFFERS,),
    "start: first to go when memory is short": (OFFERS,),
    "watch: the deadline": ("asleep",),
    "watch: the disk": ("many files",),
    "watch: nameless files on the disk": ("files whose names are gone",),
    "watch: descriptors in sockets": ("nameless files on their way between two sockets",),
    "watch: files that are only mapped": ("nameless files that are only mapped",),
    "watch: what is written unseen": ("nameless files that are only mapped",),
    "watch: the sum of memory": ("memory of children together",),
    "watch: anonymous files in memory": ("memory as anonymous files",),
    "watch: private file systems": ("memory as inodes of /tmp",),
    "watch: all memory": ("memory of children together",),
    "setpriv: --reuid": ("a file of root's in the dataset",),
    "setpriv: --regid": ("a file of root's group in the dataset",),
    "setpriv: --clear-groups": ("a file of the controller's other groups",),
    "setpriv: --no-new-privs": ("new privileges by a program of root's", SETPRIV),
}

# Knob: what holds without it, and the attack that gets through when both are gone.
HELD: dict[str, tuple[str, str]] = {
    "inner: --unshare-all, ipc": ("filter: shmget", "a segment of System V of the host"),
    "inner: --dir /job": ("inner: --bind /job", OFFERS),
    "inner: --disable-userns": ("filter", "a user namespace of its own"),
    "inner: --die-with-parent": (ROOTS_CHAIN, OUTERMOST),
    "inner: --cap-drop ALL": (NO_CAPABILITIES, "capabilities that were left"),
    "inner: --clearenv": ("start: an empty environment", "its own environment"),
    "control group: pids.max": ("prlimit: --nproc", "fork bomb"),
    "inner: --ro-bind /usr, read-only": (
        "outer: --ro-bind /usr, read-only",
        "the system's programs",
    ),
    "inner: --ro-bind /python, read-only": (
        "outer: --ro-bind /python, read-only",
        "the interpreter itself",
    ),
    "inner: --ro-bind (installed packages), read-only": (
        "outer: --ro-bind (installed packages), read-only",
        "the installed packages",
    ),
    "inner: --ro-bind /data, read-only": (
        "outer: --ro-bind /data, read-only",
        "the dataset changed",
    ),
    "inner: --ro-bind /k, read-only": (
        "outer: --ro-bind /k, read-only",
        "the kernel side's code changed",
    ),
}

# What nothing needs on this kind of system, and where it is needed.
SPARE = {
    "outer: --symlink /bin": "systems that have setpriv or prlimit in a /bin of its own",
    "outer: --symlink /sbin": "systems that have setpriv or prlimit in a /sbin of its own",
}


def aims(knob: str) -> tuple[str, ...]:
    """Return the attacks to try first."""
    if knob not in AIMED and knob.partition(": ")[2].startswith(OFFERED):
        return (OFFERS,)
    return AIMED.get(knob, ())
