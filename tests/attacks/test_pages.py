"""Every payload at every place of our pages is text, and the page around it stays as it was.

The pages are compared with what they are when an honest word stands there: not one element, class,
id or attribute more, and the same headings and score. Markdown and coloured code may lay out what
stands in them, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from grader.report.html import render_report
from grader.result import result_json
from grader.signing import SignatureError, make_key, signed, verified
from tests.attacks.payloads import FAMILIES, PAYLOADS, groups
from tests.attacks.sinks import GRADED, KINDS, TERMINAL, UNSEEN, Kind, without_figures
from tests.report.pages import ALLOWED, HIDDEN, Element, Page, dangers

HONEST = "ÑandúQ7"
PLACES = [(kind, sink) for kind, one in KINDS.items() for sink in one.sinks]
BLOCK = {"grade", "tally", "counts", "numbers", "bar"}
INSIDE = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
LINKS = r"#[\w.-]+|students/[\w%/.~-]*/(?:report|executed)\.html(?:#answers)?"
OTHERS = [text for name, text in PAYLOADS.items() if not name.startswith("classic")]
assert len(set(PAYLOADS.values())) >= 150


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    without_figures(monkeypatch)


def looked_at(kind: Kind, document: str) -> tuple[list[Any], list[str]]:
    """The bones of a page, and the words that only we write; fails where something is dangerous."""
    live = kind is KINDS["live"]
    page = Page(document if not live else document.replace("rgba(", "("))
    assert [] == dangers(page, more={"dl", "i", "input", "label"}, own=LINKS, policy=not live)
    within = [one for one in page.elements if kind.prose & one.around]
    for one in within:
        assert one.tag in INSIDE and set(one.attributes) <= inside(one), one
    others = [one for one in page.elements if not kind.prose & one.around]
    bones = [(one.tag, *_fixed(one)) for one in others]
    return bones, [one.text for one in others if one.tag in kind.headings or one.classes & BLOCK]


def inside(one: Element) -> set[str]:
    """The attributes that an element has where a student's layout is kept."""
    if "source" in one.around:  # the classes of coloured code
        assert one.tag in ("code", "span")
        assert re.fullmatch(r"[a-z0-9]{0,3}", one.attributes.get("class") or "")
        return {"class"}
    return {"a": {"href", "rel"}, "ol": {"start"}}.get(one.tag, set())


def _fixed(one: Element) -> tuple[Any, ...]:
    """An element's attributes, with the values that no text of a student is a part of."""
    free = {"href", "src", "alt", "title", "content"}
    return tuple((name, None if name in free else value) for name, value in one.attributes.items())


@cache
def honest(kind: str, sink: str) -> tuple[list[Any], list[str]]:
    """The page with a word that harms nobody."""
    return looked_at(KINDS[kind], KINDS[kind].sinks[sink](HONEST))


def assert_inert(kind: str, sink: str, texts: Iterable[str]) -> None:
    for text in texts:
        bones, ours = looked_at(KINDS[kind], KINDS[kind].sinks[sink](text))
        assert honest(kind, sink) == (bones, ours), text


def every(kind: str, sink: str) -> list[str]:
    """All payloads, as many in one text as a place shows whole."""
    return list(groups(KINDS[kind].limit_of(sink)))


def spread(kind: str, sink: str) -> list[str]:
    """The classic payloads, and about six groups of the others, other ones at each sink."""
    limit = KINDS[kind].limit_of(sink)
    classic = list(groups(limit, tuple(FAMILIES["classic"].values())))
    others = list(groups(limit, OTHERS))
    step = max(2, len(others) // 6)
    return classic + others[PLACES.index((kind, sink)) % step :: step]


@pytest.mark.parametrize(("kind", "sink"), PLACES)
def test_a_place_is_inert(kind: str, sink: str) -> None:
    """Several payloads in one text, as many as this place shows whole."""
    assert_inert(kind, sink, spread(kind, sink))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "sink"), PLACES)
def test_a_place_is_inert_for_every_payload_alone(
    kind: str, sink: str, record_property: Any
) -> None:
    """One payload does not owe its harmlessness to another beside it."""
    record_property("payloads", len(PAYLOADS))
    assert_inert(kind, sink, PAYLOADS.values())


@pytest.mark.parametrize(
    ("kind", "sink"), [place for place in PLACES if place[0] != "live" and place[1] not in UNSEEN]
)
def test_a_place_is_a_place(kind: str, sink: str) -> None:
    """The text arrives on the page, so the tests above look at something."""
    hidden = {"stream name", "html", "javascript", "svg", "picture bytes"}
    document = KINDS[kind].sinks[sink](HONEST)

    assert (sink in hidden) != (HONEST in Page(document).text or "%C3%91and" in document)


@pytest.mark.parametrize("sink", TERMINAL)
def test_a_terminal_is_not_steered(sink: str) -> None:
    """No escape, no carriage return, no hidden or turned-around word reaches the screen."""
    texts = [text for name in ("classic", "hidden", "template") for text in FAMILIES[name].values()]
    for text in groups(190, texts):
        printed = TERMINAL[sink](text)
        assert not HIDDEN.search(printed) and "\r" not in printed, text
        printed.encode()


@pytest.mark.parametrize("name", FAMILIES["forged"])
def test_a_forged_signature_is_text(name: str, tmp_path: Any) -> None:
    """A report is signed in its own place, whatever a student's texts hold, and an unsigned one
    with a student's signature in it is not signed."""
    key = make_key(tmp_path / "key.pem")
    for sink in ("answer", "student", "observed"):
        graded = GRADED[sink](FAMILIES["forged"][name])
        report = render_report(graded, "es", None)
        with pytest.raises(SignatureError, match="is not signed"):
            verified(report, key.public)
        page = Page(signed(report, result_json(graded, "es"), key))
        metas = [one for one in page.all("meta") if "signature" in str(one.attributes.get("name"))]

        assert 1 == len(metas) and "head" in metas[0].parents and metas[0].attributes["content"]
        assert verified(page.document, key.public)


def test_what_a_page_may_hold_is_what_these_tests_think() -> None:
    """Nothing that runs, asks or is filled in is among the tags that a report may have."""
    assert not ALLOWED & {"script", "iframe", "object", "embed", "form", "link", "base", "button"}
