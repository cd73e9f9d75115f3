"""A plain kernel: `python -m benchmarks.plain NOTEBOOK` runs a notebook with nbclient, no walls."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(path: Path) -> None:
    """Run every cell; an error in one ends it."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=None, kernel_name="python3").execute()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
