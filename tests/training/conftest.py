"""One trainer behind its walls for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.dataset.store import Dataset
from grader.sandbox import Level, open_sandbox
from grader.trainer import Trainer


@pytest.fixture(scope="module")
def trainer(dataset: Dataset) -> Iterator[Trainer]:
    with Trainer(open_sandbox(Level.STANDARD, slot=63), dataset, wall_s=900) as running:
        yield running
