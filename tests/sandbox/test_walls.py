"""What code behind the standard walls can see and touch."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox import Job, Limits, Mount, Sandbox, WallsError, processes, seccomp, walls
from grader.sandbox.interpreter import running_interpreter

pytestmark = pytest.mark.sandbox

REACH = """
import json, socket, sys
met = {}
for name, family, kind, address in [
    ("host", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(sys.argv[1]))),
    ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("1.1.1.1", 53)),
    ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("1.1.1.1", 53)),
    ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700:4700::1111", 53)),
    ("metadata", socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + sys.argv[2]),
    ("vsock", 40, socket.SOCK_STREAM, (2, 80)),
]:
    try:
        with socket.socket(family, kind) as tried:
            tried.settimeout(1)
            tried.connect(address)
        met[name] = "reached"
    except OSError as error:
        met[name] = error.strerror
try:
    socket.getaddrinfo("example.org", 80)
    met["dns"] = "reached"
except OSError:
    pass
met["interfaces"] = [name for _, name in socket.if_nameindex()]
print(json.dumps(met))
"""
READ = """
import json, sys
met = {}
for path in sys.argv[1:]:
    try:
        met[path] = len(open(path, "rb").read())
    except OSError as error:
        met[path] = type(error).__name__
print(json.dumps(met))
"""
WRITE = """
import json, os, sys
met = {}
for folder in sys.argv[1:]:
    try:
        open(os.path.join(folder, "written"), "w").write("x")
        met[folder] = "written"
    except OSError as error:
        met[folder] = error.strerror
print(json.dumps(met))
"""


def test_nothing_reaches_a_network(run) -> None:
    """Neither the host's sockets, nor any address, nor a name is reached; only lo exists."""
    name = f"nb-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        abstract.bind("\0" + name)
        abstract.listen()
        outcome = run(REACH, str(listener.getsockname()[1]), name)

    met = json.loads(outcome.printed)
    assert ["lo"] == met.pop("interfaces")
    assert [] == [address for address, said in met.items() if "reached" == said]
    assert "Address family not supported by protocol" == met["vsock"]


def test_files_outside_are_not_there(run, tmp_path: Path) -> None:
    """Neither a private nor an open file of the host can be read, nor /etc, nor root's home."""
    private, readable = tmp_path / "private", tmp_path / "open"
    for path in (private, readable):
        path.write_text("canary")
    private.chmod(0o600)
    paths = [str(private), str(readable), "/etc/passwd", "/etc/shadow", __file__]

    outcome = run(READ, *paths)

    assert dict.fromkeys(paths, "FileNotFoundError") == json.loads(outcome.printed)


def test_root_holds_nothing_but_the_walls(run) -> None:
    """The root folder lists what the walls put there, and no /etc, /sys, /root or /run."""
    outcome = run("import os; print(*os.listdir('/'))")

    system = {"bin", "sbin", "lib", "lib32", "lib64", "usr", "venv", "python"}
    assert {"dev", "proc", "job", "home", "tmp"} == set(outcome.printed.split()) - system


def test_a_root_only_folder_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """A read-only mount that the dropped user could not read is refused with what to do."""
    if os.geteuid() != 0:
        pytest.skip("only root drops to another user")
    tmp_path.chmod(0o700)
    job = Job(["-c", ""], (Mount(tmp_path, "/job"),), Limits(wall_s=5))

    with pytest.raises(WallsError, match="chmod o\\+rX"):
        sandbox.start(job)


def test_environment_is_constructed(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process inside, the first one included, has a variable of the controller."""
    monkeypatch.setenv("GRADER_SECRET", "canary")
    code = """
import json, os, pathlib
first = pathlib.Path("/proc/1/environ").read_text().split("\\0")
print(json.dumps([dict(os.environ), [entry.partition("=")[0] for entry in first if entry]]))
"""

    ours, first = json.loads(run(code, environment={"COURSE": "x"}).printed)

    assert {"PWD"} >= set(first)
    assert "canary" not in ours.values()
    assert ("/home/student", "/tmp", "x") == (ours["HOME"], ours["TMPDIR"], ours["COURSE"])
    assert ("C.UTF-8", "0", "1") == (ours["LANG"], ours["PYTHONHASHSEED"], ours["OMP_NUM_THREADS"])
    assert [] == [name for name in ours if "grader" in name.lower()]


def test_command_lines_show_no_host_path(run, job_folder: Path) -> None:
    """The command line of the first process holds neither mounts nor the host's Python."""
    outcome = run("print(open('/proc/1/cmdline').read())")

    assert str(job_folder) not in outcome.printed
    assert str(running_interpreter().base) not in outcome.printed.replace("/usr/bin", "")


def test_python_is_a_neutral_venv(run) -> None:
    """Python is /venv/bin/python with one site-packages; no host path shows in it."""
    code = "import sys; print(sys.executable, sys.prefix, *[p for p in sys.path if 'site' in p])"

    outcome = run(code)

    version = running_interpreter().executable_inside.rpartition("python")[2]
    site = f"/venv/lib/python{version}/site-packages"
    assert f"/venv/bin/python /venv {site}" == outcome.printed


def test_own_package_is_masked(sandbox: Sandbox, run, tmp_path: Path) -> None:
    """Installed or editable, nothing of our package is listed or imported; others are."""
    site = tmp_path / "site"
    ours = ["grader", "grader-0.1.0.dist-info", "_grader.pth", "__editable___grader_finder.py"]
    for name in [*ours, "__pycache__", "honest.py"]:
        (site / name).mkdir(parents=True) if "." not in name or "-" in name else (
            (site / name).write_text("secret")
        )
    for folder in ("grader", "__pycache__"):
        (site / folder / "__init__.py").write_text("secret")
    (tmp_path / "elsewhere.py").write_text("")
    (site / "linked.py").symlink_to(tmp_path / "elsewhere.py")
    (site / "grader.link").symlink_to(site / "grader")
    site.chmod(0o755)
    assert isinstance(sandbox._starter, walls.Walls)
    sandbox._starter.python = dataclasses.replace(running_interpreter(), folders=(site,))
    code = """
import importlib.util as u, os, sys
print(u.find_spec("grader"), u.find_spec("honest") is not None, sorted(os.listdir(sys.path[-1])))
for folder, _, names in os.walk("/venv"):
    for name in names:
        try:
            text = open(f"{folder}/{name}").read()
        except OSError:
            continue
        if "secret" in text:
            print(name)
"""

    outcome = run(code)

    assert "None True ['honest.py', 'linked.py']\nhonest.py\nhonest.py" == outcome.printed


def test_other_package_folders_show_nothing(run) -> None:
    """The package folders of the system's Python and of the base installation are empty."""
    python = running_interpreter()
    code = "import os, sys; print(*[os.listdir(name) for name in sys.argv[1:]])"

    outcome = run(code, *python.hidden)

    assert " ".join("[]" for _ in python.hidden) == outcome.printed


@pytest.fixture
def more_groups() -> Iterator[None]:
    """Let this process, when it is root, have a supplementary group."""
    before = os.getgroups()
    if os.geteuid() == 0:
        os.setgroups([4])
    yield
    if os.geteuid() == 0:
        os.setgroups(before)


def test_the_job_is_not_root_on_the_host(
    sandbox: Sandbox, job_folder: Path, more_groups: None
) -> None:
    """As root, a job's processes and files belong to the slot's own user, without our groups."""
    if os.geteuid() != 0:
        pytest.skip("only root drops to another user")
    code = "import time; open('/job/made', 'w'); time.sleep(20)"
    job = Job(["-I", "-c", code], (Mount(job_folder, "/job", True),), Limits(wall_s=20))

    with sandbox.start(job) as running:
        while not (job_folder / "made").exists():
            time.sleep(0.01)
        members = processes.tree(running.process.pid)
        identities = [_identity(member.pid) for member in members]

    # The two root processes are the outer bubblewrap and its reaper.
    dropped = [(uid, groups) for uid, groups in identities if uid != 0]
    assert [(60008, [])] * (len(identities) - 2) == dropped
    assert 60008 == (job_folder / "made").stat().st_uid


def test_every_namespace_is_the_jobs_own(run) -> None:
    """Processes, network, files, host name, users, messages and control groups are apart."""
    names = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
    code = "import os, sys; print(*[os.readlink(f'/proc/self/ns/{n}') for n in sys.argv[1:]])"

    inside = run(code, *names).printed.split()

    ours = [os.readlink(f"/proc/self/ns/{name}") for name in names]
    assert [] == [name for name, a, b in zip(names, inside, ours, strict=True) if a == b]


def test_nothing_but_the_job_is_writable(run) -> None:
    """The root, /dev, the system and Python are read-only; /job, HOME, /tmp and shm are not."""
    site = "/venv/lib"
    closed = ["/", "/dev", "/usr", "/usr/bin", "/venv", "/venv/bin", site, "/home", "/proc/sys"]
    private = ["/job", "/home/student", "/tmp", "/dev/shm"]

    met = json.loads(run(WRITE, *closed, *private).printed)

    assert [] == [folder for folder in closed if "written" == met[folder]]
    assert [met[folder] for folder in private] == ["written"] * 4


def test_mounts_keep_their_promise(run, job_folder: Path, tmp_path: Path) -> None:
    """A writable mount brings files out; a read-only one takes none and can be read."""
    kit = tmp_path / "kit"
    kit.mkdir()
    (kit / "given").write_text("here")
    kit.chmod(0o755)
    code = WRITE + "print(open('/k/given').read())"

    outcome = run(code, "/job", "/k", mounts=(Mount(kit, "/k"),))

    met, given = outcome.printed.splitlines()
    assert {"/job": "written", "/k": "Read-only file system"} == json.loads(met)
    assert "here" == given
    assert "x" == (job_folder / "written").read_text()


def test_nobody_inside_has_powers(run) -> None:
    """No capability, no new privileges, no new namespaces, no terminal, a neutral host name."""
    code = """
import ctypes, json, os, socket
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
libc = ctypes.CDLL(None, use_errno=True)
try:
    terminal = os.open("/dev/tty", os.O_RDWR)
except OSError:
    terminal = None
print(json.dumps({
    "powers": [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")],
    "no_new": status["NoNewPrivs"].strip(), "filtered": status["Seccomp"].strip(),
    "unshare": [libc.unshare(flag) for flag in (0x10000000, 0x20000)],
    "host": socket.gethostname(), "who": [os.getuid(), os.getgid()], "terminal": terminal,
    "groups": os.getgroups(),
    "open": [int(name) for name in os.listdir("/proc/self/fd")][:3],
    "inherited": [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")],
    "session": os.getsid(0) in {1, 2}, "oom": open("/proc/self/oom_score_adj").read().strip(),
}))
"""

    met = json.loads(run(code).printed)

    assert {
        "powers": [0, 0, 0, 0],
        "no_new": "1",
        "filtered": "2",
        "unshare": [-1, -1],
        "host": "nb",
        "who": [1000, 1000],
        "groups": [] if os.geteuid() == 0 else met["groups"],
        "terminal": None,
        "open": [0, 1, 2],
        "inherited": [],
        "session": True,
        "oom": "500",
    } == met


def test_no_namespaces_even_without_the_filter(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the filter of system calls is missing, new user namespaces are still refused."""
    monkeypatch.setattr(seccomp, "program", lambda: None)
    code = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), errno.errorcode[ctypes.get_errno()])
"""

    assert "-1 ENOSPC" == run(code).printed


@pytest.mark.parametrize(
    ("code", "exit_code"), [("exit(7)", 7), ("import os; os.kill(os.getpid(), 11)", 139)]
)
def test_exit_codes_pass(run, code: str, exit_code: int) -> None:
    """The job's own exit code comes out; a signal is 128 + its number."""
    ended = run(code).ended

    assert ("exited", exit_code) == (ended.reason, ended.exit_code)


def test_pipes_carry_bytes(sandbox: Sandbox, job_folder: Path) -> None:
    """A megabyte of every byte goes in by stdin and comes back by stdout unchanged."""
    code = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
    job = Job(["-I", "-c", code], (Mount(job_folder, "/job", True),), Limits(wall_s=20))
    sent = bytes(range(256)) * 4096

    with sandbox.start(job, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        received, _ = _exchange(running.process, sent)
        ended = running.wait()

    assert sent == received
    assert 0 == ended.exit_code


def test_stderr_keeps_its_tail(run) -> None:
    """A flood on stderr neither blocks nor fills memory; the last lines and bad bytes survive."""
    code = """
import os
for number in range(20000):
    os.write(2, b"line %d of a flood\\n" % number)
os.write(2, b"\\xff last")
"""

    ended = run(code).ended

    assert ended.stderr_tail.endswith("line 19999 of a flood\n\ufffd last")
    assert len(ended.stderr_tail) <= 16 * 1024


def test_walls_that_fail_are_not_the_jobs_fault(sandbox: Sandbox, job_folder: Path) -> None:
    """When bubblewrap cannot start the program, the error says so in one line."""
    assert isinstance(sandbox._starter, walls.Walls)
    job = Job(
        ["-c", ""], (Mount(job_folder, "/job", True),), Limits(wall_s=5), workdir="/usr/nowhere"
    )

    with pytest.raises(WallsError, match=r"could not put up the walls: .*nowhere"):
        sandbox.start(job).wait()


def _identity(pid: int) -> tuple[int, list[str]]:
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {words[0]: words[1:] for words in lines}
    return int(status["Uid:"][0]), status["Groups:"]


def _exchange(process: subprocess.Popen[bytes], sent: bytes) -> tuple[bytes, None]:
    import threading

    assert process.stdin is not None and process.stdout is not None
    stdin = process.stdin

    def feed() -> None:
        with stdin:
            stdin.write(sent)

    feeder = threading.Thread(target=feed)
    feeder.start()
    received = process.stdout.read()
    feeder.join()
    return received, None
