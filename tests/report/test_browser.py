"""A real browser reads the pages: silently, alone, and without scrolling sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.report.executed import executed_notebook, render_executed
from grader.report.html import render_report
from tests.attacks.payloads import FAMILIES
from tests.attacks.sinks import GRADED
from tests.report.class_factory import class_page
from tests.report.graded_factory import EVERY, SOURCES, cells, pixels, sample

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def write(folder: Path, name: str) -> Path:
    """Write one page; names with a slash are a hostile sink."""
    path = folder / f"{name.replace('/', '-')}.html"
    if path.exists():
        return path
    if name == "executed":
        kinds = [("markdown" if s.startswith(("# Taller", "## ")) else "code", s) for s in SOURCES]
        plain = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
        made = [
            {"cell_type": k, "id": f"c{n}", "metadata": {}, "source": s}
            for n, (k, s) in enumerate(kinds)
        ]
        text = render_executed(executed_notebook({**plain, "cells": made}, cells()), "es")
    elif name.startswith("hostile/"):
        hostile = " ".join(FAMILIES["classic"].values())
        text = render_report(GRADED[name.removeprefix("hostile/")](hostile), "es", None)
    elif name.startswith("class"):
        text = class_page(30, "en" if name == "class-english" else "es")
    elif name == "english":
        text = render_report(sample(), "en", pixels)
    elif name == "long":
        student = type(sample().student)("1", "Wolfeschlegelsteinhausenbergerdorff" * 4)
        text = render_report(sample(student=student), "es", pixels)
    else:
        text = render_report(EVERY[name](), "es", pixels)
    path.write_text(text, encoding="utf-8", errors="replace")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
@pytest.mark.parametrize(
    "name",
    [*EVERY, "executed", "class", "long", "hostile/answer", "hostile/student", "hostile/cell log"],
)
def test_a_page_is_read_in_peace(
    browser: Any, folder: Path, name: str, width: int, scheme: str
) -> None:
    """No request but the page's own, no message in the console, no sideways scrolling."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: noise.append("dialog"))
    page.on("request", lambda request: noise.append(request.url[:80]))
    address = write(folder, name).as_uri()
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    broken = page.evaluate("[...document.images].filter(one => !one.naturalWidth).length")
    context.close()

    assert [] == [line for line in noise if line != address and not line.startswith("data:image/")]
    assert wide <= width and 0 == broken


def axe_pages() -> Iterator[Any]:
    """Each page on a phone in the dark or on a desktop, by turns; the other way in test-long."""
    for place, name in enumerate([*EVERY, "english", "executed", "class-english"]):
        for turn, (width, scheme) in enumerate(((360, "dark"), (1200, "light"))):
            both = name in ("sample", "executed", "class-english") or place % 2 == turn
            marks = () if both else (pytest.mark.long,)
            yield pytest.param(name, width, scheme, marks=marks, id=f"{name}-{width}-{scheme}")


@pytest.mark.parametrize(("name", "width", "scheme"), list(axe_pages()))
def test_axe_finds_nothing(browser: Any, folder: Path, name: str, width: int, scheme: str) -> None:
    """No violation of WCAG 2.2 A and AA, nor of what axe calls best practice."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(write(folder, name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page).response
    context.close()

    assert found["passes"]
    assert [] == [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found["violations"]
    ]


def test_without_its_style_sheet_a_page_reads_on(browser: Any, folder: Path) -> None:
    """Headings in order, every figure with its text, nothing over another thing."""
    page = browser.new_page(viewport={"width": 800, "height": 900})
    page.goto(write(folder, "sample").as_uri())
    page.evaluate("document.querySelectorAll('style').forEach(one => one.remove())")
    tops = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map(one => one.getBoundingClientRect().top)"
    )
    broken = page.evaluate("[...document.images].filter(one => !one.alt).length")
    page.close()

    assert tops == sorted(tops) and len(tops) > 12 and 0 == broken


def test_paper_breaks_no_figure(browser: Any, folder: Path) -> None:
    """On A4 every picture, table row and card fits a page; the printed file has pages."""
    page = browser.new_page(viewport={"width": 688, "height": 1017})  # A4 less margins, at 96 dpi
    page.goto(write(folder, "sample").as_uri())
    page.emulate_media(media="print")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.chart, .gallery li, tr, .card')].map(one => {"
        "const box = one.getBoundingClientRect();"
        "return [box.left, box.right, box.height, getComputedStyle(one).breakInside]})"
    )
    printed = page.pdf(format="A4")
    page.close()

    assert [] == [one for one in sizes if one[1] > 689 or one[2] > 1017 or one[3] != "avoid"]
    assert printed.startswith(b"%PDF-") and printed.count(b"/Type /Page") > 3


def test_the_style_sheet_is_applied(browser: Any, folder: Path) -> None:
    """The policy's hash is right: a wrong one would leave the page without its style."""
    page = browser.new_page()
    page.goto(write(folder, "sample").as_uri())
    size = page.evaluate("getComputedStyle(document.querySelector('.student')).fontSize")
    page.close()

    assert float(size.removesuffix("px")) > 20


def test_paper_shows_what_the_screen_folds_away(browser: Any, folder: Path) -> None:
    """A4 holds the page's width and at least the cell log that is closed on the screen."""
    page = browser.new_page()
    page.goto(write(folder, "sample").as_uri())
    page.emulate_media(media="print")
    shown = page.evaluate("document.querySelector('#cells td').getBoundingClientRect().height")
    page.close()

    assert shown > 0
