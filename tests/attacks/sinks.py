"""Every place of our pages where a text of a student can come to stand, by kind of page.

A sink takes a text and returns the whole page with the text there. Students' ids are slugs
(tests/intake), and are sinks all the same.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from grader.evidence import CellRun, Evaluation, Evidence
from grader.findings import Flag, Status
from grader.locale import Text
from grader.recipes import Data, Node, Recipe
from grader.report import charts
from grader.report.classroom import render_class
from grader.report.executed import executed_notebook, render_executed
from grader.report.html import render_report
from grader.report.live import render_live
from grader.report.terminal import print_table
from grader.result import Answer, Graded, Mark, NotebookFile, State, Student
from grader.similar import Pair
from tests.factories import calibration
from tests.report.class_factory import ASSIGNMENT, summaries
from tests.report.graded_factory import runs, sample

Make = Callable[[str], Graded]
Sink = Callable[[str], str]
DOT = "data:image/png;base64,iVBORw0KGgo="


def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures hold none of these texts and take nearly all of the time."""
    for name in ("learning_curve", "comparison", "spread"):
        monkeypatch.setattr(charts, name, lambda *_: DOT)


@dataclass(frozen=True)
class Kind:
    """A kind of page.

    Attributes:
        limit: characters that none of its sinks cuts off.
        shorter: the sinks that cut off earlier, with what they leave.
        prose: the classes and tags around what may have Markdown or coloured code in it.
        headings: the tags that only we write.
    """

    sinks: Mapping[str, Sink]
    limit: int = 1_150
    shorter: Mapping[str, int] | None = None
    prose: frozenset[str] = frozenset()
    headings: frozenset[str] = frozenset({"h1"})

    def limit_of(self, sink: str) -> int:
        return (self.shorter or {}).get(sink, self.limit)


def small(**changes: Any) -> Graded:
    """The sample with one experiment, a few findings and one answer: quick to render."""
    whole = sample()
    first = ("data.loaded", "baseline.", "predictions.single")
    few = {
        "findings": tuple(one for one in whole.findings if one.check.startswith(first)),
        "answers": whole.answers[:1],
        "evidence": replace(whole.evidence, runs=runs()[:1], cells=whole.evidence.cells[-2:]),
        "experiments": {"baseline": 1, "wide": None, "longer": None, "deep": None},
    }
    return replace(whole, **{**few, **changes})


def _finding(*keys: str) -> Make:
    def made(text: str) -> Graded:
        said: dict[str, Any] = {key: Text("{found}", {"found": text}) for key in keys}
        if "overridden" in said:
            said["overridden"] = text
        open_, *others = small().findings
        changed = replace(open_, status=Status.FAILED, earned=0, **said)
        return small(findings=(changed, *others))

    return made


def _run(**changes: Callable[[str], Any]) -> Make:
    def made(text: str) -> Graded:
        values = {key: change(text[:290]) for key, change in changes.items()}
        first = replace(runs()[0], fit=runs()[0].fit.model_copy(update=values))
        return small(evidence=replace(small().evidence, runs=(first,)))

    return made


def _layers(text: str) -> Recipe:
    node = Node.model_construct(op="evil." + text, custom=True, config={"units": text}, inputs=[-1])
    return Recipe.model_construct(input_shape=[28, 28], nodes=[node])


def _data(text: str) -> Data:
    return Data.model_construct(recognised=False, count=1, text=text, rows=None)


def _rejected_layers(text: str) -> Graded:
    graded = _run(recipe=_layers)(text)
    findings = tuple(
        replace(f, status=Status.FAILED, earned=0) if f.check == "baseline.architecture" else f
        for f in graded.findings
    )
    return replace(graded, findings=findings)


def _failed(text: str) -> CellRun:
    return CellRun.model_construct(
        kind="cell", index=0, status="error", seconds=1.0, error=text, message=f"{text}\nfin",
        outputs=[],
    )  # fmt: skip


def _log(text: str) -> Graded:
    return small(evidence=Evidence(cells=(_failed(text),), sources=(text,), ended=text))


def _line(text: str) -> Graded:
    """The first line of the cell that a finding names."""
    first, *others = small().findings
    failed = replace(first, status=Status.FAILED, earned=0, cell=0)
    sources = (text, *small().evidence.sources[1:])
    return small(findings=(failed, *others), evidence=replace(small().evidence, sources=sources))


def _claim(text: str) -> Graded:
    claim = Evaluation.model_construct(
        kind="evaluate", id=30, cell=9, chain=1, epochs=10, data=_data(text),
        results={text: 0.5, "accuracy": 0.5},
    )  # fmt: skip
    return small(evidence=replace(small().evidence, evaluations=(claim,)))


def _unmeasured(text: str) -> Graded:
    first = replace(runs()[0], measured=None, unmeasured=text)
    return small(evidence=replace(small().evidence, runs=(first,)))


def _comment(text: str) -> Graded:
    first = ASSIGNMENT.rubric.questions["q1"].criteria[0].id
    mark = Mark("q1", first, 100, text)
    return small(
        assignment=ASSIGNMENT, answers=(Answer("q1", "found", None, "x", marks={first: mark}),)
    )


def _versions(text: str) -> Graded:
    made = calibration().model_copy(update={"environment": {"keras": "0"}})
    own = small().assignment.model_copy(update={"calibration": made})
    return small(assignment=own, environment={"keras": text})


GRADED: dict[str, Make] = {
    "student": lambda text: small(student=Student("1", text)),
    "student id": lambda text: small(student=Student(text, "")),
    "file": lambda text: small(notebook=NotebookFile(text, "0" * 64)),
    "problem": lambda text: small(problem=Text("{name}", {"name": text}), state=State.UNREADABLE),
    "notice": lambda text: small(notices=(Text("{name}", {"name": text}),)),
    "title": _finding("title"),
    "expected": _finding("expected"),
    "observed": _finding("observed"),
    "hint": _finding("hint"),
    "remark": _finding("remark"),
    "overridden": _finding("overridden"),
    "cell line": _line,
    "flag": lambda text: small(flags=(Flag("claim_differs", Text("{x}", {"x": text})),)),
    "flag kind": lambda text: small(flags=(Flag(text, Text("seen")),)),
    "answer": lambda text: small(answers=(Answer("q1", "found", None, text),)),
    "comment": _comment,
    "other versions": _versions,
    "environment": lambda text: small(environment={"keras": text}),
    "environment key": lambda text: small(environment={text: "1"}),
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
UNSEEN = {"history"}
"""Names that the report never shows."""


def _report(make: Make) -> Sink:
    return lambda text: render_report(make(text), "es", None)


def _live(make: Make) -> Sink:
    return lambda text: render_live(make(text), "es", True)["html"]


def terminal(make: Make) -> Sink:
    """What `grader check` prints, and `%check` where nothing shows HTML."""

    def printed(text: str) -> str:
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            print_table(make(text), "es", Path("report.html"))
        return stream.getvalue() + render_live(make(text), "es", True)["text"]

    return printed


def _class(change: Callable[[list[dict[str, Any]], str], Mapping[str, Any] | None]) -> Sink:
    def made(text: str) -> str:
        students = summaries(4)
        more = {"missing": (), "alike": (), "same_numbers": (), "language": "es"}
        found = change(students, text)
        return render_class(ASSIGNMENT, students, **{**more, **(found or {})})

    return made


def _one(key: str) -> Sink:
    """One who needs a person and stands in two lists, and one who does not."""

    def change(students: list[dict[str, Any]], text: str) -> None:
        students[0][key] = students[3][key] = text

    return _class(change)


def _as_id(sink: Sink) -> Sink:
    """An id goes into an address, which has no lone surrogates; nor has a slug."""
    return lambda text: sink(text.encode("utf-8", "replace").decode())


def _same_texts(key: str) -> Sink:
    def change(students: list[dict[str, Any]], text: str) -> None:
        for one in students[2:]:
            one["long_answers"] = {"q1": "7" * 16}
        students[3][key] = text

    return _class(change)


CLASS: dict[str, Sink] = {
    "student": _one("name"),
    "student id": _as_id(_one("student")),
    "problem": _one("problem"),
    "notice": _class(lambda _, text: {"notices": [Text("{x}", {"x": text})]}),
    "missing": _class(lambda _, text: {"missing": [Student("1", text)]}),
    "missing id": _class(lambda _, text: {"missing": [Student(text, "Ana")]}),
    "alike": _as_id(_class(lambda _, text: {"alike": [Pair(text, text, 0.9, 40)]})),
    "same numbers": _as_id(_class(lambda _, text: {"same_numbers": [Pair(text, text, 1.0, 36)]})),
    "same texts": _same_texts("name"),
    "same texts id": _as_id(_same_texts("student")),
}


def _cell(kind: str, source: str) -> dict[str, Any]:
    plain = {"cell_type": kind, "id": "c0", "metadata": {}, "source": source}
    return plain | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _executed(cell: dict[str, Any], runs: Iterable[CellRun] = ()) -> str:
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return render_executed(executed_notebook(whole, runs), "es")


def _source(kind: str) -> Sink:
    return lambda text: _executed(_cell(kind, text))


def _output(make: Callable[[str], dict[str, Any]]) -> Sink:
    def made(text: str) -> str:
        run = CellRun(kind="cell", index=0, status="ok", seconds=1.0, outputs=[make(text)])
        return _executed(_cell("code", "x"), [run])

    return made


def _shows(**data: Callable[[str], Any]) -> Sink:
    names = {name.replace("_", "/", 1).replace("_", "+"): make for name, make in data.items()}
    return _output(
        lambda text: {
            "output_type": "display_data",
            "data": {name: make(text) for name, make in names.items()},
            "metadata": {"image/png": {"width": text, "alt": text}},
        }
    )


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


EXECUTED: dict[str, Sink] = {
    "code": _source("code"),
    "markdown": _source("markdown"),
    "raw": _source("raw"),
    "stream": _output(lambda text: {"output_type": "stream", "name": "stdout", "text": [text]}),
    "stream name": _output(lambda text: {"output_type": "stream", "name": text, "text": "x"}),
    "plain": _shows(text_plain=str),
    "html": _shows(text_html=str, text_plain=lambda _: "tabla"),
    "javascript": _shows(application_javascript=str, text_latex=str),
    "svg": _shows(image_svg_xml=lambda text: f"<svg>{text}</svg>"),
    "picture": _shows(image_png=str, text_plain=str),
    "picture bytes": _shows(image_png=_encoded, image_jpeg=_encoded),
    "kind of output": _output(
        lambda text: {"output_type": "display_data", "data": {text: "x"}, "metadata": {}}
    ),
    "error": _output(
        lambda text: {
            "output_type": "error",
            "ename": text,
            "evalue": text,
            "traceback": [text, text],
        }
    ),
    "error value": _output(
        lambda text: {"output_type": "error", "ename": text, "evalue": text, "traceback": []}
    ),
    "error of a run": lambda text: _executed(_cell("code", "x"), [_failed(text)]),
}

SHORT = {
    **dict.fromkeys(("student", "student id", "file", "cell line", "cell log"), 200),
    **dict.fromkeys(("environment", "other versions"), 200),
    **dict.fromkeys(("layers", "layer difference", "rows", "validation", "no recipe"), 280),
    **dict.fromkeys(("history", "unmeasured", "claim"), 280),
    "environment key": 60,
    "flag kind": 80,
}
FINDINGS = ("title", "expected", "observed", "hint", "cell line")
KINDS: dict[str, Kind] = {
    "report": Kind(
        {name: _report(make) for name, make in GRADED.items()}, shorter=SHORT,
        prose=frozenset({"blockquote"}), headings=frozenset({"h1", "h2"}),
    ),
    "class": Kind(CLASS, headings=frozenset({"h1", "h2", "h3"})),
    "executed": Kind(EXECUTED, limit=5_000, prose=frozenset({"prose", "source"})),
    "live": Kind({name: _live(GRADED[name]) for name in FINDINGS}, shorter=SHORT),
}  # fmt: skip
TERMINAL = {name: terminal(GRADED[name]) for name in (*FINDINGS, "problem", "student")}
