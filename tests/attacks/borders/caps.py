"""The caps of the code, less one at a time: in a copy of the project, where some test must fail.

A cap is a number whose name begins with MAX_ or MOST_. Each place that holds something against it
is a knob.
"""

from __future__ import annotations

import ast
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
COPIED = ("grader", "tests", "templates", "assignment", "reference", "docs", "scripts")
NAME = re.compile(r"(MAX|MOST)_[A-Z_]+")
NO_CAP = "(10**15)"
TELLING = {"limit", "depth"}
"""Names under which sentences tell a cap."""
ELSEWHERE = ("batch/", "kernel/", "live/", "report/charts.py", "review/", "rubric/", "similar.py")
"""What is looked at, drawn or started, for speed; or what a submission has in its own hands."""
WALL_S = 120
MEMORY_BYTES = 12 * 2**30


@dataclass(frozen=True)
class Use:
    """A place where the code holds something against a cap."""

    file: str
    """Below the project's folder."""
    name: str
    number: int
    """The how many-th use of this cap in this file, from 1."""
    line: int
    columns: tuple[int, int]

    def __str__(self) -> str:
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file.removeprefix('grader/')}: {self.name}{again}"


def all_uses() -> list[Use]:
    """Return every place that holds something against a cap; sentences that tell one are none."""
    files = sorted((ROOT / "grader").rglob("*.py"))
    return [
        use
        for path in files
        if not str(path.relative_to(ROOT / "grader")).startswith(ELSEWHERE)
        for use in _uses(path)
    ]


def _uses(path: Path) -> Iterator[Use]:
    text, counted = path.read_text(encoding="utf-8"), dict[str, int]()
    for node in _outside_of_sentences(ast.parse(text)):
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if isinstance(getattr(node, "ctx", None), ast.Load) and NAME.fullmatch(name):
            assert isinstance(node, ast.Name | ast.Attribute)
            assert node.lineno == node.end_lineno
            assert node.end_col_offset is not None
            counted[name] = counted.get(name, 0) + 1
            columns = (node.col_offset, node.end_col_offset)
            yield Use(str(path.relative_to(ROOT)), name, counted[name], node.lineno, columns)


def _outside_of_sentences(node: ast.AST) -> Iterator[ast.AST]:
    told = isinstance(node, ast.keyword) and node.arg in TELLING
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        told = node.targets[0].id in TELLING
    if told or isinstance(node, ast.JoinedStr):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _outside_of_sentences(child)


class Copy:
    """The project in another folder, to be changed there and tested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        for file in (*ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "Makefile"):
            shutil.copy(file, folder)

    def fails_without(self, use: Use, tests: str) -> str:
        """Return which of these tests fails first when a use is of no cap; empty: none does."""
        path = self.folder / use.file
        before = path.read_bytes()
        lines = before.splitlines(keepends=True)
        begin, end = use.columns
        line = lines[use.line - 1]
        lines[use.line - 1] = line[:begin] + NO_CAP.encode() + line[end:]
        path.write_bytes(b"".join(lines))
        try:
            return self.fails(tests)
        finally:
            path.write_bytes(before)

    def fails(self, tests: str) -> str:
        """Return which of these tests fails first; empty: none does.

        Raises:
            AssertionError: they did not come to an end, or ended with something else than that.
        """
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "no:xdist", "-m", "not long", *tests.split()]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=WALL_S,
                check=False,
                preexec_fn=_bounded,
            )
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{tests} did not end in {WALL_S} s") from error
        found = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
        assert (done.returncode == 0) != (found is not None), done.stdout[-2000:] + done.stderr
        return found.group(1) if found else ""


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
