"""What a drawn figure shows, read from matplotlib's objects: images, bars, texts, colour bars."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

MAX_AXES = 400


def watch(
    backend_bases: ModuleType,
    drawn: Callable[[list[dict[str, Any]]], None],
    row_of: Callable[[Any], int | None],
) -> None:
    """Call `drawn(axes)` whenever a figure is drawn to a file or a cell's output.

    Args:
        backend_bases: `matplotlib.backend_bases`; every way of showing a figure ends in its
            `FigureCanvasBase.print_figure`.
        row_of: the row number of an image's array, None where it is none of the dataset's.
    """
    canvas = backend_bases.FigureCanvasBase
    original = canvas.print_figure

    @functools.wraps(original)
    def print_figure(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        result = original(self, *args, **kwargs)
        with contextlib.suppress(Exception):  # watching must never break a student's figure
            drawn([_axes(axes, row_of) for axes in self.figure.axes[:MAX_AXES]])
        return result

    canvas.print_figure = print_figure


def _axes(axes: Any, row_of: Callable[[Any], int | None]) -> dict[str, Any]:
    bars = [patch for container in axes.containers for patch in getattr(container, "patches", ())]
    texts = [
        axes.title,
        axes._left_title,
        axes._right_title,
        axes.xaxis.label,
        axes.yaxis.label,
        *axes.texts,
    ]
    # as they were drawn; asking for the labels themselves would lay out all ticks once more
    labels = [tick.label1 for axis in (axes.xaxis, axes.yaxis) for tick in axis.majorTicks]
    return {
        "images": [row_of(image.get_array()) for image in axes.images[:200]],
        "bars": len(bars),
        "colorbar": hasattr(axes, "_colorbar")
        or any(image.colorbar is not None for image in axes.images),
        "texts": _unique([text.get_text() for text in [*texts, *labels]], 80),
        "colors": _unique(
            [_hex(text.get_color()) for text in texts if text.get_text()]
            + [_hex(bar.get_facecolor()) for bar in bars],
            40,
        ),
    }


def _unique(values: list[str], most: int) -> list[str]:
    kept = dict.fromkeys(value.strip()[:300] for value in values)
    return [value for value in kept if value][:most]


def _hex(color: Any) -> str:
    from matplotlib.colors import to_hex

    return to_hex(color)
