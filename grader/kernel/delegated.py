"""A fit that the trainer trains, one epoch at a time, inside Keras's own `fit`.

Keras's loop runs as it is, on the first batch of the data: its callbacks, logs and progress are its
own. Each epoch has one step, and that step asks the trainer, which answers with the metrics'
variables and the next state's name. Variables travel only when somebody may read them.
"""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..states import layout, name_of, packed, read_seeds, set_seeds, slots, unpack
from .epochs import Step
from .line import Line, Lost

# Callbacks of Keras that read no variable but the learning rate between epochs.
BLIND = ("CSVLogger", "History", "LearningRateScheduler", "ProgbarLogger", "ReduceLROnPlateau")


class Delegated:
    """One delegated fit.

    Args:
        line: to the controller.
        model: built, with its compiled parts.
        layers: of the recipe's nodes, in their order.
        arguments: those of `fit`, by name.
        plan: `recipe`, `data` and `training`.
        validation: `data` and `batch_size`; None where there is nothing to validate, or where only
            the kernel can.
        epochs_before: epochs that these variables were already trained.
        local_epoch: trains one epoch in the kernel; for when the trainer is lost on the way.
    """

    def __init__(
        self,
        line: Line,
        model: Any,
        layers: list[Any],
        arguments: Mapping[str, Any],
        plan: dict[str, Any],
        validation: dict[str, Any] | None,
        epochs_before: int,
        local_epoch: Callable[[int], None],
    ) -> None:
        self.line, self.model, self.arguments = line, model, arguments
        self.plan, self.validation, self.epochs_before = plan, validation, epochs_before
        self.local_epoch = local_epoch
        self.weights, self.seeds = layout(layers)
        self.slots, self.rate = slots(model.optimizer)
        self.number: int | None = None
        self.epochs = -1  # 0 from Keras's `reset` on
        self.lost: str | None = None
        self.learning_rates: list[float | None] = []
        self.kept: int | None = None
        self._names: list[str] = []  # of the weights after each epoch, the start's first
        self._iterators: list[Any] = []
        self._state: dict[str, Any] | None = None  # of the trainer; None when the kernel may differ
        self._held = 0  # epochs after which the variables here had the trainer's values
        self._validated: list[str] | None = None
        validates_here = validation is None and arguments.get("validation_data") is not None
        self._watched = validates_here or _may_read(arguments.get("callbacks"))

    def open(self) -> None:
        """Name the training to the controller.

        Raises:
            Lost: it will not be trained there.
        """
        self._state = self._here()
        self._names = [self._state["weights"]]
        request = {
            "op": "open", "plan": self.plan, "state": self._state, "before": self.epochs_before,
            "validation": self.validation,
        }  # fmt: skip
        self.number = int(self.line.ask(request)[0]["fit"])

    def run(self, original: Callable[..., Any]) -> Any:
        """Run Keras's `fit` over the trainer's epochs."""
        model, arguments = self.model, dict(self.arguments)
        first = arguments["batch_size"] or 32
        arguments["x"], arguments["y"] = arguments["x"][:first], arguments["y"][:first]
        if self.validation is not None:
            x, y = self._validation_arrays()
            arguments["validation_data"] = (x[:first], y[:first])
            arguments["validation_split"] = 0.0
        model.train_function = self._train
        model.test_function = None if self.validation is None else self._test
        try:
            return original(model, **_without(arguments, "self"))
        finally:
            model.train_function = model.test_function = None
            self._hold()
            self._close()

    def was_made(self, iterator: Any) -> None:
        """The first iterator is the training's, the second the validation's."""
        self._iterators.append(iterator)

    def was_reset(self, iterator: Any) -> None:
        """Say the number of batches of the real data, which Keras shows."""
        if iterator is self._iterators[0]:
            self.epochs = max(self.epochs, 0)
            iterator._num_batches = self._batches(self.plan["data"], self.arguments["batch_size"])
        elif self.validation is not None:
            size = self.validation["batch_size"]
            iterator._num_batches = self._batches(self.validation["data"], size)

    def epoch(self, iterator: Any) -> Iterator[Step] | None:
        """An epoch is one step."""
        if iterator is not self._iterators[0] and self.validation is None:
            return None
        return iter([(0, max(iterator._num_batches or 1, 1) - 1, None)])

    def _train(self, _: Any) -> Any:
        self.learning_rates.append(self._rate())
        try:
            if self.lost is None:
                self._asked()
        except Lost as lost:
            self._hold()
            self.lost = str(lost)
        if self.lost is not None:
            self.local_epoch(self.epochs)
        self.epochs += 1
        if self._watched:
            self._hold()
        return self.model.get_metrics_result()

    def _asked(self) -> None:
        if self._state is None or self._watched:
            self._state = self._here()
        self._state["learning_rate"] = self._rate()
        validates = self.validation is not None and self.model._should_eval(
            self._epoch_number(), self.arguments["validation_freq"]
        )
        request = {
            "op": "epoch", "fit": self.number, "state": self._state, "validate_after": validates,
        }  # fmt: skip
        answer, _ = self.line.ask(request)
        if "missing" in answer:
            blobs = {name_of(data): data for data in (packed(self.weights), packed(self.slots))}
            self.line.ask({"op": "put"}, [blobs[name] for name in answer["missing"]])
            answer, _ = self.line.ask(request)
            if "missing" in answer:
                raise Lost("the trainer did not take the variables")
        self._state, self._validated = answer["state"], answer["validated"]
        self._names.append(answer["state"]["weights"])
        set_seeds(answer["state"]["seeds"], self.seeds)
        set_metrics(self.model, answer["metrics"])

    def _test(self, _: Any) -> Any:
        if self._validated is None:
            raise RuntimeError("there is no validation to show")
        set_metrics(self.model, self._validated)
        return self.model.get_metrics_result()

    def _hold(self) -> None:
        """Give the variables here the values that they have after the epochs done so far."""
        if self._held >= self.epochs or self.lost is not None:
            return
        assert self._state is not None
        try:
            names = [self._state["weights"], self._state["optimizer"]]
            _, blobs = self.line.ask({"op": "fetch", "names": names})
            unpack(blobs[0], self.weights)
            unpack(blobs[1], self.slots)
        except (Lost, ValueError, IndexError) as lost:
            self._catch_up(str(lost))
        self._held = self.epochs

    def _catch_up(self, why: str) -> None:
        """Train here what the trainer had trained: the same epochs, under the same seeds."""
        self.lost = why
        rate = self._rate()
        for epoch in range(self._held, self.epochs):
            self._set_rate(self.learning_rates[epoch])
            self.model.reset_metrics()
            self.local_epoch(epoch)
        self._set_rate(rate)

    def _rate(self) -> float | None:
        return None if self.rate is None else float(self.rate.numpy())

    def _set_rate(self, value: float | None) -> None:
        if self.rate is not None and value is not None:
            self.rate.assign(value)

    def _here(self) -> dict[str, Any]:
        """The state that the variables here have."""
        return {
            "weights": name_of(packed(self.weights)),
            "optimizer": name_of(packed(self.slots)),
            "seeds": read_seeds(self.seeds),
            "learning_rate": self._rate(),
        }

    def _close(self) -> None:
        if self.lost is None and self.epochs > 0:
            assert self._state is not None
            weights = self._here()["weights"] if self._watched else self._state["weights"]
            places = [place for place, name in enumerate(self._names) if name == weights]
            self.kept = places[-1] if places else None
            with contextlib.suppress(Lost):
                self.line.ask({"op": "close", "fit": self.number, "weights": weights})

    @property
    def made(self) -> Made | None:
        """What is left of the fit when it is over, None where the trainer did not make it all."""
        if self.lost is not None or self.number is None or self.epochs < 1:
            return None
        return Made(
            self.line, self.number, self.weights, self.model._compile_config, frozenset(self._names)
        )

    def _validation_arrays(self) -> tuple[Any, Any]:
        given = self.arguments.get("validation_data")
        if given is not None:
            return given[0], given[1]
        return self.arguments["x"], self.arguments["y"]  # a split's rows look like the others

    def _epoch_number(self) -> int:
        return int(self.arguments["initial_epoch"] or 0) + self.epochs

    @staticmethod
    def _batches(data: Mapping[str, Any], size: int | None) -> int:
        return math.ceil(int(data["count"]) / (size or 32))


@dataclass(frozen=True)
class Made:
    """A delegated fit that is over.

    Attributes:
        number: the controller's; `names` of the weights that the trainer made in it.
        weights: the model's variables in node order.
        compiled: what the model was compiled with then.
    """

    line: Line
    number: int
    weights: list[Any]
    compiled: Any
    names: frozenset[str]

    def stands(self, model: Any) -> str | None:
        """Return the name of the weights now, None where no trainer made them in this fit."""
        if self.compiled is not model._compile_config:
            return None
        name = name_of(packed(self.weights))
        return name if name in self.names else None


class Evaluated:
    """A call of `evaluate` that the trainer answers, inside Keras's own `evaluate`.

    Args:
        fit: the delegated fit that made the model's weights.
        validation: `data` and `batch_size`.
    """

    def __init__(self, fit: Made, model: Any, validation: dict[str, Any]) -> None:
        self.fit, self.model, self.validation = fit, model, validation
        self._metrics: list[str] = []

    def ask(self, weights: str) -> None:
        """Ask for the metrics.

        Raises:
            Lost: they are not to be had; Keras itself then evaluates.
        """
        request = {
            "op": "evaluate", "fit": self.fit.number, "weights": weights,
            "validation": self.validation,
        }  # fmt: skip
        self._metrics = self.fit.line.ask(request)[0]["metrics"]

    def run(self, original: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Run Keras's `evaluate` over one step."""
        model, first = self.model, self.validation["batch_size"]
        small = {**arguments, "x": arguments["x"][:first], "y": arguments["y"][:first]}
        function, model.test_function = model.test_function, self._test
        try:
            return original(model, **_without(small, "self", "kwargs"))
        finally:
            model.test_function = function

    def was_made(self, iterator: Any) -> None:
        """There is one iterator only."""

    def was_reset(self, iterator: Any) -> None:
        """Say the number of batches of the real data, which Keras shows."""
        iterator._num_batches = math.ceil(
            self.validation["data"]["count"] / self.validation["batch_size"]
        )

    def epoch(self, iterator: Any) -> Iterator[Step] | None:
        """All rows are one step."""
        return iter([(0, max(iterator._num_batches, 1) - 1, None)])

    def _test(self, _: Any) -> Any:
        set_metrics(self.model, self._metrics)
        return self.model.get_metrics_result()


def set_metrics(model: Any, values: list[str]) -> None:
    """Give the metrics' variables these values (base64 of their bytes, in Keras's order)."""
    for variable, text in zip(model.metrics_variables, values, strict=True):
        kind = np.dtype(variable.dtype)
        value = np.frombuffer(base64.b64decode(text), kind).reshape(variable.shape)
        variable.assign(value)


def _may_read(callbacks: Any) -> bool:
    """Whether a callback may read or change variables between epochs."""
    given = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in given:
        kind = type(callback)
        blind = kind.__name__ in BLIND and kind.__module__.startswith("keras.src.callbacks")
        early = kind.__name__ == "EarlyStopping" and not callback.restore_best_weights
        if callback is not None and not blind and not early:
            return True
    return False


def _without(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key not in names}
