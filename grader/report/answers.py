"""Written answers beside the rubric they are marked on; model answers and key ideas stay out."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from grader.locale import Translator
from grader.report.text import ANSWER, clip, markdown
from grader.report.words import points_text
from grader.result import Answer, Graded, Mark
from grader.rubric.spec import Criterion, Question

COMMENT = 2_000  # characters of a marker's comment


@dataclass(frozen=True)
class LevelView:
    """A level of a criterion; `chosen` when a person gave it."""

    points: str
    label: str
    description: str
    chosen: bool


@dataclass(frozen=True)
class CriterionView:
    """What an answer is marked on, the mark and its level's name, None while pending.

    Attributes:
        earlier: the mark of another text of this answer, which counts nothing.
    """

    title: str
    possible: str
    mark: str | None
    given: str | None
    comment: str
    earlier: str | None
    levels: tuple[LevelView, ...]


@dataclass(frozen=True)
class AnswerView:
    """A question, what the student wrote, and the criteria; `earned` of those that are marked."""

    id: str
    number: int
    prompt: Markup
    possible: str
    earned: str | None
    waits: bool
    found: bool
    unclear: bool
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
    marks = answer.marks if answer else {}
    earlier = answer.earlier if answer else {}
    text = answer.text if answer else ""
    return AnswerView(
        id=name,
        number=number,
        prompt=markdown(say(question.prompt.text), 3_000),
        possible=points_text(question.possible, say),
        earned=points_text(sum(one.points for one in marks.values()), say) if marks else None,
        waits=len(marks) < len(question.criteria),
        found=bool(text),
        unclear=answer is not None and answer.status == "needs_review",
        text=markdown(text),
        cut=len(text) > ANSWER,
        criteria=tuple(
            _criterion(criterion, marks.get(criterion.id), earlier.get(criterion.id), say)
            for criterion in question.criteria
        ),
    )


def _criterion(
    criterion: Criterion, mark: Mark | None, earlier: Mark | None, say: Translator
) -> CriterionView:
    levels = tuple(
        LevelView(
            points=points_text(round(level.points * 100), say),
            label=clip(say(level.label.text)),
            description=clip(say(level.description.text)),
            chosen=mark is not None and mark.points == round(level.points * 100),
        )
        for level in criterion.levels
    )
    return CriterionView(
        title=clip(say(criterion.title.text)),
        possible=points_text(criterion.possible, say),
        mark=None if mark is None else points_text(mark.points, say),
        comment=clip(mark.comment, COMMENT) if mark else "",
        earlier=None if earlier is None else points_text(earlier.points, say),
        given=next((level.label for level in levels if level.chosen), None),
        levels=levels,
    )
