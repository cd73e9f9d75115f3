"""Progress for programs: one JSON object in each line, with the key `event` in each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.batch.board import Board
from grader.batch.classroom import Outcome, Waiting
from grader.intake import Intake, Submission
from grader.locale import Translator
from grader.result import Student


class LinesScreen:
    """Prints what happens (docs/reference/commands.md, *JSON lines*); threads may call it."""

    def __init__(self, say: Translator) -> None:
        self.say = say

    def taken(self, intake: Intake) -> None:
        """Say how the source was understood."""
        self._print(
            "taken",
            source=intake.source,
            submissions=len(intake.submissions),
            missing=[student.id for student in intake.missing],
            ignored=[{"path": one.shown, "reason": self.say(one.reason)} for one in intake.ignored],
            notices=[self.say(notice) for notice in intake.notices],
        )

    def begins(self, waiting: Waiting, board: Board) -> None:
        """Say what is to do."""
        self._print(
            "begins", run=len(waiting.to_run), score=len(waiting.to_score), kept=len(waiting.kept)
        )

    def running(self, submission: Submission) -> None:
        """Say that a submission begins."""
        self._print("running", student=submission.student.id, notebook=submission.name)

    def stopping(self) -> None:
        """Say that nothing more begins."""
        self._print("stopping")

    def seeds(self, count: int) -> None:
        """Say how many trainings from other seeds come next."""
        self._print("seeds", count=count)

    def finished(self, outcome: Outcome) -> None:
        """Say what a submission has earned."""
        result = outcome.result
        self._print(
            "finished", student=outcome.submission.student.id, number=outcome.number,
            of=outcome.of, how=outcome.how, state=result["state"], problem=result["problem"],
            points=result["points"], grade=result["grade"],
        )  # fmt: skip

    def ends(
        self, summaries: Sequence[Mapping[str, Any]], missing: Iterable[Student], out: Path
    ) -> None:
        """Say where everything is."""
        self._print(
            "ends", students=len(summaries), missing=[one.id for one in missing], out=str(out)
        )

    def _print(self, event: str, **values: Any) -> None:
        line = json.dumps({"event": event, **values}, ensure_ascii=True)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
