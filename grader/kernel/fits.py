"""One `fit` from its call to its end: delegated where that is exact, else trained in the kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import wire
from ..states import layout, packed, read_seeds, slots
from .chains import Chain, digest
from .data import claims, record
from .delegated import Delegated
from .epochs import LocalEpochs
from .line import Lost
from .plans import training_of, why_not_exact
from .recipes import NoRecipe, compiled_of, recipe_of, why_unsaid
from .seeds import TENSORFLOW, EpochSeed
from .steps import larger_steps, looks_at_batches

if TYPE_CHECKING:
    from .recorder import Recorder

SYMBOLIC_NAMES = ("keras_tensor", "scratch_graph")


class FitWatch:
    """One running fit.

    Args:
        arguments: those of `fit`, by name; empty when they did not fit.
    """

    def __init__(self, recorder: Recorder, model: Any, arguments: dict[str, Any]) -> None:
        self.recorder, self.model, self.arguments = recorder, model, arguments
        self.began = time.monotonic()
        self.number = recorder.set_aside()
        self.chain: Chain | None = None
        self.given = False
        self.files: dict[str, str | None] = {"before": None, "after": None}
        self.learning_rates: list[float | None] = []
        self.digests: list[str] = []
        self.steps_before = _steps(model)
        self.seeds_before: list[list[int]] = []
        self.recipe: dict[str, Any] | None = None
        self.layers: list[Any] = []
        self.training: dict[str, Any] | None = None
        self.reason: str | None = None
        self.unsaid: str | None = None
        self.local: str | None = None
        self.delegated: Delegated | None = None
        known = recorder.chains.of(model) if model.built else None
        self.epochs_before = known.epochs if known else 0
        own = TENSORFLOW in recorder.seeds.by_notebook
        self.order_seed = None if own else recorder.seeds.seed
        self.tensorflow_seed = recorder.seeds.tensorflow_seed() if own else None
        self.data = recorder.look.quietly_at(
            arguments.get("x"), arguments.get("y"), arguments.get("validation_split"), watched=True
        )
        self.validation = self._validation()

    def run(self, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Train, and write the record whatever happens."""
        __tracebackhide__ = True
        error: str | None = None
        try:
            if self._delegates():
                assert self.delegated is not None
                self.recorder.epochs.attendant = self.delegated
                return self.delegated.run(original)
            attendant = LocalEpochs(
                self.epochs_before,
                self.order_seed,
                self.recorder.look.watch,
                lambda: self.recorder.quietly(self._start),
                self._epoch_begins,
            )
            self.recorder.epochs.attendant = attendant
            with larger_steps(self.model, self.arguments, "train_function", "test_function"):
                return original(self.model, *args, **kwargs)
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            attended = self.recorder.epochs.attendant
            self.recorder.epochs.attendant = None
            self.recorder.quietly(self._finish, getattr(attended, "epochs", -1), error)

    def _delegates(self) -> bool:
        """Plan the training; whatever goes wrong on the way, Keras's own `fit` runs."""
        try:
            self._build()
            self.local = self._why_local()
            if self.local is None:
                self._open()
        except Lost as lost:
            self.local = str(lost)
        except Exception as problem:  # Keras will say it better
            self.local = f"{type(problem).__name__}: {problem}"[:250]
        return self.local is None

    def _build(self) -> None:
        """Build what is not built yet from the first batch, as the first step would."""
        x: Any = self.arguments.get("x")
        y: Any = self.arguments.get("y")
        if not (claims(x) and claims(y)) or not getattr(self.model, "compiled", False):
            return
        first = self.arguments.get("batch_size") or 32
        built = self.model.built
        counters = name_counters()
        before = {name: counters.get(name, 0) for name in SYMBOLIC_NAMES}
        self.model._symbolic_build(data_batch=(x[:first], y[:first], None))
        if built:
            counters.update(before)  # of what only this look has made

    def _why_local(self) -> str | None:
        """Plan the training; return why it is not delegated, None when it can be."""
        if not self.model.built:
            return "the model is built by its first step"
        self.recipe, self.layers = self._read()
        if self.recipe is None:
            return self.reason
        weights, seeds = layout(self.layers)
        self.seeds_before = read_seeds(seeds)
        self.unsaid = why_unsaid(self.layers)
        if self.unsaid is None:
            try:
                self.training = training_of(
                    self.model, weights, self.arguments, self.recorder.seeds.draws()
                ) | {"tensorflow_seed": self.tensorflow_seed}
            except NoRecipe as problem:
                self.unsaid = str(problem)[:250]
        return self.unsaid or self._why_here(weights)

    def _why_here(self, weights: list[Any]) -> str | None:
        if any(node["custom"] for node in self.recipe["nodes"]):  # type: ignore[index]
            return "the model has parts of its own"
        if not isinstance(self.data, dict) or not self.data["recognised"]:
            return "the rows were not recognised"
        if self.data["labels"] is None:
            return "the labels were not recognised"
        if looks_at_batches(self.arguments.get("callbacks")):
            return "a callback looks at every batch"
        own, _ = slots(self.model.optimizer)
        for variables in (weights, own):
            if sum(int(np.prod(one.shape)) * 8 for one in variables) > wire.MAX_BLOB_BYTES * 2:
                return "the model is too large"
        return why_not_exact(self.model)

    def _read(self) -> tuple[dict[str, Any] | None, list[Any]]:
        try:
            return recipe_of(self.model)
        except NoRecipe as problem:
            self.reason = str(problem)[:250]
            return None, []

    def _open(self) -> None:
        own = self.validation
        validation = None
        if own is not None and own["recognised"] and own["labels"] is not None:
            size = self.arguments.get("validation_batch_size") or self.arguments.get("batch_size")
            validation = {"data": own, "batch_size": size or 32}
        plan = {"recipe": self.recipe, "data": self.data, "training": self.training}
        delegated = Delegated(
            self.recorder.line, self.model, self.layers, self.arguments, plan, validation,
            self.epochs_before, self._local_epoch,
        )  # fmt: skip
        delegated.open()
        self._begin_chain()
        self.delegated = delegated

    def _local_epoch(self, epoch: int) -> None:
        """Train one epoch here, on the real data."""
        from keras.src.backend.tensorflow.trainer import TFEpochIterator

        x, y = self.arguments["x"], self.arguments["y"]
        count = self.data["count"]
        attendant, self.recorder.epochs.attendant = self.recorder.epochs.attendant, None
        try:
            with _seeded(self.order_seed, self.epochs_before + epoch):
                iterator = TFEpochIterator(
                    x=x[:count], y=y[:count], batch_size=self.arguments["batch_size"],
                    shuffle=self.arguments["shuffle"],
                    class_weight=self.arguments["class_weight"],
                    distribute_strategy=self.model.distribute_strategy,
                )  # fmt: skip
            iterator.reset()
            train = self.model._make_function(self.model.train_step)
            with iterator.catch_stop_iteration():
                for *_, batches in iterator:
                    train(batches)
        finally:
            self.recorder.epochs.attendant = attendant

    def _start(self) -> None:
        """Keep the start variables of a local fit: the model is built and no step has run."""
        if not self.model.trainable_variables:
            return  # built by its first step only; `finish` then begins the chain
        self._begin_chain()
        if self.recipe is None:
            self.recipe, self.layers = self._read()
        self._save("before")

    def _begin_chain(self) -> None:
        known = self.recorder.chains.of(self.model)
        self.given = known is not None and known.digest != digest(self.model)
        self.chain = self.recorder.chains.start(self.model, self.number)

    def _epoch_begins(self) -> None:
        _, rate = slots(self.model.optimizer)
        self.learning_rates.append(None if rate is None else float(rate.numpy()))
        self.digests.append(digest(self.model))

    def _kept(self, epochs: int) -> int | None:
        """Epochs after which the weights were those of the end; a callback may restore the best."""
        if self.delegated is not None:
            return self.delegated.kept
        if self.chain is None or not self.digests:
            return None
        later = [place for place, one in enumerate(self.digests) if one == self.chain.digest]
        return later[-1] if later else epochs

    def _finish(self, epochs: int, error: str | None) -> None:
        """Write the record."""
        history = getattr(self.model, "history", None)
        began = epochs > 0
        ran = len(history.epoch) if began and history is not None else 0
        if began and self.chain is None and self.model.trainable_variables:
            self.chain = self.recorder.chains.start(self.model, self.number)
        if self.chain is not None:
            self.chain.epochs += ran
            self.chain.digest = digest(self.model)
        if self.recipe is None:
            self.recipe, self.layers = self._read()
        made = self.delegated.made if self.delegated is not None else None
        if made is not None:
            self.recorder.made[self.model] = made
        data = record(self.data)
        self._hand_over(data)
        asked = self.arguments.get("epochs", 1) - self.arguments.get("initial_epoch", 0)
        delegated = self.delegated
        self.recorder.write_as(
            self.number,
            "fit",
            chain=self.chain.id if self.chain else self.number,
            how="fit",
            model=type(self.model).__name__,
            recipe=self.recipe,
            reason=self.reason,
            compiled=compiled_of(self.model),
            data=data,
            validation=self.validation,
            validation_split=float(self.arguments.get("validation_split") or 0.0),
            batch_size=self.arguments.get("batch_size"),
            epochs_before=self.epochs_before,
            epochs_asked=max(int(asked), 0),
            epochs_run=ran,
            stopped=bool(self.model.stop_training) and ran < asked,
            history=_history(history) if ran else {},
            **self.files,
            training=self.training,
            unsaid=self.unsaid,
            local=self.local if delegated is None else delegated.lost,
            delegated=None if delegated is None else delegated.number,
            seeds=self.seeds_before,
            learning_rates=(delegated or self).learning_rates[:10_000],
            steps_before=self.steps_before,
            kept=self._kept(ran),
            given=self.given,
            seeded=sorted(self.recorder.seeds.by_notebook),
            seconds=round(time.monotonic() - self.began, 3),
            error=error,
        )

    def _hand_over(self, data: dict[str, Any]) -> None:
        """Leave what the trainer needs to measure and to repeat a local fit."""
        if self.delegated is None and self.chain is not None:
            self._save("after")
        if self.training is None and self.unsaid is None:
            self._say_late(data)

    def _say_late(self, data: dict[str, Any]) -> None:
        """Say the training of a model that its first step built, or of rows from a stream."""
        self.unsaid = why_unsaid(self.layers)
        if self.unsaid is not None or self.recipe is None:
            return
        weights, seeds = layout(self.layers)
        self.seeds_before = self.seeds_before or read_seeds(seeds)
        arguments = dict(self.arguments)
        if data.get("batch_size"):
            arguments |= {"batch_size": data["batch_size"], "steps_per_epoch": None}
        try:
            self.training = training_of(
                self.model, weights, arguments, self.recorder.seeds.draws()
            ) | {"tensorflow_seed": self.tensorflow_seed}
        except NoRecipe as problem:
            self.unsaid = str(problem)[:250]

    def _validation(self) -> dict[str, Any] | None:
        given = self.arguments.get("validation_data")
        if isinstance(given, tuple | list) and len(given) == 2:
            found: dict[str, Any] = record(self.recorder.look.quietly_at(given[0], given[1]))
            return found
        share = self.arguments.get("validation_split")
        if given is None and share and isinstance(self.data, dict):
            kept = self.data["count"]
            x, y = self.arguments["x"], self.arguments["y"]
            if not (claims(x) and claims(y)):
                return None
            found = record(self.recorder.look.quietly_at(x[kept:], y[kept:]))
            return found
        return None

    def _save(self, moment: str) -> None:
        """Hand the variables over, for the trainer to measure what the notebook claims."""
        if self.recipe is None or any(node["custom"] for node in self.recipe["nodes"]):
            return
        data = packed(layout(self.layers)[0])
        if len(data) > wire.MAX_BLOB_BYTES:
            return
        name = f"{self.number}-{moment}"
        Path(self.recorder.job, wire.VARIABLES, name).write_bytes(data)
        self.files[moment] = name


@contextmanager
def _seeded(seed: int | None, epochs_done: int) -> Iterator[None]:
    if seed is None:
        yield
        return
    with EpochSeed(wire.epoch_seed(seed, epochs_done)):
        yield


def _steps(model: Any) -> int:
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return 0 if iterations is None else int(iterations.numpy())


def name_counters() -> dict[str, int]:
    from keras.src.backend.common import global_state

    counters: dict[str, int] | None = global_state.get_global_attribute("object_name_uids")
    return {} if counters is None else counters


def _history(history: Any) -> dict[str, list[float | None]]:
    return {
        str(name)[:300]: [wire.finite(value) for value in values][:10_000]
        for name, values in history.history.items()
    }
