"""A model's layers as rows of a table, alone or beside those that were asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from grader.locale import Translator
from grader.recipes import Node, Recipe
from grader.report.text import clip
from grader.result import layer_text


@dataclass(frozen=True)
class Row:
    """One line of a table: words and numbers, already written in the reader's language."""

    cells: tuple[str, ...]
    mark: Literal["", "same", "changed", "missing", "extra"] = ""


def layer_rows(recipe: Recipe, say: Translator) -> list[Row]:
    """Layers, the shape of what they put out, and their trained values, where these are plain."""
    rows, shapes = [], [list(recipe.input_shape)]
    for place, node in enumerate(recipe.nodes):
        before = shapes[place] if node.inputs == [place - 1] else []
        shape, parameters = _effect(node, before)
        shapes.append(shape)
        size = " × ".join(say.count(side) for side in shape) or "–"
        rows.append(
            Row(
                (
                    clip(layer_text(node.op, node.config), 160),
                    size,
                    "–" if parameters is None else say.count(parameters),
                )
            )
        )
    return rows


def _effect(node: Node, shape: list[int]) -> tuple[list[int], int | None]:
    """Return a layer's output shape and trained values; ([], None) where that is not plain."""
    units = node.config.get("units")
    if not shape or node.custom:
        return [], None
    if node.op == "Flatten":
        return [math.prod(shape)], 0
    if node.op == "Dense" and isinstance(units, int):
        return [*shape[:-1], units], (shape[-1] + bool(node.config.get("use_bias", True))) * units
    if node.op in ("Activation", "ReLU", "Softmax", "Dropout", "Rescaling", "GaussianNoise", "ELU"):
        return shape, 0
    return [], None


def side_by_side(wanted: Sequence[str], found: Sequence[str]) -> list[Row]:
    """Return the layers that were asked for beside those that were found."""
    rows = []
    for tag, low, high, start, stop in SequenceMatcher(
        None, wanted, found, autojunk=False
    ).get_opcodes():
        for step in range(max(high - low, stop - start)):
            left = wanted[low + step] if low + step < high else ""
            right = found[start + step] if start + step < stop else ""
            mark: Literal["same", "changed", "missing", "extra"] = (
                "same"
                if tag == "equal"
                else "changed"
                if left and right
                else "missing"
                if left
                else "extra"
            )
            rows.append(Row((clip(left, 160) or "–", clip(right, 160) or "–"), mark))
    return rows
