"""assignment.toml + rubric.toml (+ calibration.json) → one frozen Assignment.

Every error names the file, the key, its value, what is allowed, and the nearest valid key.
Nothing here runs a model or touches the network.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grader.dataset import DatasetSpec, FileSpec, SplitSpec
from grader.locale import Bilingual
from grader.specfile import SpecError as SpecError
from grader.specfile import nearest
from grader.thresholds import Calibration

Points = Annotated[float, Field(ge=0, le=100, multiple_of=0.25)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
CheckName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
LayerText = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*(\(.*\))?$")]


class Model(BaseModel):
    """Frozen, strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sentence(Model):
    """A sentence in both languages."""

    es: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    @property
    def text(self) -> Bilingual:
        """As the checks and the report take it."""
        return Bilingual(self.es, self.en)


class Scale(Model):
    """The course's scale: `maximum` for all points, `passing` to pass, rounded to `decimals`."""

    minimum: float = 0.0
    maximum: float
    passing: float
    decimals: Literal[0, 1, 2] = 1


class Late(Model):
    """What lateness costs, in points of the course's scale.

    `flat` is deducted once; `per_day` for each started day; `at_most` caps both;
    after `refuse_after_days` a person decides.
    """

    flat: Annotated[float, Field(ge=0)] = 0.0
    per_day: Annotated[float, Field(ge=0)] = 0.0
    at_most: Annotated[float, Field(ge=0)] = 0.0
    refuse_after_days: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _capped(self) -> Self:
        if max(self.flat, self.per_day) > self.at_most:
            raise ValueError(
                f"at_most is {self.at_most}, but flat is {self.flat} and per_day {self.per_day}; "
                "at_most must be at least as large as both"
            )
        return self


class RunLimits(Model):
    """Limits of a run: seconds of its own for a cell and the notebook, of ours for one request to
    a trainer, one training and all of a notebook; megabytes.
    """

    cell_s: Annotated[int, Field(ge=5)] = 900
    notebook_s: Annotated[int, Field(ge=30)] = 3600
    request_s: Annotated[int, Field(ge=30)] = 600
    fit_s: Annotated[int, Field(ge=30)] = 1800
    trainings_s: Annotated[int, Field(ge=30)] = 7200
    memory_mb: Annotated[int, Field(ge=1024)] = 4096


class DataFile(Model):
    """A file of the dataset and the SHA-256 of its decompressed bytes."""

    name: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Split(Model):
    """The images and labels of one split."""

    images: DataFile
    labels: DataFile


class Dataset(Model):
    """What the notebook loads, and where it may be found."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    loader: Annotated[str, Field(pattern=r"^[a-z_.]+$")]
    keras_folder: str
    shape: tuple[int, ...]
    classes: tuple[Sentence, ...]
    splits: dict[str, Split]
    train: str = "train"
    test: str = "test"
    debian_package: str | None = None
    debian_folder: str | None = None
    urls: tuple[str, ...] = ()

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
    """One check: what it is called, what it is worth, what the student reads.

    `kind` names the function of `grader.checks` that judges it; `needs` the checks without
    which it cannot be judged; `settings` are that kind's own.
    """

    name: CheckName
    kind: str
    points: Points
    basis: Literal["measured", "observed"]
    title: Sentence
    hint: Sentence
    needs: tuple[CheckName, ...] = ()
    settings: dict[str, Any] = {}

    @property
    def possible(self) -> int:
        """Points in hundredths."""
        return round(self.points * 100)


class Experiment(Model):
    """A training that the workshop asks for.

    Attributes:
        architectures: what the model may be, each with the name of its calibration; layers are
            written `Dense(128, relu)`.
        epochs: how many the workshop asks for; a run from `attempt_epochs` on counts as an attempt.
    """

    id: Name
    title: Sentence
    architectures: Annotated[dict[str, tuple[LayerText, ...]], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1)]
    attempt_epochs: Annotated[int, Field(ge=1)] = 1
    optimizer: str
    loss: tuple[str, ...]
    metric: str = "accuracy"


class Level(Model):
    """A level of a criterion, best first."""

    points: Points
    label: Sentence
    description: Sentence


class KeyIdea(Model):
    """An idea that a full answer has. Instructors only."""

    id: Name
    es: str
    en: str
    stems: tuple[str, ...] = ()


class Criterion(Model):
    """One thing that a written answer is marked on."""

    id: Name
    title: Sentence
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]
    key_ideas: tuple[KeyIdea, ...] = ()

    @property
    def possible(self) -> int:
        """The best level's points in hundredths."""
        return max(round(level.points * 100) for level in self.levels)


class Question(Model):
    """A written question with its criteria; model answers exist in the instructor's copy only."""

    prompt: Sentence
    points: Points
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    model_answer: Sentence | None = None
    experiments: tuple[Name, ...] = ()

    @property
    def possible(self) -> int:
        """Points in hundredths."""
        return round(self.points * 100)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = sum(criterion.possible for criterion in self.criteria)
        if total != self.possible:
            raise ValueError(
                f"points is {self.points}, but the criteria's best levels add up to {total / 100}"
            )
        return self


class Rubric(Model):
    """rubric.toml."""

    questions: dict[Name, Question]


class CalibrationPlan(Model):
    """How `grader calibrate` trains: seeds of each architecture, seeds of each honest variant.

    The variants are trained on the architectures of `variants_on`; the others take the larger
    shift.
    """

    seeds: Annotated[int, Field(ge=1)] = 10
    variant_seeds: Annotated[int, Field(ge=1)] = 3
    variants_on: tuple[Name, ...] = ()


class Spec(Model):
    """assignment.toml."""

    id: Name
    title: Sentence
    language: Literal["es", "en"]
    notebook: str
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    due: datetime
    scale: Scale
    late: Late
    limits: RunLimits
    dataset: Dataset
    experiments: tuple[Experiment, ...]
    checks: tuple[Check, ...]
    calibration: CalibrationPlan = CalibrationPlan()
    automatic_points: Points | None = None
    observed_at_most: Points = 20

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
