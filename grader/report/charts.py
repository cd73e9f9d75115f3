"""Figures as SVG data URIs: the same input gives the same bytes, and no state is left behind.

Matplotlib reads part of its settings when it saves; they are set for that moment, under a lock.
Inside the SVG nothing is styled by `style`: a page's content policy may reach into its images.
"""

from __future__ import annotations

import base64
import functools
import io
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape, unescape
from textwrap import fill
from threading import Lock
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from grader.locale import T, Translator

INK, QUIET, RULE, GRID = "#26313d", "#5b6672", "#d5d3cb", "#e6e4dc"
TRAIN, TEST, BAND = "#2f6690", "#c2571a", "#8fae9b"
BAND_ALPHA = 0.4
PAD = 4 / 72
"""Inches between the picture and what is written beside it."""
MAX_POINTS = 120
"""Epochs drawn of one curve; longer ones are thinned evenly."""
KEPT = 500  # charts that are remembered, of about 20 kB each

_FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"
_SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "grader",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9,
    "text.color": INK,
}
_LOCK = Lock()
Axis = Literal["x", "y"]
Write = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """Values of one quantity over the epochs; None where it was not finite."""

    training: Sequence[float | None]
    validation: Sequence[float | None]


@dataclass(frozen=True)
class Key:
    """One entry of a legend: what a line (`-`), a marker or a `band` of a colour stands for."""

    label: str
    colour: str
    shape: str = "-"


@dataclass(frozen=True)
class Measured:
    """What the trainer measured at the curve's end, and what reference runs reach."""

    train: float | None = None
    test: float | None = None
    band: tuple[float, float] | None = None


@contextmanager
def drawing() -> Iterator[None]:
    """Set this module's matplotlib settings, and put back what was there."""
    kept = {key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key}
    settings: Any = {**kept, **_SETTINGS}
    with _LOCK, matplotlib.rc_context(settings):
        yield


Draw = Callable[..., str]


def once(draw: Draw) -> Draw:
    """Draw equal charts once: whoever has the same training has the same curve.

    The last argument of `draw` is the translator; all others are compared by their `repr`.
    """
    kept: OrderedDict[str, str] = OrderedDict()

    @functools.wraps(draw)
    def drawn(*arguments: Any) -> str:
        *shown, say = arguments
        key = repr((shown, say.language))
        if key not in kept:
            kept[key] = draw(*arguments)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    return drawn


@once
def learning_curve(series: Series, measured: Measured, label: str, say: Translator) -> str:
    """Draw one quantity over the epochs; call it inside `drawing()`."""
    figure = Figure(figsize=(3.9, 2.75))
    axes = _bare(figure, (0.125, 0.295, 0.85, 0.605))
    epochs = max(len(series.training), len(series.validation), 1)
    keys = [
        *_line(axes, series.training, Key(say(T("training")), TRAIN)),
        *_line(axes, series.validation, Key(say(T("validation")), TEST)),
        *_point(axes, epochs, measured.train, Key(say(T("training, measured")), TRAIN, "D")),
        *_point(axes, epochs, measured.test, Key(say(T("test, measured")), TEST, "D")),
    ]
    if measured.band:
        keys.append(Key(say(T("reference, test")), BAND, "band"))
        axes.axhspan(*measured.band, color=BAND, alpha=BAND_ALPHA, lw=0, zorder=0.5)
    axes.set_xlim(0.5 if epochs > 1 else 0, epochs + max(0.5, epochs * 0.03))
    whole = MaxNLocator(6, integer=True, min_n_ticks=1)
    _scale(axes, "x", whole, lambda epoch: str(round(epoch)) if epoch else "", grid=False)
    decimals = _decimals(*axes.get_ylim())
    round_values = MaxNLocator(5, steps=[1, 2, 4, 5, 10])
    _scale(axes, "y", round_values, lambda value: say.number(value, decimals))
    for place in ("bottom", "left"):
        _edge(axes, place)
    axes.set_title(label, loc="left", fontsize=9.5, color=INK, y=1.0)
    _legend(figure, keys, left=0.04, top=0.165, column=0.47)
    return _uri(figure)


@dataclass(frozen=True)
class Pair:
    """Both accuracies of one experiment, and the test accuracy that reference runs reach."""

    title: str
    train: float
    test: float
    band: tuple[float, float] | None = None


@once
def comparison(pairs: Sequence[Pair], say: Translator) -> str:
    """Draw the experiments under each other, the gap as a line between two points."""
    height = 0.75 + 0.42 * len(pairs)
    figure = Figure(figsize=(4.2, height))
    axes = _bare(figure, (0.33, 0.28 / height, 0.65, 1 - 0.62 / height))
    for place, pair in enumerate(pairs):
        _dumbbell(axes, place, pair, say)
    values = [v for pair in pairs for v in (pair.train, pair.test, *(pair.band or ()))]
    margin = max(0.38 * (max(values) - min(values)), 0.012)
    axes.set_xlim(min(values) - margin, max(values) + margin)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    for place, pair in enumerate(pairs):
        title = fill(pair.title, 20, max_lines=2, placeholder="…")
        _beside(axes, "y", place, title, INK)
    decimals = _decimals(*axes.get_xlim())
    round_values = MaxNLocator(4, steps=[1, 2, 5, 10])
    _scale(axes, "x", round_values, lambda value: say.number(value, decimals))
    _edge(axes, "bottom")
    keys = [Key(say(T("test")), TEST, "D"), Key(say(T("training")), TRAIN, "o")]
    if any(pair.band for pair in pairs):
        keys.append(Key(say(T("reference, test")), BAND, "band"))
    _legend(figure, keys, left=0.05, top=1 - 0.13 / height, column=0.26, rows=1)
    return _uri(figure)


def _dumbbell(axes: Axes, place: int, pair: Pair, say: Translator) -> None:
    if pair.band:
        low, high = pair.band
        axes.add_patch(
            Rectangle((low, place - 0.28), high - low, 0.56, color=BAND, alpha=BAND_ALPHA, lw=0)
        )
    axes.plot([pair.test, pair.train], [place, place], color="#b9b6ab", lw=3, zorder=1)
    ends = ((pair.test, TEST, "D", pair.test > pair.train), (pair.train, TRAIN, "o", None))
    for value, colour, marker, right in ends:
        right = not ends[0][3] if right is None else right
        axes.plot([value], [place], marker, color=colour, ms=6.5, zorder=2)
        axes.annotate(
            say.number(value, 3),
            (value, place),
            xytext=(8 if right else -8, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=8.5,
        )


BINS = 24
MANY_DOTS = 12  # in one column; more are drawn as a bar


@once
def spread(
    values: Sequence[float],
    band: tuple[float, float] | None,
    limit: float | None,
    colour: str,
    say: Translator,
) -> str:
    """Draw how a class lies: a dot for each student, or bars; the reference's band, the limit."""
    figure = Figure(figsize=(4.2, 1.75))
    axes = _bare(figure, (0.03, 0.2, 0.94, 0.72))
    known = [*values, *(band or ()), *(() if limit is None else (limit,))]
    low, high = min(known), max(known)
    margin = max(0.06 * (high - low), 0.004)
    low, high = low - margin, high + margin
    width = (high - low) / BINS
    counts = [0] * BINS
    for value in values:
        counts[min(int((value - low) / width), BINS - 1)] += 1
    tallest = max(counts, default=1) or 1
    if band:
        axes.axvspan(*band, color=BAND, alpha=BAND_ALPHA, lw=0, zorder=0.5)
    if limit is not None:
        axes.axvline(limit, color=INK, lw=1, ls=(0, (3, 2)), zorder=0.8)
    for place, count in enumerate(counts):
        middle = low + (place + 0.5) * width
        if tallest <= MANY_DOTS:
            axes.plot(
                [middle] * count, [row + 0.5 for row in range(count)], "o", color=colour, ms=5
            )
        elif count:
            axes.add_patch(Rectangle((middle - 0.42 * width, 0), 0.84 * width, count, color=colour))
    axes.set_xlim(low, high)
    axes.set_ylim(0, max(tallest, 4) * 1.08)
    decimals = _decimals(low, high)
    _scale(axes, "x", MaxNLocator(5, steps=[1, 2, 5, 10]), lambda v: say.number(v, decimals), False)
    _edge(axes, "bottom")
    return _uri(figure)


def thinned(values: Sequence[float | None], most: int) -> list[tuple[int, float | None]]:
    """Return (epoch, value) pairs, at most `most` of them, the first and the last among them."""
    count = len(values)
    if count <= most:
        return list(enumerate(values, start=1))
    places = sorted({round(step * (count - 1) / (most - 1)) for step in range(most)})
    return [(place + 1, values[place]) for place in places]


def _bare(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Axes without matplotlib's own ticks, spines and legend: those cost four times the rest."""
    axes = figure.add_axes(place)
    axes.set_axis_off()
    return axes


def _scale(axes: Axes, which: Axis, locator: MaxNLocator, write: Write, grid: bool = True) -> None:
    """Say round values along one axis, with a line through the picture at each."""
    low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
    values = [value for value in locator.tick_values(low, high) if low <= value <= high]
    for value in values:
        _beside(axes, which, value, write(value), QUIET)
    if grid:
        ends = [
            ((0, value), (1, value)) if which == "y" else ((value, 0), (value, 1))
            for value in values
        ]
        across = axes.get_yaxis_transform() if which == "y" else axes.get_xaxis_transform()
        lines = LineCollection(ends, colors=GRID, linewidths=0.8, zorder=0.4, transform=across)
        axes.add_collection(lines, autolim=False)


def _beside(axes: Axes, which: Axis, value: float, text: str, colour: str) -> None:
    """Write under (x) or left of (y) the picture, at a value."""
    figure: Any = axes.get_figure()
    width, height = figure.get_size_inches() * axes.get_position().size
    style: dict[str, Any] = {"color": colour, "fontsize": 8.5}
    if which == "x":
        below = -PAD / height
        axes.text(
            value, below, text, transform=axes.get_xaxis_transform(), ha="center", va="top", **style
        )
    else:
        left = -PAD / width
        axes.text(
            left,
            value,
            text,
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            **style,
        )


def _edge(axes: Axes, place: str) -> None:
    ends = ([0, 1], [0, 0]) if place == "bottom" else ([0, 0], [0, 1])
    axes.plot(*ends, color=RULE, lw=0.8, transform=axes.transAxes, clip_on=False, zorder=2.5)


def _legend(
    figure: Figure,
    keys: Sequence[Key],
    left: float,
    top: float,
    column: float,
    rows: int | None = None,
) -> None:
    """Write the keys in columns of `rows`, by default two columns; places are fractions."""
    width, height = figure.get_size_inches()
    sign, row = 0.17 / width, 0.165 / height
    down = rows or (len(keys) + 1) // 2
    for number, key in enumerate(keys):
        x, y = left + column * (number // down), top - row * (number % down)
        if key.shape == "band":
            size = 0.09 / height
            figure.add_artist(
                Rectangle((x, y - size / 2), sign, size, color=key.colour, alpha=BAND_ALPHA, lw=0)
            )
        else:
            places = [x, x + sign] if key.shape == "-" else [x + sign / 2]
            figure.add_artist(
                Line2D(
                    places, [y] * len(places), color=key.colour, lw=1.8, ms=6, mec="white",
                    marker="" if key.shape == "-" else key.shape,
                )
            )  # fmt: skip
        figure.text(x + 1.4 * sign, y, key.label, fontsize=8, va="center_baseline")


def _decimals(low: float, high: float) -> int:
    """How many decimals tell a handful of round values between two others apart."""
    return 0 if high - low >= 10 else 2 if high - low >= 0.05 else 3


def _line(axes: Axes, values: Sequence[float | None], key: Key) -> list[Key]:
    """Draw a curve; return its key, if there is anything to see."""
    pairs = [(epoch, value) for epoch, value in thinned(values, MAX_POINTS) if value is not None]
    pairs = [(epoch, value) for epoch, value in pairs if abs(value) < 1e6]
    if not pairs:
        return []
    epochs, heights = zip(*pairs, strict=True)
    axes.plot(
        epochs, heights, color=key.colour, lw=1.8, marker="." if len(pairs) <= 30 else "", ms=5
    )
    return [key]


def _point(axes: Axes, epoch: int, value: float | None, key: Key) -> list[Key]:
    if value is None or abs(value) >= 1e6:
        return []
    axes.plot([epoch], [value], key.shape, color=key.colour, ms=6, mec="white", mew=1, zorder=5)
    return [key]


def _uri(figure: Figure) -> str:
    figure.patch.set_alpha(0)
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(
        plain_svg(stream.getvalue()).encode()
    ).decode("ascii")


def plain_svg(svg: str) -> str:
    """Return matplotlib's SVG without prologue, metadata and `style`: attributes instead."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(
        r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>|<!--.*?-->", "", svg, flags=re.S
    )
    svg = re.sub(r'style="([^"]*)"', _attributes, svg)
    root = f'<svg stroke-linejoin="round" stroke-linecap="butt" font-family="{_FONTS}" '
    svg = svg.replace("<svg ", root, 1)
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")


def _attributes(found: re.Match[str]) -> str:
    pairs = (part.split(":", 1) for part in unescape(found.group(1)).split(";") if ":" in part)
    plain = {name.strip(): value.strip() for name, value in pairs}
    plain.pop("font-family", None)  # the root's
    return " ".join(f'{name}="{escape(value)}"' for name, value in plain.items())
