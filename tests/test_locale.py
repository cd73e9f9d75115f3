"""Every sentence that people read exists in Spanish and in English, and nothing else does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from grader.locale import LANGUAGES, Bilingual, T, Text, Translator
from tests.factories import ROOT

CATALOGUE = ROOT / "grader" / "locale" / "es.po"
TEMPLATES = [
    path for path in sorted((ROOT / "templates").rglob("*")) if path.suffix in (".html", ".j2")
]


@cache
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="es", abort_invalid=True)


def messages() -> list[Message]:
    return [message for message in catalogue() if message.id]


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield where each T(…) of the package stands, and the call."""
    for path in sorted((ROOT / "grader").rglob("*.py")):
        if path.parent.name == "locale":
            continue
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.Call) and getattr(found.func, "id", None) == "T":
                yield f"{path.relative_to(ROOT)}:{found.lineno}", found


def literal(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return str(first.value) if is_text and isinstance(first, ast.Constant) else None


def of_templates() -> dict[str, Path]:
    """The singular of every sentence in a template."""
    found: dict[str, Path] = {}
    for path in TEMPLATES:
        with path.open("rb") as source:
            keywords = ("gettext", "_", "ngettext")
            for _, _, message, _ in babel_extract(source, keywords, [], {"silent": "false"}):
                first = message if isinstance(message, str) else message[0]
                found[str(first)] = path
    return found


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_every_sentence_is_written_out() -> None:
    """T takes a literal: what is put together at run time cannot be translated."""
    assert [] == [where for where, call in calls() if literal(call) is None]


def test_every_sentence_gets_its_values() -> None:
    """The names in braces are those of the call's arguments; a call without any is filled later."""
    wrong = []
    for where, call in calls():
        named = {keyword.arg for keyword in call.keywords}
        if named and None not in named and named != fields(literal(call) or ""):
            wrong.append(where)

    assert [] == wrong


def test_every_sentence_of_the_code_is_in_spanish() -> None:
    """No T(…) is left in English for a Spanish reader."""
    known = {message.id for message in messages() if message.string}
    missing = {literal(call): where for where, call in calls() if literal(call) not in known}

    assert {} == missing


def test_every_sentence_of_a_template_is_in_spanish() -> None:
    """No sentence of a page is left in English for a Spanish reader."""
    known = {_singular(message) for message in messages() if message.string}
    missing = {text: path.name for text, path in of_templates().items() if text not in known}

    assert {} == missing


def test_translations_have_the_same_values() -> None:
    """A translation names every value of its original and no other."""
    wrong = []
    for message in messages():
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        percent = {name for text in originals for name in re.findall(r"%\((\w+)\)s", text)}
        for text in strings:
            if percent or isinstance(message.id, tuple):
                same = set(re.findall(r"%\((\w+)\)s", text)) <= percent
            else:
                same = fields(text) == fields(message.id)
            if not same:
                wrong.append(text)

    assert [] == wrong


def test_nothing_is_translated_that_nobody_says() -> None:
    """The catalogue has no leftovers."""
    said = {literal(call) for _, call in calls()} | set(of_templates())
    unused = [message.id for message in messages() if _singular(message) not in said]

    assert [] == unused


def test_no_translation_is_fuzzy_or_obsolete() -> None:
    """A person has looked at every translation."""
    assert [] == [message.id for message in messages() if message.fuzzy]
    assert [] == list(catalogue().obsolete)


def test_the_catalogue_has_each_sentence_once() -> None:
    """Two entries for one sentence would hide each other."""
    ids = re.findall(r"^msgid (.+)$", CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    written = [one for one in ids if one != '""']

    assert sorted(set(written)) == sorted(written)


def test_numbers_have_the_separator_of_the_language() -> None:
    """A decimal comma in Spanish, a point in English, also inside a sentence."""
    text = T("{text}", text=T("{first} {second}", first=0.881, second=3))

    assert ["0,881 3", "0.881 3"] == [Translator(language)(text) for language in LANGUAGES]


def test_both_languages_of_the_author_are_used() -> None:
    """A sentence of the assignment is taken in the reader's language."""
    both = Bilingual("hola", "hello")

    assert ["hola", "hello"] == [Translator(language)(both) for language in LANGUAGES]


def test_values_are_never_read_as_templates() -> None:
    """Braces in a student's text stay braces."""
    assert "{0.__class__}" == Translator("es")(Text("{text}", {"text": "{0.__class__}"}))


def test_another_language_is_refused() -> None:
    """The message names the languages there are."""
    with pytest.raises(ValueError, match="not one of es, en"):
        Translator("fr")


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]
