"""Gradings and people's marks, append-only, in `gradebook.sqlite`."""

from __future__ import annotations

import errno
import getpass
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Self

from grader.assignment import Assignment
from grader.gradebook.form import from_json, now, to_json
from grader.gradebook.marks import Marks
from grader.gradebook.register import Register
from grader.grading import Gathered, Override
from grader.result import Student
from grader.similar import code_of, fingerprints, packed, unpacked
from grader.summary import summary

FILE = "gradebook.sqlite"


class GradebookError(Exception):
    """The gradebook cannot do this; one line: what, which value, what to do."""


@dataclass(frozen=True)
class Entry:
    """The latest grading of one student: what was gathered, and the result.json it gave."""

    student: Student
    gathered: Gathered
    result: dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """Which notebook was graded last, what it was run under, and what it was scored by."""

    notebook: str
    under: str
    scored: str


@dataclass(frozen=True)
class Event:
    """A person's mark: who, when, what, why."""

    at: str
    who: str
    student: str
    override: Override


class Gradebook:
    """One class's gradebook; use it as a context manager.

    Raises:
        GradebookError: the file is none of ours, or is of a newer version.
    """

    def __init__(
        self, folder: Path, assignment: Assignment | None = None, language: str = "es"
    ) -> None:
        self.path = folder / FILE
        if assignment is None and not self.path.exists():
            raise GradebookError(
                f"{self.path}: there is no gradebook; give the --out folder of `grader grade`"
            )
        try:
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._open(assignment, language)
            self.marks = Marks(self._connection, self._transaction)
            self.register = Register(self._connection, self._transaction, self.marks)
        except sqlite3.OperationalError as error:  # a full or read-only disk
            raise OSError(errno.EIO, str(error), str(self.path)) from error
        except sqlite3.DatabaseError as error:
            raise GradebookError(
                f"{self.path}: is no gradebook of ours ({error}); restore a backup"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    @property
    def assignment_folder(self) -> Path:
        """The folder of the assignment that this class was graded by."""
        found = self._connection.execute("SELECT folder FROM assignment ORDER BY number DESC")
        return Path(found.fetchone()[0])

    @property
    def language(self) -> str:
        """The language of this class's reports."""
        found = self._connection.execute("SELECT language FROM assignment ORDER BY number DESC")
        return str(found.fetchone()[0])

    def add(
        self, student: Student, gathered: Gathered, result: dict[str, Any], scored: str = ""
    ) -> None:
        """Keep one grading; `scored` names what it was scored by."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO grading (at, student, name, run, scored, result, summary)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    now(), student.id, student.name, self._run(student.id, gathered), scored,
                    json.dumps(result, ensure_ascii=False),
                    json.dumps(summary(result), ensure_ascii=False),
                ),
            )  # fmt: skip

    def rescore(self, student: Student, result: str, scored: str) -> None:
        """Keep a new result.json of what the latest grading gathered."""
        short = json.dumps(summary(json.loads(result)), ensure_ascii=False)
        with self._transaction():
            self._connection.execute(
                "INSERT INTO grading (at, student, name, run, scored, result, summary)"
                " SELECT ?, student, ?, run, ?, ?, ? FROM latest WHERE student = ?",
                (now(), student.name, scored, result, short, student.id),
            )

    def _run(self, student: str, gathered: Gathered) -> int:
        """Return the number of the run that left this, which may have been judged before."""
        text = to_json(gathered)
        found = self._connection.execute(
            "SELECT number FROM run WHERE student = ? AND gathered = ?", (student, text)
        ).fetchone()
        if found is not None:
            return int(found[0])
        made = self._connection.execute(
            "INSERT INTO run (at, student, notebook, under, gathered, prints, shown)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number",
            (
                now(), student, gathered.file.sha256, gathered.under, text,
                packed(fingerprints(code_of(gathered.notebook))),
                packed(frozenset(gathered.shown)),
            ),
        ).fetchone()  # fmt: skip
        return int(made[0])

    def faulty(self, among: Iterable[str]) -> frozenset[str]:
        """Return those of some students whose latest grading met a fault of ours."""
        rows = self._connection.execute(
            "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM latest WHERE"
            " student = value AND"
            " (scored = '' OR json_extract(summary, '$.state') = 'grader_error'))",
            (json.dumps(list(among)),),
        )
        return frozenset(student for (student,) in rows)

    def gathered(self, student: str) -> Gathered | None:
        """Return what a student's latest run left; None where it cannot be read back."""
        try:
            return from_json(self._latest(student, "gathered")[0])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def standings(self) -> dict[str, Standing]:
        """Return where each student's latest grading stands, by id."""
        rows = self._connection.execute("SELECT student, notebook, under, scored FROM latest")
        return {student: Standing(*rest) for student, *rest in rows}

    def standings_of_students(self) -> list[tuple[Student, Standing]]:
        """Return each student with where the latest grading stands, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT student, name, notebook, under, scored FROM latest ORDER BY student"
        )
        return [(Student(student, name), Standing(*rest)) for student, name, *rest in rows]

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the latest result.json of each student, in the order of their ids."""
        rows = self._connection.execute("SELECT result FROM latest ORDER BY student")
        yield from (json.loads(result) for (result,) in rows)

    def result(self, student: str) -> dict[str, Any]:
        """Return one student's latest result.json.

        Raises:
            GradebookError: there is no such student.
        """
        return dict(json.loads(self._latest(student, "result")[0]))

    def answers(self) -> Iterator[tuple[Student, list[dict[str, Any]], list[dict[str, Any]]]]:
        """Yield each student with the answers and the runs of the latest result.json."""
        rows = self._connection.execute(
            "SELECT student, name, json_extract(result, '$.answers'),"
            " json_extract(result, '$.runs') FROM latest ORDER BY student"
        )
        for student, name, answers, runs in rows:
            yield Student(student, name), json.loads(answers or "[]"), json.loads(runs or "[]")

    def summaries(self) -> list[dict[str, Any]]:
        """Return the short form of each student's latest result (`grader.summary`)."""
        rows = self._connection.execute("SELECT summary FROM latest ORDER BY student")
        return [json.loads(short) for (short,) in rows]

    def prints(self) -> dict[str, frozenset[int]]:
        """Return the fingerprints of each student's code (`grader.similar`)."""
        rows = self._connection.execute("SELECT student, prints FROM latest ORDER BY student")
        return {student: unpacked(prints) for student, prints in rows}

    def shown(self) -> dict[str, frozenset[int]]:
        """Return the fingerprints of the numbers that each student's file had stored."""
        rows = self._connection.execute("SELECT student, shown FROM latest ORDER BY student")
        return {student: unpacked(shown) for student, shown in rows}

    def gradings(self) -> dict[str, int]:
        """Return how often each student was graded or scored anew."""
        rows = self._connection.execute("SELECT student, count(*) FROM grading GROUP BY student")
        return dict(rows.fetchall())

    def override(self, student: str, override: Override, who: str | None = None) -> None:
        """Keep a person's mark; by default that of the user of this process."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO event (at, who, student, check_name, points, because, saw)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    now(), who or _user(), student, override.check, override.points,
                    override.because, override.saw,
                ),
            )  # fmt: skip

    def entries(self) -> tuple[Entry, ...]:
        """Return the latest grading of each student, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT student, name, gathered, result FROM latest ORDER BY student"
        )
        return tuple(
            Entry(Student(student, name), from_json(gathered), json.loads(result))
            for student, name, gathered, result in rows
        )

    def entry(self, student: str) -> Entry:
        """Return one student's latest grading.

        Raises:
            GradebookError: there is no such student.
        """
        name, gathered, result = self._latest(student, "name, gathered, result")
        return Entry(Student(student, name), from_json(gathered), json.loads(result))

    def _latest(self, student: str, columns: str) -> tuple[str, ...]:
        found: tuple[str, ...] | None = self._connection.execute(
            f"SELECT {columns} FROM latest WHERE student = ?", (student,)
        ).fetchone()
        if found is None:
            known = ", ".join(list(self.standings())[:20])
            raise GradebookError(f"student {student!r} is not in {self.path}; there are: {known}")
        return found

    def overrides(self, student: str) -> tuple[Override, ...]:
        """Return a student's marks by people, oldest first."""
        return tuple(event.override for event in self.events(student))

    def events(self, student: str | None = None) -> tuple[Event, ...]:
        """Return every mark by a person, or those of one student, oldest first."""
        rows = self._connection.execute(
            "SELECT at, who, student, check_name, points, because, saw FROM event"
            f"{_of(student)} ORDER BY number",
            (student,) if student is not None else (),
        )
        return tuple(
            Event(at, who, whose, Override(check, points, because, saw))
            for at, who, whose, check, points, because, saw in rows
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One step, whole or not at all; OSError where the disk is full or read-only."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(errno.EIO, str(error), str(self.path)) from error
            raise

    def _open(self, assignment: Assignment | None, language: str) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._migrate()
        if assignment is not None:
            self._refuse_another(assignment)
            self._connection.execute(
                "INSERT INTO assignment (id, sha256, folder, language) VALUES (?, ?, ?, ?)",
                (assignment.id, assignment.sha256, str(assignment.folder.resolve()), language),
            )

    def _refuse_another(self, assignment: Assignment) -> None:
        found = self._connection.execute("SELECT id FROM assignment ORDER BY number DESC")
        before = found.fetchone()
        if before is not None and before[0] != assignment.id:
            raise GradebookError(
                f"{self.path}: is the gradebook of {before[0]}, not of {assignment.id}; give "
                "another --out"
            )

    def _migrate(self) -> None:
        """Bring the file to the version of this grader, each step whole or not at all."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        steps = _migrations()
        if version > len(steps):
            raise GradebookError(
                f"{self.path}: has version {version}, this grader knows {len(steps)}; "
                "use the grader that made it"
            )
        for number, step in enumerate(steps[version:], start=version + 1):
            self._connection.executescript(
                f"BEGIN IMMEDIATE;{step}PRAGMA user_version = {number};COMMIT;"
            )


def _migrations() -> list[str]:
    """Return the steps from an empty file to the gradebook of today; a step is never changed."""
    folder = resources.files(__package__).joinpath("migrations")
    files = sorted((one for one in folder.iterdir()), key=lambda one: one.name)
    return [one.read_text(encoding="utf-8") for one in files if one.name.endswith(".sql")]


def _of(student: str | None) -> str:
    return "" if student is None else " WHERE student = ?"  # alone, so that an index is used


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
