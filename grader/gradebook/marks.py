"""People's marks of written answers: rows are added, never changed.

One press of a key is one *action*, also where it marks a whole group, so that it can be taken back
as a whole. Of a criterion the latest row counts whose action was not taken back.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from grader.gradebook.form import now
from grader.result import Mark

Whose = tuple[str, str]  # a student and a question
Transaction = Callable[[], AbstractContextManager[None]]

_STANDS = "action NOT IN (SELECT action FROM undone)"


@dataclass(frozen=True)
class MarkRow:
    """One row: whose answer, what was given, and whether it was taken back since."""

    number: int
    student: str
    mark: Mark
    undone: bool


class MarksChanged(Exception):
    """Somebody else marked these answers meanwhile; nothing was written.

    Attributes:
        whose: the answers that were marked meanwhile.
    """

    def __init__(self, whose: Sequence[Whose]) -> None:
        super().__init__(", ".join(f"{student} {question}" for student, question in whose))
        self.whose = tuple(whose)


class Marks:
    """The marks in one gradebook.

    Args:
        transaction: one step of the gradebook's, whole or not at all.
    """

    def __init__(self, connection: sqlite3.Connection, transaction: Transaction) -> None:
        self._connection, self._transaction = connection, transaction

    def add(
        self,
        who: str,
        marks: Iterable[tuple[str, Mark]],
        seen: Mapping[Whose, int],
        passages: Mapping[str, str],
        hand: str = "",
    ) -> list[tuple[str, Mark]]:
        """Keep what one action decided; return it with who and when.

        Args:
            marks: with the student that each one is for; their own `who` and `at` say nothing.
            seen: the version (`versions`) of each answer when it was shown.
            passages: the texts that are marked, by their keys (`rubric.marks.key_of`).
            hand: whose browser it was; `undo` takes back what the same one did.

        Raises:
            MarksChanged: another row was added meanwhile.
        """
        action, at = f"{hand}.{uuid.uuid4()}", now()
        given = [(student, replace(mark, who=who, at=at)) for student, mark in marks]
        with self._transaction():
            changed = self._changed(seen)
            if changed:
                raise MarksChanged(changed)
            self._connection.executemany(
                "INSERT OR IGNORE INTO passage (key, text) VALUES (?, ?)", passages.items()
            )
            self._connection.executemany(
                "INSERT INTO mark (at, who, action, student, question, criterion, points, comment,"
                " answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        at, who, action, student, mark.question, mark.criterion, mark.points,
                        mark.comment, mark.answer,
                    )
                    for student, mark in given
                ],
            )  # fmt: skip
        return given

    def undo(self, who: str, hand: str = "") -> tuple[Whose, ...]:
        """Take back a marker's latest action that stands; return the answers it had marked.

        What was marked before counts again; what somebody else has marked since goes on counting.
        """
        with self._transaction():
            found = self._connection.execute(
                f"SELECT action FROM mark WHERE who = ? AND substr(action, 1, ?) = ? AND {_STANDS}"
                " ORDER BY number DESC LIMIT 1",
                (who, len(hand) + 1, f"{hand}."),
            ).fetchone()
            if found is None:
                return ()
            self._connection.execute(
                "INSERT INTO undone (action, at, who) VALUES (?, ?, ?)", (found[0], now(), who)
            )
            rows = self._connection.execute(
                "SELECT DISTINCT student, question FROM mark WHERE action = ?", found
            )
            return tuple((student, question) for student, question in rows)

    def of(self, student: str) -> tuple[Mark, ...]:
        """Return a student's marks that stand, in the order in which they were given."""
        return self.all(student).get(student, ())

    def all(self, student: str | None = None) -> dict[str, tuple[Mark, ...]]:
        """Return the marks that stand of each student, or of one."""
        latest: dict[tuple[str, str, str], MarkRow] = {}
        for row in self._rows({} if student is None else {"student": student}):
            if not row.undone:
                place = (row.student, row.mark.question, row.mark.criterion)
                latest.pop(place, None)
                latest[place] = row
        marks: dict[str, list[Mark]] = {}
        for row in latest.values():
            marks.setdefault(row.student, []).append(row.mark)
        return {whose: tuple(given) for whose, given in marks.items()}

    def of_question(self, question: str) -> dict[str, dict[str, Mark]]:
        """Return the marks of a question that stand, by student and by criterion."""
        found: dict[str, dict[str, Mark]] = {}
        for row in self._rows({"question": question}):
            if not row.undone:
                found.setdefault(row.student, {})[row.mark.criterion] = row.mark
        return found

    def versions(self, question: str, students: Iterable[str]) -> dict[str, int]:
        """Return for each answer a number that grows with whatever happens to its marks."""
        rows = self._connection.execute(
            "SELECT value, (SELECT coalesce(max(number), 0) FROM mark"
            " WHERE student = value AND question = ?1)"
            " + (SELECT count(DISTINCT action) FROM mark JOIN undone USING (action)"
            " WHERE student = value AND question = ?1) FROM json_each(?2)",
            (question, json.dumps(list(students))),
        )
        return dict(rows.fetchall())

    def _changed(self, seen: Mapping[Whose, int]) -> list[Whose]:
        """The answers that are in another version than was seen."""
        changed: list[Whose] = []
        for question in {question for _, question in seen}:
            then = {
                student: number for (student, asked), number in seen.items() if asked == question
            }
            now = self.versions(question, then)
            changed += [(student, question) for student in then if now[student] != then[student]]
        return changed

    def history(self, student: str, question: str) -> tuple[MarkRow, ...]:
        """Return every row of an answer, oldest first: who, when, what."""
        return self._rows({"student": student, "question": question})

    def comments(self, question: str, criterion: str) -> list[str]:
        """Return the comments that stand for a criterion, the most used first."""
        rows = self._connection.execute(
            "SELECT comment FROM mark AS it WHERE question = ? AND criterion = ? AND comment <> ''"
            " AND number = (SELECT max(number) FROM mark WHERE student = it.student"
            f" AND question = it.question AND criterion = it.criterion AND {_STANDS})"
            " GROUP BY comment ORDER BY count(*) DESC, max(number) DESC",
            (question, criterion),
        )
        return [comment for (comment,) in rows]

    def passage(self, key: str) -> str:
        """Return a text that was marked, by its key; empty where it is not known."""
        found = self._connection.execute("SELECT text FROM passage WHERE key = ?", (key,))
        row = found.fetchone()
        return "" if row is None else str(row[0])

    def follow(self, before: str, student: str) -> None:
        """Give an id without marks those of another, inside a step of the gradebook's."""
        self._connection.execute(
            "INSERT INTO mark (at, who, action, student, question, criterion, points, comment,"
            " answer) SELECT at, who, action, ?2, question, criterion, points, comment, answer"
            " FROM mark WHERE student = ?1"
            " AND NOT EXISTS (SELECT 1 FROM mark WHERE student = ?2) ORDER BY number",
            (before, student),
        )

    def _rows(self, chosen: Mapping[str, str]) -> tuple[MarkRow, ...]:
        where = " AND ".join(f"{column} = ?" for column in chosen)
        rows = self._connection.execute(
            "SELECT number, student, question, criterion, points, comment, who, at, answer,"
            f" NOT {_STANDS} FROM mark {f'WHERE {where}' if where else ''} ORDER BY number",
            tuple(chosen.values()),
        )
        return tuple(
            MarkRow(number, student, Mark(*mark), bool(undone))
            for number, student, *mark, undone in rows
        )
