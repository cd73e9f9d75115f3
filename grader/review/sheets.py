"""What a marker reads: a class's answers by question, in groups, with marks and advice.

Answers are read once, when the pages open; nothing but these pages writes marks meanwhile (the
folder is locked), so marks are read again only after one was given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grader.assignment import Assignment
from grader.gradebook import Gradebook
from grader.result import Mark, Student
from grader.rubric.grouping import groups, same_words
from grader.rubric.ideas import Suggestion, suggest
from grader.rubric.marks import counts, key_of
from grader.rubric.measured import directions
from grader.rubric.spec import Question

FOUND = "found"
UNREADABLE: Mapping[str, Any] = {
    "status": "unreadable", "sure": False, "text": "", "cells": [], "elsewhere": True,
}  # fmt: skip
"""Stands for the answers of a notebook that cannot be read."""


@dataclass(frozen=True)
class Written:
    """One student's answer to one question.

    Attributes:
        answer: as result.json has it.
        runs: of the whole submission, likewise.
        cells: those of all answers of the submission.
        key: of the text; marks of another text do not count.
    """

    student: Student
    answer: Mapping[str, Any]
    runs: Sequence[Mapping[str, Any]]
    cells: frozenset[int]
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

    Groups of one come in the order of their texts' keys, and students in the order of their ids'
    hashes: not the alphabet's, which would favour somebody, and which tells who it is.
    """

    assignment: Assignment
    gradebook: Gradebook
    _places: dict[str, Future[list[list[int]]]] = field(default_factory=dict)
    _groups: dict[str, list[Group]] = field(default_factory=dict)
    _done: dict[str, set[str]] = field(default_factory=dict)
    _given: dict[str, dict[str, dict[str, Mark]]] = field(default_factory=dict)

    @property
    def questions(self) -> Mapping[str, Question]:
        """The assignment's questions."""
        return self.assignment.rubric.questions

    @cached_property
    def people(self) -> dict[str, Student]:
        """Everybody by id, also who has no answers because the notebook cannot be read."""
        return {student.id: student for student, _, _ in self._read}

    @cached_property
    def written(self) -> dict[str, dict[str, Written]]:
        """Answers by question and by the student's id."""
        found: dict[str, dict[str, Written]] = {name: {} for name in self.questions}
        for student, answers, runs in self._read:
            cells = frozenset(cell for answer in answers for cell in answer["cells"])
            given = {answer["question"]: answer for answer in answers}
            for question in found:
                answer = given.get(question, UNREADABLE)
                one = Written(student, answer, runs, cells, key_of(answer["text"]))
                found[question][student.id] = one
        return found

    @cached_property
    def _read(self) -> list[tuple[Student, list[dict[str, Any]], list[dict[str, Any]]]]:
        return list(self.gradebook.answers())

    @cached_property
    def students(self) -> tuple[str, ...]:
        """Everybody's ids, in the order in which the pages number them from 1."""
        return blind_order(self.people)

    def number(self, student: str) -> int:
        """Return the number by which the pages call a student."""
        return self._numbers[student]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {student: number for number, student in enumerate(self.students, start=1)}

    def compare(self, submit: Callable[..., Future[list[list[int]]]]) -> None:
        """Begin to group all questions' answers, elsewhere: it takes seconds for a large class."""
        for question in self.questions:
            written = self._ordered(question)
            texts = [one.text for one in written]
            self._places[question] = submit(_grouped, texts, self._kinds(question, written))

    def compared(self, question: str) -> Future[list[list[int]]]:
        """Return what is done when a question's groups are found."""
        return self._places[question]

    def groups(self, question: str) -> list[Group]:
        """Return a question's groups, the largest first; waits until they are found."""
        if question not in self._groups:
            written = self._ordered(question)
            try:
                places = self._places[question].result()
            except BrokenProcessPool:  # equal words are found without anything that takes memory
                places = same_words([one.text for one in written], self._kinds(question, written))
            self._groups[question] = [
                Group(question, tuple(written[place] for place in group)) for group in places
            ]
        return self._groups[question]

    def _kinds(self, question: str, written: Sequence[Written]) -> list[Hashable]:
        """What must be equal for answers to be marked together, however near their texts are.

        What a person must look at is read alone: a picture, a notebook that cannot be read, an
        answer that was not found while the student wrote something under no question, and one that
        changed since it was marked.
        """
        given = self.given(question)

        def kind(one: Written) -> Hashable:
            if any(mark.answer != one.key for mark in given.get(one.student.id, {}).values()):
                return one.student.id
            if one.answer["status"] == "found":
                return FOUND
            if one.answer["status"] == "missing" and not one.answer["elsewhere"]:
                return "missing"
            return one.student.id

        return [kind(one) for one in written]

    def _ordered(self, question: str) -> list[Written]:
        return sorted(self.written[question].values(), key=lambda one: (one.key, one.student.id))

    def given(self, question: str) -> dict[str, dict[str, Mark]]:
        """Return the marks of a question that stand, by student and by criterion."""
        if question not in self._given:
            self._given[question] = self.gradebook.marks.of_question(question)
        return self._given[question]

    def marks(self, question: str, student: str) -> dict[str, Mark]:
        """Return the marks of an answer that count, by criterion."""
        key, given = self.written[question][student].key, self.given(question).get(student, {})
        return {
            one.id: given[one.id]
            for one in self.questions[question].criteria
            if one.id in given and counts(given[one.id], one, key)
        }

    def gave(self, marks: Iterable[tuple[str, Mark]]) -> None:
        """Marks were added to the gradebook."""
        touched: dict[tuple[str, str], None] = {}
        for student, mark in marks:
            self.given(mark.question).setdefault(student, {})[mark.criterion] = mark
            touched[student, mark.question] = None
        for student, question in touched:
            if self._whole(question, student):
                self.done(question).add(student)

    def undid(self, question: str) -> None:
        """Marks of a question were taken back."""
        self._given.pop(question, None)
        self._done.pop(question, None)

    def done(self, question: str) -> set[str]:
        """Return whose answer to a question has a mark for every criterion."""
        if question not in self._done:
            everybody = self.written[question]
            self._done[question] = {one for one in everybody if self._whole(question, one)}
        return self._done[question]

    def _whole(self, question: str, student: str) -> bool:
        return len(self.marks(question, student)) == len(self.questions[question].criteria)

    def advice(self, question: str, text: str) -> dict[str, Suggestion]:
        """Return the suggestion for each criterion that has one."""
        found = {
            criterion.id: suggest(criterion, text)
            for criterion in self.questions[question].criteria
        }
        return {name: one for name, one in found.items() if one is not None}


def _grouped(texts: list[str], kinds: list[Hashable]) -> list[list[int]]:
    """Group in another process; what says the opposite is never together."""
    apart = [
        (kind, directions(text)) if kind == FOUND else kind
        for text, kind in zip(texts, kinds, strict=True)
    ]
    return groups(texts, apart)


def blind_order(students: Iterable[str]) -> tuple[str, ...]:
    """Return ids in an order that says nothing of them and is the same each time."""
    return tuple(sorted(students, key=lambda one: hashlib.sha256(one.encode()).digest()))
