"""Where a running notebook is, for whoever waits for it. Nothing rests on what is read here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from grader import wire
from grader.delegation import Ledger
from grader.locale import T, Translator
from grader.records import read_regular

EVERY_S = 0.3
LINE = 48  # characters of a cell's first line


@dataclass
class Watching:
    """One running notebook.

    Attributes:
        job: its run folder, in which the driver names the cell that is running.
        ledger: its trainings.
    """

    job: Path | None = None
    ledger: Ledger | None = None
    began: float = field(default_factory=time.monotonic)

    def begin(self, job: Path, ledger: Ledger) -> None:
        """A run begins, perhaps not the first."""
        self.job, self.ledger, self.began = job, ledger, time.monotonic()

    @property
    def cell(self) -> int | None:
        """Index of the cell that is running, by the kernel side's word."""
        if self.job is not None:
            with suppress(OSError, ValueError):
                return int(read_regular(self.job / wire.CELL, 16))
        return None

    @property
    def epochs(self) -> tuple[int, int]:
        """Epochs of the training that is going on, and of all so far."""
        fits = list(self.ledger.fits) if self.ledger is not None else []
        open_now = bool(fits) and fits[-1].final is None
        return (fits[-1].epochs if open_now else 0), sum(one.epochs for one in fits)


@contextmanager
def shown(
    watching: Watching, sources: Sequence[str], epochs: int, say: Translator
) -> Iterator[None]:
    """Show cell, epoch and the time that is left in one line of a terminal; elsewhere nothing.

    Args:
        sources: of the notebook's code cells by index, an empty one for text.
        epochs: that all experiments of the assignment take together.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield
        return
    ended = threading.Event()

    def follow(status: Status) -> None:
        while not ended.wait(EVERY_S):
            status.update(escape(_line(watching, sources, epochs, say)))

    with console.status("") as status:
        thread = threading.Thread(target=follow, args=(status,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _line(watching: Watching, sources: Sequence[str], epochs: int, say: Translator) -> str:
    cell, (epoch, done) = watching.cell, watching.epochs
    code = [place for place, source in enumerate(sources) if source.strip()]
    parts = []
    if cell in code:
        number = code.index(cell) + 1
        first = next(line.strip() for line in sources[cell].splitlines() if line.strip())
        parts.append(
            say(
                T(
                    "Cell {number} of {total} “{line}”",
                    number=number,
                    total=len(code),
                    line=first if len(first) <= LINE else first[: LINE - 1] + "…",
                )
            )
        )
    if epoch:
        parts.append(say(T("epoch {epoch} of this training", epoch=epoch)))
    left_s = _left_s(time.monotonic() - watching.began, done, epochs)
    if left_s is not None:
        minutes, seconds = divmod(round(left_s), 60)
        parts.append(
            say(
                T("about {minutes} min left", minutes=minutes + (seconds > 30))
                if minutes
                else T("less than a minute left")
            )
        )
    return " · ".join(parts) or say(T("Starting the notebook"))


def _left_s(passed_s: float, done: int, epochs: int) -> float | None:
    """What is left when the epochs to come take as long as those so far; None while unknown."""
    if not done:
        return None
    return passed_s / done * max(epochs - done, 0)
