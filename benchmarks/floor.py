"""The arithmetic floor of one epoch: `python -m benchmarks.floor CORE UNITS…` prints JSON.

It must run before anything else has started threads: one core, one thread.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

THREADS = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3",
}  # fmt: skip
INPUTS, OUTPUTS, BATCH, ROWS = 784, 10, 32, 60_000
STEPS = math.ceil(ROWS / BATCH)
BYTES = 28  # Adam reads gradient, weight and two moments, and writes weight and moments
SAMPLE_S, SAMPLES = 0.05, 5


def products(units: tuple[int, ...]) -> Iterator[tuple[int, int, int, bool, bool]]:
    """Yield each product of a training step: rows, inner size, columns, which side is transposed.

    The first layer's inputs need no gradient.
    """
    for place, (inputs, outputs) in enumerate(pairwise((INPUTS, *units, OUTPUTS))):
        yield BATCH, inputs, outputs, False, False
        yield inputs, BATCH, outputs, True, False
        if place > 0:
            yield BATCH, outputs, inputs, False, True


def parameters(units: tuple[int, ...]) -> int:
    """Return the number of weights and biases."""
    return sum((first + 1) * second for first, second in pairwise((INPUTS, *units, OUTPUTS)))


def fastest(call: Callable[[], object]) -> float:
    """Return the seconds of one call: the best of some samples, each of many calls."""
    call()
    count, best = 1, math.inf
    for _ in range(SAMPLES):
        while True:
            began = time.perf_counter()
            for _ in range(count):
                call()
            took = time.perf_counter() - began
            if took >= SAMPLE_S:
                break
            count *= 2
        best = min(best, took / count)
    return best


def main(core: int, units: tuple[int, ...]) -> None:
    """Measure on one core and print seconds per epoch, with the rates behind them."""
    os.sched_setaffinity(0, {core})
    os.environ.update(THREADS)
    step_s = sum(_product(*shape) for shape in products(units))
    flops = sum(2 * rows * inner * columns for rows, inner, columns, *_ in products(units))
    count = parameters(units)
    rate = _bytes_per_second(count)
    found = {
        "gemm_s": step_s * STEPS,
        "gflops": flops / step_s / 1e9,
        "adam_s": BYTES * count / rate * STEPS,
        "gb_per_s": rate / 1e9,
    }
    print(json.dumps(found))


def _product(rows: int, inner: int, columns: int, first: bool, second: bool) -> float:
    """Return the seconds of one product by NumPy or TensorFlow, whichever is faster."""
    import numpy as np
    import tensorflow as tf

    draw = np.random.default_rng(0)
    a = draw.random((inner, rows) if first else (rows, inner), dtype=np.float32)
    b = draw.random((columns, inner) if second else (inner, columns), dtype=np.float32)
    left, right = (a.T if first else a), (b.T if second else b)
    into = np.empty((rows, columns), dtype=np.float32)
    x, y = tf.constant(a), tf.constant(b)

    def by_numpy() -> object:
        return np.matmul(left, right, out=into)

    def by_tensorflow() -> object:
        return tf.linalg.matmul(x, y, transpose_a=first, transpose_b=second)

    return min(fastest(by_numpy), fastest(by_tensorflow))


def _bytes_per_second(count: int) -> float:
    """Return the rate at which four arrays of this length are read and written."""
    import numpy as np

    arrays = [np.ones(count, dtype=np.float32) for _ in range(4)]

    def add() -> None:
        np.add(arrays[0], arrays[1], out=arrays[0])
        np.add(arrays[2], arrays[3], out=arrays[2])

    return 2 * 3 * 4 * count / fastest(add)


if __name__ == "__main__":
    main(int(sys.argv[1]), tuple(map(int, sys.argv[2:])))
