"""Which fits trained the same variables: epochs add up, also across a re-`compile`."""

from __future__ import annotations

import hashlib
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Chain:
    """The history of a set of variables.

    Attributes:
        id: number of the first fit's record.
        epochs: epochs done so far.
        digest: of the trained variables when the last fit ended.
    """

    id: int
    epochs: int = 0
    digest: str = ""


class Chains:
    """Chains by variable, so that names, wrappers and rebuilt models do not matter."""

    def __init__(self) -> None:
        self._by_variable: dict[int, tuple[weakref.ref[Any], Chain]] = {}

    def of(self, model: Any) -> Chain | None:
        """Return the chain that trained any of this model's variables (the longest), or None."""
        found = [self._by_variable.get(id(variable)) for variable in model.trainable_variables]
        alive = [
            entry[1]
            for entry, variable in zip(found, model.trainable_variables, strict=True)
            if entry is not None and entry[0]() is variable
        ]
        return max(alive, key=lambda chain: chain.epochs, default=None)

    def start(self, model: Any, record: int) -> Chain:
        """Return the chain that a fit of this model continues; a new one where some is new."""
        known = self.of(model)
        entries = [self._by_variable.get(id(variable)) for variable in model.trainable_variables]
        if known is None or any(entry is None or entry[1] is not known for entry in entries):
            known = Chain(record, known.epochs if known else 0, known.digest if known else "")
        for variable in model.trainable_variables:
            self._by_variable[id(variable)] = (weakref.ref(variable), known)
        return known


def digest(model: Any) -> str:
    """Return a hash of the trained variables' bytes."""
    value = hashlib.sha256()
    for variable in model.trainable_variables:
        value.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return value.hexdigest()
