"""rubric.toml: questions, criteria with their levels, and what a full answer has."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from grader.specfile import Model, Name, Points, Sentence


class Level(Model):
    """A level of a criterion, best first."""

    points: Points
    """What the level gives; a criterion has two levels or more, best first."""
    label: Sentence
    """Its name, such as *Complete*."""
    description: Sentence
    """What an answer of this level has."""


Phrase = Annotated[str, Field(pattern=r"^\S+( \S+)*$", max_length=1_000)]


class KeyIdea(Model):
    """An idea that a full answer has. Instructors only."""

    id: Name
    """An idea that a full answer has (*instructor*)."""
    es: str
    """The idea in Spanish (*instructor*)."""
    en: str
    """The idea in English (*instructor*)."""
    phrases: tuple[Phrase, ...] = ()
    """Words that stand near each other where an answer states the idea; `|` separates words of
    which one is enough. They point a marker to it and never give points (*instructor*)."""


class Criterion(Model):
    """One thing that a written answer is marked on."""

    id: Name
    """The criterion's name in marks."""
    title: Sentence
    """What it looks at."""
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]
    key_ideas: tuple[KeyIdea, ...] = ()

    def level(self, points: int) -> Level | None:
        """Return the level that gives these hundredths, None where there is none."""
        given = (level for level in self.levels if round(level.points * 100) == points)
        return next(given, None)

    @property
    def possible(self) -> int:
        """The best level's points in hundredths."""
        return max(round(level.points * 100) for level in self.levels)


class Question(Model):
    """A written question with its criteria; model answers exist in the instructor's copy only."""

    prompt: Sentence
    """What is asked."""
    points: Points
    """What it is worth; the criteria's best levels must add up to it."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    model_answer: Sentence | None = None
    """A full answer (*instructor*)."""
    experiments: tuple[Name, ...] = ()
    """Experiments whose results the answer speaks of."""
    beside: tuple[Literal["accuracies", "mistakes", "layers"], ...] = ("accuracies",)
    """What a marker sees of these experiments beside the answer: the accuracies and their
    difference, the images that the model got wrong, its layers."""

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
