"""The environment that code inside the walls gets: constructed, never inherited."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from grader.sandbox.jobs import HOME

# Bit-equal training needs one thread for each operation on both sides of the walls.
THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "2",
}
FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
# Without these Python on Windows cannot open a socket or a temporary file.
WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT")


def walled(extra: Mapping[str, str], library_path: str | None) -> dict[str, str]:
    """Return the environment for a job behind walls."""
    variables = {"PATH": "/venv/bin:/usr/bin:/bin", **_folders(lambda path: path), **FIXED}
    # fc-list without any configuration complains on stderr, in the student's first cell.
    variables["FONTCONFIG_FILE"] = "/venv/fonts.conf"
    if library_path is not None:
        variables["LD_LIBRARY_PATH"] = library_path
    return {**variables, **THREADS, **extra}


def unwalled(extra: Mapping[str, str], inside: Callable[[str], str]) -> dict[str, str]:
    """Return the environment for a job that runs as a plain process."""
    kept = {name: os.environ[name] for name in WINDOWS if name in os.environ}
    path = os.pathsep.join([os.path.dirname(sys.executable), os.defpath])
    return {**kept, "PATH": path, **_folders(inside), **FIXED, **THREADS, **extra}


def _folders(inside: Callable[[str], str]) -> dict[str, str]:
    home, temporary = inside(HOME), inside("/tmp")
    folders = {
        "HOME": home,
        "TMPDIR": temporary,
        "MPLCONFIGDIR": inside(f"{HOME}/.config/matplotlib"),
        "KERAS_HOME": inside(f"{HOME}/.keras"),
    }
    if os.name == "nt":
        folders |= {"USERPROFILE": home, "TEMP": temporary, "TMP": temporary}
    return folders
