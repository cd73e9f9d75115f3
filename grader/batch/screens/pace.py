"""How long the rest of a class takes, from what was measured so far."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from grader.batch.board import Asked
from grader.delegation.service import Load

RECENT = 5  # submissions: the later ones find ever more in the memory


@dataclass
class Pace:
    """What is left: the epochs that are still to come, and how many of them nobody has trained.

    Attributes:
        to_run: submissions that had to run when it began.
        trainers: trainings at the same time.
        epochs: that one submission asks for, by the assignment.
    """

    to_run: int
    trainers: int
    epochs: int
    clock: Callable[[], float] = time.monotonic
    ran: int = 0
    _began: float = field(init=False)
    _before: deque[tuple[int, int]] = field(default_factory=lambda: deque([(0, 0)], RECENT))

    def __post_init__(self) -> None:
        self._began = self.clock()

    def finished(self, load: Load, asked: Asked) -> None:
        """A submission has run."""
        self.ran += 1
        self._before.append((load.epochs, asked.ended + sum(asked.running)))

    def left_s(self, load: Load, asked: Asked) -> float | None:
        """Return the seconds that are left; None while nothing has been measured."""
        if not self.ran:
            return None
        running = len(asked.running)
        to_begin = max(self.to_run - self.ran - running, 0)
        # the assignment's word counts as one submission, so that an empty one says little
        each = (self.epochs + asked.ended) / (1 + self.ran)
        to_come = to_begin * each + sum(max(self.epochs - done, 0) for done in asked.running)
        an_epoch_s = load.seconds / load.epochs if load.epochs else 0.0
        trainers_s = to_come * self._new(load, asked) * an_epoch_s / self.trainers
        passed_s = self.clock() - self._began
        other_s = max(passed_s - load.seconds / self.trainers, 0.0) / self.ran
        return trainers_s + (to_begin + running / 2) * other_s

    def _new(self, load: Load, asked: Asked) -> float:
        """Return the part of the epochs asked for lately that had to be trained."""
        trained_before, asked_before = self._before[0]
        lately = asked.ended + sum(asked.running) - asked_before
        return min((load.epochs - trained_before) / lately, 1.0) if lately > 0 else 1.0
