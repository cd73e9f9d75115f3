"""The corpus: every attack that tries to forge points, by family."""

from __future__ import annotations

from collections.abc import Mapping

from tests.attacks.attack import Attack
from tests.attacks.forging.data import DATA
from tests.attacks.forging.deaths import DEATHS
from tests.attacks.forging.door import DOOR
from tests.attacks.forging.files import FILES
from tests.attacks.forging.models import MODELS
from tests.attacks.forging.records import RECORDS
from tests.attacks.forging.results import RESULTS
from tests.attacks.forging.shell import SHELL

FAMILIES: Mapping[str, tuple[Attack, ...]] = {
    "results": RESULTS,
    "shell": SHELL,
    "files": FILES,
    "models": MODELS,
    "data": DATA,
    "records": RECORDS,
    "door": DOOR,
    "deaths": DEATHS,
}
CORPUS = tuple(attack for family in FAMILIES.values() for attack in family)
