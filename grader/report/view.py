"""A graded submission as the templates take it: sections in order, every sentence written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from grader.locale import T, Translator
from grader.report import charts, log, words
from grader.report.answers import AnswerView, answers
from grader.report.claims import Claim, claims
from grader.report.comparison import Comparison, comparison
from grader.report.findings import Count, FindingView, Section, counts, first, sections
from grader.report.mistakes import MistakesView, Pixels, mistakes
from grader.report.runs import ExperimentView, ExperimentWriter
from grader.report.text import clip
from grader.report.words import points_text
from grader.result import Graded, State


@dataclass(frozen=True)
class Part:
    """A part of the bar of points, in percent of all points."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True)
class Grade:
    """The grade so far and the points behind it; empty where there is nothing to say."""

    value: str
    lowest: str
    highest: str
    minimum: str
    maximum: str
    passing: str
    earned: str
    possible: str
    pending: str
    missed: str
    total: str
    pending_answers: str
    pending_checks: str
    late: str
    deduction: str
    bar: tuple[Part, ...]


@dataclass(frozen=True)
class Story:
    """One experiment: what was checked, what was measured, where its model was wrong."""

    view: ExperimentView
    section: Section | None
    mistakes: MistakesView | None


@dataclass(frozen=True)
class Page:
    """Everything on the page, in its order."""

    title: str
    student: str
    file: str
    state: State
    state_word: str
    grade: Grade
    counts: tuple[Count, ...]
    problems: tuple[str, ...]
    notices: tuple[str, ...]
    first: tuple[FindingView, ...]
    comparison: Comparison
    stories: tuple[Story, ...]
    sections: tuple[Section, ...]
    judged: bool
    pictures: bool
    answers: tuple[AnswerView, ...]
    claims: tuple[Claim, ...]
    flags: tuple[tuple[str, str], ...]
    cells: tuple[log.CellView, ...]
    cells_left_out: int
    environment: tuple[tuple[str, str], ...]
    self_check: bool
    isolated: bool
    other_versions: str


def page(graded: Graded, say: Translator, pixels: Pixels | None) -> Page:
    """Return the page of one submission."""
    experiments = graded.assignment.spec.experiments
    with charts.drawing():
        writer = ExperimentWriter(graded, say)
        views = tuple(writer.experiment(experiment) for experiment in experiments)
        compared = comparison(graded, say)
    others = {section.id: section for section in sections(graded, say)}
    judged = bool(graded.findings) and graded.problem is None
    stories = tuple(
        Story(
            view,
            others.pop(view.id, None),
            mistakes(graded.assignment, graded.evidence, graded.run(view.id), say, pixels),
        )
        for view in views
        if judged
    )
    return Page(
        title=clip(say(graded.assignment.spec.title.text)),
        student=clip(graded.student.name or graded.student.id, 200),
        file=clip(graded.notebook.name, 200),
        state=graded.state,
        state_word=say(words.STATE[graded.state]),
        grade=_grade(graded, say),
        counts=counts(graded, say),
        problems=log.problems(graded, say),
        notices=tuple(clip(say(notice)) for notice in graded.notices[:20]),
        first=first(graded, say),
        comparison=compared,
        stories=stories,
        sections=tuple(others.values()),
        judged=judged,
        pictures=pixels is not None,
        answers=answers(graded, say),
        claims=tuple(claim for one in experiments for claim in claims(graded, one, say)),
        flags=log.flags(graded, say),
        cells=log.cells(graded, say),
        cells_left_out=max(0, len(graded.evidence.cells) - log.CELL_ROWS),
        environment=log.environment(graded, say),
        self_check=graded.self_check,
        isolated=graded.environment.get("sandbox") != "none",
        other_versions=log.other_versions(graded, say),
    )


def _grade(graded: Graded, say: Translator) -> Grade:
    score, scale = graded.score, graded.assignment.spec.scale
    review = min(sum(f.possible for f in graded.findings if f.status.pending), score.pending)
    written = score.pending - review if graded.answers else 0

    def write(value: Decimal | float) -> str:
        return say.number(float(value), scale.decimals)

    return Grade(
        value="" if score.value is None else write(score.value),
        lowest=write(score.lowest),
        highest=write(score.highest),
        minimum=write(scale.minimum),
        maximum=write(scale.maximum),
        passing=write(scale.passing),
        earned=points_text(score.earned, say),
        possible=points_text(score.possible, say),
        pending=points_text(score.pending, say) if score.pending else "",
        missed=points_text(max(0, score.total - score.earned - score.pending), say),
        total=points_text(score.total, say),
        pending_answers=points_text(written, say) if written else "",
        pending_checks=points_text(review, say) if review else "",
        late=_late(score.late_s, say),
        deduction=write(score.deduction) if score.deduction else "",
        bar=_bar(score.earned, score.pending, score.total),
    )


def _late(seconds: int | None, say: Translator) -> str:
    if not seconds or seconds < 0:
        return ""
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    return say(T("{days} d {hours} h {minutes} min", days=days, hours=hours, minutes=minutes))


def _bar(earned: int, pending: int, total: int) -> tuple[Part, ...]:
    if total <= 0:
        return ()
    start, parts = 0.0, []
    missed = total - earned - pending
    for kind, value in (("earned", earned), ("pending", pending), ("missed", missed)):
        width = max(0.0, 100 * value / total)
        if width:
            parts.append(Part(kind, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return tuple(parts)
