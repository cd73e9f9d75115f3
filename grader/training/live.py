"""One training as it stands: the rebuilt model, compiled, its rows, and the state it is in.

The unit is one epoch. Under one TensorFlow seed six `fit(epochs=1)` equal one `fit(epochs=6)` byte
for byte, because Keras's shuffle restarts with each epoch's iterator
(keras/src/backend/tensorflow/trainer.py, `TFEpochIterator`).
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from .. import wire
from ..dataset.identity import Pristine, rows_of
from ..states import StateError, layout, name_of, packed, read_seeds, set_seeds, slots, unpack
from .build import Built, RecipeError, build, refusing
from .compiling import drawn, loss_of, metric_of, optimizer_of
from .measure import Feed

STEPS_PER_EXECUTION = 125
KEPT_ROWS = 3

Plan = Mapping[str, Any]


class Rows:
    """Images and labels by what they are, so that trainings on the same rows share them."""

    def __init__(self, pristine: Pristine) -> None:
        self.pristine = pristine
        self._kept: OrderedDict[str, tuple[Any, np.ndarray]] = OrderedDict()

    def of(self, data: Mapping[str, Any]) -> tuple[Any, np.ndarray]:
        """Return images (a resident tensor, float32) and labels as the notebook writes them.

        Raises:
            RecipeError: these are no rows of the dataset, or no labels of theirs.
        """
        name = repr([data[part] for part in ("rows", "table", "row_shape", "labels")])
        if name not in self._kept:
            while len(self._kept) >= KEPT_ROWS:
                self._kept.popitem(last=False)
            with refusing("the rows"):
                self._kept[name] = self._made(data)
        self._kept.move_to_end(name)
        return self._kept[name]

    def _made(self, data: Mapping[str, Any]) -> tuple[Any, np.ndarray]:
        rows = rows_of(data["rows"])
        images = tf.constant(Feed.of(data).rows(self.pristine, rows))
        labels: np.ndarray = self.pristine.labels(rows)
        said = data["labels"]
        if said.get("given") is not None:
            labels = np.frombuffer(base64.b64decode(said["given"], validate=True), np.uint8)
            if len(labels) != len(rows):
                raise ValueError(f"{len(labels)} labels for {len(rows)} rows")
        labels = labels.astype(np.int64)
        if said["kind"] == "one-hot":
            if not labels.max() < said["classes"] <= wire.MAX_CLASSES:
                raise ValueError(f"labels of {said['classes']} classes do not hold {labels.max()}")
            labels = np.eye(said["classes"], dtype=np.float32)[labels]
        return images, labels


class Live:
    """A compiled model, ready for its next epoch.

    Args:
        plan: `recipe`, `data` and `training` as the controller has validated them.

    Raises:
        RecipeError: the plan is not on the allow-list.
    """

    def __init__(self, plan: Plan, rows: Rows) -> None:
        training = plan["training"]
        self.built: Built = build(plan["recipe"])
        self.plan, self.rows = plan, rows
        self.weights, self.seeds = layout(self.built.layers)
        self.optimizer = optimizer_of(training["optimizer"])
        order = self._ordered(training.get("order"))
        with refusing("compile"):
            self.built.model.compile(
                optimizer=self.optimizer,
                loss=loss_of(training["loss"]),
                metrics=[metric_of(part) for part in training["metrics"]] or None,
                steps_per_execution=STEPS_PER_EXECUTION,
            )
            self.optimizer.build(order)
            self.slots, self.rate = slots(self.optimizer)
        self.state: tuple[str, str] = ("", "")

    def start(self, draws: Sequence[Mapping[str, Any] | None]) -> bytes:
        """Draw start values and return them as a state's bytes.

        Args:
            draws: how each of the weights is drawn, in their order; a None leaves it undrawn.

        Raises:
            RecipeError: there are more or fewer draws than weights, or one cannot be drawn.
        """
        if len(draws) != len(self.weights) or any(draw is None for draw in draws):
            raise RecipeError(f"{len(draws)} draws; this model has {len(self.weights)} variables")
        for variable, draw in zip(self.weights, draws, strict=True):
            assert draw is not None
            with refusing(f"initializer {draw['name']}"):
                variable.assign(drawn(draw, variable.shape))
        self.state = ("", "")
        return packed(self.weights)

    def into(
        self, weights: bytes | None, optimizer: bytes | None, state: Mapping[str, Any]
    ) -> None:
        """Bring the model into a state; bytes are needed only where it is in another one.

        Raises:
            StateError: the state is not this model's.
        """
        for place, (name, data, variables) in enumerate(
            (
                (state["weights"], weights, self.weights),
                (state["optimizer"], optimizer, self.slots),
            )
        ):
            if self.state[place] != name:
                if data is None:
                    raise StateError(f"the state {name[:12]} is not here")
                unpack(data, variables)
        self.state = (state["weights"], state["optimizer"])
        set_seeds(state["seeds"], self.seeds)
        if self.rate is not None:
            if state["learning_rate"] is None:
                raise StateError("a learning rate is needed: no schedule sets it")
            self.rate.assign(state["learning_rate"])

    def epoch(self, seed: int) -> dict[str, Any]:
        """Train one epoch; return the metrics' variables and the layers' generators after it."""
        training = self.plan["training"]
        images, labels = self.rows.of(self.plan["data"])
        weight = training.get("class_weight")
        self.state = ("", "")
        self.built.bear(len(labels), training["batch_size"])
        tf.random.set_seed(seed)
        with refusing("fit"):
            self.built.model.fit(
                images,
                labels,
                batch_size=training["batch_size"],
                epochs=1,
                shuffle=training["shuffle"],
                class_weight=dict(map(tuple, weight)) if weight else None,
                verbose=0,
            )
        return {"metrics": self._metrics(), "seeds": read_seeds(self.seeds)}

    def validate(self, data: Mapping[str, Any], batch_size: int) -> list[str]:
        """Evaluate on other rows; return the metrics' variables."""
        own = self.plan["data"]["labels"]
        if any(data["labels"][name] != own[name] for name in ("kind", "classes")):
            raise RecipeError("these labels are written in another way than those of the training")
        images, labels = self.rows.of(data)
        self.built.bear(len(labels), batch_size)
        with refusing("evaluate"):
            self.built.model.evaluate(images, labels, batch_size=batch_size, verbose=0)
        return self._metrics()

    def leave(self) -> tuple[bytes, bytes]:
        """Return the state's weights and optimizer as bytes, and remember being in it."""
        weights, optimizer = packed(self.weights), packed(self.slots)
        self.state = (name_of(weights), name_of(optimizer))
        return weights, optimizer

    def _metrics(self) -> list[str]:
        """Each metric variable's bytes; text, because a loss may be no number JSON knows."""
        values = [one.numpy() for one in self.built.model.metrics_variables]
        return [base64.b64encode(np.ascontiguousarray(one).tobytes()).decode() for one in values]

    def _ordered(self, order: Sequence[int] | None) -> list[Any]:
        """The trained variables in the order in which the notebook's optimizer has them."""
        trained = [one for one in self.weights if one.trainable]
        if order is None:
            return trained
        if sorted(order) != list(range(len(trained))):
            raise RecipeError("the order of the variables is no order")
        return [trained[place] for place in order]
