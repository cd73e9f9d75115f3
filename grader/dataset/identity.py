"""Which rows of the dataset are these? Answers for any array, whatever became of its values.

An array is recognised only when every element equals ``table[pristine pixel]`` for one 256-value
table; guesses merely find candidates, and nothing close counts. Comparisons are made in float32,
which is what a Keras model sees.
NumPy and the standard library only: this module runs in the controller, in the trainer and beside
student code. It draws no random numbers and warns about nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
RowsForm = list[list[int]] | str
"""Rows as JSON: half-open ``[start, stop]`` runs, or base64 of little-endian int32."""

MAX_ROWS = 200_000
"""More rows than this are neither recognised nor accepted in a `RowsForm`."""
MAX_RUNS = 256

_SCALINGS = (
    ("0–255", 1, 0), ("/255", 255, 0), ("/256", 256, 0), ("/127.5 − 1", 127.5, 1),
    ("/255 /255", 255**2, 0),
)  # fmt: skip
_CHUNK = 256  # rows; the float32 chunk and its temporaries then stay in the processor's cache
_PROBE = 64  # rows that a candidate mapping must explain before the whole array is read
_MANY = 100  # rows; fewer prove nothing about a table that sends two pixel values to one
_NEAR = 0.3  # of the step between two pixel values


@dataclass(frozen=True)
class Identity:
    """Which rows an array holds and what its pixel values became."""

    rows: Rows
    """Global row numbers, shape (n,), in the array's order."""
    table: Floats
    """Shape (256,): the value of each pristine pixel value, NaN where none occurred."""
    row_shape: tuple[int, ...]
    """Shape of one row; a single image without a batch axis gives the array's own shape."""


@dataclass(frozen=True)
class Labels:
    """How labels are written and how many do not belong to their rows."""

    kind: str
    """``sparse`` or ``one-hot``."""
    classes: int
    """Columns when one-hot, else the number of classes of the dataset."""
    mismatched: int


class Pristine:
    """The dataset's own rows, memory-mapped; rows are numbered through all splits in order."""

    def __init__(self, images: dict[str, Pixels], labels: dict[str, Pixels]) -> None:
        self._images = {name: array.view(np.ndarray) for name, array in images.items()}
        self._labels = np.concatenate([np.asarray(labels[name]) for name in images])
        self.splits: dict[str, tuple[int, int]] = {}
        start = 0
        for name, array in images.items():
            self.splits[name] = (start, start + len(array))
            start += len(array)
        self.count = start
        self.shape: tuple[int, ...] = next(iter(images.values())).shape[1:]
        self.row_size = int(np.prod(self.shape))
        self.classes = int(self._labels.max()) + 1

    @classmethod
    def open(cls, rows: Path) -> Pristine:
        """Map the files of a ``rows`` folder made by `grader.dataset.store`.

        Raises OSError or ValueError when the folder is not one.
        """
        names = json.loads((rows / "splits.json").read_text(encoding="utf-8"))
        return cls(
            {name: np.load(rows / f"{name}-images.npy", mmap_mode="r") for name in names},
            {name: np.load(rows / f"{name}-labels.npy") for name in names},
        )

    def images(self, rows: npt.ArrayLike) -> Pixels:
        """Return the images of these rows, uint8 (n, *shape); IndexError for rows that are none."""
        return self._flat(self._checked(rows)).reshape(-1, *self.shape)

    def labels(self, rows: npt.ArrayLike) -> Pixels:
        """Return the labels of these rows, uint8 (n,); IndexError for rows that are none."""
        return self._labels[self._checked(rows)]

    def find(self, hashes: npt.NDArray[np.uint64]) -> Rows:
        """Return the row of each hash, -1 where none has it. Candidates only: compare them."""
        ordered, order = self._index
        places = np.minimum(np.searchsorted(ordered, hashes), self.count - 1)
        found: Rows = np.where(ordered[places] == hashes, order[places], -1).astype(np.int32)
        return found

    def hashes(self, flat: Pixels) -> npt.NDArray[np.uint64]:
        """Hash each row: the sum of its 64-bit words times fixed random keys, modulo 2**64."""
        spare = -self.row_size % 8
        if spare:
            flat = np.pad(flat, ((0, 0), (0, spare)))
        result: npt.NDArray[np.uint64] = np.einsum(
            "ij,j->i", np.ascontiguousarray(flat).view(np.uint64), self._keys
        )
        return result

    def _checked(self, rows: npt.ArrayLike) -> npt.NDArray[np.int64]:
        checked = np.asarray(rows, dtype=np.int64).reshape(-1)
        if checked.size and not (0 <= checked.min() and checked.max() < self.count):
            raise IndexError(f"rows must be in 0..{self.count - 1}")
        return checked

    def _flat(self, rows: npt.NDArray[Any]) -> Pixels:
        """Return valid rows as (n, row size)."""
        flat = np.empty((len(rows), self.row_size), np.uint8)
        for name, (start, stop) in self.splits.items():
            source = self._images[name].reshape(-1, self.row_size)
            mine = (rows >= start) & (rows < stop)
            flat[mine] = source[rows[mine] - start]
        return flat

    @cached_property
    def _keys(self) -> npt.NDArray[np.uint64]:
        words = -(-self.row_size // 8)
        return np.random.Generator(np.random.PCG64(0)).integers(0, 2**64, words, dtype=np.uint64)

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.intp]]:
        hashes = np.concatenate(
            [self.hashes(images.reshape(-1, self.row_size)) for images in self._images.values()]
        )
        order = np.argsort(hashes, kind="stable")
        return hashes[order], order


def identify(array: Any, pristine: Pristine) -> Identity | None:
    """Recognise the rows of ``array`` (NumPy, tensor, nested lists), or return None.

    The first axis counts rows unless the whole array is one row. Recognised whatever the order,
    repetition, float or integer type, added axes and flattening, if one table maps every pixel.
    A table that sends two pixel values to one needs 100 rows in order from the start of a split.
    """
    data = _as_numbers(array)
    if data is None:
        return None
    if data.size == pristine.row_size and data.shape[:1] != (1,):
        data = data[None]
    if not data.ndim or not 0 < len(data) <= MAX_ROWS or data[0].size != pristine.row_size:
        return None
    with np.errstate(all="ignore"):
        found = _search(data, pristine)
    return None if found is None else Identity(*found, data.shape[1:])


def identify_labels(labels: Any, rows: npt.ArrayLike, pristine: Pristine) -> Labels | None:
    """Say how ``labels`` are written and how many differ from the true labels of ``rows``.

    None when they are not one class for each row: another length, fractions, no single 1.
    """
    true = pristine.labels(rows)
    data = _as_numbers(labels)
    if data is None or not data.size or not len(true) or data.size % len(true):
        return None
    columns = data.size // len(true)
    if columns == 1:
        given = data.reshape(-1)
        if not np.array_equal(given, np.rint(given)):
            return None
        return Labels("sparse", pristine.classes, int((given != true).sum()))
    if data.shape != (len(true), columns):
        return None
    if not ((data == 0) | (data == 1)).all() or not (data.sum(axis=1) == 1).all():
        return None
    return Labels("one-hot", columns, int((data.argmax(axis=1) != true).sum()))


def runs(rows: npt.ArrayLike) -> RowsForm:
    """Return rows in their small JSON form; `rows_of` reads it back."""
    array = np.asarray(rows, dtype=np.int32).reshape(-1)
    starts, stops = _split_runs(array)
    if len(starts) <= MAX_RUNS:
        return [[int(start), int(stop)] for start, stop in zip(starts, stops, strict=True)]
    return base64.b64encode(array.astype("<i4").tobytes()).decode("ascii")


def rows_of(form: RowsForm) -> Rows:
    """Read what `runs` wrote; ValueError for anything else, so that hostile input may be given.

    The numbers are non-negative but not compared with any dataset; `Pristine` does that.
    """
    if isinstance(form, str):
        return _rows_of_base64(form)
    if not isinstance(form, list) or len(form) > MAX_RUNS:
        raise ValueError(f"rows must be base64 text or at most {MAX_RUNS} runs")
    for run in form:
        if not (isinstance(run, list) and len(run) == 2 and all(type(end) is int for end in run)):
            raise ValueError("a run of rows must be [start, stop] in integers")
        if not 0 <= run[0] < run[1] < 2**31:
            raise ValueError("a run of rows must have 0 <= start < stop < 2**31")
    if sum(stop - start for start, stop in form) > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows")
    parts = [np.arange(start, stop, dtype=np.int32) for start, stop in form]
    return np.concatenate([np.empty(0, np.int32), *parts])


def describe(rows: npt.ArrayLike, pristine: Pristine) -> str:
    """Return rows as people write them: ``train[0:54000] + test[0:100]``."""
    array = np.asarray(rows, dtype=np.int32).reshape(-1)
    parts, scattered = [], []
    for name, (start, stop) in pristine.splits.items():
        mine = array[(array >= start) & (array < stop)] - start
        different = len(np.unique(mine))
        if not different:
            continue
        if different == len(mine) == stop - start:
            scattered.append(f"{len(mine)} rows of {name} in another order")
        else:
            scattered.append(f"{len(mine)} rows of {name} ({different} of {stop - start})")
    for start, stop in zip(*_split_runs(array), strict=True):
        for name, (low, high) in pristine.splits.items():
            if start < high and stop > low:
                parts.append(f"{name}[{max(start, low) - low}:{min(stop, high) - low}]")
        if len(parts) > 4:
            return " + ".join(scattered)
    return " + ".join(parts) or "no rows"


def describe_table(table: npt.ArrayLike) -> str:
    """Return what was done to the pixel values: ``/255``, ``0–255``, ``/127.5 − 1`` or a range."""
    values = np.asarray(table, dtype=np.float32)
    pixels = np.flatnonzero(~np.isnan(values))
    values = values[pixels]
    for name, divisor, shift in _SCALINGS:
        if pixels.size and np.allclose(values, pixels / divisor - shift, rtol=1e-3, atol=1e-7):
            return name
    return f"{values.min():.4g} to {values.max():.4g}" if pixels.size else "no values"


def _as_numbers(array: Any) -> npt.NDArray[Any] | None:
    """Return integers or floats as an array; None for masked, complex, text, objects, no array."""
    if np.ma.is_masked(array):
        return None
    try:
        data = np.asarray(array)
    except (TypeError, ValueError, NotImplementedError):
        return None
    return data if data.dtype.kind in "uif" else None


def _search(data: npt.NDArray[Any], pristine: Pristine) -> tuple[Rows, Floats] | None:
    affine = _find_affine(data, pristine)
    found = _follow(data, pristine, affine) if affine else None
    if found or len(data) < _MANY:
        return found
    for start, _ in pristine.splits.values():
        found = _follow(data, pristine, start)
        if found is not None and np.unique(found[1][~np.isnan(found[1])]).size > 1:
            return found
    return None


@dataclass(frozen=True)
class _Affine:
    """Value = low + slope * (pixel - offset), or the same with 255 - pixel when inverted."""

    low: float
    slope: float
    offset: int

    def pixels(self, values: Floats) -> Pixels:
        scaled = (values - np.float32(self.low)) * np.float32(1 / self.slope)
        np.rint(scaled, out=scaled)
        scaled += np.float32(self.offset)
        return scaled.astype(np.uint8)


def _find_affine(data: npt.NDArray[Any], pristine: Pristine) -> _Affine | None:
    """Find an affine map under which the probe rows are rows of the dataset."""
    places = np.unique(np.linspace(0, len(data) - 1, _PROBE).astype(int))
    probe = data[places].reshape(len(places), -1).astype(np.float32)
    if not np.isfinite(probe).all():
        return None
    for low, slope in _candidates(probe):
        for offset in _offsets(probe[:1], low, slope, pristine):
            affine = _Affine(low, slope, offset)
            if pristine.find(pristine.hashes(affine.pixels(probe))).min() >= 0:
                return affine
    return None


def _candidates(probe: Floats) -> Iterator[tuple[float, float]]:
    """Yield (value of the lowest or, inverted, of the highest pixel, value of one step).

    The two are 1 to 255 steps apart; a number of steps will do when it puts every value near a
    whole step: only near, for float16 rounds by a tenth of a step.
    """
    values = np.unique(probe).astype(np.float64)
    low, width = float(values[0]), float(values[-1] - values[0])
    if not 2 <= len(values) <= 256:
        return
    for steps in range(len(values) - 1, 256):
        places = (values - low) * (steps / width)
        if np.abs(places - np.rint(places)).max() < _NEAR:
            yield low, width / steps
            yield low + width, -width / steps


def _offsets(row: Floats, low: float, slope: float, pristine: Pristine) -> list[int]:
    """Return the pixel values that ``low`` may stand for, judged by the first probe row.

    Adding a constant to every pixel adds a multiple of one hash, so all 256 are tried at once.
    """
    pixels = _Affine(low, slope, 0).pixels(row)
    room = np.arange(256 - int(pixels.max()), dtype=np.uint64)
    ones = pristine.hashes(np.ones_like(pixels))
    hashes = pristine.hashes(pixels) + room * ones
    return [int(offset) for offset in np.flatnonzero(pristine.find(hashes) >= 0)]


def _follow(
    data: npt.NDArray[Any], pristine: Pristine, guide: _Affine | int
) -> tuple[Rows, Floats] | None:
    """Walk through the array, guessing that rows follow each other; else look them up.

    Without an affine map the guide is the row to start from, and the order must hold throughout.
    """
    table = np.full(256, np.nan, np.float32)
    rows = np.empty(len(data), np.int32)
    following = guide if isinstance(guide, int) else -1
    for at in range(0, len(data), _CHUNK):
        values = data[at : at + _CHUNK].reshape(-1, pristine.row_size).astype(np.float32)
        guess: npt.NDArray[Any] | None = None
        if 0 <= following <= pristine.count - len(values):
            guess = np.arange(following, following + len(values))
            if not _explains(table, values, guess, pristine):
                guess = None
        if guess is None:
            if isinstance(guide, int):
                return None
            guess = pristine.find(pristine.hashes(guide.pixels(values)))
            if guess.min() < 0 or not _explains(table, values, guess, pristine):
                return None
        rows[at : at + len(values)] = guess
        following = int(guess[-1]) + 1
    return rows, table + np.float32(0)  # adding zero turns -0.0 into 0.0


def _explains(table: Floats, values: Floats, rows: npt.NDArray[Any], pristine: Pristine) -> bool:
    """Is every value what the table says of its row? Learns pixel values not seen before."""
    if len(rows) > 1 and not _explains(table.copy(), values[:1], rows[:1], pristine):
        return False
    pixels = pristine._flat(rows)
    different = table.take(pixels, mode="clip") != values
    if not different.any():
        return True
    pixels, values = pixels[different], values[different]
    learned = table.copy()
    unseen = np.isnan(table[pixels])
    learned[pixels[unseen]] = values[unseen]
    if not np.array_equal(learned[pixels], values) or np.isinf(values).any():
        return False
    table[:] = learned
    return True


def _split_runs(rows: Rows) -> tuple[list[int], list[int]]:
    """Return starts and stops of the maximal runs of consecutive rows."""
    if not rows.size:
        return [], []
    breaks = np.flatnonzero(np.diff(rows) != 1)
    lasts = rows[np.r_[breaks, rows.size - 1]].astype(np.int64)
    return rows[np.r_[0, breaks + 1]].tolist(), (lasts + 1).tolist()


def _rows_of_base64(form: str) -> Rows:
    if len(form) > 4 * -(-4 * MAX_ROWS // 3):
        raise ValueError(f"more than {MAX_ROWS} rows")
    try:
        data = base64.b64decode(form, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("rows are not base64") from error
    if len(data) % 4:
        raise ValueError("rows in base64 must be 4 bytes each")
    rows = np.frombuffer(data, "<i4").astype(np.int32)
    if rows.size and rows.min() < 0:
        raise ValueError("rows must not be negative")
    return rows
