"""The reference pages name everything that there is, and nothing that there is not."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from grader.checks.kinds import KINDS
from grader.cli import main
from grader.specfile import Sentence
from scripts import schemas

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


def test_the_tables_of_keys_are_as_the_schemas_say_them() -> None:
    """`python -m scripts.schemas` has nothing to change, and each of its tables is there."""
    text = page("assignment.md")

    assert schemas.page(text) == text
    assert sorted(schemas.tables_of_keys()) == sorted(
        re.findall("^<!-- keys: (.*) -->$", text, re.M)
    )


def keys(value: Any, path: str) -> Iterator[str]:
    """Every key of a TOML document that is no table, with the way to it; sentences are one key."""
    entries = value if isinstance(value, list) else [value]
    tables = [one for one in entries if isinstance(one, dict) and set(one) != {"es", "en"}]
    if not tables:
        yield path
    for table in tables:
        for name, one in table.items():
            yield from keys(one, f"{path}{'[]' if entries is value else ''}.{name}")


@pytest.mark.parametrize("name", ["assignment.toml", "rubric.toml"])
def test_every_key_of_the_workshop_is_documented(name: str) -> None:
    """The page has a row for each key that the shipped file uses."""
    listed = rows(section(page("assignment.md"), f"## {name}"))
    document = tomllib.loads((ROOT / "assignment" / name).read_text(encoding="utf-8"))
    chosen = r"(?<=^questions\.)\w+|(?<=^dataset\.splits\.)\w+"
    # names that an author chooses, below a key that has one row
    used = {
        re.sub(r"(\.settings|\.architectures)\..*", r"\1", re.sub(chosen, "<name>", key[1:]))
        for key in keys(document, "")
    }

    assert used <= set(listed)
    assert len(used) > 10


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
