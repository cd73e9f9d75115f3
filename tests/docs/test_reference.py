"""The reference pages name everything that there is, and nothing that there is not."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from grader.assignment import Rubric, Sentence, Spec
from grader.checks.kinds import KINDS
from grader.cli import main

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SCHEMA = json.loads((ROOT / "docs/schema/result.schema.json").read_text(encoding="utf-8"))


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str) -> dict[str, tuple[str, ...]]:
    """The rows of a page's tables that begin with a name in code: name → the other cells."""
    lines = (line.strip() for line in text.splitlines())
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return {first.strip().strip("`"): tuple(map(str.strip, rest)) for first, *rest in cells}


def section(text: str, title: str) -> str:
    """The text below a heading, up to the next heading of its level or a higher one."""
    level = title.split(" ")[0]
    after = text.partition(f"\n{title}\n")[2]
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def commands(group: click.Group, path: str = "grader") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(main))


def parameters(command: click.Command) -> set[str]:
    """Options as they are typed, arguments as the help shows them."""
    return {
        parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name
        for parameter in command.params
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_documented(name: str) -> None:
    """A command's section lists its arguments and options, those and no others."""
    documented = rows(section(page("commands.md"), f"## `{name}`"))

    assert parameters(COMMANDS[name]) == set(documented)


def test_every_command_is_documented() -> None:
    """commands.md has a section for each command, and for nothing else."""
    documented = set(re.findall(r"^## `(grader .*)`$", page("commands.md"), re.MULTILINE))

    assert set(COMMANDS) == documented
    assert parameters(main) <= set(rows(section(page("commands.md"), "## All commands")))


def test_every_make_target_is_in_the_table() -> None:
    """The table of make targets names the targets of the Makefile."""
    targets = re.findall(
        r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    documented = rows(section(page("commands.md"), "## make targets"))

    assert {f"make {target}" for target in targets} == set(documented)


def inner(annotation: Any) -> tuple[Any, str]:
    """The type that a key's entries have, and how the page writes the way to them."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return inner(arguments[0])
    if origin in (Union, types.UnionType):
        return inner(next(one for one in arguments if one is not type(None)))
    if origin in (tuple, list):
        found, way = inner(arguments[0])
        return found, "[]" + way
    if isinstance(origin, type) and issubclass(origin, Mapping):
        found, way = inner(arguments[1])
        return found, ".<name>" + way
    return annotation, ""


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, str):
        return f"`{value}`"
    return f"{value:g}" if isinstance(value, int | float) else "empty" if not value else str(value)


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a file with its default; sentences are one key."""
    for name, field in model.model_fields.items():
        found, way = inner(field.annotation)
        nested = isinstance(found, type) and issubclass(found, BaseModel) and found is not Sentence
        if nested:
            yield from keys(found, f"{path}{name}{way}.")
        else:
            yield f"{path}{name}", default(field)


@pytest.mark.parametrize(
    ("title", "model"), [("## assignment.toml", Spec), ("## rubric.toml", Rubric)]
)
def test_every_key_of_a_file_is_documented(title: str, model: type[BaseModel]) -> None:
    """The page lists each key of the file with the default that the code has, and no other key."""
    text = section(page("assignment.md"), title)
    for part in ("### Kinds of checks", "### Settings of a kind"):
        text = text.replace(section(text, part), "") if part in text else text
    documented = {key: cells[-1] for key, cells in rows(text).items()}

    assert dict(keys(model)) == documented


def test_every_language_of_a_sentence_is_documented() -> None:
    """The page says which keys a sentence has."""
    sentence = next(line for line in page("assignment.md").splitlines() if "*sentence*" in line)

    assert all(f"`{name}`" in sentence for name in Sentence.model_fields)


def test_every_kind_of_check_is_documented() -> None:
    """The page lists each kind of check with the settings that it takes."""
    documented = {
        kind: set(re.findall(r"`([a-z_]+)`", cells[-1]))
        for kind, cells in rows(section(page("assignment.md"), "### Kinds of checks")).items()
    }

    assert {name: set(kind.settings.model_fields) for name, kind in KINDS.items()} == documented


def test_every_setting_is_documented() -> None:
    """The page lists each setting of each kind with its default."""
    listed = rows(section(page("assignment.md"), "### Settings of a kind"))
    expected = {
        f"{name}.{setting}": default(field)
        for name, kind in KINDS.items()
        for setting, field in kind.settings.model_fields.items()
    }

    assert expected == {key: cells[-1] for key, cells in listed.items()}


def properties(
    schema: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property that has a row: lists and their entries, objects by their keys only."""
    for name, child in schema["properties"].items():
        if "properties" in child:
            yield from properties(child, f"{path}{name}.")
            continue
        yield f"{path}{name}", child
        if "properties" in child.get("items", {}):
            yield from properties(child["items"], f"{path}{name}[].")


def test_every_property_of_a_result_is_documented() -> None:
    """results.md lists each property of result.json, and no other."""
    documented = rows(section(page("results.md"), "## result.json"))

    assert {name for name, _ in properties(SCHEMA)} == set(documented)


def test_every_value_of_a_result_is_documented() -> None:
    """Where result.json has a list of allowed values, its row names each of them."""
    documented = rows(section(page("results.md"), "## result.json"))
    missing = [
        f"{name}: {value}"
        for name, child in properties(SCHEMA)
        for value in child.get("enum", [])
        if f"`{value}`" not in " ".join(documented[name])
    ]

    assert [] == missing
