"""What a submission writes is shown and does nothing; every place is in tests/attacks."""

from __future__ import annotations

import pytest

from grader.report.html import render_report
from grader.result import Graded
from tests.attacks.payloads import FAMILIES
from tests.attacks.sinks import GRADED, without_figures
from tests.report.pages import Page, dangers

CLASSIC = FAMILIES["classic"]


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    without_figures(monkeypatch)


@pytest.mark.parametrize("payload", CLASSIC)
@pytest.mark.parametrize("sink", ["student", "observed", "answer"])
def test_a_payload_is_inert_alone(sink: str, payload: str) -> None:
    """One payload does not owe its harmlessness to another beside it."""
    _assert_inert(GRADED[sink](CLASSIC[payload]))


def _assert_inert(graded: Graded) -> None:
    page = Page(render_report(graded, "es", None))

    assert [] == dangers(page)
    assert ["Taller 3 · Aprendizaje profundo"] == [title.text for title in page.all("h1")]


@pytest.mark.parametrize("sink", ["student", "file", "answer", "cell log", "observed"])
def test_hidden_characters_are_shown(sink: str) -> None:
    """A name cannot be turned around or hidden: the characters stand there by number."""
    text = Page(render_report(GRADED[sink](CLASSIC["bidi"]), "es", None)).text

    assert "abc⟦U+202E⟧⟦U+2066⟧txt.exe" in text


def test_a_title_is_escaped_in_the_head_too() -> None:
    page = Page(render_report(GRADED["student"]("</title><script>1</script>"), "es", None))

    assert "</title><script>1</script>" in page.all("title")[0].text


def test_answers_keep_no_way_out() -> None:
    """Links lead to https or mail only; images, headings and raw HTML are words."""
    text = (
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](//evil.example/x) [d](file:///etc) "
        "[e](vbscript:x) [f](https://example.org/a?b=1) [g](mailto:a@example.org) [h](otro.html) "
        "![foto](https://evil.example/p.png) <img src=https://evil.example/q.png> <https://x.example>"
        "\n\n# 100/100\n\n<h2>100/100</h2>\n\n[r]: javascript:alert(1)\n\n[r] ![x][r]\n"
    )
    graded = GRADED["answer"](text)
    document = render_report(graded, "es", None)
    page = Page(document)
    links = {str(e.attributes.get("href")) for e in page.all("a")}

    assert [] == dangers(page)
    assert {"https://example.org/a?b=1", "mailto:a@example.org", "https://x.example"} == {
        link for link in links if link[:1] != "#" and link != "None"
    }
    assert "evil.example/p.png" not in "".join(str(e.attributes) for e in page.elements)
    assert "[foto]" in page.text and "100/100" not in "".join(e.text for e in page.all("h2"))
