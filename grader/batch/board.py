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


@dataclass(frozen=True)
class Asked:
    """Epochs that notebooks have asked for: those that have ended, together; each that runs."""

    ended: int = 0
    running: tuple[int, ...] = ()


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
        self._ended = 0  # epochs

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
            seat = self._seats.pop(submission.student.id, None)
            self._ended += seat.watching.epochs[1] if seat is not None else 0

    def asked(self) -> Asked:
        """Return the epochs that notebooks have asked for, trained or remembered."""
        with self._lock:
            running = [seat.watching.epochs[1] for seat in self._seats.values()]
            return Asked(self._ended, tuple(running))

    def seats(self) -> list[Seat]:
        """Return who runs, the longest first."""
        with self._lock:
            return sorted(self._seats.values(), key=lambda seat: seat.watching.began)
