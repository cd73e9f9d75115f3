"""The settings that each kind of check takes in assignment.toml; a wrong key is a SpecError."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Row = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """Frozen, and strict about unknown keys. A string below a key is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Nothing(Settings):
    """This kind takes no settings."""


class Explored(Settings):
    """What `explored` takes."""

    image: Row = 0
    """Which image of each split should be drawn."""


class ImageGrid(Settings):
    """What `image_grid` takes."""

    split: str = "train"
    """A name of `dataset.splits`."""
    first: Row = 0
    """The first image."""
    count: Annotated[int, Field(ge=1, le=400)]
    """How many images."""


class PredictionGrid(Settings):
    """What `prediction_grid` takes."""

    first: Row = 0
    """The first test image."""
    count: Annotated[int, Field(ge=1, le=200)]
    """How many test images."""


class SinglePrediction(Settings):
    """What `single_prediction` takes."""

    row: Row = 0
    """Which test image should be predicted alone."""
