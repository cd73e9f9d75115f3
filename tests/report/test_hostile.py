"""What a submission writes is shown and does nothing, wherever it comes to stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.evidence import CellRun, Evaluation, Evidence
from grader.findings import Status
from grader.locale import Text
from grader.recipes import Data, Node, Recipe
from grader.report import charts
from grader.report.html import render_report
from grader.result import Answer, Flag, Graded, NotebookFile, State, Student
from tests.report.graded_factory import runs, sample
from tests.report.pages import Page, dangers

PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "spoof": "</p></div></section><h1>100/100</h1><style>*{display:none}</style>",
    "attribute": '" onmouseover="alert(1)" style="position:fixed;z-index:9" \'',
    "template": "{{ page.grade }} {% include 'x' %} %(number)s {0} {name}",
    "comment": "<!-- --><!doctype html><base href=//evil.example><meta http-equiv=refresh>",
    "frame": "<iframe srcdoc='<script>1</script>'></iframe><form action=//evil.example><input>",
    "svg": "<svg onload=alert(1)><foreignObject><a xlink:href='javascript:1'>x</a></svg>",
    "bidi": "abc\u202e\u2066txt.exe\u2069\u200b\ufeff",
    "control": "a\x00b\x07c\x1b[31mred\x1b[0m\x9b1m\u2028",
    "surrogate": "a\ud800b",
    "dollar": r"$\frac{$ \href{javascript:1}{x} $$",
}


def _finding(**changes: Any) -> Callable[[str], Graded]:
    def made(payload: str) -> Graded:
        texts = {key: Text("{found}", {"found": payload}) for key in changes if key != "overridden"}
        if "overridden" in changes:
            texts["overridden"] = payload  # type: ignore[assignment]
        found = sample().findings
        return sample(findings=(replace(found[0], **texts), *found[1:]))  # type: ignore[arg-type]

    return made


def _run(**changes: Any) -> Callable[[str], Graded]:
    def made(payload: str) -> Graded:
        values = {key: change(payload[:290]) for key, change in changes.items()}
        first = replace(runs()[0], fit=runs()[0].fit.model_copy(update=values))
        return sample(evidence=replace(sample().evidence, runs=(first, *runs()[1:])))

    return made


def _layers(payload: str) -> Recipe:
    node = Node.model_construct(
        op="evil." + payload, custom=True, config={"units": payload}, inputs=[-1]
    )
    return Recipe.model_construct(input_shape=[28, 28], nodes=[node])


def _data(payload: str) -> Data:
    return Data.model_construct(recognised=False, count=1, text=payload, rows=None)


def _rejected_layers(payload: str) -> Graded:
    graded = _run(recipe=_layers)(payload)
    findings = tuple(
        replace(f, status=Status.FAILED, earned=0) if f.check == "baseline.architecture" else f
        for f in graded.findings
    )
    return replace(graded, findings=findings)


def _log(payload: str) -> Graded:
    cell = CellRun.model_construct(
        kind="cell",
        index=0,
        status="error",
        seconds=1.0,
        error=payload,
        message=payload,
        outputs=[],
    )
    return sample(evidence=Evidence(cells=(cell,), sources=(payload,), ended=payload))


def _claim(payload: str) -> Graded:
    claim = Evaluation.model_construct(
        kind="evaluate", id=30, cell=9, chain=1, epochs=10, data=_data(payload),
        results={payload: 0.5, "accuracy": 0.5},
    )  # fmt: skip
    return sample(evidence=replace(sample().evidence, evaluations=(claim,)))


def _unmeasured(payload: str) -> Graded:
    first = replace(runs()[0], measured=None, unmeasured=payload)
    return sample(evidence=replace(sample().evidence, runs=(first, *runs()[1:])))


SINKS: dict[str, Callable[[str], Graded]] = {
    "student": lambda text: sample(student=Student("1", text)),
    "student id": lambda text: sample(student=Student(text, "")),
    "file": lambda text: sample(notebook=NotebookFile(text, "0" * 64)),
    "problem": lambda text: sample(problem=Text("{name}", {"name": text}), state=State.UNREADABLE),
    "notice": lambda text: sample(notices=(Text("{name}", {"name": text}),)),
    "title": _finding(title=1),
    "expected": _finding(expected=1),
    "observed": _finding(observed=1),
    "hint": _finding(hint=1),
    "remark": _finding(remark=1),
    "overridden": _finding(overridden=1),
    "flag": lambda text: sample(flags=(Flag("claim_differs", Text("{x}", {"x": text})),)),
    "flag kind": lambda text: sample(flags=(Flag(text, Text("seen")),)),
    "answer": lambda text: sample(answers=(Answer("q1", "found", None, text),)),
    "environment": lambda text: sample(environment={"keras": text}),
    "environment key": lambda text: sample(environment={text: "1"}),
    "layers": _run(recipe=_layers),
    "layer difference": _rejected_layers,
    "rows": _run(data=_data),
    "validation": _run(validation=_data),
    "no recipe": _run(recipe=lambda _: None, reason=str),
    "history": _run(history=lambda text: {text: [0.1, 0.2], "accuracy": [0.1, 0.2]}),
    "unmeasured": _unmeasured,
    "cell log": _log,
    "claim": _claim,
}
DOT = "data:image/png;base64,iVBORw0KGgo="
UNSEEN = {"history"}
"""Names that the report never shows."""


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures hold none of these texts and take nearly all of the time."""
    monkeypatch.setattr(charts, "learning_curve", lambda *_: DOT)
    monkeypatch.setattr(charts, "comparison", lambda *_: DOT)


@pytest.mark.parametrize("sink", SINKS)
def test_a_sink_is_inert(sink: str) -> None:
    """Every payload at this place leaves a page that can only be read, with our one heading."""
    payloads = list(PAYLOADS.values())
    groups = [" ".join(payloads[start : start + 3]) for start in range(0, len(payloads), 3)]
    for payload in groups:
        assert max(map(len, groups)) < 200  # shorter than where names are cut
        _assert_inert(SINKS[sink](payload))


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("sink", ["student", "observed", "answer"])
def test_a_payload_is_inert_alone(sink: str, payload: str) -> None:
    """One payload does not owe its harmlessness to another beside it."""
    _assert_inert(SINKS[sink](PAYLOADS[payload]))


def _assert_inert(graded: Graded) -> None:
    page = Page(render_report(graded, "es", None))

    assert [] == dangers(page)
    assert ["Taller 3 · Aprendizaje profundo"] == [title.text for title in page.all("h1")]


@pytest.mark.parametrize("sink", sorted(set(SINKS) - UNSEEN))
def test_a_sink_is_a_sink(sink: str) -> None:
    """The text arrives on the page, so the tests above look at something."""
    assert "ÑandúQ7" in Page(render_report(SINKS[sink]("ÑandúQ7"), "es", None)).text


@pytest.mark.parametrize("sink", ["student", "file", "answer", "cell log", "observed"])
def test_hidden_characters_are_shown(sink: str) -> None:
    """A name cannot be turned around or hidden: the characters stand there by number."""
    text = Page(render_report(SINKS[sink](PAYLOADS["bidi"]), "es", None)).text

    assert "abc⟦U+202E⟧⟦U+2066⟧txt.exe" in text


def test_a_title_is_escaped_in_the_head_too() -> None:
    page = Page(render_report(SINKS["student"]("</title><script>1</script>"), "es", None))

    assert "</title><script>1</script>" in page.all("title")[0].text


def test_answers_keep_no_way_out() -> None:
    """Links lead to https or mail only; images, headings and raw HTML are words."""
    text = (
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](//evil.example/x) [d](file:///etc) "
        "[e](vbscript:x) [f](https://example.org/a?b=1) [g](mailto:a@example.org) [h](otro.html) "
        "![foto](https://evil.example/p.png) <img src=https://evil.example/q.png> <https://x.example>"
        "\n\n# 100/100\n\n<h2>100/100</h2>\n\n[r]: javascript:alert(1)\n\n[r] ![x][r]\n"
    )
    graded = SINKS["answer"](text)
    document = render_report(graded, "es", None)
    page = Page(document)
    links = {str(e.attributes.get("href")) for e in page.all("a")}

    assert [] == dangers(page)
    assert {"https://example.org/a?b=1", "mailto:a@example.org", "https://x.example"} == {
        link for link in links if link[:1] != "#" and link != "None"
    }
    assert "evil.example/p.png" not in "".join(str(e.attributes) for e in page.elements)
    assert "[foto]" in page.text and "100/100" not in "".join(e.text for e in page.all("h2"))
