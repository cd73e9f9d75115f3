"""Puts the data that the code needs beside it in the wheel; a checkout finds it at its top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DATA = {
    "templates": "grader/templates",
    "assignment": "grader/assignments/taller3",
    "reference/calibration.json": "grader/assignments/taller3/calibration.json",
}


class WheelData(BuildHookInterface[Any]):
    """Adds DATA to a wheel, never to an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for source, target in DATA.items():
            path = Path(self.root, source)
            if path.exists():
                build_data["force_include"][str(path)] = target
