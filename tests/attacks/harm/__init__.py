"""The corpus of programs that try to do harm: one module for each family, data only."""

from __future__ import annotations

from tests.attacks.harm import (
    disk,
    hangs,
    leaving,
    memory,
    network,
    outside,
    powers,
    processes,
    reading,
    system_calls,
    writing,
)
from tests.attacks.harm.program import Harm

FAMILIES: dict[str, tuple[Harm, ...]] = {
    "processes": processes.HARMS,
    "memory": memory.HARMS,
    "disk": disk.HARMS,
    "hangs": hangs.HARMS,
    "network": network.HARMS,
    "reading": reading.HARMS,
    "writing": writing.HARMS,
    "powers": powers.HARMS,
    "system calls": system_calls.HARMS,
    "outside": outside.HARMS,
    "leaving": leaving.HARMS,
}
CORPUS: tuple[Harm, ...] = tuple(harm for family in FAMILIES.values() for harm in family)
