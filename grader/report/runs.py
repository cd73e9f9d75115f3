"""What the report shows of one experiment: its curve, its figures, its layers.

Everything here was measured by the trainer or recorded in the kernel; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader import reasons
from grader.assignment import Assignment, Experiment
from grader.checks.architecture import Match, closest
from grader.checks.outline import outline
from grader.evidence import Fit, Measurement, Run
from grader.findings import Status
from grader.locale import T, Translator
from grader.report import charts
from grader.report.layers import Row, layer_rows, side_by_side
from grader.report.text import clip
from grader.report.words import DECIMALS, TRAINED_BY, cell_line, points_text
from grader.result import Graded, layer_texts
from grader.thresholds import Thresholds, Variant

TABLE_EPOCHS = 40


@dataclass(frozen=True)
class Chart:
    """A figure, what it shows in words, and its numbers."""

    uri: str
    alt: str


@dataclass(frozen=True)
class ExperimentView:
    """One experiment as the report shows it; without a run only its title."""

    id: str
    title: str
    earned: str
    possible: str
    epochs_asked: int
    ran: bool
    number: int | None = None
    line: str = ""
    epochs: int = 0
    parameters: str = ""
    data: str = ""
    validation: str = ""
    trained_by: str = ""
    unmeasured: str = ""
    figures: tuple[Row, ...] = ()
    charts: tuple[Chart, ...] = ()
    history_heads: tuple[str, ...] = ()
    history: tuple[Row, ...] = ()
    thinned: bool = False
    layers: tuple[Row, ...] = ()
    difference: bool = False
    no_recipe: str = ""


def chain_of(graded: Graded, run: Run) -> list[Fit]:
    """Return every fit of a run's variables up to the run's own end, in order."""
    fits = {other.fit.id: other.fit for other in graded.evidence.runs}
    fits[run.fit.id] = run.fit
    mine = [fit for fit in fits.values() if fit.chain == run.fit.chain and fit.id <= run.fit.id]
    return sorted(mine, key=lambda fit: fit.id)


def history(fits: Sequence[Fit], metric: str) -> dict[str, list[float | None]]:
    """Return the chain's accuracy and loss, each while training and on validation rows.

    Where one fit recorded a quantity and another did not, its epochs are None.
    """
    result: dict[str, list[float | None]] = {}
    for key in ("accuracy", "val_accuracy", "loss", "val_loss"):
        values: list[float | None] = []
        for fit in fits:
            found = list(fit.history.get(history_key(fit.history, key, metric), ()))
            values += (found + [None] * max(0, fit.epochs_run - len(found)))[
                : max(fit.epochs_run, 1)
            ]
        result[key] = values if any(value is not None for value in values) else []
    return result


def history_key(found: Mapping[str, object], wanted: str, metric: str) -> str:
    """Return the name under which Keras kept a quantity: `acc`, `sparse_categorical_accuracy`, …"""
    prefix = "val_" if wanted.startswith("val_") else ""
    if wanted.endswith("loss"):
        return f"{prefix}loss"
    names = [prefix + metric, f"{prefix}accuracy", f"{prefix}acc"]
    names += [name for name in found if name.startswith("val_") == bool(prefix) and "acc" in name]
    return next((name for name in names if name in found), names[0])


def nearest(experiment: Experiment, run: Run) -> Match:
    """Return the run's model beside the allowed architecture that it fits best."""
    return closest(outline(run.fit.recipe, run.fit.compiled), experiment.architectures)


def thresholds(assignment: Assignment, experiment: Experiment, run: Run) -> Thresholds | None:
    """Return the calibrated thresholds of the architecture that a run resembles most."""
    if assignment.calibration is None:
        return None
    return assignment.calibration.thresholds(nearest(experiment, run).name)


class ExperimentWriter:
    """Writes experiments of one submission in one language; use it inside `charts.drawing()`."""

    def __init__(self, graded: Graded, say: Translator) -> None:
        self._graded = graded
        self._say = say

    def experiment(self, experiment: Experiment) -> ExperimentView:
        """Return everything the report says about one experiment."""
        say, graded = self._say, self._graded
        mine = [f for f in graded.findings if f.check.split(".")[0] == experiment.id]
        head: dict[str, Any] = {
            "id": experiment.id,
            "title": clip(say(experiment.title.text)),
            "earned": points_text(sum(f.earned for f in mine), say),
            "possible": points_text(sum(f.possible for f in mine), say),
            "epochs_asked": experiment.epochs,
        }
        run = graded.run(experiment.id)
        if run is None:
            return ExperimentView(**head, ran=False)
        fits = chain_of(graded, run)
        values = history(fits, experiment.metric)
        limits = thresholds(graded.assignment, experiment, run)
        heads, rows, thin = self._history(values)
        layers, difference = self._layers(experiment, run)
        return ExperimentView(
            **head,
            ran=True,
            number=graded.evidence.number(run.fit.cell),
            line=cell_line(graded, run.fit.cell),
            epochs=run.epochs,
            parameters=say.count(run.measured.parameters) if run.measured else "",
            data=clip(run.fit.data.text or say(reasons.said(run.fit.data.reason)), 200),
            validation=clip(self._validation(run.fit), 200),
            trained_by=say(TRAINED_BY[run.trained_by]),
            unmeasured="" if run.measured else clip(say(reasons.said(run.unmeasured)), 400),
            figures=tuple(self._figures(experiment, run, limits)),
            charts=tuple(self._charts(head["title"], values, run, limits)),
            history_heads=heads,
            history=rows,
            thinned=thin,
            layers=layers,
            difference=difference,
            no_recipe="" if run.fit.recipe else clip(say(reasons.said(run.fit.reason)), 300),
        )

    def accuracy(self, value: float | None) -> str:
        """Return an accuracy or a loss, a dash where there is none."""
        return "–" if value is None else self._say.number(value, DECIMALS)

    def _validation(self, fit: Fit) -> str:
        if fit.validation is not None:
            return fit.validation.text
        if fit.validation_split:
            share = T("the last {share}% of the images", share=round(100 * fit.validation_split))
            return self._say(share)
        return ""

    def _figures(self, experiment: Experiment, run: Run, limits: Thresholds | None) -> list[Row]:
        say, measured = self._say, run.measured
        if measured is None:
            return []
        plain = self._plain(experiment, run)
        train = self._between(plain.train_accuracy.min, plain.train_accuracy.max) if plain else "–"
        rows = [
            (T("Accuracy, training"), self.accuracy(measured.train_accuracy), train, "–"),
            (
                T("Accuracy, test"),
                self.accuracy(measured.test_accuracy),
                self._between(*limits.accuracy_band) if limits else "–",
                f"≥ {self.accuracy(limits.accuracy_full)}" if limits else "–",
            ),
            (
                T("Difference"),
                self.accuracy(measured.gap),
                self._between(*limits.gap_band) if limits else "–",
                f"≤ {self.accuracy(limits.gap_limit)}" if limits else "–",
            ),
            (T("Loss, training"), self.accuracy(measured.train_loss), "–", "–"),
            (T("Loss, test"), self.accuracy(measured.test_loss), "–", "–"),
        ]
        if run.start:
            start = (
                T("Accuracy, test, before training"),
                self.accuracy(run.start.test_accuracy),
                "–",
                "–",
            )
            rows.append(start)
        return [Row((say(name), *cells)) for name, *cells in rows]

    def _plain(self, experiment: Experiment, run: Run) -> Variant | None:
        calibration = self._graded.assignment.calibration
        if calibration is None:
            return None
        variants = calibration.architectures.get(nearest(experiment, run).name, {})
        return variants.get("plain")

    def _between(self, low: float, high: float) -> str:
        low_text, high_text = self.accuracy(low), self.accuracy(high)
        return low_text if low_text == high_text else f"{low_text} – {high_text}"

    def _charts(
        self,
        title: str,
        values: Mapping[str, list[float | None]],
        run: Run,
        limits: Thresholds | None,
    ) -> list[Chart]:
        say, measured = self._say, run.measured
        drawn = []
        for key, name, heading, ends in (
            ("accuracy", T("Accuracy"), T("Accuracy per epoch"), _accuracies(measured, limits)),
            ("loss", T("Loss"), T("Loss per epoch"), _losses(measured)),
        ):
            series = charts.Series(values[key], values[f"val_{key}"])
            if not (series.training or series.validation):
                continue
            alt = T(
                "{title}: {name} over {epochs} epochs while training, from {first} to {last}.",
                title=title,
                name=name,
                epochs=max(len(series.training), len(series.validation)),
                first=self.accuracy(_first(series.training)),
                last=self.accuracy(_first(series.training[::-1])),
            )
            drawn.append(Chart(charts.learning_curve(series, ends, say(heading), say), say(alt)))
        return drawn

    def _history(
        self, values: Mapping[str, list[float | None]]
    ) -> tuple[tuple[str, ...], tuple[Row, ...], bool]:
        names = {
            "accuracy": T("Accuracy while training"),
            "val_accuracy": T("Accuracy, validation"),
            "loss": T("Loss while training"),
            "val_loss": T("Loss, validation"),
        }
        kept = [key for key in names if values[key]]
        length = max((len(values[key]) for key in kept), default=0)
        epochs = [epoch for epoch, _ in charts.thinned([None] * length, TABLE_EPOCHS)]
        rows = tuple(
            Row((str(epoch), *(self.accuracy(_at(values[key], epoch)) for key in kept)))
            for epoch in epochs
        )
        return tuple(self._say(names[key]) for key in kept), rows, length > TABLE_EPOCHS

    def _layers(self, experiment: Experiment, run: Run) -> tuple[tuple[Row, ...], bool]:
        if run.fit.recipe is None:
            return (), False
        finding = next(
            (f for f in self._graded.findings if f.check == f"{experiment.id}.architecture"), None
        )
        if finding is None or finding.status is Status.PASSED:
            return tuple(layer_rows(run.fit.recipe, self._say)), False
        match = nearest(experiment, run)
        unknown = outline(run.fit.recipe, run.fit.compiled).unknown
        found = layer_texts(run) if unknown or not match.found else match.found
        return tuple(side_by_side(match.expected, found)), True


def _accuracies(measured: Measurement | None, limits: Thresholds | None) -> charts.Measured:
    band = limits.accuracy_band if limits else None
    return charts.Measured(
        measured.train_accuracy if measured else None,
        measured.test_accuracy if measured else None,
        band,
    )


def _losses(measured: Measurement | None) -> charts.Measured:
    return (
        charts.Measured(measured.train_loss, measured.test_loss) if measured else charts.Measured()
    )


def _first(values: Sequence[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _at(values: Sequence[float | None], epoch: int) -> float | None:
    return values[epoch - 1] if epoch <= len(values) else None
