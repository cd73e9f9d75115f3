"""Progress in a terminal: below the lines, what each notebook and each trainer is doing."""

from __future__ import annotations

from collections import Counter
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text as Styled

from grader.batch.board import Seat
from grader.batch.screens.plain import PlainScreen
from grader.delegation.service import Load
from grader.locale import T, Translator

SHOWN = 12  # notebooks
PER_SECOND = 2
DOING = {
    "start": T("drawing start weights"),
    "epoch": T("training an epoch"),
    "validate": T("validating"),
    "measure": T("measuring"),
}


class LiveScreen(PlainScreen):
    """Use it as a context manager."""

    def __init__(self, say: Translator, console: Console, trainers: int, epochs: int) -> None:
        super().__init__(say, console, trainers, epochs)
        self._live = Live(
            console=console, refresh_per_second=PER_SECOND, transient=True,
            get_renderable=self._picture,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def _picture(self) -> RenderableType:
        seats, load = self.board.seats(), self.board.load()
        if not seats:
            return Styled("")
        rows = Table(box=None, pad_edge=False, show_header=False)
        for seat in seats[:SHOWN]:
            rows.add_row(seat.submission.student.id, self._doing(seat), style="dim")
        return Group(self._counts(len(seats)), rows, self._trainers(load))

    def _counts(self, running: int) -> Styled:
        waiting = self.pace.to_run - self.pace.ran - running
        said = T(
            "{done} done · {running} running · {waiting} waiting",
            done=self.done, running=running, waiting=max(waiting, 0),
        )  # fmt: skip
        left = self.left()
        line = " · ".join([self.say(said), *([self.say(left)] if left else [])])
        return Styled(line, style="bold")

    def _doing(self, seat: Seat) -> str:
        cell, (epoch, _) = seat.watching.cell, seat.watching.epochs
        parts = [] if cell is None else [self.say(T("cell {cell}", cell=cell))]
        if epoch:
            parts.append(self.say(T("epoch {epoch} of this training", epoch=epoch)))
        return " · ".join(parts) or seat.where or self.say(T("starting"))

    def _trainers(self, load: Load) -> Styled:
        doing = [
            f"{count} {self.say(DOING.get(op, DOING['start']))}"
            for op, count in Counter(load.working).items()
        ]
        said = T(
            "Trainers: {doing}; requests that wait: {count}.",
            doing=", ".join(doing) or self.say(T("none at work")), count=load.waiting,
        )  # fmt: skip
        return Styled(self.say(said), style="dim")
