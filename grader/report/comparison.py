"""The experiments side by side: what each reached, and what changed against a comparable one.

Numbers only; what they mean is for the student to say (it is what the questions ask).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.assignment import Experiment
from grader.checks.architecture import Likeness
from grader.checks.outline import outline
from grader.evidence import Measurement, Run
from grader.locale import T, Translator
from grader.report import charts
from grader.report.runs import Chart, nearest, thresholds
from grader.report.text import clip
from grader.report.words import DECIMALS
from grader.result import Graded

FEWER = "−"  # a minus sign, as wide as a plus


@dataclass(frozen=True)
class Compared:
    """One experiment's line; empty where it was not measured.

    Attributes:
        band: the test accuracy that our own trainings of its model reach.
        against: the title of the experiment that it is compared with.
        changes: of training accuracy, test accuracy and their difference, with their sign.
    """

    id: str
    title: str
    epochs: str = ""
    parameters: str = ""
    train: str = ""
    test: str = ""
    gap: str = ""
    band: str = ""
    against: str = ""
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All experiments, and their figure where one was measured."""

    lines: tuple[Compared, ...]
    chart: Chart | None

    @property
    def changed(self) -> tuple[Compared, ...]:
        """The lines that have another one to be compared with."""
        return tuple(line for line in self.lines if line.changes)


def comparison(graded: Graded, say: Translator) -> Comparison:
    """Return every experiment of the assignment beside the others; inside `charts.drawing()`."""
    writer = _Writer(graded, say)
    lines = tuple(writer.line(experiment) for experiment in graded.assignment.spec.experiments)
    return Comparison(lines, writer.chart(lines))


class _Writer:
    def __init__(self, graded: Graded, say: Translator) -> None:
        self._graded, self._say = graded, say
        self._experiments = graded.assignment.spec.experiments
        self._pairs: list[charts.Pair] = []

    def line(self, experiment: Experiment) -> Compared:
        title, run = clip(self._say(experiment.title.text)), self._graded.run(experiment.id)
        if run is None:
            return Compared(experiment.id, title)
        if run.measured is None:
            return Compared(experiment.id, title, epochs=str(run.epochs))
        limits = thresholds(self._graded.assignment, experiment, run)
        same = nearest(experiment, run).likeness > Likeness.FAILED
        band = limits.accuracy_band if limits and same else None
        measured, other = run.measured, self._comparable(experiment, run)
        self._pairs.append(
            charts.Pair(title, measured.train_accuracy, measured.test_accuracy, band)
        )
        return Compared(
            id=experiment.id,
            title=title,
            epochs=str(run.epochs),
            parameters=self._say.count(measured.parameters),
            train=self._number(measured.train_accuracy),
            test=self._number(measured.test_accuracy),
            gap=self._number(measured.gap),
            band=" – ".join(dict.fromkeys(map(self._number, band))) if band else "",
            against=clip(self._say(other[0].title.text)) if other else "",
            changes=self._changes(measured, other[1]) if other else (),
        )

    def chart(self, lines: Sequence[Compared]) -> Chart | None:
        if not self._pairs:
            return None
        said = [
            T(
                "{title}: {train} on the training data and {test} on the test data",
                title=line.title,
                train=line.train,
                test=line.test,
            )
            for line in lines
            if line.test
        ]
        alt = T("Accuracy of each experiment. {lines}.", lines=said)
        return Chart(charts.comparison(tuple(self._pairs), self._say), self._say(alt))

    def _comparable(
        self, experiment: Experiment, run: Run
    ) -> tuple[Experiment, Measurement] | None:
        """The earlier experiment with the same layers, else the first one."""
        earlier = self._experiments[: self._experiments.index(experiment)]
        known = [
            (one, other, other.measured)
            for one in earlier
            if (other := self._graded.run(one.id)) is not None and other.measured is not None
        ]
        for one, other, measured in known:
            if _layers(other) == _layers(run):
                return one, measured
        first = [(one, measured) for one, _, measured in known if one is self._experiments[0]]
        return first[0] if first else None

    def _changes(self, now: Measurement, before: Measurement) -> tuple[str, ...]:
        pairs = (
            (now.train_accuracy, before.train_accuracy),
            (now.test_accuracy, before.test_accuracy),
            (now.gap, before.gap),
        )
        return tuple(self._signed(new - old) for new, old in pairs)

    def _signed(self, value: float) -> str:
        value = round(value, DECIMALS)
        sign = "" if value == 0 else "+" if value > 0 else FEWER
        return sign + self._number(abs(value))

    def _number(self, value: float) -> str:
        return self._say.number(value, DECIMALS)


def _layers(run: Run) -> tuple[str, ...]:
    return outline(run.fit.recipe, run.fit.compiled).texts
