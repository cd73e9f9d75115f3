"""Calls us when a module has really been executed, however and whenever it is imported."""

from __future__ import annotations

import gc
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Hook = Callable[[ModuleType], None]


class AfterImport:
    """A finder that stays installed until its modules have run.

    Somebody may ask for a module's spec long before importing it, so leaving after `find_spec`
    would patch nothing, silently.
    """

    def __init__(self) -> None:
        self._hooks: dict[str, Hook] = {}
        self._asking: set[str] = set()
        sys.meta_path.insert(0, self)

    def when(self, name: str, hook: Hook) -> None:
        """Call `hook(module)` once `name` has been executed; at once when it already has."""
        if name in sys.modules:
            hook(sys.modules[name])
        else:
            self._hooks[name] = hook

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the real spec with a loader that calls the hook; None for all other modules."""
        if name not in self._hooks or name in self._asking:
            return None
        self._asking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._hooks)  # type: ignore[assignment]
        return spec


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: an import leaves none, and looking for it takes an eighth of
    TensorFlow's.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _Loader:
    def __init__(self, loader: Any, hooks: dict[str, Hook]) -> None:
        self._loader = loader
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with _uncollected():
            self._loader.exec_module(module)
        hook = self._hooks.pop(module.__name__, None)
        if hook is not None:
            hook(module)
