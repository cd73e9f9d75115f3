"""Which marks of written answers stand: they were given to this text, by this rubric. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from grader.assignment import Assignment
from grader.result import Answer, Mark
from grader.rubric.layout import plain
from grader.rubric.spec import Criterion

# A sign before a number and a comma after "no" can turn what is said around.
_WORD = re.compile(r"-(?=\d)|\bno,|\w+|[^\w\s.,;:!?¡¿()*_`-]")


def words_of(text: str) -> list[str]:
    """Return an answer's words: emphasis, case, spacing and commas change nothing."""
    return _WORD.findall(plain(text))


def key_of(text: str) -> str:
    """Return a name for an answer's words."""
    return hashlib.sha256(" ".join(words_of(text)).encode()).hexdigest()


def counts(mark: Mark, criterion: Criterion, key: str) -> bool:
    """Whether a mark counts for an answer: it says what it said, and the level is still there."""
    return mark.answer == key and criterion.level(mark.points) is not None


def with_marks(
    assignment: Assignment, answers: Iterable[Answer], marks: Iterable[Mark]
) -> tuple[Answer, ...]:
    """Give each answer its marks.

    One that does not count stands among the earlier ones, and a person decides again.
    """
    given = {(mark.question, mark.criterion): mark for mark in marks}
    marked = []
    for answer in answers:
        key = key_of(answer.text)
        now: dict[str, Mark] = {}
        earlier: dict[str, Mark] = {}
        for criterion in assignment.rubric.questions[answer.question].criteria:
            mark = given.get((answer.question, criterion.id))
            if mark is not None:
                (now if counts(mark, criterion, key) else earlier)[criterion.id] = mark
        marked.append(replace(answer, marks=now, earlier=earlier))
    return tuple(marked)
