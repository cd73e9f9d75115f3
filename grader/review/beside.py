"""What a student's own notebook shows of what a question asks: measured, got wrong, built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from grader.assignment import Assignment
from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered
from grader.locale import Translator
from grader.notebook import Notebook
from grader.report.layers import Row, layer_rows
from grader.report.mistakes import MistakesView, mistakes
from grader.review.sheets import Written
from grader.rubric.answers import unclaimed
from grader.rubric.measured import contradictions, rows
from grader.rubric.sheet import Sheet
from grader.rubric.spec import Question

MOST = 20_000  # characters of what no answer took


@dataclass(frozen=True)
class Wrong:
    """Where the model of one experiment was wrong."""

    title: str
    view: MistakesView


@dataclass(frozen=True)
class Built:
    """The layers of the model that was taken for one experiment."""

    title: str
    layers: tuple[Row, ...]


@dataclass(frozen=True)
class Beside:
    """Everything that stands beside one answer; parts that the question does not ask are empty.

    Attributes:
        accuracies: rows of experiment, training, test, difference, as text.
        notes: what the answer says and these numbers do not.
        unclaimed: what the student wrote in text cells that no answer took.
    """

    accuracies: tuple[tuple[str, str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    built: tuple[Built, ...] = ()
    unclaimed: str = ""


@dataclass(frozen=True)
class Evidence:
    """Reads what stands beside answers from the gradebook, in one language."""

    assignment: Assignment
    gradebook: Gradebook
    dataset: Dataset
    say: Translator
    template: Notebook | None

    def of(self, question: Question, written: Written) -> Beside:
        """Return what stands beside one answer."""
        accuracies: list[tuple[str, str, str, str]] = []
        notes: list[str] = []
        if "accuracies" in question.beside:
            measured = rows(written.runs, question.experiments)
            for row in measured:
                values = map(self._accuracy, (row.train_accuracy, row.test_accuracy, row.gap))
                accuracies.append((self._title(row.experiment), *values))  # type: ignore[arg-type]
            notes = [self.say(note) for note in contradictions(written.text, measured)]
        gathered = self.gradebook.gathered(written.student.id)
        if gathered is None:
            return Beside(tuple(accuracies), tuple(notes))
        wrong, built = self._models(question, written, gathered)
        other = self._unclaimed(written, gathered)
        return Beside(tuple(accuracies), tuple(notes), wrong, built, other)

    def _unclaimed(self, written: Written, gathered: Gathered) -> str:
        if gathered.notebook is None:
            return ""
        return unclaimed(gathered.notebook, self._sheet, written.cells)[:MOST]

    @cached_property
    def _sheet(self) -> Sheet:
        return Sheet(self.assignment.rubric.questions, self.template)

    def _models(
        self, question: Question, written: Written, gathered: Gathered
    ) -> tuple[tuple[Wrong, ...], tuple[Built, ...]]:
        pristine = Pristine.open(self.dataset.rows)
        runs = {run.id: run for run in gathered.evidence.runs}
        wrong, built = [], []
        for name, taken in self._taken(question, written):
            run = runs.get(taken["id"])
            seen = mistakes(
                self.assignment, gathered.evidence, run, self.say,
                lambda row: pristine.images([row])[0],
            )  # fmt: skip
            if "mistakes" in question.beside and seen is not None:
                wrong.append(Wrong(self._title(name), seen))
            if "layers" in question.beside and run is not None and run.fit.recipe is not None:
                built.append(Built(self._title(name), tuple(layer_rows(run.fit.recipe, self.say))))
        return tuple(wrong), tuple(built)

    def _taken(self, question: Question, written: Written) -> Iterator[tuple[str, Any]]:
        """Yield the experiments that a question speaks of, each with the run taken for it."""
        for name in question.experiments:
            yield from ((name, run) for run in written.runs if run["experiment"] == name)

    def _title(self, experiment: str) -> str:
        found = (one.title for one in self.assignment.spec.experiments if one.id == experiment)
        title = next(found, None)
        return experiment if title is None else self.say(title.text)

    def _accuracy(self, value: float | None) -> str:
        return "–" if value is None else self.say.number(value, 3)
