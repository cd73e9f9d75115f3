"""The recorder: wraps Keras itself before the first cell and writes one plain record per event.

Nothing is found by variable name. Records are claims until the trainer has measured them: once
student code has started, everything in this process is hostile.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .. import wire
from ..dataset.identity import Pristine
from . import figures, shell
from .after_import import AfterImport
from .chains import Chain, Chains, digest
from .data import Look, claims, record, single_row
from .epochs import Epochs, Training
from .recipes import NoRecipe, compiled_of, recipe_of
from .seeds import TENSORFLOW, Seeds

STEPS_PER_EXECUTION = 125


class Recorder:
    """Watches one kernel.

    Args:
        job: the run folder; records go to its `events.jsonl`, variables to its `variables/`.
        pristine: the dataset's rows, to recognise data by.
        seed: the assignment's seed.
    """

    def __init__(self, job: Path, pristine: Pristine, seed: int) -> None:
        self.job, self.pristine = job, pristine
        self.cell: int | None = None
        self.records = 0
        self.depth = 0
        self.loop_noted: int | None = -1
        self.chains = Chains()
        self.seeds = Seeds(seed, self._seeded)
        self.look = Look(pristine)
        self.epochs = Epochs(self.look.watch)
        (job / wire.VARIABLES).mkdir(exist_ok=True)

    def install(self, ip: Any) -> None:
        """Start watching: cells, Keras and TensorFlow when they are imported, matplotlib."""
        imports = AfterImport()
        imports.when("tensorflow", self.seeds.watch_tensorflow)
        imports.when("keras", self._watch_keras)
        imports.when(
            "matplotlib.backend_bases",
            lambda module: figures.watch(
                module, self._drawn, lambda image: single_row(image, self.pristine)
            ),
        )
        shell.install(ip, lambda what, detail: self.write("note", what=what, detail=detail))
        ip.events.register("pre_run_cell", self._begin_cell)

    def write(self, kind: str, **fields: Any) -> int:
        """Append one record; return its number."""
        self.records += 1
        wire.append_record(
            self.job / wire.EVENTS, {"kind": kind, "id": self.records, "cell": self.cell, **fields}
        )
        return self.records

    def _begin_cell(self, info: Any) -> None:
        try:
            self.cell = int((self.job / "cell").read_text())
        except (OSError, ValueError):
            self.cell = None
        self.seeds.begin_cell()

    def _seeded(self, generator: str) -> None:
        self.write("seed", generator=generator)

    def _drawn(self, axes: list[dict[str, Any]]) -> None:
        self.write("figure", axes=axes)

    def _watch_keras(self, keras: ModuleType) -> None:
        import tensorflow
        from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
        from keras.src.optimizers.base_optimizer import BaseOptimizer

        self.write(
            "runtime",
            keras=keras.__version__,
            tensorflow=tensorflow.__version__,
            backend=keras.backend.backend(),
        )
        self.seeds.derive_starts(keras)
        self.epochs.install()
        wrapped = {"fit": self._fit, "evaluate": self._evaluate, "predict": self._predict}
        for name, wrapper in wrapped.items():
            original = getattr(TensorFlowTrainer, name)
            setattr(TensorFlowTrainer, name, _around(original, wrapper))
        keras.Model.__call__ = _around(keras.Model.__call__, self._call)
        for home, name in ((TensorFlowTrainer, "train_on_batch"), (BaseOptimizer, "apply")):
            setattr(home, name, _around(getattr(home, name), self._own_loop))
        self.seeds.reset()

    @contextmanager
    def _inside(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def _fit(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if self.depth:
            return original(model, *args, **kwargs)
        fit = FitWatch(self, model, _bound(original, model, args, kwargs))
        with self._inside(), fit.larger_steps():
            _quietly(fit.build)
            self.epochs.training = fit.training
            error: str | None = None
            try:
                return original(model, *args, **kwargs)
            except BaseException as problem:
                error = type(problem).__name__
                raise
            finally:
                self.epochs.training = None
                _quietly(fit.finish, error)

    def _own_loop(self, original: Callable[..., Any], thing: Any, args: Any, kwargs: Any) -> Any:
        """Note, once for each cell, that the notebook trains step by step itself."""
        if self.depth:
            return original(thing, *args, **kwargs)
        if self.loop_noted != self.cell:
            self.loop_noted = self.cell
            self.write("note", what=wire.OWN_LOOP, detail=type(thing).__name__)
        with self._inside():
            return original(thing, *args, **kwargs)

    def _evaluate(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if self.depth:
            return original(model, *args, **kwargs)
        with self._inside():
            result = original(model, *args, **kwargs)
            _quietly(self._evaluated, model, _bound(original, model, args, kwargs))
        return result

    def _evaluated(self, model: Any, arguments: dict[str, Any]) -> None:
        chain = self.chains.of(model)
        results = {name: wire.finite(value) for name, value in model.get_metrics_result().items()}
        data = record(self.look.at(arguments.get("x"), arguments.get("y")))
        self.write(
            "evaluate", chain=chain.id if chain else None, epochs=chain.epochs if chain else 0,
            data=data, results=results,
        )  # fmt: skip

    def _predict(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if self.depth:
            return original(model, *args, **kwargs)
        with self._inside():
            result = original(model, *args, **kwargs)
            _quietly(self._predicted, model, _bound(original, model, args, kwargs).get("x"), result)
        return result

    def _call(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        if self.depth or not args or not claims(args[0]):
            return original(model, *args, **kwargs)
        with self._inside():
            result = original(model, *args, **kwargs)
            _quietly(self._predicted, model, args[0], result)
        return result

    def _predicted(self, model: Any, x: Any, result: Any) -> None:
        values = np.asarray(result)
        chain = self.chains.of(model)
        fields: dict[str, Any] = {"shape": list(values.shape[:4]), "row_sum": None, "argmax": []}
        if values.ndim == 2 and values.size and np.isfinite(values).all():
            sums = values.sum(axis=1, dtype=np.float64)
            fields["row_sum"] = [float(sums.min()), float(sums.max())]
            fields["argmax"] = [int(place) for place in values[:64].argmax(axis=1)]
        self.write(
            "predict",
            chain=chain.id if chain else None,
            data=record(self.look.at(x, None)),
            **fields,
        )


class FitWatch:
    """One `fit` from its call to its end."""

    def __init__(self, recorder: Recorder, model: Any, arguments: dict[str, Any]) -> None:
        self.recorder, self.model, self.arguments = recorder, model, arguments
        self.began = time.monotonic()
        self.chain: Chain | None = None
        self.given = False
        self.before: str | None = None
        self.number = recorder.records + 1
        known = recorder.chains.of(model) if model.built else None
        unseeded = TENSORFLOW not in recorder.seeds.by_notebook
        self.training = Training(
            known.epochs if known else 0, recorder.seeds.seed if unseeded else None, self.start
        )
        self.data = recorder.look.at(
            arguments.get("x"), arguments.get("y"), arguments.get("validation_split")
        )

    def start(self) -> None:
        """Keep the start variables: the model is built and no step has run."""
        _quietly(self._start)

    def build(self) -> None:
        """Build an unbuilt model from two rows, as its first step would, to see its start.

        `Trainer._symbolic_build` runs no step and draws nothing that the step would not draw.
        """
        x: Any = self.arguments.get("x")
        y: Any = self.arguments.get("y")
        if not self.model.built and claims(x) and claims(y):
            self.model._symbolic_build(data_batch=(x[:2], y[:2], None))

    def _start(self) -> None:
        if not self.model.trainable_variables:
            return  # built by its first step only; `finish` then begins the chain
        known = self.recorder.chains.of(self.model)
        self.given = known is not None and known.digest != digest(self.model)
        self.chain = self.recorder.chains.start(self.model, self.number)
        self.before = self._save("before")

    @contextmanager
    def larger_steps(self) -> Iterator[None]:
        """Run many steps per call where no callback looks between them; results stay equal."""
        model, steps = self.model, getattr(self.model, "steps_per_execution", None)
        if (
            steps != 1
            or getattr(model, "run_eagerly", True)
            or _looks_at_batches(self.arguments.get("callbacks"))
        ):
            yield
            return
        model.steps_per_execution = STEPS_PER_EXECUTION
        model.train_function = model.test_function = None
        try:
            yield
        finally:
            model.steps_per_execution = steps
            model.train_function = model.test_function = None

    def finish(self, error: str | None) -> None:
        """Write the record."""
        history = getattr(self.model, "history", None)
        began = self.training.epochs > 0
        ran = len(history.epoch) if began and history is not None else 0
        if began and self.chain is None and self.model.trainable_variables:
            self.chain = self.recorder.chains.start(self.model, self.number)
        if self.chain is not None:
            self.chain.epochs += ran
            self.chain.digest = digest(self.model)
        recipe, reason = None, None
        try:
            recipe = recipe_of(self.model)
        except NoRecipe as problem:
            reason = str(problem)
        asked = self.arguments.get("epochs", 1) - self.arguments.get("initial_epoch", 0)
        number = self.recorder.write(
            "fit",
            chain=self.chain.id if self.chain else self.number,
            how="fit",
            model=type(self.model).__name__,
            recipe=recipe,
            reason=reason,
            compiled=compiled_of(self.model),
            data=record(self.data),
            validation=self._validation(),
            validation_split=float(self.arguments.get("validation_split") or 0.0),
            batch_size=self.arguments.get("batch_size"),
            epochs_before=self.training.epochs_before,
            epochs_asked=max(int(asked), 0),
            epochs_run=ran,
            stopped=bool(self.model.stop_training) and ran < asked,
            history=_history(history) if ran else {},
            before=self.before,
            after=self._save("after") if self.chain is not None else None,
            given=self.given,
            seeded=sorted(self.recorder.seeds.by_notebook),
            seconds=round(time.monotonic() - self.began, 3),
            error=error,
        )
        assert number == self.number

    def _validation(self) -> Any:
        given = self.arguments.get("validation_data")
        if not isinstance(given, tuple | list) or len(given) < 2:
            return None
        return record(self.recorder.look.at(given[0], given[1]))

    def _save(self, moment: str) -> str | None:
        arrays: dict[str, Any] = {
            f"v{place}": np.asarray(variable.numpy())
            for place, variable in enumerate(self.model.variables)
        }
        if sum(array.nbytes for array in arrays.values()) > wire.MAX_BLOB_BYTES:
            return None
        name = f"{self.number}-{moment}.npz"
        np.savez(self.recorder.job / wire.VARIABLES / name, **arrays)
        return name


def _around(original: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return wrapper(original, self, args, kwargs)

    return method


def _bound(original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Arguments by name; empty when they do not fit (Keras itself then says so)."""
    try:
        bound = inspect.signature(original).bind(model, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    return dict(bound.arguments)


def _looks_at_batches(callbacks: Any) -> bool:
    from keras.callbacks import Callback

    if callbacks is None:
        return False
    names = (
        "on_batch_begin",
        "on_batch_end",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_batch_begin",
        "on_test_batch_end",
    )
    given = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return any(
        getattr(type(callback), name, None) is not getattr(Callback, name)
        for callback in given
        for name in names
    )


def _history(history: Any) -> dict[str, list[float | None]]:
    return {
        str(name)[:300]: [wire.finite(value) for value in values][:10_000]
        for name, values in history.history.items()
    }


def _quietly(action: Callable[..., Any], *args: Any) -> None:
    """Run a part of the recorder; its faults must never break or change a student's cell."""
    try:
        action(*args)
    except Exception as error:
        recorder = getattr(action, "__self__", None)
        recorder = getattr(recorder, "recorder", recorder)
        if isinstance(recorder, Recorder):
            recorder.write(
                "note", what="recorder", detail=f"{type(error).__name__}: {str(error)[:250]}"
            )
