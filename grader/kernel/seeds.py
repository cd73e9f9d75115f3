"""Reproducible without changing what student code can see.

Before each cell Python's, NumPy's and TensorFlow's generators are reset to the assignment's seed,
each one unless the notebook has seeded that one itself. Unseeded start weights get a seed derived
from (seed, layer class, shape, ordinal in the cell), on a copy of the initializer; unseeded fits
see a fresh, reproducible order of the rows in each epoch.
"""

from __future__ import annotations

import copy
import functools
import inspect
import random
import sys
import weakref
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .. import wire

PYTHON, NUMPY, TENSORFLOW = "python", "numpy", "tensorflow"


class Seeds:
    """The generators' seeds, and which of them the notebook set itself.

    Args:
        seed: the assignment's one number.

    Attributes:
        seeded: called with a generator's name when the notebook seeds it.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.by_notebook: set[str] = set()
        self.seeded: Callable[[str], None] = lambda generator: None
        self._ordinals: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self._draws: dict[int, tuple[weakref.ref[Any], dict[str, Any] | None]] = {}
        self._set_python = random.seed
        self._set_numpy = np.random.seed
        self._set_tensorflow: Callable[[int], None] | None = None
        random.seed = self._watched(PYTHON, random.seed)
        np.random.seed = self._watched(NUMPY, np.random.seed)

    def begin_cell(self) -> None:
        """Reset what the notebook has not seeded; count layers anew."""
        self._ordinals.clear()
        self.reset()

    def reset(self) -> None:
        """Set each generator that the notebook has not seeded to the assignment's seed."""
        if PYTHON not in self.by_notebook:
            self._set_python(self.seed)
        if NUMPY not in self.by_notebook:
            self._set_numpy(self.seed)
        if TENSORFLOW not in self.by_notebook and self._set_tensorflow is not None:
            self._set_tensorflow(self.seed)

    def watch_tensorflow(self, tensorflow: ModuleType) -> None:
        """Notice when the notebook seeds TensorFlow (`keras.utils.set_random_seed` does, too)."""
        self._set_tensorflow = tensorflow.random.set_seed
        tensorflow.random.set_seed = self._watched(TENSORFLOW, tensorflow.random.set_seed)
        self.reset()

    def derive_starts(self, keras: ModuleType) -> None:
        """Let unseeded initializers of layers draw from derived seeds.

        Keras 3 draws such a seed from Python's `random` when the initializer object is made
        (keras/src/initializers/random_initializers.py); that draw still happens.
        """
        from keras.src.initializers.random_initializers import RandomInitializer
        from keras.src.layers.layer import Layer

        original = Layer.add_weight
        signature = inspect.signature(original)

        @functools.wraps(original)
        def add_weight(layer: Any, *args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(layer, *args, **kwargs)
            chosen = bound.arguments.get("initializer")
            if chosen is None:
                return original(layer, *args, **kwargs)
            chosen = keras.initializers.get(chosen)
            unseeded = isinstance(chosen, RandomInitializer) and chosen._init_seed is None
            if unseeded and PYTHON not in self.by_notebook:
                chosen = copy.copy(chosen)
                chosen.seed = self._start(layer, bound.arguments.get("shape"))
            bound.arguments["initializer"] = chosen
            variable = original(*bound.args, **bound.kwargs)
            self._draws[id(variable)] = (weakref.ref(variable), _draw(chosen))
            return variable

        Layer.add_weight = add_weight

    def tensorflow_seed(self) -> int | None:
        """Return the seed that is in force in TensorFlow."""
        seed = sys.modules["tensorflow.python.eager.context"].context()._seed
        return None if seed is None else int(seed)

    def draws(self) -> dict[int, dict[str, Any] | None]:
        """Return, by `id`, how each living variable was drawn (`recipes.Part`, with its seed)."""
        self._draws = {
            number: (known, part)
            for number, (known, part) in self._draws.items()
            if known() is not None
        }
        return {number: part for number, (_, part) in self._draws.items()}

    def _start(self, layer: Any, shape: Any) -> int:
        key = (type(layer).__name__, tuple(int(size) for size in shape or ()))
        ordinal = self._ordinals[key]
        self._ordinals[key] += 1
        return wire.initial_seed(self.seed, key[0], key[1], ordinal)

    def _watched(self, generator: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def seed(*args: Any, **kwargs: Any) -> Any:
            self.by_notebook.add(generator)
            self.seeded(generator)
            return original(*args, **kwargs)

        return seed


class NoSeeds:
    """Where a kernel is only observed: nothing is seeded, and nobody looks who seeds."""

    seed: int | None = None
    by_notebook: frozenset[str] = frozenset()
    seeded: Callable[[str], None]

    def begin_cell(self) -> None:
        """Leave the generators as they are."""

    reset = begin_cell

    def watch_tensorflow(self, tensorflow: ModuleType) -> None:
        """Leave TensorFlow's generator as it is."""

    def derive_starts(self, keras: ModuleType) -> None:
        """Leave start weights to Keras."""

    def tensorflow_seed(self) -> int | None:
        """Return None: it is not asked for."""
        return None

    def draws(self) -> dict[int, dict[str, Any] | None]:
        """Return nothing: how variables were drawn is not known."""
        return {}


def _draw(initializer: Any) -> dict[str, Any] | None:
    """An initializer by name, settings and seed; None for one that cannot be said."""
    kind, config = type(initializer), initializer.get_config()
    allowed = wire.INITIALIZERS.get(kind.__name__)
    if allowed is None or not kind.__module__.startswith("keras.src.initializers"):
        return None
    if any(config.get(key) is not None for key in ("input_axes", "output_axes")):
        return None
    settings = {key: config[key] for key in allowed}
    if not all(type(value) in (int, float, str) for value in settings.values()):
        return None
    seed = getattr(initializer, "seed", None)
    if seed is not None:
        settings["seed"] = seed
    return (
        {"name": kind.__name__, "settings": settings} if type(seed) in (int, type(None)) else None
    )


class EpochSeed:
    """Set TensorFlow's seed for the building of one epoch's data, then put everything back."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __enter__(self) -> None:
        eager = sys.modules["tensorflow.python.eager.context"].context()
        self._eager, self._before = eager, (eager._seed, eager._rng)
        eager._set_global_seed(self._seed)

    def __exit__(self, *error: object) -> None:
        self._eager._seed, self._eager._rng = self._before
