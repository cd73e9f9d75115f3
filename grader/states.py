"""What training changes, as bytes: variables one after the other, without names or headers.

Shared by kernel side and trainer, which both know a model's layout, so that a state needs none.
`weights` are the variables of the layers in the order of the recipe's nodes; `optimizer` those of
the optimizer but for its learning rate, which stands beside them as a number; `seeds` the layers'
own random generators.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class StateError(ValueError):
    """These bytes or numbers are no state of this model."""


def layout(layers: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """Return the weights of these layers, and the states of their own random generators.

    Args:
        layers: in the order of a recipe's nodes.
    """
    ordered = list(layers)
    seeds = [one.state for layer in ordered for one in getattr(layer, "_seed_generators", ())]
    apart = {id(state) for state in seeds}
    weights = [
        variable
        for layer in ordered
        for variable in getattr(layer, "variables", ())
        if id(variable) not in apart
    ]
    return weights, seeds


def slots(optimizer: Any) -> tuple[list[Any], Any]:
    """Return an optimizer's variables but for its learning rate, and that variable or None."""
    rate = getattr(optimizer, "_learning_rate", None)
    own = [one for one in optimizer.variables if one is not rate]
    return own, rate if hasattr(rate, "assign") else None


def packed(variables: Sequence[Any]) -> bytes:
    """Return the variables' values, one after the other."""
    return b"".join(np.ascontiguousarray(variable.numpy()).tobytes() for variable in variables)


def unpack(data: bytes, variables: Sequence[Any]) -> None:
    """Give the variables the values that `packed` wrote.

    Raises:
        StateError: the length is not that of these variables.
    """
    kinds = [np.dtype(variable.dtype) for variable in variables]
    sizes = [
        int(np.prod(variable.shape)) * kind.itemsize
        for variable, kind in zip(variables, kinds, strict=True)
    ]
    if sum(sizes) != len(data):
        raise StateError(f"a state of {len(data)} bytes; this model's has {sum(sizes)}")
    at = 0
    for variable, kind, size in zip(variables, kinds, sizes, strict=True):
        value = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(variable.shape)
        variable.assign(value)
        at += size


def name_of(data: bytes) -> str:
    """Return the name under which these bytes are kept: their SHA-256."""
    return hashlib.sha256(data).hexdigest()


def set_seeds(seeds: Sequence[Sequence[int]], states: Sequence[Any]) -> None:
    """Set the layers' random generators.

    Raises:
        StateError: there are more or fewer of them, or their numbers do not fit.
    """
    if len(seeds) != len(states):
        raise StateError(f"{len(seeds)} random generators; this model has {len(states)}")
    for numbers, state in zip(seeds, states, strict=True):
        if len(numbers) != int(np.prod(state.shape)):
            raise StateError(f"a random generator of {len(numbers)} numbers")
        state.assign(np.asarray(numbers, np.dtype(state.dtype)))


def read_seeds(states: Sequence[Any]) -> list[list[int]]:
    """Return the numbers of the layers' random generators."""
    return [[int(number) for number in state.numpy().reshape(-1)] for state in states]
