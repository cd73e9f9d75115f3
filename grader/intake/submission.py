"""What intake hands on: submissions, and everything that it left lying, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.locale import Text, Translator
from grader.result import Student


class IntakeError(Exception):
    """A source or a file that cannot be taken: one line (what, which value, what to do)."""

    def __init__(self, text: Text) -> None:
        super().__init__(Translator("en")(text))
        self.text = text


@dataclass(frozen=True)
class Submission:
    """One student's notebook; `name` is the file's name as it may be shown."""

    student: Student
    path: Path
    name: str


@dataclass(frozen=True)
class Ignored:
    """A path that was not taken, and why; `shown` is its name as it may be shown."""

    path: Path
    shown: str
    reason: Text


@dataclass(frozen=True)
class Intake:
    """A class as it was handed in, in the order of the students' ids.

    Attributes:
        missing: students with a folder of their own but no notebook in it.
    """

    submissions: tuple[Submission, ...]
    ignored: tuple[Ignored, ...] = ()
    missing: tuple[Student, ...] = ()
