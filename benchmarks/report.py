"""`RESULTS.md`: one section for each benchmark, written anew whenever one has ended."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TITLE = "# What the grader costs"
MACHINE = "Machine and versions"


@dataclass(frozen=True)
class Section:
    """What one benchmark found, in Markdown below its title."""

    title: str
    text: str


class Results:
    """The file of results. Sections that this run does not measure stay as they are.

    Args:
        order: the titles of all benchmarks, as they stand in the file.
    """

    def __init__(self, path: Path, command: str, order: Sequence[str]) -> None:
        self.path, self.command, self.order = path, command, order
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        self._texts = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))

    def put(self, section: Section, versions: Mapping[str, str]) -> None:
        """Take in a section and write the whole file."""
        stamp = f"Measured {_today()} by `{self.command}` on {processor()}, {cores()} cores."
        self._texts[section.title] = f"{section.text.strip()}\n\n{stamp}"
        self._texts[MACHINE] = _machine(self.command, versions)
        titles = [MACHINE, *(title for title in self.order if title in self._texts)]
        body = "\n\n".join(f"## {title}\n\n{self._texts[title]}" for title in titles)
        partial = self.path.with_suffix(".partial")
        partial.write_text(f"{TITLE}\n\n{body}\n", encoding="utf-8")
        os.replace(partial, self.path)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def seconds(value: float | None, digits: int = 1) -> str:
    """Return seconds as people read them."""
    return "not measured" if value is None else f"{value:,.{digits}f} s"


def times(value: float) -> str:
    """Return a ratio as people read it."""
    return f"{value:.1f}×"


def processor() -> str:
    """Return the processor's name."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def cores() -> int:
    """Return how many processors there are."""
    return os.cpu_count() or 1


def _machine(command: str, versions: Mapping[str, str]) -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rows = [
        ("processor", processor()),
        ("cores", cores()),
        ("memory", f"{memory_gb:.0f} GiB"),
        ("system", f"{_system()}, {platform.machine()}"),
        ("Python", platform.python_version()),
        *((name, version) for name, version in _own_versions().items()),
        *versions.items(),
        ("latest run", f"{_today()}, `{command}`"),
    ]
    return table(("what", "which"), rows)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _own_versions() -> dict[str, str]:
    found = {}
    for name in ("grader", "tensorflow", "tensorflow-cpu", "keras", "numpy", "nbclient"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
