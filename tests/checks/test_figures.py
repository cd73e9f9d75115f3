"""Grids of images and of predictions."""

from __future__ import annotations

import pytest

from grader.evidence import Figure
from grader.findings import Finding
from tests.factories import (
    NAMES,
    axes,
    evidence,
    figure,
    finding,
    grid_figure,
    prediction_figure,
    spanish,
)

ENGLISH = [
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip
OWN = ["polera", "jeans", "chaleco", "traje", "parka", "chala", "blusa", "tenis", "cartera", "bota"]


def grid(*figures: Figure) -> Finding:
    return finding(evidence(figures=figures), "data.grid")


def first(*figures: Figure) -> Finding:
    return finding(evidence(figures=figures), "predictions.grid_first")


def second(*figures: Figure) -> Finding:
    return finding(evidence(figures=figures), "predictions.grid_second")


@pytest.mark.parametrize("names", [NAMES, ENGLISH, OWN, [name.upper() for name in NAMES]])
def test_a_grid_with_names_passes(names: list[str]) -> None:
    """Names may be Spanish, English, the student's own, in any case."""
    parts = [axes(row, texts=[names[row % 10]]) for row in range(25)]
    found = grid(figure(7, *parts))

    assert ("passed", 200, 7) == (found.status, found.earned, found.cell)


@pytest.mark.parametrize("text", ["", "3", "Imagen {}"])
def test_a_grid_without_names_is_half(text: str) -> None:
    """Numbers and the same word again are no names."""
    parts = [axes(row, texts=[text.format(row)] if text else []) for row in range(25)]
    found = grid(figure(7, *parts))

    assert ("partial", 100) == (found.status, found.earned)
    assert "faltan los nombres" in spanish(found.observed)


def test_images_out_of_order_cost_a_quarter() -> None:
    """All images but not in order."""
    parts = [axes(row, texts=[NAMES[row % 10]]) for row in reversed(range(25))]
    found = grid(figure(7, *parts))

    assert ("partial", 150) == (found.status, found.earned)


def test_some_of_the_images_earn_their_part() -> None:
    """Fifteen of twenty-five images."""
    found = grid(grid_figure(count=15))

    assert ("partial", 50) == (found.status, found.earned)
    assert "solo tiene 15 de las 25 imágenes" in spanish(found.observed)


def test_images_of_the_other_split_are_not_these() -> None:
    """A grid of test images is no grid of training images."""
    assert "not_attempted" == grid(grid_figure(first=60_000)).status


def test_no_figure_is_not_attempted() -> None:
    """Nothing drawn."""
    found = grid()

    assert "not_attempted" == found.status
    assert "subplots" in spanish(found.hint)


def test_extra_images_in_the_figure_do_no_harm() -> None:
    """A figure may show more than was asked for."""
    assert "passed" == grid(grid_figure(count=30)).status


def test_the_better_figure_counts() -> None:
    """A first try beside the finished figure costs nothing."""
    assert "passed" == grid(grid_figure(3), grid_figure(9, count=5)).status


def test_prediction_grids_pass() -> None:
    """Fifteen images and their bars, each figure for its own check."""
    both = (prediction_figure(5, 0), prediction_figure(6, 15))

    assert ("passed", 5) == (first(*both).status, first(*both).cell)
    assert ("passed", 6) == (second(*both).status, second(*both).cell)


def test_images_without_bars_are_half() -> None:
    """Only the images: half, and the text says how many bars there were."""
    found = first(figure(5, *(axes(60_000 + row) for row in range(15))))

    assert ("partial", 100) == (found.status, found.earned)
    assert "solo hay 0 de los 15 grupos de 10 barras" in spanish(found.observed)


def test_bars_of_another_number_do_not_count() -> None:
    """Bars must be as many as there are classes."""
    parts = [part for row in range(15) for part in (axes(60_000 + row), axes(bars=9))]

    assert "partial" == first(figure(5, *parts)).status


def test_the_first_grid_is_not_the_second() -> None:
    """Images 0–14 drawn again are not images 15–29."""
    assert "not_attempted" == second(prediction_figure(5, 0)).status


def test_without_the_dataset_nothing_is_claimed() -> None:
    """Where the splits are not known, no image is one of them."""
    bare = evidence(figures=(prediction_figure(5, 0),), splits={})

    assert "not_attempted" == finding(bare, "predictions.grid_first").status
