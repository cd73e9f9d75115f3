"""How a class's progress is told: live in a terminal, as lines elsewhere, as JSON to programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from grader.batch.screens.lines import LinesScreen
from grader.batch.screens.live import LiveScreen
from grader.batch.screens.plain import PlainScreen, Screen
from grader.locale import Translator


@contextmanager
def open_screen(language: str, as_json: bool, trainers: int, epochs: int) -> Iterator[Screen]:
    """Return the screen that fits where we print to; `epochs` is what one submission asks for."""
    say, console = Translator(language), Console(highlight=False)
    if as_json:
        yield LinesScreen(say)
    elif console.is_terminal:
        with LiveScreen(say, console, trainers, epochs) as screen:
            yield screen
    else:
        yield PlainScreen(say, console, trainers, epochs)
