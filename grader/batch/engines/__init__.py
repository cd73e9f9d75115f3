"""Where submissions run: on this machine (`local`), or on the workers of a Dask cluster (`dask`).

An engine only runs notebooks and trainings; who asked judges, and alone writes the gradebook.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from grader.batch.board import Board
from grader.grading import Gathered
from grader.intake import Submission
from grader.locale import T, Text, Translator


class Stopped(Exception):
    """The batch cannot go on; what is done is kept in the gradebook and in the files.

    `text` is the one line that says why, and what to do.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(Translator("en")(text))

    def __reduce__(self) -> tuple[type[Self], tuple[Text]]:
        """Travel from the process that met it to the one that says it."""
        return type(self), (self.text,)

    @classmethod
    def by(cls, error: BaseException) -> Self:
        """Return what stops a class on an error of ours."""
        if isinstance(error, OSError) and error.errno is not None:
            named = error.filename if isinstance(error.filename, str) else ""
            return cls(
                T(
                    "{path}: {reason}; make room or give the right to write, and start it again "
                    "to go on",
                    path=named or "?",
                    reason=error.strerror,
                )
            )
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return cls(T("grading stopped: {reason}; start it again to go on", reason=reason))


class UsageProblem(Exception):
    """What was asked for cannot be; one line: what, which value, what to do."""


@dataclass(frozen=True)
class Task:
    """A submission to run; or what an `earlier` run left, which lacks seeds (`sampling`)."""

    submission: Submission
    earlier: Gathered | None = None


class Engine(Protocol):
    """Use it as a context manager.

    Attributes:
        unders: the names under which it runs notebooks (`grading.run_key`): one for each kind of
            machine.
    """

    @property
    def unders(self) -> Collection[str]: ...

    def prepare(self) -> None:
        """Begin to get ready, beside whatever else is done meanwhile."""

    def ready(self) -> None:
        """Make sure that something can run.

        Raises:
            WallsError: it cannot.
        """

    def gathered(
        self, tasks: Sequence[Task], board: Board, stop: threading.Event
    ) -> Iterator[tuple[Task, Gathered]]:
        """Run tasks side by side; yield each when it is done. None begins once `stop` is set.

        Raises:
            Stopped: our side failed in a way that the next task would meet too.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...
