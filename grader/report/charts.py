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
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from grader.locale import T, Translator

INK, QUIET, RULE = "#26313d", "#5b6672", "#d5d3cb"
TRAIN, TEST, BAND = "#2f6690", "#c2571a", "#8fae9b"
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
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": "#e6e4dc",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.6,
    "legend.borderaxespad": 0,
}
_LOCK = Lock()


@dataclass(frozen=True)
class Series:
    """Values of one quantity over the epochs; None where it was not finite."""

    training: Sequence[float | None]
    validation: Sequence[float | None]


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
    axes = figure.add_axes((0.125, 0.295, 0.85, 0.605))
    _quiet(axes, say)
    epochs = max(len(series.training), len(series.validation), 1)
    _line(axes, series.training, TRAIN, say(T("training")))
    _line(axes, series.validation, TEST, say(T("validation")))
    _point(axes, epochs, measured.train, TRAIN, say(T("training, measured")))
    _point(axes, epochs, measured.test, TEST, say(T("test, measured")))
    if measured.band:
        name = say(T("reference, test"))
        axes.axhspan(*measured.band, color=BAND, alpha=0.4, lw=0, label=name, zorder=0.5)
    axes.set_xlim(0.5 if epochs > 1 else 0, epochs + max(0.5, epochs * 0.03))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_title(label, loc="left", fontsize=9.5, color=INK, y=1.0)
    figure.legend(loc="lower left", bbox_to_anchor=(0.02, 0.01), ncols=2, columnspacing=1.2)
    return _uri(figure)


@dataclass(frozen=True)
class Pair:
    """Both accuracies of one experiment."""

    title: str
    train: float
    test: float


@once
def comparison(pairs: Sequence[Pair], say: Translator) -> str:
    """Draw the experiments under each other, the gap as a line between two points."""
    height = 0.75 + 0.42 * len(pairs)
    figure = Figure(figsize=(4.2, height))
    axes = figure.add_axes((0.33, 0.28 / height, 0.65, 1 - 0.62 / height))
    _quiet(axes, say)
    axes.yaxis.grid(visible=False)
    axes.xaxis.grid(visible=True)
    axes.spines["left"].set_visible(False)
    for place, pair in enumerate(pairs):
        _dumbbell(axes, place, pair, say)
    values = [value for pair in pairs for value in (pair.train, pair.test)]
    margin = max(0.38 * (max(values) - min(values)), 0.012)
    axes.set_xlim(min(values) - margin, max(values) + margin)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_yticks(
        range(len(pairs)),
        [fill(pair.title, 20, max_lines=2, placeholder="…") for pair in pairs],
        color=INK,
    )
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.plot([], [], "D", color=TEST, ms=6, label=say(T("test")))
    axes.plot([], [], "o", color=TRAIN, ms=6, label=say(T("training")))
    figure.legend(loc="upper left", bbox_to_anchor=(0.33, 1.0), ncols=2, columnspacing=1.4)
    return _uri(figure)


def _dumbbell(axes: Axes, place: int, pair: Pair, say: Translator) -> None:
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


def thinned(values: Sequence[float | None], most: int) -> list[tuple[int, float | None]]:
    """Return (epoch, value) pairs, at most `most` of them, the first and the last among them."""
    count = len(values)
    if count <= most:
        return list(enumerate(values, start=1))
    places = sorted({round(step * (count - 1) / (most - 1)) for step in range(most)})
    return [(place + 1, values[place]) for place in places]


def _quiet(axes: Axes, say: Translator) -> None:
    axes.patch.set_alpha(0)
    axes.set_axisbelow(True)
    axes.yaxis.grid(visible=True)
    number = FuncFormatter(lambda value, _: say.number(value, 2))
    axes.yaxis.set_major_formatter(number)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 4, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value, say)))


def _short(value: float, say: Translator) -> str:
    return str(int(value)) if float(value).is_integer() and value > 1 else say.number(value, 2)


def _line(axes: Axes, values: Sequence[float | None], colour: str, label: str) -> None:
    pairs = [(epoch, value) for epoch, value in thinned(values, MAX_POINTS) if value is not None]
    pairs = [(epoch, value) for epoch, value in pairs if abs(value) < 1e6]
    if pairs:
        epochs, heights = zip(*pairs, strict=True)
        marker = "." if len(pairs) <= 30 else ""
        axes.plot(epochs, heights, color=colour, lw=1.8, marker=marker, ms=5, label=label)


def _point(axes: Axes, epoch: int, value: float | None, colour: str, label: str) -> None:
    if value is not None and abs(value) < 1e6:
        axes.plot(
            [epoch], [value], "D", color=colour, ms=6, mec="white", mew=1, label=label, zorder=5,
            linestyle="none",
        )  # fmt: skip


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
