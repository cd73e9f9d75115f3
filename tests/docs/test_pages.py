"""Pages that are written by a script are as the script writes them; commands in pages are ours."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grader.cli import main
from grader.locale import Text
from scripts import checks, messages

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def test_the_messages_are_as_the_code_says_them() -> None:
    """`python -m scripts.messages` has nothing to change; each message has an example."""
    assert messages.page() == messages.PAGE.read_text(encoding="utf-8")


def test_an_example_speaks_sentences_that_exist() -> None:
    """A sentence inside an example is one of the catalogue, else it would stay in English."""
    known = {text for texts in messages.catalogue().values() for text in texts}
    values = [*messages.EXAMPLES.values(), *(v for of in messages.OF.values() for v in of.values())]

    assert [] == [v.template for v in values if isinstance(v, Text) and v.template not in known]


def test_the_checks_are_as_the_assignment_says_them() -> None:
    """`python -m scripts.checks` has nothing to change."""
    assert checks.page() == checks.PAGE.read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```(?:console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                found = re.match(r"\$ ((?:\.venv/bin/)?grader [^\[]*)$", line)
                if found and not re.search(r"\b[A-Z]{3,}\b", line):  # a synopsis is for people
                    yield page.name, found.group(1)


COMMANDS = sorted(set(commands()))


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=lambda value: str(value)[:50])
def test_a_command_in_a_page_is_one_of_ours(page: str, line: str) -> None:
    """Its name, its options and the number of its arguments are right; nothing is run."""
    words = shlex.split(line, comments=True)[1:]
    group: click.Command = main
    context = click.Context(main, info_name="grader")
    while isinstance(group, click.Group):
        name, words = words[0], words[1:]
        found = group.get_command(context, name)
        assert found is not None, f"{page}: {line}"
        group = found
    group.make_context(group.name, list(words))


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 8
