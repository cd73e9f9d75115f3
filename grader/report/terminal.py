"""The result in a terminal: one line a check, what to look at, where the report is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rich import markup
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from grader.findings import Finding, Status
from grader.locale import Readable, T, Translator
from grader.report.text import visible, without_ansi
from grader.report.words import ICON, SECTIONS
from grader.result import Graded, result_json

STYLES = {
    Status.PASSED: "green",
    Status.PARTIAL: "yellow",
    Status.FAILED: "red",
    Status.NOT_ATTEMPTED: "dim",
    Status.SKIPPED: "dim",
    Status.NEEDS_REVIEW: "cyan",
    Status.GRADER_ERROR: "magenta",
}


def print_json(graded: Graded, language: str) -> None:
    """Print result.json."""
    print(json.dumps(result_json(graded, language), ensure_ascii=False, indent=1))


def print_table(graded: Graded, language: str, report: Path) -> None:
    """Print every finding with its points, then the grade and the report's path."""
    say = Translator(language)
    console = Console(highlight=False, soft_wrap=False)
    if graded.problem is not None:
        console.print(escape(say(graded.problem)))
    print_findings(graded, say, console)
    for line in _closing(graded, say):
        console.print(escape(line))
    console.print(escape(say(T("Report: {path}", path=str(report)))))


def escape(text: str) -> str:
    """Return a text that neither rich nor a terminal takes for a command."""
    return markup.escape(visible(without_ansi(text)))


def print_findings(graded: Graded, say: Translator, console: Console) -> None:
    """Print the findings by section."""
    for section, findings in groupby(
        graded.findings, key=lambda finding: finding.check.partition(".")[0]
    ):
        console.print(_section(section, list(findings), graded, say))


def _section(section: str, findings: list[Finding], graded: Graded, say: Translator) -> Table:
    earned = sum(finding.earned for finding in findings) / 100
    possible = sum(finding.possible for finding in findings) / 100
    points = f"{_points(earned, say)} / {_points(possible, say)}"
    table = Table(box=None, pad_edge=False, expand=True, show_header=True, header_style="bold")
    table.add_column(escape(_title(section, graded, say)), ratio=1)
    table.add_column(points, justify="right", no_wrap=True)
    said: set[str] = set()
    for finding in findings:
        title = f"[{STYLES[finding.status]}]{ICON[finding.status]}[/] {escape(say(finding.title))}"
        table.add_row(title, _points(finding.earned / 100, say))
        if finding.status is Status.PASSED or say(finding.observed) in said:
            continue  # five checks of a training that is not there say the same: once is enough
        said.add(say(finding.observed))
        for line in _details(finding, graded, say):
            table.add_row(Padding(escape(line), (0, 0, 0, 4)), "")
    return table


def _title(section: str, graded: Graded, say: Translator) -> str:
    for experiment in graded.assignment.spec.experiments:
        if experiment.id == section:
            return say(experiment.title.text)
    return say(SECTIONS[section]) if section in SECTIONS else section


def _details(finding: Finding, graded: Graded, say: Translator) -> Iterator[str]:
    yield say(T("Expected: {text}", text=finding.expected))
    yield say(T("Observed: {text}", text=finding.observed))
    if finding.cell is not None:
        yield say(T("Where: {cell}", cell=graded.evidence.called(finding.cell)))
    if finding.hint is not None:
        yield say(T("Try this: {text}", text=finding.hint))


def _closing(graded: Graded, say: Translator) -> Iterator[str]:
    score, scale = graded.score, graded.assignment.spec.scale
    earned, possible = _points(score.earned / 100, say), _points(score.possible / 100, say)
    yield say(T("Automatic points: {earned} of {possible}.", earned=earned, possible=possible))
    if score.pending:
        yield say(_pending(score.pending, say))
    low, high = (
        say.number(float(value), scale.decimals) for value in (score.lowest, score.highest)
    )
    if score.value is None:
        yield say(
            T(
                "Grade so far: between {low} and {high} of {top}.",
                low=low,
                high=high,
                top=say.number(scale.maximum, scale.decimals),
            )
        )
    else:
        yield say(
            T("Grade: {grade} of {top}.", grade=low, top=say.number(scale.maximum, scale.decimals))
        )
    if graded.environment.get("sandbox") == "none":
        yield say(T("This is a self-check without isolation, not a grade."))


def _pending(pending: int, say: Translator) -> Readable:
    return T("Points that wait for a person: {pending}.", pending=_points(pending / 100, say))


def _points(points: float, say: Translator) -> str:
    decimals = 0 if points == round(points) else 1 if points * 10 == round(points * 10) else 2
    return say.number(points, decimals)
