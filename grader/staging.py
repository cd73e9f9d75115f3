"""The code that runs inside the walls: copied out of this package under a neutral name.

Inside, our code is not to be had under its own name (a kernel finds a stub there); what a process
may import of ours is exactly what is staged for it. Imports between the staged modules are
relative, so names do not matter.
"""

from __future__ import annotations

import shutil
from pathlib import Path

PACKAGE = "engine"
SHARED = ("wire.py", "states.py", "pipelines.py", "dataset/identity.py")
HERE = Path(__file__).parent


def stage_kernel_side(folder: Path) -> Path:
    """Copy driver, recorder and stubs into `folder`; return it."""
    _stage(folder, "kernel")
    shutil.copytree(
        HERE / "kernel" / "stubs", folder / "stubs", ignore=shutil.ignore_patterns("__pycache__")
    )
    return folder


def stage_trainer(folder: Path) -> Path:
    """Copy the trainer into `folder`; return it."""
    return _stage(folder, "training")


def _stage(folder: Path, part: str) -> Path:
    package = folder / PACKAGE
    (package / "dataset").mkdir(parents=True)
    (package / part).mkdir()
    for source in (
        *SHARED,
        *(f"{part}/{path.name}" for path in sorted((HERE / part).glob("*.py"))),
    ):
        shutil.copyfile(HERE / source, package / source)
    for empty in (package, package / "dataset"):
        (empty / "__init__.py").touch()
    return folder
