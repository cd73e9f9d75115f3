"""What a model really does: accuracy and loss on pristine rows, in inference mode.

Accuracy is the share of rows whose arg-max is the label; loss the mean cross-entropy in nats.
Training-time numbers of Keras are running means over an epoch, with Dropout on: never the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from .. import wire
from ..dataset.identity import Pristine, rows_of
from .build import Built, RecipeError

BATCH = 1_000
MISTAKES = 24
SMALLEST = 1e-7  # Keras clips probabilities here before the logarithm


@dataclass(frozen=True)
class Feed:
    """How rows become a model's input: the notebook's own look-up table and row shape.

    Attributes:
        table: float32 of shape (256,); what each pixel value became. Values never seen are
            interpolated between those that were.
        row_shape: shape of one row as the model takes it.
    """

    table: np.ndarray
    row_shape: tuple[int, ...]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Feed:
        """Read `table` (256 numbers or None) and `row_shape` of a request.

        Raises:
            ValueError: no value of the table is a number.
        """
        table = np.array(
            [np.nan if value is None else value for value in message["table"]], np.float64
        )
        seen = np.flatnonzero(np.isfinite(table))
        if len(table) != 256 or not len(seen):
            raise ValueError("the look-up table needs 256 values, some of them numbers")
        table = np.interp(np.arange(256), seen, table[seen])
        return cls(table.astype(np.float32), tuple(int(size) for size in message["row_shape"]))

    def rows(self, pristine: Pristine, rows: np.ndarray) -> np.ndarray:
        """Return those rows as the model takes them, float32 of shape (n, *row_shape)."""
        return self.table[pristine.images(rows)].reshape(len(rows), *self.row_shape)


def probabilities(
    built: Built, feed: Feed, pristine: Pristine, rows: np.ndarray, logits: bool
) -> np.ndarray:
    """Return class probabilities, float32 of shape (n, classes), in inference mode.

    Outputs whose rows do not sum to 1 are taken for logits whatever the notebook's loss said.

    Raises:
        RecipeError: the outputs are no values of the dataset's classes, or are not finite.
    """
    model, labels = built.model, pristine.labels(rows)
    shape = tuple(model.output_shape[1:])
    if len(shape) != 1 or not labels.max() < shape[0] <= wire.MAX_CLASSES:
        raise RecipeError(
            f"the model's outputs, of shape {shape}, are no values of {labels.max() + 1} classes"
        )
    built.bear(len(rows))
    batch = built.most_rows(BATCH)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def infer(batch: Any) -> Any:
        result = tf.cast(model(batch, training=False), tf.float32)
        return tf.nn.softmax(result) if logits else result

    parts = [
        infer(feed.rows(pristine, rows[start : start + batch])).numpy()
        for start in range(0, len(rows), batch)
    ]
    result = np.concatenate(parts)
    del parts
    if not np.isfinite(result).all():
        raise RecipeError("the model's outputs are not finite numbers")
    if result.min() < 0 or not np.allclose(result.sum(axis=1), 1.0, atol=1e-3):
        result = tf.nn.softmax(result).numpy()
    return result


def accuracy_and_loss(predicted: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the share of right arg-maxes and the mean cross-entropy (nats)."""
    right = predicted.argmax(axis=1) == labels
    own = np.clip(predicted[np.arange(len(labels)), labels].astype(np.float64), SMALLEST, 1.0)
    return float(right.mean()), float(-np.log(own).mean())


def measure(
    built: Built, feed: Feed, pristine: Pristine, trained_on: Any, test: np.ndarray, logits: bool
) -> dict[str, Any]:
    """Measure a trained model: `evidence.Measurement` as JSON.

    Args:
        trained_on: compact row numbers of the rows that the fit trained on.
        test: row numbers of the test split.
    """
    train = rows_of(trained_on)
    train_accuracy, train_loss = accuracy_and_loss(
        probabilities(built, feed, pristine, train, logits), pristine.labels(train)
    )
    predicted, labels = probabilities(built, feed, pristine, test, logits), pristine.labels(test)
    test_accuracy, test_loss = accuracy_and_loss(predicted, labels)
    classes = predicted.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, predicted.argmax(axis=1)), 1)
    return {
        "train_accuracy": train_accuracy,
        "train_loss": train_loss,
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        "confusion": confusion.tolist(),
        "mistakes": _mistakes(predicted, labels, test),
        "parameters": int(
            sum(np.prod(variable.shape) for variable in built.model.trainable_variables)
        ),
    }


def _mistakes(predicted: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> list[dict[str, Any]]:
    chosen = predicted.argmax(axis=1)
    confidence = predicted.max(axis=1)
    wrong = np.flatnonzero(chosen != labels)
    worst: Sequence[int] = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES].tolist()
    return [
        {
            "row": int(rows[place]),
            "label": int(labels[place]),
            "predicted": int(chosen[place]),
            "confidence": min(1.0, round(float(confidence[place]), 6)),
        }
        for place in worst
    ]
