"""Text of others, made safe to show."""

from __future__ import annotations

import time

import pytest

from grader.report.text import MARKUP, clip, markdown, visible, without_ansi


def test_ordinary_text_stays() -> None:
    text = "Año 2025: «ñandú» — 28×28 → 784\n\t√π ≥ 0,9 👩‍💻 ✏️ e\u0301"

    assert text == visible(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("a\u200db", "a⟦U+200D⟧b"),
        ("a\x00b", "a⟦U+0000⟧b"),
        ("a\ud83db", "a⟦U+D83D⟧b"),
        ("a\u2028b", "a⟦U+2028⟧b"),
        ("a\U000e0041b", "a⟦U+E0041⟧b"),
        ("\ufeffa", "⟦U+FEFF⟧a"),
    ],
)
def test_hidden_characters_are_written(text: str, shown: str) -> None:
    assert shown == visible(text)


def test_terminal_escapes_are_taken_off() -> None:
    """Colours, titles and links of a terminal leave their words only."""
    text = (
        "\x1b[1;31mNameError\x1b[0m \x1b]0;t\x07x \x1b]8;;https://a\x1b\\link\x1b]8;;\x1b\\ \x1b(B."
    )

    assert "NameError x link ." == without_ansi(text)


def test_long_text_is_cut() -> None:
    assert "abc…" == clip("abcdef", 4)
    assert "abcd" == clip("abcd", 4)


def test_markdown_keeps_what_an_answer_needs() -> None:
    html = markdown(
        "**a** *b* `c`\n\n- d\n- e\n\n3. f\n\n> g\n\n|h|i|\n|-|-|\n|j|k|\n\n```\nl\n```"
    )

    for tag in ("strong", "em", "code", "ul", "li", 'ol start="3"', "blockquote", "table", "pre"):
        assert f"<{tag}>" in html, tag


def test_headings_are_emphasis_or_low() -> None:
    assert "<p><strong>100/100</strong></p>" in markdown("# 100/100")
    assert "<h2>Datos</h2>" in markdown("# Datos", headings=True)
    assert "<h6>Hondo</h6>" in markdown("##### Hondo", headings=True)


def test_markup_that_explodes_becomes_plain_text() -> None:
    html = markdown("|" * 12_000 + "\n" + "-|" * 5 + "\n" + "|<" * 100_000, 400_000)

    assert len(html) < 8 * 400_000
    long = markdown("* a\n" * 3_000)
    assert len(long) <= MARKUP * 6


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "*a ",
        "`",
        "> ",
        "- ",
        "[a](",
        "<a ",
        "&",
        "\\",
        "_a__b",
        "|",
        "[a]: ",
        "1. ",
        "~~",
    ],
)
def test_no_answer_takes_long(piece: str) -> None:
    """Twelve thousand characters of what makes parsers slow."""
    start = time.process_time()
    markdown(piece * (12_000 // len(piece)))

    assert time.process_time() - start < 5
