"""How long the rest of a class takes, from what was measured so far."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from grader.delegation.service import Load

RECENT = 5  # submissions: the later ones find ever more in the memory


@dataclass
class Pace:
    """What is left: trainings that nobody has asked for yet are guessed from the latest runs.

    Attributes:
        to_run: submissions that had to run when it began.
        trainers: trainings at the same time.
    """

    to_run: int
    trainers: int
    clock: Callable[[], float] = time.monotonic
    ran: int = 0
    _began: float = field(init=False)
    _trained: deque[int] = field(default_factory=lambda: deque([0], RECENT + 1))

    def __post_init__(self) -> None:
        self._began = self.clock()

    def finished(self, load: Load) -> None:
        """A submission has run."""
        self.ran += 1
        self._trained.append(load.trained)

    def left_s(self, load: Load, running: int) -> float | None:
        """Return the seconds that are left; None while nothing has been measured."""
        if not self.ran:
            return None
        passed_s = self.clock() - self._began
        busy_s = load.trained * load.seconds / self.trainers
        other_s = max(passed_s - busy_s, 0.0) / self.ran
        to_begin = max(self.to_run - self.ran - running, 0)
        each = (self._trained[-1] - self._trained[0]) / (len(self._trained) - 1)
        trainings = load.waiting + len(load.working) + to_begin * each
        return trainings * load.seconds / self.trainers + (to_begin + running / 2) * other_s
