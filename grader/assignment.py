"""assignment.toml + rubric.toml (+ calibration.json) → one frozen Assignment.

Every error names the file, the key, its value, what is allowed, and the nearest valid key.
Nothing here runs a model or touches the network.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from grader.dataset import DatasetSpec, FileSpec, SplitSpec
from grader.rubric.spec import Rubric
from grader.specfile import Model, Name, Points, Sentence, SpecError, nearest
from grader.thresholds import Calibration

CHECK_NAME = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
LAYER = r"^[A-Z][A-Za-z0-9]*(\(.*\))?$"
CheckName = Annotated[str, Field(pattern=CHECK_NAME)]
LayerText = Annotated[str, Field(pattern=LAYER)]


class Scale(Model):
    """The course's scale: `maximum` for all points, `passing` to pass, rounded to `decimals`."""

    minimum: float = 0.0
    """The grade for no points."""
    maximum: float
    """The grade for all points."""
    passing: float
    """The grade that passes; shown in the report."""
    decimals: Literal[0, 1, 2] = 1
    """Decimals of a grade; it is rounded half up, after the deduction."""


class Late(Model):
    """What lateness costs, in points of the course's scale."""

    flat: Annotated[float, Field(ge=0)] = 0.0
    """Deducted once."""
    per_day: Annotated[float, Field(ge=0)] = 0.0
    """Deducted for each started day."""
    at_most: Annotated[float, Field(ge=0)] = 0.0
    """The most that is deducted; at least as large as both."""
    refuse_after_days: Annotated[int, Field(ge=0)] | None = None
    """After so many days a person decides."""

    @model_validator(mode="after")
    def _capped(self) -> Self:
        if max(self.flat, self.per_day) > self.at_most:
            raise ValueError(
                f"at_most is {self.at_most}, but flat is {self.flat} and per_day {self.per_day}; "
                "at_most must be at least as large as both"
            )
        return self


class RunLimits(Model):
    """What a run may take."""

    cell_s: Annotated[int, Field(ge=5)] = 900
    """Seconds of its own for one cell, waiting for trainings not counted; then it is interrupted,
    and killed when it does not stop."""
    notebook_s: Annotated[int, Field(ge=30)] = 3600
    """Seconds of its own for the whole notebook."""
    request_s: Annotated[int, Field(ge=30)] = 600
    """Seconds for one request to a trainer (an epoch, a measurement); longer is a fault of ours."""
    fit_s: Annotated[int, Field(ge=30)] = 1800
    """Seconds that one training may take a trainer, waiting for it included; then the notebook
    trains on by itself, on its own clock."""
    trainings_s: Annotated[int, Field(ge=30)] = 7200
    """The same for all trainings of a notebook."""
    memory_mb: Annotated[int, Field(ge=1024)] = 4096
    """Memory of all processes of the notebook together, in MB, behind the standard walls."""


class DataFile(Model):
    """A file of the dataset and the SHA-256 of its decompressed bytes."""

    name: str
    """A file in IDX form."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the decompressed file; it decides, whatever the source."""


class Split(Model):
    """The images and labels of one split."""

    images: DataFile
    labels: DataFile


class Dataset(Model):
    """What the notebook loads, and where it may be found."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """Names the folder in the cache."""
    loader: Annotated[str, Field(pattern=r"^[a-z_.]+$")]
    """What the notebook calls to load it; for people."""
    keras_folder: str
    """Its folder below Keras's `datasets/`, outside and inside the walls."""
    shape: tuple[int, ...]
    """Shape of one image."""
    classes: tuple[Sentence, ...]
    """Names of the classes, in the order of the labels from 0."""
    splits: dict[str, Split]
    train: str = "train"
    """Name of the split to train on."""
    test: str = "test"
    """Name of the split to test on."""
    debian_package: str | None = None
    """Debian's package that has the files."""
    debian_folder: str | None = None
    """Folder in that package, without the leading `/`."""
    urls: tuple[str, ...] = ()
    """Addresses below which `<file>.gz` is fetched when no other source has it."""

    @property
    def spec(self) -> DatasetSpec:
        """As `grader.dataset` takes it."""
        return DatasetSpec(
            name=self.name,
            loader=self.loader,
            keras_folder=self.keras_folder,
            shape=self.shape,
            classes=tuple(sentence.en for sentence in self.classes),
            splits={
                name: SplitSpec(
                    images=FileSpec(split.images.name, split.images.sha256),
                    labels=FileSpec(split.labels.name, split.labels.sha256),
                )
                for name, split in self.splits.items()
            },
            debian_package=self.debian_package,
            debian_folder=self.debian_folder,
            urls=self.urls,
        )


class Check(Model):
    """One check: what it is called, what it is worth, what the student reads."""

    name: CheckName
    """`<section>.<name>`; each once."""
    kind: str
    """Which function judges it: one of the kinds below."""
    points: Points
    """What it is worth."""
    basis: Literal["measured", "observed"]
    """`observed` is what only the notebook's own kernel can tell, such as a drawn figure."""
    title: Sentence
    """What to do, in the infinitive and without a full stop; the student reads it."""
    hint: Sentence
    """What to try when it does not pass."""
    needs: tuple[CheckName, ...] = ()
    """Checks that must pass first, else this one is skipped; they stand before it."""
    settings: dict[str, Any] = {}
    """Settings of its kind, see below."""

    @property
    def possible(self) -> int:
        """Points in hundredths."""
        return round(self.points * 100)


class Experiment(Model):
    """A training that the workshop asks for; its layers are written `Dense(128, relu)`."""

    id: Name
    """Its name in checks and results; each once."""
    title: Sentence
    """Its title in reports."""
    architectures: Annotated[dict[str, tuple[LayerText, ...]], Field(min_length=1)]
    """What the model may be, at least one; the name is also that of its calibration."""
    epochs: Annotated[int, Field(ge=1)]
    """Epochs asked for."""
    attempt_epochs: Annotated[int, Field(ge=1)] = 1
    """From how many epochs on, at most `epochs`, a training counts as an attempt."""
    optimizer: str
    """The optimizer asked for, such as `adam`."""
    loss: tuple[str, ...]
    """The losses that are accepted; the calibration uses the first one of the first experiment."""
    metric: str = "accuracy"
    """The metric asked for; for `accuracy`, Keras's other names of it count too."""


class CalibrationPlan(Model):
    """How `grader calibrate` trains."""

    seeds: Annotated[int, Field(ge=1)] = 10
    """Trainings of each architecture."""
    variant_seeds: Annotated[int, Field(ge=1)] = 3
    """Trainings of each honest variant."""
    variants_on: tuple[Name, ...] = ()
    """Architectures that are trained in the variants; the others take the largest shift that was
    found there."""


class Spec(Model):
    """assignment.toml."""

    id: Name
    """The assignment's name in results."""
    title: Sentence
    """Its title in reports."""
    language: Literal["es", "en"]
    """Language of reports when the command does not say."""
    notebook: str
    """The file that students get; of several notebooks of one student, the one of this name is
    graded."""
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    """The one seed of every cell, student and run; a generator that the notebook seeds keeps its
    own."""
    due: datetime
    """When it is due: lateness counts from here; times without an offset are of the same place."""
    scale: Scale
    late: Late
    limits: RunLimits
    dataset: Dataset
    experiments: tuple[Experiment, ...]
    checks: tuple[Check, ...]
    calibration: CalibrationPlan = CalibrationPlan()
    automatic_points: Points | None = None
    """What the checks must add up to; the file is refused when they do not."""
    observed_at_most: Points = 20
    """The most that `observed` checks may be worth together."""

    @property
    def epochs(self) -> int:
        """All that the experiments take together."""
        return sum(one.epochs for one in self.experiments)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [check.name for check in self.checks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"checks: {name!r} stands twice; each name once")
        for check in self.checks:
            for needed in check.needs:
                if needed not in names:
                    close = nearest(needed, names)
                    raise ValueError(
                        f"checks: {check.name} needs {needed!r}, which is no check{close}"
                    )
        observed = sum(check.points for check in self.checks if check.basis == "observed")
        if observed > self.observed_at_most:
            raise ValueError(
                f"checks: observed points are {observed}; at most {self.observed_at_most} are "
                "allowed"
            )
        automatic = sum(check.points for check in self.checks)
        if self.automatic_points is not None and automatic != self.automatic_points:
            raise ValueError(
                f"automatic_points is {self.automatic_points}, but the checks add up to {automatic}"
            )
        if self.due.tzinfo is None:
            raise ValueError("due: needs an offset, such as 2025-05-02T23:59:00-05:00")
        return self


class Assignment(Model):
    """The whole assignment, checked and frozen."""

    folder: Path
    spec: Spec
    rubric: Rubric
    calibration: Calibration | None
    sha256: str

    @property
    def id(self) -> str:
        """The assignment's name in results."""
        return self.spec.id

    @property
    def automatic(self) -> int:
        """The automatic points in hundredths."""
        return sum(check.possible for check in self.spec.checks)

    @property
    def total(self) -> int:
        """All points in hundredths."""
        return self.automatic + sum(
            question.possible for question in self.rubric.questions.values()
        )

    def check(self, name: str) -> Check:
        """Return one check by its name.

        Raises:
            SpecError: there is no such check; the message names the nearest.
        """
        for check in self.spec.checks:
            if check.name == name:
                return check
        raise SpecError(
            f"{name!r} is no check of {self.id}{nearest(name, [c.name for c in self.spec.checks])}"
        )


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas of the assignment's files, for editors."""
    return {"assignment": Spec.model_json_schema(), "rubric": Rubric.model_json_schema()}
