"""Which marks of written answers stand: they were given to this text, by this rubric. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from grader.assignment import Assignment
from grader.result import Answer, Mark
from grader.rubric.layout import plain

_WORD = re.compile(r"\w+|[^\w\s.,;:!?¡¿()*_`-]")


def key_of(text: str) -> str:
    """Return a name for an answer's words: emphasis, case, spacing and commas change nothing."""
    return hashlib.sha256(" ".join(_WORD.findall(plain(text))).encode()).hexdigest()


def with_marks(
    assignment: Assignment, answers: Iterable[Answer], marks: Iterable[Mark]
) -> tuple[Answer, ...]:
    """Give each answer its marks.

    A mark counts while its answer says what it said, and while the rubric has a level with its
    points; else it stands among the earlier ones, and a person decides again.
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
                counts = mark.answer == key and criterion.level(mark.points) is not None
                (now if counts else earlier)[criterion.id] = mark
        marked.append(replace(answer, marks=now, earlier=earlier))
    return tuple(marked)
