"""Notices when a notebook replaces methods of Keras that the records rest on.

It can be got around by whoever wants to; what it sees is worth a look by a person, no more. Points
for accuracy and gap do not rest on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any


class Guard:
    """The methods as they were, and which of them were replaced since."""

    def __init__(self) -> None:
        self._methods: dict[tuple[type, str], Any] = {}
        self._told: set[str] = set()

    def watch(self, kinds: tuple[type, ...], names: tuple[str, ...]) -> None:
        """Remember how these methods are now."""
        for kind in kinds:
            for name in names:
                self._methods[kind, name] = getattr(kind, name, None)

    def replaced(self, names: Mapping[str, Any]) -> Iterator[str]:
        """Yield what was replaced since the last look, each thing once.

        Args:
            names: the notebook's variables; models among them are looked at, too.
        """
        for told in [*self._classes(), *self._models(names)]:
            if told not in self._told:
                self._told.add(told)
                yield told

    def _classes(self) -> Iterator[str]:
        for (kind, name), method in self._methods.items():
            if getattr(kind, name, None) is not method:
                yield f"{kind.__name__}.{name}"

    def _models(self, names: Mapping[str, Any]) -> Iterator[str]:
        keras = sys.modules.get("keras")
        if keras is None or not self._methods:
            return
        watched = {name for kind, name in self._methods if issubclass(kind, keras.Model)}
        for variable, value in list(names.items()):
            if isinstance(value, keras.Model):
                for name in sorted(watched & set(vars(value))):
                    yield f"{variable}.{name}"
