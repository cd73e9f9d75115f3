"""What a marker reads: a class's answers by question, in groups, with marks, advice and evidence.

Answers are read once; marks are read again whenever they are asked for, since others mark too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grader.assignment import Assignment, Question
from grader.gradebook import Gradebook
from grader.result import Mark, Student
from grader.rubric.grouping import groups
from grader.rubric.ideas import Suggestion, suggest
from grader.rubric.marks import key_of


@dataclass(frozen=True)
class Written:
    """One student's answer to one question.

    Attributes:
        answer: as result.json has it.
        runs: of the whole submission, likewise.
        key: of the text; marks of another text do not count.
    """

    student: Student
    answer: Mapping[str, Any]
    runs: Sequence[Mapping[str, Any]]
    key: str

    @property
    def text(self) -> str:
        """What the student wrote."""
        return str(self.answer["text"])


@dataclass(frozen=True)
class Group:
    """Answers that say nearly the same; the first is the one to read."""

    question: str
    members: tuple[Written, ...]


@dataclass
class Sheets:
    """All answers of a class.

    Groups of one come in the order of their texts' keys: not the alphabet's, which would favour
    somebody.
    """

    assignment: Assignment
    gradebook: Gradebook
    _groups: dict[str, list[Group]] = field(default_factory=dict)

    @property
    def questions(self) -> Mapping[str, Question]:
        """The assignment's questions."""
        return self.assignment.rubric.questions

    @cached_property
    def written(self) -> dict[str, dict[str, Written]]:
        """Answers by question and by the student's id."""
        found: dict[str, dict[str, Written]] = {name: {} for name in self.questions}
        for student, answers, runs in self.gradebook.answers():
            for answer in answers:
                if answer["question"] in found:
                    one = Written(student, answer, runs, key_of(answer["text"]))
                    found[answer["question"]][student.id] = one
        return found

    def groups(self, question: str) -> list[Group]:
        """Return a question's groups, the largest first."""
        if question not in self._groups:
            written = sorted(
                self.written[question].values(), key=lambda one: (one.key, one.student.id)
            )
            places = groups([one.text for one in written])
            self._groups[question] = [
                Group(question, tuple(written[place] for place in group)) for group in places
            ]
        return self._groups[question]

    def marks(self, question: str) -> dict[str, dict[str, Mark]]:
        """Return the marks of a question that count, by student and by criterion."""
        given = self.gradebook.marks.of_question(question)
        counting: dict[str, dict[str, Mark]] = {}
        for student, written in self.written[question].items():
            marks = given.get(student, {})
            counting[student] = {
                name: mark for name, mark in marks.items() if mark.answer == written.key
            }
        return counting

    def is_done(self, question: str, marks: Mapping[str, Mark]) -> bool:
        """Whether every criterion of an answer has a mark."""
        return all(criterion.id in marks for criterion in self.questions[question].criteria)

    def progress(self) -> Iterator[tuple[str, int, int]]:
        """Yield each question with how many of its answers are marked, and of how many."""
        for question, written in self.written.items():
            marks = self.marks(question)
            done = sum(self.is_done(question, marks[student]) for student in written)
            yield question, done, len(written)

    def advice(self, question: str, text: str) -> dict[str, Suggestion]:
        """Return the suggestion for each criterion that has one."""
        found = {
            criterion.id: suggest(criterion, text)
            for criterion in self.questions[question].criteria
        }
        return {name: one for name, one in found.items() if one is not None}
