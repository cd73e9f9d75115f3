"""The models that records and requests must pass, less one type, constraint or word at a time."""

from __future__ import annotations

import ast
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from tests.attacks.borders.honest import EXAMPLES

MODULES = ("grader.recipes", "grader.evidence", "grader.delegation.door")
PARSING = {"extra", "strict"}
"""Settings of the models that decide what passes."""
SPEED = "discriminator"
"""It decides which error is told, and how soon."""
LENGTHS = (0, 1, 3, 5, 17, 21, 41, 65, 81, 101, 201, 257, 401, 501, 1_001, 10_001)
TEXTS = (301, 4_001, 300_001, 600_001)
NUMBERS = (-2, -1, 0, 1.5, 2, 101, 501, 100_001, 1_000_001, 10**9 + 1, 2**63, -(2**63) - 1)
VALUES: tuple[Any, ...] = (
    None, True, "", "10", "x", math.nan, math.inf, [], [None], {}, {"x": 1}, {"x" * 301: 1},
    [[[[[]]]]], *NUMBERS,
)  # fmt: skip
DEEP = json.loads("[" * 120 + "]" * 120)


@dataclass(frozen=True)
class Knob:
    """One thing that a model asks for: where it stands in the source, and how it is left out."""

    module: str
    owner: str
    """The field's or the alias's name, with its class."""
    what: str
    number: int
    """The how many-th change of the source this is."""

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.module.rpartition('.')[2]}: {self.owner}, {self.what}"


class _Less(ast.NodeTransformer):
    """Names every change that can be made to a source, and makes one of them."""

    def __init__(self, module: str, wanted: int = -1) -> None:
        self.module, self.wanted = module, wanted
        self.found: list[Knob] = []
        self.owner = ""

    def _at(self, what: str) -> bool:
        self.found.append(Knob(self.module, self.owner, what, len(self.found)))
        return self.found[-1].number == self.wanted

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        models = {"Record", "BaseModel"}
        if not models & {base.id for base in node.bases if isinstance(base, ast.Name)}:
            return node
        for at, line in enumerate(node.body):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                self.owner = f"{node.name}.{line.target.id}"
                if self._at("its type"):
                    line.annotation = ast.Name("Any", ast.Load())
                else:
                    line.annotation = self.visit(line.annotation)
            elif isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
                self.owner = node.name
                node.body[at] = self._settings(line)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if isinstance(node.targets[0], ast.Name):
            self.owner = node.targets[0].id
            self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Annotated: each constraint. Literal: each word, where there are several."""
        kind = node.value.id if isinstance(node.value, ast.Name) else ""
        if kind == "Annotated" and isinstance(node.slice, ast.Tuple):
            first, *rest = node.slice.elts
            kept = [each for each in map(self._constraint, rest) if each is not None]
            node.slice.elts = [self.visit(first), *kept]
            return node if kept else node.slice.elts[0]
        if kind == "Literal" and isinstance(node.slice, ast.Tuple):
            words = node.slice.elts
            node.slice.elts = [
                word
                for word in words
                if isinstance(word, ast.Constant) and not self._at(f"the word {word.value}")
            ]
            return node
        return self.generic_visit(node)

    def _constraint(self, node: ast.expr) -> ast.expr | None:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return node
        if node.func.id != "Field":
            return None if self._at(ast.unparse(node)) else node
        node.keywords = [
            one
            for one in node.keywords
            if one.arg == SPEED or not self._at(f"{one.arg}={ast.unparse(one.value)}")
        ]
        return node

    def _settings(self, line: ast.Assign) -> ast.Assign:
        assert isinstance(line.value, ast.Call)
        line.value.keywords = [
            one
            for one in line.value.keywords
            if one.arg not in PARSING or not self._at(ast.unparse(one))
        ]
        return line


def all_knobs() -> list[Knob]:
    """Return every knob of the models, in the order in which they are written."""
    found = []
    for module in MODULES:
        less = _Less(module)
        less.visit(ast.parse(_source(module)))
        found += less.found
    return found


class Border:
    """The models that hostile data must pass, whole or less one knob."""

    def __init__(self, knob: Knob | None = None) -> None:
        with _executed(knob) as modules:
            evidence, door = modules["grader.evidence"], modules["grader.delegation.door"]
            cell = Annotated[evidence.CellRun | evidence.End, Field(discriminator="kind")]
            self._adapters: dict[str, TypeAdapter[Any]] = {
                "event": TypeAdapter(evidence.Event),
                "cell": TypeAdapter(cell),
                "request": TypeAdapter(door.Request),
                "measurement": TypeAdapter(evidence.Measurement),
                "start": TypeAdapter(evidence.Start),
            }

    def passes(self, sort: str, data: Any) -> bool:
        """Tell whether a record or a request is taken."""
        try:
            if sort == "request":
                self._adapters[sort].validate_python(data)
            else:
                self._adapters[sort].validate_json(json.dumps(data))
        except (ValidationError, ValueError, RecursionError):
            return False
        return True


@dataclass(frozen=True)
class Changed:
    """An honest record with another value at one place."""

    sort: str
    path: tuple[str | int, ...]
    data: Any
    value: Any

    def __str__(self) -> str:
        place = ".".join(str(step) for step in self.path if isinstance(step, str))
        return f"{self.data.get('kind', self.data.get('op', self.sort))}: {place} = {_short(self.value)}"

    def names(self, owner: str) -> bool:
        """Whether the field of this name lies on the way to what was changed."""
        return owner.rpartition(".")[2] in self.path


def changes() -> Iterator[Changed]:
    """One honest record of each kind, with each hostile value at each place."""
    for sort, records in EXAMPLES.items():
        kinds = {record.get("kind", record.get("op")): record for record in reversed(records)}
        for record in kinds.values():
            for path, old in _places(record):
                for value in _others(old):
                    yield Changed(sort, path, _with(record, path, value), value)


def _others(old: Any) -> Iterator[Any]:
    if isinstance(old, list):
        yield from ((old * length)[:length] if old else [0] * length for length in LENGTHS)
        yield [DEEP]
    if isinstance(old, dict):
        yield {**old, "unknown": 1}
        yield dict.fromkeys(old, DEEP)
        yield {f"{number}": value for number in range(600) for value in list(old.values())[:1]}
    if isinstance(old, str | list):
        yield from ("x" * length for length in TEXTS)
    if isinstance(old, str):
        yield old.upper()
        yield f"{old}\n"
    yield from VALUES


def _places(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    if path:
        yield path, data
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _places(value, (*path, key))
    elif isinstance(data, list) and data:
        yield from _places(data[0], (*path, 0))


def _with(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    changed = dict(data) if isinstance(data, dict) else list(data)
    changed[step] = _with(data[step], tuple(rest), value)
    return changed


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 3:
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > 80:
        return f"{len(value)} letters"
    return f"`{json.dumps(value)[:60]}`"


def _source(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


@contextmanager
def _executed(knob: Knob | None) -> Iterator[dict[str, ModuleType]]:
    """The modules executed afresh, one of them changed; names resolve while this is open."""
    before = {name: import_module(name) for name in MODULES}
    made = {}
    try:
        for name in MODULES:
            tree = ast.parse(_source(name))
            if knob is not None and knob.module == name:
                less = _Less(name, knob.number)
                tree = ast.fix_missing_locations(less.visit(tree))
            made[name] = sys.modules[name] = ModuleType(name)
            exec(compile(tree, f"<{name} less a knob>", "exec"), vars(made[name]))
        yield made
    finally:
        sys.modules.update(before)
