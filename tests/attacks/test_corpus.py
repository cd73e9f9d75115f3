"""The corpus itself: large enough, every threat in it, small notebooks, and a page that it wrote."""

from __future__ import annotations

import pytest

from grader.loading import default_folder, load_assignment
from tests.attacks import observed
from tests.attacks.attack import LINES, shown
from tests.attacks.corpus import CORPUS, FAMILIES

# Of the catalogue's rows on forged results and cheated models, those that a notebook can try.
THREATS = {
    "A01", "A02", "A03", "A04", "A05", "A07", "A08", "A10", "A11", "A12", "A13", "A14", "A15",
    "A16", "A17", "A18", "A21", "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09",
    "B10", "own",
}  # fmt: skip


def test_every_threat_is_tried() -> None:
    """Each row has an attack, and there are at least sixty, each with a name of its own."""
    assert {attack.threat for attack in CORPUS} == THREATS
    assert len({shown(attack.name) for attack in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_in_the_normal_suite(family: str) -> None:
    """One attack of each family runs at every change."""
    assert any(attack.quick and not attack.hole for attack in FAMILIES[family])


@pytest.mark.parametrize("attack", CORPUS, ids=lambda attack: shown(attack.name))
def test_an_attack_is_small(attack) -> None:  # type: ignore[no-untyped-def]
    """An attack is read at a glance; what it forges are observed checks, and it says how."""
    spec = load_assignment(default_folder()).spec
    checks = {check.name: check.basis for check in spec.checks}

    assert attack.own_lines <= LINES
    assert {"observed"} >= {checks[check] for check in attack.forges}
    assert set(attack.expected.findings) <= set(checks)
    assert not attack.forges or attack.takes or attack.hole


def test_the_page_is_as_the_corpus_says_it() -> None:
    """`python -m tests.attacks.observed` has nothing to change."""
    assert observed.page() == observed.PAGE.read_text(encoding="utf-8")
