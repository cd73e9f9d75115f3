"""The same pages in a real browser: its parser finds the elements that ours found, and no more;
opened, a page is silent and alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.sinks import KINDS, without_figures
from tests.attacks.test_pages import HONEST, PLACES, every, spread
from tests.report.pages import Page

pytestmark = pytest.mark.browser
TREE = """texts => texts.map(text =>
  [...new DOMParser().parseFromString(text, 'text/html').querySelectorAll('*')].map(one =>
    [one.localName, ...[...one.attributes].map(it => it.name.toLowerCase() + '=' + it.value)]))"""
AROUND = "<!doctype html><html><head></head><body>{}</body></html>"


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    without_figures(monkeypatch)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1000, "height": 800})
    yield opened
    opened.close()


def document(kind: str, sink: str, text: str) -> str:
    """A page as a browser gets it from a file."""
    made = KINDS[kind].sinks[sink](text).encode("utf-8", "replace").decode()
    return AROUND.format(made) if kind == "live" else made


def tree(text: str) -> list[list[str]]:
    """The elements with their attributes that the tests' own parser finds."""
    return [
        [one.tag, *(f"{name}={value or ''}" for name, value in one.attributes.items())]
        for one in Page(text).elements
    ]


def assert_quiet(page: Any, path: Path, documents: list[str], title: str) -> None:
    noise: list[str] = []
    listeners = {
        "console": lambda message: noise.append(message.text),
        "pageerror": lambda error: noise.append(str(error)),
        "dialog": lambda dialog: noise.append("dialog"),
        "popup": lambda popup: noise.append("popup"),
        "request": lambda asked: noise.append(asked.url[:500]),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    for text in documents:
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert 0 == page.evaluate("document.scripts.length") and path.as_uri() == page.url
        assert title == "|".join(page.locator("h1").all_inner_texts())
    for event, listener in listeners.items():
        page.remove_listener(event, listener)

    allowed = (path.as_uri(), "data:image/")
    assert [] == [line for line in noise if not line.startswith(allowed)]


@pytest.mark.parametrize("kind", KINDS)
def test_chromium_finds_the_same_elements(page: Any, kind: str) -> None:
    """HTML's own rules of what closes and moves what change nothing: no mutation."""
    for sink in KINDS[kind].sinks:
        documents = [document(kind, sink, text) for text in spread(kind, sink)[::3]]
        page.goto("about:blank")
        assert list(map(tree, documents)) == page.evaluate(TREE, documents), sink


@pytest.mark.parametrize(("kind", "sink"), PLACES)
def test_an_open_page_is_quiet(page: Any, tmp_path: Path, kind: str, sink: str) -> None:
    """No request, no dialog, no script, no word in the console; our heading stands."""
    texts = spread(kind, sink)
    some = [texts[0], texts[PLACES.index((kind, sink)) % len(texts)]]
    documents = [document(kind, sink, text) for text in some]
    title = "|".join(one.text.strip() for one in Page(document(kind, sink, HONEST)).all("h1"))
    assert_quiet(page, tmp_path / "page.html", documents, title)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "sink"), PLACES)
def test_chromium_reads_every_payload_at_every_place(
    page: Any, tmp_path: Path, kind: str, sink: str
) -> None:
    """All payloads, as many in one text as the place shows whole."""
    documents = [document(kind, sink, text) for text in every(kind, sink)]
    title = "|".join(one.text.strip() for one in Page(document(kind, sink, HONEST)).all("h1"))
    for start in range(0, len(documents), 20):
        some = documents[start : start + 20]
        page.goto("about:blank")
        assert list(map(tree, some)) == page.evaluate(TREE, some)
    assert_quiet(page, tmp_path / "page.html", documents, title)
