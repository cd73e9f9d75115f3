"""What the notebook's own numbers said, beside what was measured for the same rows and moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.assignment import Experiment
from grader.evidence import Evaluation, Run
from grader.locale import Readable, T, Translator
from grader.recipes import Data
from grader.report.runs import chain_of, history_key
from grader.report.text import clip
from grader.report.words import cell_line
from grader.result import Graded

TOLERANCE = 0.001
PER_RUN = 6
"""Calls of `evaluate` that are shown for one experiment, the last ones."""


@dataclass(frozen=True)
class Claim:
    """One number that the notebook showed, and what was measured on the same rows, if it was."""

    title: str
    source: str
    number: int | None
    line: str
    claimed: str
    measured: str
    verdict: Literal["same", "differs", "apart"]


def claims(graded: Graded, experiment: Experiment, say: Translator) -> list[Claim]:
    """Return the numbers that the notebook showed for one experiment."""
    run = graded.run(experiment.id)
    if run is None:
        return []
    writer = _Writer(graded, experiment, run, say)
    return [*writer.trained(), *writer.evaluated()]


class _Writer:
    def __init__(self, graded: Graded, experiment: Experiment, run: Run, say: Translator) -> None:
        self._graded, self._run, self._say = graded, run, say
        self._metric = experiment.metric
        self._title = clip(say(experiment.title.text))

    def trained(self) -> list[Claim]:
        """The last epoch's accuracy of the training itself, and of its validation rows."""
        last = chain_of(self._graded, self._run)[-1]
        shown = []
        for key, name in (
            ("accuracy", T("training, last epoch")),
            ("val_accuracy", T("validation, last epoch")),
        ):
            values = last.history.get(history_key(last.history, key, self._metric), [])
            if not values or values[-1] is None:
                continue
            rows = last.validation if key == "val_accuracy" else last.data
            measured = self._measured(rows) if rows else None
            compared = key == "val_accuracy"
            shown.append(self._claim(name, last.cell, values[-1], measured, compared))
        return shown

    def evaluated(self) -> list[Claim]:
        """What `evaluate` returned when these variables had been trained as long as the run."""
        mine = [e for e in self._graded.evidence.evaluations if self._belongs(e)]
        shown = []
        for evaluation in mine[-PER_RUN:]:
            value = evaluation.results.get(
                history_key(evaluation.results, "accuracy", self._metric)
            )
            if value is not None:
                name = T("evaluate on {rows}", rows=evaluation.data.text or T("unknown images"))
                shown.append(
                    self._claim(name, evaluation.cell, value, self._measured(evaluation.data))
                )
        return shown

    def _belongs(self, evaluation: Evaluation) -> bool:
        return evaluation.chain == self._run.fit.chain and evaluation.epochs == self._run.epochs

    def _measured(self, data: Data) -> float | None:
        """Return the trainer's accuracy on the same rows, None where it did not measure these."""
        measured = self._run.own
        if measured is None or not data.recognised or data.rows is None:
            return None
        test = self._graded.evidence.splits.get(self._graded.assignment.spec.dataset.test)
        if test is not None and data.rows == [list(test)]:
            return measured.test_accuracy
        return measured.train_accuracy if data.rows == self._run.fit.data.rows else None

    def _claim(
        self,
        source: Readable,
        cell: int | None,
        claimed: float,
        measured: float | None,
        compared: bool = True,
    ) -> Claim:
        number = self._say.number
        verdict: Literal["same", "differs", "apart"] = "apart"
        if compared and measured is not None:
            verdict = "same" if abs(claimed - measured) <= TOLERANCE else "differs"
        return Claim(
            title=self._title,
            source=clip(self._say(source), 160),
            number=self._graded.evidence.number(cell),
            line=cell_line(self._graded, cell),
            claimed=number(claimed, 4) if abs(claimed) < 1e6 else f"{claimed:.3g}",
            measured="" if measured is None else number(measured, 4),
            verdict=verdict,
        )
