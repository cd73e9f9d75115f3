"""A small class on its marking pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.report.test_hostile import PAYLOADS
from tests.review.a_class import QUESTIONS, a_class
from tests.review.serving import Served, serving

HTMX = '<div hx-get="/undo" hx-trigger="load" data-hx-post="/undo" hx-on::load="alert(1)">x</div>'
HOSTILE = "\n\n".join([*PAYLOADS.values(), HTMX])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A class of six, one of them hostile; tests leave marks in it."""
    hostile = {"mala": dict.fromkeys(QUESTIONS, HOSTILE)}
    with serving(a_class(tmp_path_factory.mktemp("review") / "class", 5, hostile)) as served:
        yield served
