"""Records of a live kernel, as its session leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from grader import wire
from grader.dataset.store import Dataset


class Kernel:
    """A run folder that is filled by hand."""

    def __init__(self, folder: Path, rows: Path) -> None:
        self.folder, self.rows = folder, rows
        (folder / wire.EVENTS).touch()

    def did(self, *records: Any) -> None:
        """Append records, given as those that `grader.evidence` reads."""
        for record in records:
            wire.append_record(self.folder / wire.EVENTS, json.loads(record.model_dump_json()))

    def left(
        self,
        sources: Sequence[str],
        printed: str = "",
        notebook: Path | None = None,
        language: str | None = "es",
    ) -> None:
        """Write the cells, the last of which printed something."""
        with (self.folder / wire.CELLS).open("w", encoding="utf-8") as stream:
            for index in range(len(sources)):
                text = printed if index == len(sources) - 1 else ""
                cell = {
                    "kind": "cell", "index": index, "status": "ok", "seconds": 0.1,
                    "outputs": [{"output_type": "stream", "text": text}],
                }  # fmt: skip
                stream.write(json.dumps(cell) + "\n")
        said = {
            "language": language,
            "sources": list(sources),
            "rows": str(self.rows),
            "notebook": None if notebook is None else str(notebook),
        }
        (self.folder / "live.json").write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="session")
def keras_home(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    """A home of Keras in which `load_data` finds the dataset."""
    home = tmp_path_factory.mktemp("keras-home")
    (home / "datasets").mkdir()
    (home / "datasets" / "fashion-mnist").symlink_to(dataset.keras)
    return home


@pytest.fixture
def kernel(tmp_path: Path, dataset: Dataset) -> Kernel:
    folder = tmp_path / "job"
    folder.mkdir()
    return Kernel(folder, dataset.rows)
