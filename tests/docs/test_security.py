"""docs/security.md: every promise has a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?!promise |-)([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
LEVELS = {"all", "standard", "standard, reduced"}


def functions(path: Path) -> set[str]:
    """The names of a file's tests, those in classes with the class before them."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inner = (one.name for one in node.body if isinstance(one, ast.FunctionDef))
            found |= {f"{node.name}::{name}" for name in inner}
    return found


def test_every_promise_names_tests_that_are_there() -> None:
    """File and function; a test that is renamed or removed turns this one red."""
    rows = ROW.findall(PAGE)
    wrong = []
    for promise, level, cell in rows:
        tests = re.findall(r"`([^`]+)`", cell)
        if level.strip() not in LEVELS or not tests:
            wrong.append((promise, level, cell))
        for test in tests:
            file, _, name = test.partition("::")
            if not (ROOT / file).is_file() or name not in functions(ROOT / file):
                wrong.append((promise, level, test))

    assert len(rows) >= 25
    assert [] == wrong
