"""Written answers beside the rubric they are marked on; model answers and key ideas stay out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from grader.assignment import Criterion, Question
from grader.locale import Translator
from grader.report.text import ANSWER, clip, markdown
from grader.report.words import points_text
from grader.result import Answer, Graded


@dataclass(frozen=True)
class LevelView:
    """A level of a criterion; `chosen` when a person gave it."""

    points: str
    label: str
    description: str
    chosen: bool


@dataclass(frozen=True)
class CriterionView:
    """What an answer is marked on, the mark and its level's name, None while pending."""

    title: str
    possible: str
    mark: str | None
    given: str | None
    levels: tuple[LevelView, ...]


@dataclass(frozen=True)
class AnswerView:
    """A question, what the student wrote, and the criteria."""

    id: str
    number: int
    prompt: Markup
    possible: str
    earned: str | None
    found: bool
    text: Markup
    cut: bool
    criteria: tuple[CriterionView, ...]


def answers(graded: Graded, say: Translator) -> tuple[AnswerView, ...]:
    """Return every question of the assignment in its order, answered or not."""
    given = {answer.question: answer for answer in graded.answers}
    questions = graded.assignment.rubric.questions
    return tuple(
        _answer(number, name, question, given.get(name), say)
        for number, (name, question) in enumerate(questions.items(), start=1)
    )


def _answer(
    number: int, name: str, question: Question, answer: Answer | None, say: Translator
) -> AnswerView:
    marks = answer.marks if answer else None
    text = answer.text if answer else ""
    return AnswerView(
        id=name,
        number=number,
        prompt=markdown(say(question.prompt.text), 3_000),
        possible=points_text(question.possible, say),
        earned=None if marks is None else points_text(sum(marks.values()), say),
        found=answer is not None and answer.status == "found",
        text=markdown(text),
        cut=len(text) > ANSWER,
        criteria=tuple(_criterion(criterion, marks, say) for criterion in question.criteria),
    )


def _criterion(
    criterion: Criterion, marks: Mapping[str, int] | None, say: Translator
) -> CriterionView:
    mark = None if marks is None else marks.get(criterion.id)
    levels = tuple(
        LevelView(
            points=points_text(round(level.points * 100), say),
            label=clip(say(level.label.text)),
            description=clip(say(level.description.text)),
            chosen=mark == round(level.points * 100),
        )
        for level in criterion.levels
    )
    return CriterionView(
        title=clip(say(criterion.title.text)),
        possible=points_text(criterion.possible, say),
        mark=None if mark is None else points_text(mark, say),
        given=next((level.label for level in levels if level.chosen), None),
        levels=levels,
    )
