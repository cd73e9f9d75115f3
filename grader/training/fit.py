"""Training in the regime in which grading trains: one epoch at a time, each under its own seed.

With one TensorFlow seed Keras repeats the same order of the rows in every epoch, because the
shuffle restarts with each epoch's iterator (keras/src/backend/tensorflow/trainer.py,
`TFEpochIterator`). So every epoch trains under `wire.epoch_seed`; `repeated` keeps Keras's way.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .. import wire
from ..dataset.identity import Pristine, rows_of
from .build import Built, build
from .measure import Feed

STEPS_PER_EXECUTION = 125
OPTIMIZERS = ("adam", "adamw", "adamax", "nadam", "sgd", "rmsprop", "adagrad", "adadelta")
LOSSES = ("sparse_categorical_crossentropy", "categorical_crossentropy")


def train(request: Mapping[str, Any], pristine: Pristine) -> Iterator[tuple[int, Built]]:
    """Train a recipe from fresh start variables; yields after each epoch, counted from 1.

    Args:
        request: `recipe`, `seed`, `rows` (compact), `table`, `row_shape`, `optimizer`, `loss`,
            `from_logits`, `batch_size`, `epochs`, `validation_split`, `order` (`fresh` in every
            epoch, or `repeated` as Keras does under one seed).

    Raises:
        RecipeError, ValueError: the request is not on the allow-list.
    """
    if request["optimizer"] not in OPTIMIZERS or request["loss"] not in LOSSES:
        raise ValueError(
            f"{request['optimizer']!r} with {request['loss']!r} is not on the allow-list"
        )
    seed = int(request["seed"])
    random.seed(seed)  # Dropout draws its seed from Python's generator
    tf.random.set_seed(seed)
    built = build(request["recipe"], seed)
    sparse = request["loss"].startswith("sparse")
    maker = (
        keras.losses.SparseCategoricalCrossentropy
        if sparse
        else keras.losses.CategoricalCrossentropy
    )
    built.model.compile(
        optimizer=request["optimizer"],
        loss=maker(from_logits=bool(request["from_logits"])),
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    rows = rows_of(request["rows"])
    images = Feed.of(request).rows(pristine, rows)
    labels: np.ndarray = pristine.labels(rows).astype(np.int64)
    if not sparse:
        labels = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    for epoch in range(int(request["epochs"])):
        if request["order"] == "fresh":
            tf.random.set_seed(wire.epoch_seed(seed, epoch))
        built.model.fit(
            images,
            labels,
            batch_size=int(request["batch_size"]),
            validation_split=float(request["validation_split"]),
            epochs=1,
            verbose=0,
        )
        yield epoch + 1, built
