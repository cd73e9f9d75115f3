"""Where the running Python keeps its parts, and how they are laid out behind the walls.

Inside, Python is always /venv/bin/python with one site-packages folder: links to the union of what
this interpreter sees, without anything of ours. Host paths of a virtual environment do not show,
but where an entry is itself a link.
"""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OURS = re.compile(r"__editable__|_*grader($|[-.])|.*grader.*\.(pth|egg-link)$", re.IGNORECASE)
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_INSIDE = f"/venv/lib/{VERSION}/site-packages"
PACKAGES_INSIDE = "/venv/packages"
CACHE = "__pycache__"


@dataclass(frozen=True)
class Interpreter:
    """The running interpreter, seen from the walls."""

    base: Path
    """The installation that the standard library lies in."""
    home_inside: str
    """The path of `base` inside; the same path when it lies in /usr."""
    executable_inside: str
    folders: tuple[Path, ...]
    """The host's package folders, whose union site-packages inside is."""
    hidden: tuple[str, ...]
    """Package folders inside that must show nothing."""
    library_path: str | None
    """LD_LIBRARY_PATH inside, where Python needs its shared library found."""

    def packages(self) -> list[tuple[Path, str]]:
        """Return folder and name of every entry that goes inside; the first of a name wins."""
        entries: dict[str, Path] = {}
        for folder in self.folders:
            for name in sorted(os.listdir(folder)):
                if not is_masked(name) and (folder / name).exists():
                    entries.setdefault(name, folder)
        return [(folder, name) for name, folder in entries.items()]

    def masked(self, folder: Path) -> list[str]:
        """Return the entries of a package folder that must show nothing where it is seen whole."""
        # A link to somewhere else leads nowhere inside.
        names = filter(is_masked, sorted(os.listdir(folder)))
        return [name for name in names if not (folder / name).is_symlink()]

    @property
    def configuration(self) -> bytes:
        """The pyvenv.cfg that stands beside /venv/bin."""
        return (
            f"home = {self.home_inside}/bin\n"
            "include-system-site-packages = false\n"
            f"version = {sys.version_info.major}.{sys.version_info.minor}\n"
        ).encode()


@cache
def running_interpreter() -> Interpreter:
    """Describe the interpreter that runs this code."""
    base = Path(os.path.realpath(sys.base_prefix))
    in_usr = base == Path("/usr") or Path("/usr") in base.parents
    home = str(base) if in_usr else "/python"
    shared = bool(sysconfig.get_config_var("Py_ENABLE_SHARED")) and base != Path("/usr")
    return Interpreter(
        base=base,
        home_inside=home,
        executable_inside=f"{home}/{_executable(base)}",
        folders=tuple(_site_folders()),
        hidden=tuple(_hidden(base, home)),
        library_path=f"{home}/lib" if shared else None,
    )


def is_masked(entry: str) -> bool:
    """Tell whether a top-level entry of site-packages would show our package.

    The folder of compiled modules would: an editable installation has one with its source's path.
    """
    return entry == CACHE or OURS.match(entry) is not None


def _executable(base: Path) -> Path:
    real = Path(os.path.realpath(sys.executable))
    return real.relative_to(base) if base in real.parents else Path("bin") / VERSION


def _site_folders() -> list[Path]:
    names = [*site.getsitepackages(), *(sysconfig.get_path(key) for key in ("purelib", "platlib"))]
    if site.ENABLE_USER_SITE:
        names.insert(0, site.getusersitepackages())
    folders = dict.fromkeys(Path(os.path.realpath(name)) for name in names)
    return [folder for folder in folders if os.access(folder, os.R_OK | os.X_OK)]


def _hidden(base: Path, home: str) -> list[str]:
    patterns = ("lib/python3*/dist-packages", "lib*/python3*/site-packages")
    found = [
        str(folder)
        for root in (Path("/usr"), Path("/usr/local"))
        for pattern in (*patterns, "lib/python3/dist-packages")
        for folder in sorted(root.glob(pattern))
    ]
    found += [
        f"{home}/{folder.relative_to(base)}"
        for pattern in patterns
        for folder in sorted(base.glob(pattern))
    ]
    return list(dict.fromkeys(name for name in found if not os.path.islink(name)))
