"""Gradings and people's marks, append-only, in `gradebook.sqlite`."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from grader.assignment import Assignment
from grader.evidence import Evidence
from grader.grading import Gathered, Override
from grader.locale import Text
from grader.notebook import Cell, Notebook
from grader.result import NotebookFile, Student

FILE = "gradebook.sqlite"
VERSION = 2


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
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            self._open(assignment, language)
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
                "INSERT INTO grading (at, student, name, notebook, under, scored, gathered, result)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _now(),
                    student.id,
                    student.name,
                    gathered.file.sha256,
                    gathered.under,
                    scored,
                    _to_json(gathered),
                    json.dumps(result, ensure_ascii=False),
                ),
            )

    def rescore(self, student: Student, result: str, scored: str) -> None:
        """Keep a new result.json of what the latest grading gathered."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO grading (at, student, name, notebook, under, scored, gathered, result)"
                " SELECT ?, student, ?, notebook, under, ?, gathered, ?"
                " FROM latest WHERE student = ?",
                (_now(), student.name, scored, result, student.id),
            )

    def standings(self) -> dict[str, Standing]:
        """Return where each student's latest grading stands, by id."""
        rows = self._connection.execute("SELECT student, notebook, under, scored FROM latest")
        return {student: Standing(*rest) for student, *rest in rows}

    def results(self) -> list[dict[str, Any]]:
        """Return the latest result.json of each student, in the order of their ids."""
        rows = self._connection.execute("SELECT result FROM latest ORDER BY student")
        return [json.loads(result) for (result,) in rows]

    def add_missing(self, students: Sequence[Student]) -> None:
        """Keep who handed in nothing; whoever is graded later is not missing any more."""
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO missing (student, name, at) VALUES (?, ?, ?)",
                [(student.id, student.name, _now()) for student in students],
            )

    def missing(self) -> tuple[Student, ...]:
        """Return who handed in nothing, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT student, name FROM missing"
            " WHERE student NOT IN (SELECT student FROM grading) ORDER BY student"
        )
        return tuple(Student(student, name) for student, name in rows)

    def override(self, student: str, override: Override) -> None:
        """Keep a person's mark."""
        with self._transaction():
            self._connection.execute(
                "INSERT INTO event (at, who, student, check_name, points, because)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_now(), _user(), student, override.check, override.points, override.because),
            )

    def entries(self) -> tuple[Entry, ...]:
        """Return the latest grading of each student, in the order of their ids."""
        rows = self._connection.execute(
            "SELECT student, name, gathered, result FROM latest ORDER BY student"
        )
        return tuple(
            Entry(Student(student, name), _from_json(gathered), json.loads(result))
            for student, name, gathered, result in rows
        )

    def entry(self, student: str) -> Entry:
        """Return one student's latest grading.

        Raises:
            GradebookError: there is no such student.
        """
        found = self._connection.execute(
            "SELECT name, gathered, result FROM latest WHERE student = ?", (student,)
        ).fetchone()
        if found is None:
            known = ", ".join(list(self.standings())[:20])
            raise GradebookError(f"student {student!r} is not in {self.path}; there are: {known}")
        name, gathered, result = found
        return Entry(Student(student, name), _from_json(gathered), json.loads(result))

    def overrides(self, student: str) -> tuple[Override, ...]:
        """Return a student's marks by people, oldest first."""
        return tuple(event.override for event in self.events() if event.student == student)

    def events(self) -> tuple[Event, ...]:
        """Return every mark by a person, oldest first."""
        rows = self._connection.execute(
            "SELECT at, who, student, check_name, points, because FROM event ORDER BY number"
        )
        return tuple(
            Event(at, who, student, Override(check, points, because))
            for at, who, student, check, points, because in rows
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _open(self, assignment: Assignment | None, language: str) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and assignment is not None:
            schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
            self._connection.executescript(f"BEGIN;{schema}PRAGMA user_version = {VERSION};COMMIT;")
        elif version != VERSION:
            raise GradebookError(
                f"{self.path}: has version {version}, this grader writes {VERSION}; "
                "use the grader that made it"
            )
        if assignment is not None:
            self._connection.execute(
                "INSERT INTO assignment (id, sha256, folder, language) VALUES (?, ?, ?, ?)",
                (assignment.id, assignment.sha256, str(assignment.folder.resolve()), language),
            )


_EVIDENCE = TypeAdapter(Evidence)


def _to_json(gathered: Gathered) -> str:
    notebook = gathered.notebook
    problem = gathered.problem
    return json.dumps(
        {
            "file": {"name": gathered.file.name, "sha256": gathered.file.sha256},
            "notebook": notebook and {
                "name": notebook.name,
                "sha256": notebook.sha256,
                "language": notebook.language,
                "notices": [_text(notice) for notice in notebook.notices],
                "cells": [
                    {
                        "index": cell.index,
                        "id": cell.id,
                        "kind": cell.kind,
                        "source": cell.source,
                        "role": dict(cell.role),
                    }
                    for cell in notebook.cells
                ],
            },
            "evidence": json.loads(_EVIDENCE.dump_json(gathered.evidence)),
            "environment": dict(gathered.environment),
            "problem": _text(problem) if isinstance(problem, Text) else None,
            "fault": gathered.fault,
            "under": gathered.under,
        },
        ensure_ascii=True,
    )  # fmt: skip


def _from_json(text: str) -> Gathered:
    plain = json.loads(text)
    notebook = plain["notebook"]
    return Gathered(
        file=NotebookFile(**plain["file"]),
        notebook=notebook
        and Notebook(
            name=notebook["name"],
            sha256=notebook["sha256"],
            cells=tuple(Cell(**cell) for cell in notebook["cells"]),
            notices=tuple(_to_text(notice) for notice in notebook["notices"]),
            language=notebook["language"],
        ),
        evidence=_EVIDENCE.validate_json(json.dumps(plain["evidence"])),
        environment=plain["environment"],
        problem=plain["problem"] and _to_text(plain["problem"]),
        fault=plain["fault"],
        under=plain["under"],
    )


def _text(text: Text) -> dict[str, Any]:
    """A text as plain values; texts that stand in it, likewise."""
    return {
        "template": text.template,
        "values": {key: _value(value) for key, value in text.values.items()},
    }


def _value(value: Any) -> Any:
    if isinstance(value, Text):
        return _text(value)
    return [_value(item) for item in value] if isinstance(value, list | tuple) else value


def _to_text(plain: dict[str, Any]) -> Text:
    return Text(
        plain["template"], {key: _from_value(value) for key, value in plain["values"].items()}
    )


def _from_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _to_text(value)
    return tuple(_from_value(item) for item in value) if isinstance(value, list) else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
