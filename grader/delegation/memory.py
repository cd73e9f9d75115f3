"""The memory of trainings as the controller sees it: keys, and verified reads.

A key is the SHA-256 of what an answer depends on, in one plain form: no names, no initializers, no
number of epochs; but the dataset, and which Keras, TensorFlow and processor made it. Only trainers
write (`training/store.py`, which has the layout).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grader.recipes import Data, Plan, Recipe, State, Validation, plain

GIB = 2**30
MOST_BYTES = 8 * GIB
MOST_S = 180 * 24 * 3600.0
FORM = 2  # of the keys and answers; a change makes everything new


@dataclass(frozen=True)
class Size:
    """What the memory holds."""

    answers: int
    states: int
    size_bytes: int


@dataclass(frozen=True)
class Remembered:
    """One epoch: what was asked for, and what it gave."""

    plan: Plan
    state: State
    seed: int
    made: dict[str, Any]


class Memory:
    """One folder of remembered trainings.

    Args:
        folder: made when it is missing; by default below the user's cache.
        most_bytes, most_s: how large it may grow, and how old what nobody uses may get.
    """

    def __init__(
        self, folder: Path | None = None, most_bytes: int = MOST_BYTES, most_s: float = MOST_S
    ) -> None:
        self.folder = default_folder() if folder is None else folder
        self.most_bytes, self.most_s = most_bytes, most_s
        self.folder.mkdir(parents=True, exist_ok=True)

    def answer(self, key: str) -> dict[str, Any] | None:
        """Return what a request with this key gave; None where it is unknown, damaged, or where
        the state that it names is gone.
        """
        path = self.folder / "entries" / key[:2] / f"{key}.json"
        entry = _entry(path)
        if entry is None:
            return None
        made: dict[str, Any] = entry["made"]
        try:
            for part in ("weights", "optimizer"):
                if made.get(part) is not None:
                    self._touch(self._blob_path(made[part]))
            self._touch(path)
        except OSError:
            return None
        return made

    def epochs(self, keys: Keys) -> list[Remembered]:
        """Return every remembered epoch of a dataset whose request and start are still there."""
        found = []
        for path in sorted(self.folder.glob("entries/*/*.json")):
            entry = _entry(path)
            if entry is None or entry["asked"].get("op") != "epoch":
                continue
            key = entry["asked"]["plan_key"]
            plan = _plan(self.folder / "plans" / key[:2] / f"{key}.json", keys)
            if plan is not None:
                state = State.model_validate(entry["asked"]["state"])
                found.append(Remembered(plan, state, entry["asked"]["seed"], entry["made"]))
        return found

    def blob(self, name: str) -> bytes | None:
        """Return the bytes of a state; None where they are missing or damaged."""
        try:
            data = self._blob_path(name).read_bytes()
        except OSError:
            return None
        return data if name_of(data) == name else None

    def size(self) -> Size:
        """Count what there is."""
        answers = list(self.folder.glob("entries/*/*.json"))
        states = list(self.folder.glob("blobs/*/*"))
        total = 0
        for path in (*answers, *states):
            with suppress(OSError):
                total += path.stat().st_size
        return Size(len(answers), len(states), total)

    def clear(self) -> None:
        """Forget everything."""
        for name in ("entries", "blobs", "plans", "locks"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _blob_path(self, name: str) -> Path:
        return self.folder / "blobs" / name[:2] / name

    @staticmethod
    def _touch(path: Path) -> None:
        """Say that a file was used; FileNotFoundError where there is none."""
        try:
            os.utime(path)
        except PermissionError:
            path.stat()


def default_folder() -> Path:
    """Return the user's own memory: `$GRADER_MEMORY`, else `$XDG_CACHE_HOME/grader/memory`."""
    named = os.environ.get("GRADER_MEMORY")
    if named:
        return Path(named)
    cache_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache_home) / "grader" / "memory"


def name_of(data: bytes) -> str:
    """Return the name under which these bytes are kept: their SHA-256."""
    return hashlib.sha256(data).hexdigest()


class Keys:
    """Names what answers about one dataset depend on.

    Args:
        dataset: its hash; rows are only numbers, and other datasets have them too.
    """

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset

    def plan(self, plan: Plan) -> str:
        """Return the key of a plan; epochs, metrics' names and initial values are no part of it."""
        training = plain(plan.training)
        settings = dict(training["optimizer"]["settings"])
        settings.pop("learning_rate", None)  # it stands in the state
        training["optimizer"] = {**training["optimizer"], "settings": settings}
        for name in ("draws", "tensorflow_seed"):
            training.pop(name)
        return self._digest("plan", _recipe(plan.recipe), _data(plan.data), training)

    def start(self, plan: str, draws: object) -> str:
        """Return the key of start values; `plan` is the plan's key, `draws` as in a `Training`."""
        return self._digest("start", plan, draws)

    def epoch(self, plan: str, state: State, seed: int) -> str:
        """Return the key of one epoch from a state under a seed."""
        return self._digest("epoch", plan, plain(state), seed)

    def validation(self, plan: str, weights: str, validation: Validation) -> str:
        """Return the key of an evaluation of these weights."""
        return self._digest(
            "validation", plan, weights, _data(validation.data), validation.batch_size
        )

    def measure(
        self, recipe: Recipe, weights: str, data: Data, test: str, from_logits: bool
    ) -> str:
        """Return the key of a measurement of these weights."""
        return self._digest("measure", _recipe(recipe), weights, _data(data), test, from_logits)

    def _digest(self, *parts: object) -> str:
        text = json.dumps(
            [FORM, level(), self.dataset, *parts],
            sort_keys=True, separators=(",", ":"), allow_nan=False,
        )  # fmt: skip
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def level() -> str:
    """Return what equal numbers depend on: Keras, TensorFlow, NumPy and the processor's kind."""
    versions = [f"{name} {_version(name)}" for name in ("keras", "numpy")]
    builds = ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos")
    versions += [f"{name} {found}" for name in builds if (found := _version(name))]
    return " · ".join([*versions, platform.machine(), _processor()])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    """Vendor, family, model and vector instructions where the system tells them."""
    try:
        text = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except (OSError, UnicodeDecodeError):
        return platform.processor()
    fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", text, re.MULTILINE))
    vector = re.compile(r"^(sse|ssse|avx|fma|f16c|amx|vnni|gfni|bmi|asimd|sve|neon)")
    flags = sorted(
        filter(vector.match, (fields.get("flags") or fields.get("Features", "")).split())
    )
    named = [fields.get(name, "") for name in ("vendor_id", "cpu family", "model")]
    return " ".join([*named, hashlib.sha256(" ".join(flags).encode()).hexdigest()[:12]])


def _recipe(recipe: Recipe) -> list[Any]:
    """Operations and edges: whoever writes the same model in another way gets the same."""
    nodes = [[node.op, plain(node)["config"], node.inputs] for node in recipe.nodes]
    return [recipe.input_shape, nodes]


def _data(data: Data) -> list[Any]:
    labels = data.labels and [data.labels.kind, data.labels.classes, data.labels.given]
    return [data.rows, data.table, data.row_shape, labels]


def _entry(path: Path) -> dict[str, Any] | None:
    """What a trainer entered, None where it is missing, damaged, or another key's."""
    try:
        entry: dict[str, Any] = json.loads(path.read_bytes())
        body = json.dumps(
            [entry["made"], entry["asked"]], sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        whole = hashlib.sha256(f"{path.stem}{body}".encode()).hexdigest() == entry["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return entry if whole and isinstance(entry["made"], dict) else None


def _plan(path: Path, keys: Keys) -> Plan | None:
    try:
        plan = Plan.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return plan if keys.plan(plan) == path.stem else None
