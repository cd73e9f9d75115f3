"""The settings that each kind of check takes in assignment.toml; a wrong key is a SpecError."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Row = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Settings):
    """This kind takes no settings."""


class Explored(Settings):
    """`image`: which image of each split should be drawn."""

    image: Row = 0


class ImageGrid(Settings):
    """`count` images from `first` on, of one split (a name of dataset.splits), in one figure."""

    split: str = "train"
    first: Row = 0
    count: Annotated[int, Field(ge=1, le=400)]


class PredictionGrid(Settings):
    """`count` test images from `first` on, each with a bar for each class, in one figure."""

    first: Row = 0
    count: Annotated[int, Field(ge=1, le=200)]


class SinglePrediction(Settings):
    """`row`: which test image should be predicted alone."""

    row: Row = 0
