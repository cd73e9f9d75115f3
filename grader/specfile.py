"""A file that an instructor wrote → a validated model, or lines that say what is wrong.

Every line names the file, the key, its value, what is allowed, and the nearest valid key.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.locale import Bilingual

NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]
Points = Annotated[float, Field(ge=0, le=100, multiple_of=0.25)]


class SpecError(Exception):
    """A mistake in the assignment's files: one line for the instructor."""


class Model(BaseModel):
    """Frozen, strict about unknown keys. A string below a key is its description in the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Sentence(Model):
    """A sentence in both languages."""

    es: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    @property
    def text(self) -> Bilingual:
        """As the checks and the report take it."""
        return Bilingual(self.es, self.en)


P = TypeVar("P", bound=BaseModel)


def parse(path: Path, model: type[P]) -> P:
    """Read a TOML or JSON file as a model.

    Raises:
        SpecError: it is missing, is not TOML or JSON, or says something that cannot be; a line
            for each mistake.
    """
    try:
        raw = path.read_bytes()
        document = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw.decode("utf-8"))
    except FileNotFoundError as error:
        raise SpecError(
            f"{path}: there is no such file; an assignment's folder needs it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise SpecError("\n".join(_lines(path, model, error))) from error


def _lines(path: Path, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(str(part) for part in problem["loc"]))
        if problem["type"] == "extra_forbidden":
            close = nearest(str(problem["loc"][-1]), _keys(model, problem["loc"][:-1]))
            yield f"{path}: {key} is no key of this file{close}"
        elif problem["type"] == "missing":
            yield f"{path}: {key} is missing"
        elif problem["loc"]:
            yield f"{path}: {key} = {_short(problem['input'])}: {_reason(problem['msg'])}"
        else:
            yield f"{path}: {_reason(problem['msg'])}"


def _keys(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed at a place, read from the published schema."""
    schema = model.model_json_schema()
    node: Any = schema
    for part in location:
        node = _resolve(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    return sorted(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    while isinstance(node, dict) and ("$ref" in node or "anyOf" in node):
        node = (
            node["anyOf"][0] if "anyOf" in node else schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        )
    return node if isinstance(node, dict) else {}


def nearest(word: str, allowed: Sequence[str]) -> str:
    """Return `; did you mean …?`, or what is allowed."""
    close = difflib.get_close_matches(word, allowed, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; allowed: {', '.join(allowed)}" if allowed else ""


def _reason(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
