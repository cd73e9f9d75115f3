"""One trainer behind its walls for all tests of a module, with a memory of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.dataset.store import Dataset
from grader.delegation import Memory
from grader.sandbox import Level, open_sandbox
from grader.trainer import Trainer


@pytest.fixture(scope="module")
def trainer(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    memory = Memory(tmp_path_factory.mktemp("store"))
    with Trainer(open_sandbox(Level.STANDARD, slot=63), dataset, memory, wall_s=900) as running:
        yield running
