"""What a class's folder holds, as tests compare it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.gradebook import Gradebook


def timeless(value: Any) -> Any:
    """Return plain values without what the clock wrote."""
    if isinstance(value, dict):
        return {name: timeless(one) for name, one in value.items() if name != "seconds"}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def left(out: Path) -> dict[str, Any]:
    """Return every student's result.json, without what the clock wrote."""
    return {
        path.parent.name: timeless(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((out / "students").glob("*/result.json"))
    }


def look(out: Path) -> None:
    """See that what lies in the folder is whole, at any moment."""
    for path in out.glob("students/*/*"):
        if not path.name.startswith("."):
            text = path.read_text(encoding="utf-8")
            assert text.endswith(("</html>", "</html>\n", "}\n")), path
    if (out / "gradebook.sqlite").exists():
        with Gradebook(out) as gradebook:
            names = [result["student"]["id"] for result in gradebook.results()]
            written = {path.parent.name for path in out.glob("students/*/result.json")}
            assert len(names) == len(set(names))
            assert set(names) <= written
