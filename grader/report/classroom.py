"""The class page: who needs a person, where the class stands, what it missed most.

It reads summaries only (`grader.summary`), so that ten thousand submissions fit into one page.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.assignment import Assignment, Experiment
from grader.locale import T, Text, Translator
from grader.report import charts
from grader.report.pages import page_template, policy, style
from grader.report.runs import Chart
from grader.report.text import visible
from grader.report.words import DECIMALS, FLAGS, SECTIONS, STATE, points_text
from grader.result import State, Student
from grader.similar import Pair, same_texts

MISSED = 10
ALIKE = 20
NAMES = 12  # of those who gave one answer
WAITS = ("needs_review", "grader_error")
TOP = 40  # of those who need a person, with a reason each; the table has all
Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One student in the table; `reasons` say why a person should look."""

    id: str
    name: str
    state: str
    word: str
    points: str
    grade: str
    late: str
    minutes: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Spread:
    """One quantity of one experiment over the class."""

    label: str
    chart: Chart
    count: int
    low: str
    middle: str
    high: str
    reference: str


@dataclass(frozen=True)
class Missed:
    """A check and what the class lost by it."""

    title: str
    section: str
    students: int
    percent: int
    lost: str


@dataclass(frozen=True)
class Marking:
    """How far a person is with the answers to one question."""

    number: int
    percent: int
    text: str


@dataclass(frozen=True)
class Same:
    """Students (id, name) who gave one long answer to one question; `more` are not listed."""

    number: int
    count: int
    students: Sequence[tuple[str, str]]
    more: int


@dataclass(frozen=True)
class ClassPage:
    """What the template shows."""

    title: str
    notices: Sequence[str]
    counts: Sequence[tuple[str, str, int]]
    marking: Sequence[Marking]
    all_marked: bool
    attention: Sequence[Line]
    more_attention: int
    lines: Sequence[Line]
    missing: Sequence[Student]
    spreads: Sequence[tuple[str, Sequence[Spread]]]
    missed: Sequence[Missed]
    alike: Sequence[tuple[str, str, str]]
    same_numbers: Sequence[tuple[str, str, int]]
    same_texts: Sequence[Same]
    more_texts: int
    average: str
    total: str
    hours: str


def render_class(
    assignment: Assignment,
    summaries: Sequence[Summary],
    missing: Sequence[Student],
    alike: Sequence[Pair],
    same_numbers: Sequence[Pair],
    language: str,
    notices: Sequence[Text] = (),
) -> str:
    """Return `index.html`: one file, no scripts, nothing from elsewhere."""
    say = Translator(language)
    sheet = Markup("\n").join((style("report/report.css"), style("class/class.css")))
    with charts.drawing():
        page = _Writer(assignment, say).page(summaries, missing, alike, same_numbers, notices)
    template = page_template(language, "class/index.html")
    return visible(template.render(page=page, sheet=sheet, policy=policy(sheet)))


class _Writer:
    def __init__(self, assignment: Assignment, say: Translator) -> None:
        self.assignment, self.say = assignment, say
        self.titles = {check.name: say(check.title.text) for check in assignment.spec.checks}
        self.numbers = {name: place for place, name in enumerate(assignment.rubric.questions, 1)}

    def page(
        self,
        summaries: Sequence[Summary],
        missing: Sequence[Student],
        alike: Sequence[Pair],
        same_numbers: Sequence[Pair],
        notices: Sequence[Text],
    ) -> ClassPage:
        lines = [self.line(one) for one in summaries]
        attention = [line for line in lines if line.reasons]
        judged = [one for one in summaries if one["findings"]]
        earned = [sum(found[1] for found in one["findings"].values()) for one in judged]
        seconds = sum(one["seconds"] for one in summaries)
        marking, same = list(self.marking(summaries)), list(self.same(summaries))
        return ClassPage(
            title=self.say(self.assignment.spec.title.text),
            notices=[self.say(notice) for notice in notices],
            counts=list(self.counts(summaries, missing)),
            marking=marking,
            all_marked=all(one.percent == 100 for one in marking),
            attention=attention[:TOP],
            more_attention=max(len(attention) - TOP, 0),
            lines=lines,
            missing=missing,
            spreads=[
                (self.say(one.title.text), list(self.spreads(one, summaries)))
                for one in self.assignment.spec.experiments
            ],
            missed=list(self.missed(summaries))[:MISSED],
            alike=[
                (pair.one, pair.other, self.say.number(100 * pair.share, 0))
                for pair in alike[:ALIKE]
            ],
            same_numbers=[(pair.one, pair.other, pair.count) for pair in same_numbers[:ALIKE]],
            same_texts=same[:ALIKE],
            more_texts=max(len(same) - ALIKE, 0),
            average=self.say.number(statistics.fmean(earned), 1) if earned else "–",
            total=points_text(self.assignment.automatic, self.say),
            hours=self.say.number(seconds / 3600, 1),
        )

    def counts(
        self, summaries: Sequence[Summary], missing: Sequence[Student]
    ) -> Iterator[tuple[str, str, int]]:
        for state in State:
            count = sum(one["state"] == state for one in summaries)
            if count:
                yield state.value, self.say(STATE[state]), count
        if missing:
            yield "missing", self.say(T("Without a notebook")), len(missing)

    def marking(self, summaries: Sequence[Summary]) -> Iterator[Marking]:
        for name, question in self.assignment.rubric.questions.items():
            marked = [one["marked"][name] for one in summaries if name in one["marked"]]
            done = sum(criteria >= len(question.criteria) for criteria in marked)
            if marked:
                text = self.say(T("{marked} of {total}", marked=done, total=len(marked)))
                # rounded down: only what is done looks done
                yield Marking(self.numbers[name], 100 * done // len(marked), text)

    def same(self, summaries: Sequence[Summary]) -> Iterator[Same]:
        names = {one["student"]: one["name"] for one in summaries}
        for group in same_texts({one["student"]: one["long_answers"] for one in summaries}):
            if group.question in self.numbers:
                listed = [(student, names[student]) for student in group.students[:NAMES]]
                count = len(group.students)
                yield Same(self.numbers[group.question], count, listed, count - len(listed))

    def line(self, one: Summary) -> Line:
        value, low, high = one["grade"]
        grade = [value, value] if value is not None else [low, high]
        written = list(dict.fromkeys(self.say.number(number, 1) for number in grade))
        by_s, deducted = one["late"]
        late = ""
        if by_s:
            late = self.say(T("{days} d late", days=-(-by_s // 86_400)))
        elif deducted:
            late = self.say(T("late"))
        return Line(
            id=one["student"],
            name=one["name"],
            state=one["state"],
            word=self.say(STATE[State(one["state"])]),
            points=self.say.number(one["earned"], 2),
            grade=" – ".join(written),
            late=late,
            minutes=self.say.number(one["seconds"] / 60, 1),
            reasons=tuple(self.reasons(one)),
        )

    def reasons(self, one: Summary) -> Iterator[str]:
        if one["problem"]:
            yield one["problem"]
        waits = [
            self.titles.get(name, name)
            for name, found in one["findings"].items()
            if found[0] in WAITS
        ]
        if waits:
            yield self.say(T("A person must decide: {checks}.", checks=waits))
        for flag in one["flags"]:
            yield f"{self.say(FLAGS[flag])}."
        if not waits and not one["problem"] and one["state"] != State.GRADED:
            yield self.say(T("A person must decide about lateness."))

    def spreads(self, experiment: Experiment, summaries: Sequence[Summary]) -> Iterator[Spread]:
        calibration = self.assignment.calibration
        limits = (
            calibration.thresholds(next(iter(experiment.architectures))) if calibration else None
        )
        pairs = [
            one["measured"][experiment.id] for one in summaries if experiment.id in one["measured"]
        ]
        for place, label, colour in (
            (0, T("Test accuracy"), charts.TEST),
            (1, T("Difference"), charts.TRAIN),
        ):
            values = tuple(sorted(pair[place] for pair in pairs if pair[place] is not None))
            if not values:
                continue
            band = limits.accuracy_band if limits and place == 0 else None
            limit = (
                None if limits is None else (limits.gap_limit if place else limits.accuracy_full)
            )
            low, middle, high = (
                self.number(one) for one in (values[0], statistics.median(values), values[-1])
            )
            alt = T(
                "{label} of {count} students: from {low} to {high}, half of them below {middle}.",
                label=label, count=len(values), low=low, high=high, middle=middle,
            )  # fmt: skip
            uri = charts.spread(values, band, limit, colour, self.say)
            yield Spread(
                self.say(label), Chart(uri, self.say(alt)), len(values), low, middle, high,
                "" if limit is None else ("≤ " if place else "≥ ") + self.number(limit),
            )  # fmt: skip

    def missed(self, summaries: Sequence[Summary]) -> list[Missed]:
        titles = {one.id: self.say(one.title.text) for one in self.assignment.spec.experiments}
        titles |= {name: self.say(text) for name, text in SECTIONS.items()}
        found = []
        for check in self.assignment.spec.checks:
            judged = [
                one["findings"][check.name] for one in summaries if check.name in one["findings"]
            ]
            lost = [
                possible - earned
                for status, earned, possible in judged
                if status not in WAITS and earned < possible
            ]
            if lost:
                section = check.name.partition(".")[0]
                missed = Missed(
                    self.say(check.title.text), titles.get(section, section), len(lost),
                    round(100 * len(lost) / len(judged)),
                    self.say.number(sum(lost) / len(judged), 2),
                )  # fmt: skip
                found.append((sum(lost), missed))
        return [missed for _, missed in sorted(found, key=lambda one: -one[0])]

    def number(self, value: float) -> str:
        return self.say.number(value, DECIMALS)
