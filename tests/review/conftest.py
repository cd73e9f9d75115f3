"""A small class on its marking pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.payloads import FAMILIES
from tests.review.a_class import QUESTIONS, a_class
from tests.review.serving import Served, serving

HOSTILE = "\n\n".join([*FAMILIES["classic"].values(), *FAMILIES["framework"].values()])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A class of six, one of them hostile; tests leave marks in it."""
    hostile = {"mala": dict.fromkeys(QUESTIONS, HOSTILE)}
    with serving(a_class(tmp_path_factory.mktemp("review") / "class", 5, hostile)) as served:
        yield served
