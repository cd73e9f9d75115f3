"""calibration.json → where points begin and end: thresholds are measured, not guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

PLAIN = "plain"
MINIMUM_SD = 0.003  # the binomial error of an accuracy near 0.9 over 10,000 images
SPREADS = 3
FALL = 0.05  # five points of accuracy below the threshold nothing is earned


class Figures(BaseModel):
    """Frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(Figures):
    """What honest training reaches: a variant's figures over its seeds (fractions, not percent)."""

    seeds: int
    mean: float
    sd: float
    min: float
    max: float


class Variant(Figures):
    """Figures of one way of training one architecture; `runs` are seed, train and test accuracy."""

    train_accuracy: Band
    test_accuracy: Band
    gap: Band
    runs: tuple[tuple[int, float, float], ...] = ()


class Thresholds(Figures):
    """Where full points begin and end for one architecture.

    Attributes:
        accuracy_full, accuracy_none: test accuracy with full points · with none; linear between.
        gap_limit: the largest gap that passes.
        accuracy_spread, gap_spread: 3·max(sd, 0.003), sd pooled over the variants.
        accuracy_band, gap_band: the honest variants' lowest and highest means.
    """

    accuracy_full: float
    accuracy_none: float
    accuracy_spread: float
    accuracy_band: tuple[float, float]
    gap_limit: float
    gap_spread: float
    gap_band: tuple[float, float]


class Calibration(Figures):
    """calibration.json: architecture's name → variant → figures, and where they were made."""

    environment: dict[str, str]
    assignment_seed: int
    architectures: dict[str, dict[str, Variant]]

    def thresholds(self, architecture: str) -> Thresholds | None:
        """Return the thresholds of one architecture, or None where it was not calibrated.

        Architectures without variants of their own take the larger shift of those that have them.
        """
        variants = self.architectures.get(architecture)
        if not variants or PLAIN not in variants:
            return None
        accuracies = self._means(variants, "test_accuracy")
        gaps = self._means(variants, "gap")
        accuracy_spread = SPREADS * max(_pooled_sd(variants, "test_accuracy"), MINIMUM_SD)
        gap_spread = SPREADS * max(_pooled_sd(variants, "gap"), MINIMUM_SD)
        full = round(min(accuracies) - accuracy_spread, 4)
        return Thresholds(
            accuracy_full=full,
            accuracy_none=round(full - FALL, 4),
            accuracy_spread=round(accuracy_spread, 4),
            accuracy_band=(round(min(accuracies), 4), round(max(accuracies), 4)),
            gap_limit=round(max(gaps) + gap_spread, 4),
            gap_spread=round(gap_spread, 4),
            gap_band=(round(min(gaps), 4), round(max(gaps), 4)),
        )

    def _means(self, variants: Mapping[str, Variant], figure: str) -> list[float]:
        """Mean of each variant; of the shifted plain one where there is only that."""
        means: list[float] = [getattr(variant, figure).mean for variant in variants.values()]
        if len(variants) == 1:
            means += [means[0] + shift for shift in self._shifts(figure)]
        return means

    def _shifts(self, figure: str) -> list[float]:
        return [
            getattr(variant, figure).mean - getattr(variants[PLAIN], figure).mean
            for variants in self.architectures.values()
            for name, variant in variants.items()
            if name != PLAIN and PLAIN in variants
        ]


def _pooled_sd(variants: Mapping[str, Variant], figure: str) -> float:
    """Standard deviation between seeds, pooled over the variants: three seeds alone say little."""
    bands: list[Band] = [getattr(variant, figure) for variant in variants.values()]
    freedom = sum(band.seeds - 1 for band in bands)
    return math.sqrt(sum((band.seeds - 1) * band.sd**2 for band in bands) / max(freedom, 1))
