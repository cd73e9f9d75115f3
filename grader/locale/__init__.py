"""Text that people read: written once in English, rendered in the reader's language.

A `Text` travels through checks and scoring as a template and its values; only a `Translator`
turns it into a sentence. English is the source, `es.po` the Spanish catalogue, compiled in memory.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol
from babel.support import NullTranslations, Translations

LANGUAGES = ("es", "en")
LONG = 10_000  # whole numbers from here on are written with their thousands apart


@dataclass(frozen=True)
class Text:
    """A sentence to be: an English template (the catalogue's key) and the values it names."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bilingual:
    """A sentence that the assignment's author wrote in both languages."""

    es: str
    en: str


Readable = Text | Bilingual


def T(template: str, **values: Any) -> Text:  # noqa: N802 - the mark that Babel extracts
    """Name a sentence of the catalogue; values may be numbers, strings, or texts themselves."""
    return Text(template, values)


class LocalFloat(float):
    """A float whose formatted form has the locale's decimal separator."""

    separator = "."

    def __format__(self, spec: str) -> str:
        return format(float(self), spec or ".3f").replace(".", self.separator)


class Translator:
    """Renders texts in one language, numbers as that locale writes them.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        ValueError: the language is not one of them.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
        self.language = language
        self.catalogue = _catalogue(language)
        separator = get_decimal_symbol(language)
        self._float = type("LocaleFloat", (LocalFloat,), {"separator": separator})

    def __call__(self, text: Readable | str) -> str:
        """Return the sentence; a plain string is already one."""
        if isinstance(text, str):
            return text
        if isinstance(text, Bilingual):
            return str(getattr(text, self.language))
        template = self.catalogue.gettext(text.template)
        return template.format_map({key: self._value(value) for key, value in text.values.items()})

    def number(self, value: float, decimals: int) -> str:
        """Return a number with that many decimals in the locale's writing."""
        return format(self._float(value), f".{decimals}f")

    def count(self, number: int) -> str:
        """Return a whole number with what the language puts between thousands."""
        between = "\u202f" if self.language == "es" else ","
        return f"{number:,}".replace(",", between)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Text | Bilingual):
            return self(value)
        if type(value) is int and value >= LONG:
            return self.count(value)
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, list | tuple):
            return ", ".join(str(self._value(item)) for item in value)
        return value


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    source = resources.files(__package__).joinpath(f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return Translations(compiled)
