"""The class as the platform hands it over: who handed in what, how late, and who did not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from grader.gradebook.form import now, text_form, text_of
from grader.gradebook.marks import Marks
from grader.intake import Intake
from grader.locale import Text
from grader.result import Student
from grader.scoring import UNKNOWN, Late


@dataclass(frozen=True)
class HandedIn:
    """What the course platform says of a submission (`intake.Submission`)."""

    source: str = "folder"
    late: Late = UNKNOWN
    handles: Mapping[str, str] = field(default_factory=dict)


class Register:
    """Who is in a class, in one gradebook.

    Args:
        transaction: one step of the gradebook's, whole or not at all.
        marks: the written answers' marks, which follow a student's new id.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: Callable[[], AbstractContextManager[None]],
        marks: Marks,
    ) -> None:
        self._connection, self._transaction, self._marks = connection, transaction, marks

    def set_class(self, intake: Intake) -> None:
        """Keep who handed in nothing and what a person should know, as the latest look says it."""
        with self._transaction():
            self._connection.execute("DELETE FROM missing")
            self._connection.executemany(
                "INSERT OR IGNORE INTO missing (student, name, at) VALUES (?, ?, ?)",
                [(student.id, student.name, now()) for student in intake.missing],
            )
            self._connection.execute("DELETE FROM notice")
            self._connection.executemany(
                "INSERT INTO notice (at, text) VALUES (?, ?)",
                [(now(), json.dumps(text_form(notice))) for notice in intake.notices],
            )

    def notices(self) -> tuple[Text, ...]:
        """Return what a person should know of the class as a whole."""
        rows = self._connection.execute("SELECT text FROM notice ORDER BY number")
        return tuple(text_of(json.loads(text)) for (text,) in rows)

    def missing(self) -> tuple[Student, ...]:
        """Return who handed in nothing, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT student, name FROM missing"
            " WHERE student NOT IN (SELECT student FROM grading) ORDER BY student"
        )
        return tuple(Student(student, name) for student, name in rows)

    def waits(self) -> bool:
        """Whether somebody handed in what has never been graded."""
        rows = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM current"
            " WHERE student NOT IN (SELECT student FROM grading))"
        )
        return bool(rows.fetchone()[0])

    def hand_in(self, intake: Intake) -> None:
        """Keep what the platform says of each submission, where it says something new.

        Lateness that is known stays when a later source does not speak of it.
        """
        with self._transaction():
            holders = dict(
                self._connection.execute(
                    "SELECT key, student FROM handed_in WHERE source = ? ORDER BY number",
                    (intake.source,),
                ).fetchall()
            )
            all_known = self.all_handed_in()
            for one in intake.submissions:
                before = holders.get(_plain(one.key), one.student.id)
                if before != one.student.id:
                    self._follow(before, one.student.id)
                known = all_known.get(one.student.id, HandedIn())
                if known.late == UNKNOWN:
                    known = replace(known, late=all_known.get(before, HandedIn()).late)
                late = known.late if one.late == UNKNOWN else one.late
                said = HandedIn(intake.source, late, one.handles)
                if known != said or holders.get(_plain(one.key)) != one.student.id:
                    self._connection.execute(
                        "INSERT INTO handed_in (at, student, source, key, late_s, late, handles)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (
                            now(), one.student.id, said.source, _plain(one.key), late.by_s,
                            late.late, json.dumps(dict(said.handles)),
                        ),
                    )  # fmt: skip

    def _follow(self, before: str, student: str) -> None:
        """A submission's id has changed: the marks that people gave it go with it."""
        self._connection.execute(
            "INSERT INTO event (at, who, student, check_name, points, because, saw)"
            " SELECT at, who, ?2, check_name, points, because, saw FROM event WHERE student = ?1"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE student = ?2) ORDER BY number",
            (before, student),
        )
        self._marks.follow(before, student)

    def handed_in(self, student: str) -> HandedIn:
        """Return what the platform says of a student's submission; nothing, where none spoke."""
        return self.all_handed_in(student).get(student, HandedIn())

    def all_handed_in(self, student: str | None = None) -> dict[str, HandedIn]:
        """Return what the platform says of each student's submission, or of one student's."""
        alone = "" if student is None else " WHERE student = ?"  # so that an index is used
        rows = self._connection.execute(
            f"SELECT student, source, late_s, late, handles FROM handed_in{alone} ORDER BY number",
            (student,) if student is not None else (),
        )
        return {
            whose: HandedIn(
                source, Late(by_s, None if late is None else bool(late)), json.loads(handles)
            )
            for whose, source, by_s, late, handles in rows
        }


def _plain(text: str) -> str:
    """A text that SQLite takes: names of files may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
