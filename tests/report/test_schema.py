"""The published schema is the one of this version, and what we write obeys it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grader.locale import LANGUAGES
from grader.report.schema import result_schema, text
from grader.result import result_json
from tests.report.assignment_factory import HIDDEN_IDEA
from tests.report.graded_factory import EVERY, runs, sample

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schema" / "result.schema.json"


def problems(document: Any) -> list[str]:
    plain = json.loads(json.dumps(document, allow_nan=False))
    found = Draft202012Validator(result_schema()).iter_errors(plain)
    return [f"{error.json_path}: {error.message}" for error in found]


def test_the_published_file_is_not_stale() -> None:
    """Write it anew with `python -m grader.report.schema > docs/schema/result.schema.json`."""
    assert text() == PUBLISHED.read_text(encoding="utf-8")


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(result_schema())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERY)
def test_results_obey_the_schema(name: str, language: str) -> None:
    assert [] == problems(result_json(EVERY[name](), language))


def test_a_run_without_measurement_obeys_the_schema() -> None:
    bare = replace(runs()[0], measured=None, start=None, unmeasured="no variables")
    graded = sample(evidence=replace(sample().evidence, runs=(bare,)))

    assert [] == problems(result_json(graded, "es"))


@pytest.mark.parametrize("hundredths", [0, 1, 7, 29, 5810, 9999])
def test_points_obey_the_schema(hundredths: int) -> None:
    """Floats such as 0.29 are points too."""
    graded = sample(score=replace(sample().score, earned=hundredths))

    assert [] == problems(result_json(graded, "es"))


@pytest.mark.parametrize(
    "change",
    [{"state": "fine"}, {"extra": 1}, {"findings": [{}]}, {"points": None}, {"schema": "x"}],
)
def test_what_is_no_result_is_refused(change: dict[str, Any]) -> None:
    assert problems({**result_json(sample(), "es"), **change})


def test_cells_are_named_in_the_readers_language() -> None:
    places = {
        language: {f["where"] for f in result_json(sample(), language)["findings"]}
        for language in LANGUAGES
    }

    assert any(place.startswith("la celda [14] «") for place in places["es"])
    assert any(place.startswith("cell [14] “") for place in places["en"])


def test_nothing_for_markers_is_in_the_result() -> None:
    assert HIDDEN_IDEA not in json.dumps(result_json(sample(), "es"))
