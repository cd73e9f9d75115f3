"""The sample class gets what a person would give by hand: samples/README.md is the oracle."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main

SAMPLES = Path(__file__).parent.parent / "assignment" / "samples"
FILES = {
    "ana": "ana-completa",
    "bruno": "bruno-funciones",
    "carla": "carla-a-medias",
    "diego": "diego-breve",
}
STATUSES = {"passed", "partial", "failed", "not_attempted", "skipped"}
# Where the person wrote "failed" and the grader says by how much, or that nothing was seen.
BY_DEGREE = {
    ("diego", "data.scaled"): "partial",
    ("diego", "baseline.epochs"): "partial",
    ("carla", "predictions.argmax"): "not_attempted",
    ("carla", "predictions.single"): "not_attempted",
}


def oracle() -> dict[str, dict[str, str]]:
    """Check → student → the status that a person expects."""
    rows = re.findall(
        r"^\| `(\w+\.\w+)` \|(.+)\|$",
        (SAMPLES / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    table: dict[str, dict[str, str]] = {}
    for check, cells in rows:
        words = [cell.strip() for cell in cells.split("|")]
        table[check] = {
            student: "skipped" if "(skipped)" in word else word.split(":")[0]
            for student, word in zip(FILES, words, strict=True)
        }
    return table


def test_the_oracle_is_whole() -> None:
    """The table has every check of the assignment and only words that we know."""
    from grader.loading import default_folder, load_assignment

    checks = [check.name for check in load_assignment(default_folder()).spec.checks]
    table = oracle()

    assert sorted(checks) == sorted(table)
    assert {word for row in table.values() for word in row.values()} <= STATUSES


@pytest.mark.tf
@pytest.mark.sandbox
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_sample_gets_what_a_person_expects(tmp_path: Path) -> None:
    """Each of the four notebooks, really run, agrees with the oracle in each of the 30 checks."""
    done = CliRunner().invoke(main, ["grade", str(SAMPLES), "--out", str(tmp_path / "out")])

    assert 0 == done.exit_code, done.output
    different = []
    for student, stem in FILES.items():
        result = json.loads(
            (tmp_path / "out" / "students" / stem / "result.json").read_text(encoding="utf-8")
        )
        assert "graded" == result["state"]
        assert [] == result["flags"]
        for finding in result["findings"]:
            by_hand = oracle()[finding["check"]][student]
            expected = BY_DEGREE.get((student, finding["check"]), by_hand)
            if finding["status"] != expected:
                different.append(
                    (student, finding["check"], expected, finding["status"], finding["observed"])
                )
    assert [] == different
