"""What became of pixel values 0–255: the range, and whether it is the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from grader.locale import Readable, T
from grader.recipes import Data, Node

CLOSE = 1e-6


@dataclass(frozen=True)
class Scaling:
    """How an array's pixel values reach the model.

    Attributes:
        values: what each seen pixel value became, after a first scaling layer.
        share: 1 when it is 0–1, 0.5 when another sensible scaling, 0 otherwise.
        text: what was seen, as the end of a sentence.
    """

    values: dict[int, float]
    share: float
    text: Readable
    hint: Readable | None = None
    remark: Readable | None = None

    def like(self, other: Scaling) -> bool:
        """Whether every pixel value seen in both became the same."""
        # one image shows few pixel values; only those can be compared
        both = self.values.keys() & other.values.keys()
        return all(abs(self.values[pixel] - other.values[pixel]) <= CLOSE for pixel in both)


def scaling_of(data: Data, layer: Node | None) -> Scaling | None:
    """Return how data were scaled, None where they were not recognised."""
    if not data.recognised or data.table is None:
        return None
    values = {pixel: value for pixel, value in enumerate(data.table) if value is not None}
    if not values:
        return None
    if layer is None:
        return _judged(values)
    if layer.op.rsplit(".", 1)[-1] == "Normalization":
        said = T("a Normalization layer scales the images inside the model.")
        return Scaling(
            values,
            1.0,
            said,
            remark=T("A Normalization layer at the start of the model counts as scaling."),
        )
    scale, offset = layer.config.get("scale", 1.0), layer.config.get("offset", 0.0)
    if not isinstance(scale, int | float) or not isinstance(offset, int | float):
        return None
    inside = _judged({pixel: value * scale + offset for pixel, value in values.items()})
    remark = (
        T("The first layer of your model scales the images, which counts.")
        if inside.share == 1
        else None
    )
    return Scaling(inside.values, inside.share, inside.text, inside.hint, remark)


def _judged(values: dict[int, float]) -> Scaling:
    low, high = min(values.values()), max(values.values())
    ordered = [values[pixel] for pixel in sorted(values)]
    rising = all(before < after for before, after in pairwise(ordered))
    if rising and _is_unit(values):
        return Scaling(values, 1.0, T("the images go from 0 to 1."))
    where = {"low": low, "high": high}
    if _is_raw(values):
        said = T(
            "the images still have their original values, from {low:.4g} to {high:.4g}.", **where
        )
        return Scaling(
            values,
            0.0,
            said,
            T("Divide the training and the test images by 255.0 before you train."),
        )
    if abs(high - 1 / 255) < CLOSE and abs(low) < CLOSE:
        said = T("the images go from 0 to {high:.4g}: they were divided by 255 twice.", high=high)
        hint = T("Load the data again and run the cell that divides by 255 only once.")
        return Scaling(values, 0.0, said, hint)
    if not rising and len(set(ordered)) < len(ordered):
        said = T(
            "different pixel values became the same number; the images now go from {low:.4g} to "
            "{high:.4g}.",
            **where,
        )
        return Scaling(
            values, 0.0, said, T("Divide with / and not with //, so that decimals stay.")
        )
    sensible = max(abs(low), abs(high)) <= 1 + CLOSE and high - low >= 0.5
    said = T("the images go from {low:.4g} to {high:.4g}.", **where)
    return Scaling(values, 0.5 if sensible else 0.0, said)


def _is_unit(values: dict[int, float]) -> bool:
    """Whether pixel 0 became 0 and 255 became 1; where one was not seen, all must be n/255."""
    if 0 in values and 255 in values:
        return abs(values[0]) <= CLOSE and abs(values[255] - 1) <= CLOSE
    return all(abs(value - pixel / 255) <= CLOSE for pixel, value in values.items())


def _is_raw(values: dict[int, float]) -> bool:
    return all(abs(value - pixel) <= CLOSE for pixel, value in values.items())
