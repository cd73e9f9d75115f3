"""What runs right now, for those who watch; nothing rests on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from grader.delegation.service import Load
from grader.intake import Submission
from grader.watching import Watching


@dataclass(frozen=True)
class Seat:
    """A running submission.

    Attributes:
        where: the machine, where there are several.
    """

    submission: Submission
    watching: Watching = field(default_factory=Watching)
    where: str = ""


class Board:
    """Who runs; any thread may write on it.

    Args:
        begun: called when a submission begins.
    """

    def __init__(self, begun: Callable[[Submission], None] = lambda submission: None) -> None:
        self.load: Callable[[], Load] = Load
        self._begun = begun
        self._lock = threading.Lock()
        self._seats: dict[str, Seat] = {}

    def begins(self, submission: Submission, where: str = "") -> Watching:
        """Enter a submission; return where its kernel can be watched."""
        seat = Seat(submission, where=where)
        with self._lock:
            self._seats[submission.student.id] = seat
        self._begun(submission)
        return seat.watching

    def ends(self, submission: Submission) -> None:
        """Strike a submission out."""
        with self._lock:
            self._seats.pop(submission.student.id, None)

    def seats(self) -> list[Seat]:
        """Return who runs, the longest first."""
        with self._lock:
            return sorted(self._seats.values(), key=lambda seat: seat.watching.began)
