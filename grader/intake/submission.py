"""What intake hands on: submissions, and everything that it left lying, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grader.locale import Readable, Text, Translator
from grader.result import Student
from grader.scoring import UNKNOWN, Late


class IntakeError(Exception):
    """A source or a file that cannot be taken: one line (what, which value, what to do)."""

    def __init__(self, text: Text) -> None:
        super().__init__(Translator("en")(text))
        self.text = text


@dataclass(frozen=True)
class Submission:
    """One student's notebook.

    Attributes:
        name: the file's name as it may be shown.
        key: what tells the student from all others of the source, whatever they are called here.
        read: returns the file's bytes, from where they were found; raises `Unreadable` or
            `IntakeError`.
        late: what the course platform says about lateness.
        handles: what the platform calls the student and the file, for what goes back to it.
    """

    student: Student
    name: str
    read: Callable[[], bytes]
    key: str = ""
    late: Late = UNKNOWN
    handles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ignored:
    """A file or folder that was not taken, and why; `shown` is its name as it may be shown."""

    shown: str
    reason: Readable


@dataclass(frozen=True)
class Intake:
    """A class as it was handed in, in the order of the students' ids.

    Attributes:
        source: how the files were laid out: `moodle`, `canvas`, `gradescope`, `nbgrader`, `folder`.
        missing: students who are known, but handed in no notebook.
        notices: what a person should know of the class as a whole.
        whole: the source is a class, not one student's file.
    """

    submissions: tuple[Submission, ...]
    ignored: tuple[Ignored, ...] = ()
    missing: tuple[Student, ...] = ()
    source: str = "folder"
    notices: tuple[Text, ...] = ()
    whole: bool = True
