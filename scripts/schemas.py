"""Publish the JSON Schemas of an assignment's files: `python -m scripts.schemas`."""

from __future__ import annotations

import json
from pathlib import Path

from grader.assignment import schemas

FOLDER = Path(__file__).parent.parent / "docs" / "schema"


def texts() -> dict[str, str]:
    """Return each schema's file name and text."""
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
