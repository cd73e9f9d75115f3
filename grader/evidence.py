"""What came out of the walls, validated: strict types, finite numbers, capped sizes; never objects.

Records of the kernel side are hostile until they have passed these models (`grader.records` reads
them). What does not pass is dropped and counted, never repaired: missing evidence is never a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from grader import wire
from grader.locale import Readable, T
from grader.recipes import (
    Count,
    Data,
    Finite,
    Generators,
    Plan,
    Recipe,
    Record,
    Scalar,
    Short,
    Training,
)

Fraction = Annotated[float, Field(ge=0, le=1)]  # no NaN is in between
DEPTH = 100  # of an output; what parsers of JSON take is about 200, and records are kept in others
LINE = 60  # characters of a cell's first line in a sentence
CellIndex = Annotated[int, Field(ge=0, le=100_000)] | None


def _shallow(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    level: list[Any] = list(outputs)
    for _ in range(DEPTH + 1):
        if not level:
            return outputs
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [two for one in inner for two in one if isinstance(two, dict | list)]
    raise ValueError(f"outputs are nested in more than {DEPTH} levels")


class Component(Record):
    """An optimizer, loss or metric: its snake_case name, whether it is Keras's, its settings."""

    name: Short
    standard: bool
    settings: dict[Short, Scalar] = {}


class Compiled(Record):
    """What `compile` was told."""

    optimizer: Component | None
    loss: Component | None
    metrics: Annotated[list[Short], Field(max_length=20)]


class Fit(Record):
    """One call of `fit` (or a custom loop over one model in one cell).

    Attributes:
        id: number of the record; `chain` the `id` of the first fit of the same variables.
        epochs_before: epochs these variables had already been trained.
        epochs_asked, epochs_run: of this fit; `stopped` when a callback ended it.
        before, after: names of the files with the variables that a local fit hands over.
        training: how it was trained, None where that cannot be said in full: `unsaid` names why.
        local: why the kernel trained by itself; None for a delegated fit.
        delegated: number under which the controller knows the training it passed on.
        seeds: the layers' own random generators before the fit.
        learning_rates: in force in each epoch; None where a schedule sets it.
        steps_before: steps that the optimizer had done; 0 is a fresh one.
        kept: epochs of this fit after which the weights were those that it ended with.
        given: the variables were changed by other means since the chain's last fit.
        seeded: the generators that the notebook had seeded itself.
    """

    kind: Literal["fit"]
    id: Count
    cell: CellIndex
    chain: Count
    how: Literal["fit", "train_on_batch", "gradient_tape"]
    model: Short
    recipe: Recipe | None
    reason: Short | None = None
    compiled: Compiled | None
    data: Data
    validation: Data | None = None
    validation_split: Finite | None = None
    batch_size: Count | None
    epochs_before: Count
    epochs_asked: Count
    epochs_run: Count
    stopped: bool = False
    history: dict[Short, Annotated[list[Finite | None], Field(max_length=10_000)]] = {}
    before: Short | None = None
    after: Short | None = None
    training: Training | None = None
    unsaid: Short | None = None
    local: Short | None = None
    delegated: Count | None = None
    seeds: Generators = []
    learning_rates: Annotated[list[Finite | None], Field(max_length=10_000)] = []
    steps_before: Count = 0
    kept: Count | None = None
    given: bool = False
    seeded: Annotated[list[Literal["python", "numpy", "tensorflow"]], Field(max_length=3)] = []
    seconds: Finite
    error: Short | None = None

    @property
    def plan(self) -> Plan | None:
        """The training as the trainer can repeat it, None where it cannot."""
        if self.recipe is None or self.training is None or not self.recipe.buildable:
            return None
        if not self.data.trainable:
            return None
        return Plan(recipe=self.recipe, data=self.data, training=self.training)


class Evaluation(Record):
    """One call of `evaluate`: `results` is a claim of the kernel."""

    kind: Literal["evaluate"]
    id: Count
    cell: CellIndex
    chain: Count | None
    epochs: Count
    data: Data
    results: dict[Short, Finite | None]


class Prediction(Record):
    """One call of `predict` (or of a model on an array).

    Attributes:
        shape: of the result.
        row_sum: smallest and largest sum of a row.
        argmax: of the first rows, at most 64.
    """

    kind: Literal["predict"]
    id: Count
    cell: CellIndex
    chain: Count | None
    data: Data
    shape: Annotated[list[Count], Field(max_length=4)]
    row_sum: tuple[Finite, Finite] | None = None
    argmax: Annotated[list[Count], Field(max_length=64)] = []


class Axes(Record):
    """One set of axes of a drawn figure.

    Attributes:
        images: row number of each recognised image drawn in it, None for another image.
        bars: number of bars; `colorbar` whether it has (or is) a colour bar.
        texts: title, labels, tick labels and annotations that are not empty.
        colors: colours of text and bars as hex, each once.
    """

    images: Annotated[list[Count | None], Field(max_length=200)] = []
    bars: Count = 0
    colorbar: bool = False
    texts: Annotated[list[Short], Field(max_length=80)] = []
    colors: Annotated[list[Short], Field(max_length=40)] = []


class Figure(Record):
    """One figure that matplotlib drew."""

    kind: Literal["figure"]
    id: Count
    cell: CellIndex
    axes: Annotated[list[Axes], Field(max_length=400)]


class Seeded(Record):
    """The notebook seeded a generator itself."""

    kind: Literal["seed"]
    id: Count
    cell: CellIndex
    generator: Literal["python", "numpy", "tensorflow"]


class Note(Record):
    """What the kernel side did instead of what a cell asked for, such as skipping `!pip`."""

    kind: Literal["note"]
    id: Count
    cell: CellIndex
    what: Short
    detail: Short = ""


class Runtime(Record):
    """What Keras the notebook used."""

    kind: Literal["runtime"]
    id: Count
    cell: CellIndex
    keras: Short
    tensorflow: Short
    backend: Short


Event = Annotated[
    Fit | Evaluation | Prediction | Figure | Seeded | Note | Runtime, Field(discriminator="kind")
]


class CellRun(Record):
    """One cell as the driver ran it; `outputs` is decoration and never graded but as text seen."""

    kind: Literal["cell"]
    index: Annotated[int, Field(ge=0, le=100_000)]
    status: Literal["ok", "error", "timeout", "killed", "not_run"]
    seconds: Finite
    error: Short | None = None
    message: Annotated[str, Field(max_length=4_000)] | None = None
    outputs: Annotated[list[dict[str, Any]], Field(max_length=500), AfterValidator(_shallow)] = []


class End(Record):
    """The driver reached the notebook's end (or gave up, with the reason)."""

    kind: Literal["end"]
    reason: Short


class Mistake(Record):
    """A test image that the model got wrong with confidence."""

    row: Count
    label: Count
    predicted: Count
    confidence: Fraction


class Measurement(Record):
    """What the trainer measured on pristine data, in inference mode.

    Attributes:
        train_accuracy, train_loss: on the rows that the fit trained on.
        test_accuracy, test_loss: on the whole test split.
        confusion: rows are true classes, columns predicted ones, of the test split.
        mistakes: the most confident ones, at most 24.
        parameters: number of trained values in the model.
    """

    train_accuracy: Fraction
    train_loss: Finite
    test_accuracy: Fraction
    test_loss: Finite
    confusion: Annotated[list[list[Count]], Field(max_length=wire.MAX_CLASSES)]
    mistakes: Annotated[list[Mistake], Field(max_length=24)]
    parameters: Count

    @property
    def gap(self) -> float:
        """Train accuracy minus test accuracy."""
        return round(self.train_accuracy - self.test_accuracy, 6)


class Start(Record):
    """The model before a fit, on the test split."""

    test_accuracy: Fraction
    test_loss: Finite


@dataclass(frozen=True)
class Run:
    """One fit together with every earlier fit of the same variables, and what the trainer measured.

    Attributes:
        epochs: of the whole chain up to this fit's end.
        trained_by: who did the training and whether that was verified.
        start: the model before the fit's first epoch, as the notebook had it.
        measured: None when it could not be measured; `unmeasured` then says why.
        claimed: the variables that a local fit handed over; claims are compared with these.
        samples: the same training from other seeds, run where a threshold is near.
        earlier: the highest accuracy on the rows of an earlier fit that trained on others; 1 where
            there are too many, None where there are none.
        fault: the trainer failed, which is ours and never the student's.
    """

    fit: Fit
    epochs: int
    trained_by: Literal["trainer", "kernel (verified)", "kernel (unverified)"]
    start: Start | None = None
    measured: Measurement | None = None
    claimed: Measurement | None = None
    samples: tuple[Measurement, ...] = ()
    earlier: float | None = None
    unmeasured: str | None = None
    fault: bool = False

    @property
    def id(self) -> int:
        """The number of the fit's record."""
        return self.fit.id

    @property
    def trained(self) -> bool:
        """Whether a trainer did this training, for the notebook or again afterwards."""
        return self.trained_by != "kernel (unverified)"

    @property
    def own(self) -> Measurement | None:
        """What the notebook's own variables measure: the value that its claims are compared with.

        A verification trains other variables, which honestly measure a little more or less.
        """
        return self.measured if self.trained_by == "trainer" else self.claimed


@dataclass(frozen=True)
class Evidence:
    """All that is known about one execution of a notebook.

    Attributes:
        ended: why the execution stopped (`finished`, `deadline`, `memory`, …).
        lost: cells ran, and nothing is left that says what became of them.
        dropped: records that were refused, each with a reason; they prove nothing.
        unread: records beyond a cap were not looked at; what is missing may be among them.
        refusals: trainings that were asked for and refused, each with a reason.
        labels: of the first rows of the test split, for observed checks.
        live: of a kernel that a student is working in; what it measured is the notebook's word.
    """

    cells: tuple[CellRun, ...] = ()
    runs: tuple[Run, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    figures: tuple[Figure, ...] = ()
    seeds: tuple[Seeded, ...] = ()
    notes: tuple[Note, ...] = ()
    runtime: Runtime | None = None
    sources: tuple[str, ...] = ()
    ended: str = "finished"
    lost: bool = False
    dropped: tuple[str, ...] = ()
    unread: bool = False
    refusals: tuple[str, ...] = ()
    splits: dict[str, tuple[int, int]] = field(default_factory=dict)
    labels: tuple[int, ...] = ()
    live: bool = False

    def cell(self, index: int | None) -> CellRun | None:
        """Return the run of one cell, or None."""
        return next((cell for cell in self.cells if cell.index == index), None)

    def cut(self, fit: Fit) -> bool:
        """Whether the time limit ended a fit; the name of the error that it raised says nothing."""
        cell = self.cell(fit.cell)
        return bool(fit.error) and cell is not None and cell.status == "timeout"

    def number(self, index: int | None) -> int | None:
        """Return what Jupyter writes beside a code cell, `[3]`, when all run from the top."""
        if self.live:  # there the index is that number, less one
            return None if index is None else index + 1
        ran = (place for place, cell in enumerate(self.cells, start=1) if cell.index == index)
        return next(ran, None)

    def first_line(self, index: int | None) -> str:
        """Return the first line of a cell that says something, by which people know it."""
        source = self.sources[index] if index is not None and 0 <= index < len(self.sources) else ""
        return next((line.strip() for line in source[:20_000].splitlines() if line.strip()), "")

    def called(self, index: int | None) -> Readable:
        """Return a cell as people know it: the number that Jupyter shows, and its first line."""
        number, line = self.number(index), self.first_line(index)
        line = line if len(line) <= LINE else line[: LINE - 1].rstrip() + "…"
        if number is None:
            return T("the cell “{line}”", line=line) if line else T("a cell")
        if not line:
            return T("cell [{number}]", number=number)
        return T("cell [{number}] “{line}”", number=number, line=line)

    def printed(self, cell: CellRun) -> str:
        """Return the text that a cell's outputs show."""
        return "\n".join(_texts(cell.outputs))


def _texts(outputs: Sequence[dict[str, Any]]) -> Iterator[str]:
    for output in outputs:
        data = output.get("data")
        for text in (
            output.get("text"),
            data.get("text/plain") if isinstance(data, dict) else None,
        ):
            if isinstance(text, str):
                yield text
            elif isinstance(text, list):
                yield "".join(part for part in text if isinstance(part, str))
