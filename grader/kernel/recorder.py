"""The recorder: wraps Keras itself before the first cell and writes one plain record per event.

Nothing is found by variable name. Records are claims until the trainer has measured them: once
student code has started, everything in this process is hostile.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .. import wire
from ..dataset.identity import Pristine
from ..pipelines import untune
from . import figures, shell
from .after_import import AfterImport
from .chains import Chains
from .data import Look, claims, record, single_row
from .delegated import Evaluated, Made
from .epochs import Epochs
from .fits import FitWatch
from .guard import Guard
from .interrupts import held
from .line import Line, Lost
from .loops import AsCompiled, LoopWatch, Taped
from .nesting import Nesting
from .seeds import NoSeeds, Seeds
from .steps import larger_steps

FUNCTIONS = ("train_function", "test_function")
MOST_ALIKE = 500  # predictions of one model and shape in one cell; a loop over images has thousands


class Recorder:
    """Watches one kernel.

    Args:
        job: the run folder; records go to its `events.jsonl`, variables to its `variables/`.
        pristine: the dataset's rows, to recognise data by.
        seeds: what becomes of the kernel's generators.
        look: recognises data.
        door: where trainings are asked for; None to train here.
    """

    watch_fit: type[FitWatch] = FitWatch

    def __init__(
        self,
        job: Path,
        pristine: Pristine,
        seeds: Seeds | NoSeeds,
        look: Look,
        door: str | None = None,
    ) -> None:
        self.job, self.pristine = job, pristine
        self.seeds, self.look = seeds, look
        seeds.seeded = self._seeded
        self.line = Line(door)
        self.cell: int | None = None
        self.records = 0
        self.predicted: dict[tuple[Any, ...], int] = {}
        self.nested = Nesting()
        self.loop_noted: int | None = -1
        self.chains = Chains()
        self.guard = Guard()
        self.loops: dict[int, LoopWatch] = {}
        self.taped: Taped | None = None
        self.made: weakref.WeakKeyDictionary[Any, Made] = weakref.WeakKeyDictionary()
        self.epochs = Epochs()
        (job / wire.VARIABLES).mkdir(exist_ok=True)

    def install(self, ip: Any) -> None:
        """Start watching: cells, Keras and TensorFlow when they are imported, matplotlib."""
        imports = AfterImport()
        imports.when("tensorflow", self.seeds.watch_tensorflow)
        imports.when("keras", self._watch_keras)
        imports.when("matplotlib.backend_bases", self._watch_figures)
        self._prepare(ip)
        ip.events.register("pre_run_cell", self._begin_cell)
        ip.events.register("post_run_cell", lambda result: self.quietly(self._end_cell, ip.user_ns))

    def write(self, kind: str, **fields: Any) -> int:
        """Append one record; return its number."""
        self.records += 1
        return self.write_as(self.records, kind, **fields)

    def write_as(self, number: int, kind: str, **fields: Any) -> int:
        """Append one record under a number that was set aside for it; return the number."""
        wire.append_record(
            self.job / wire.EVENTS, {"kind": kind, "id": number, "cell": self.cell, **fields}
        )
        return number

    def set_aside(self) -> int:
        """Return a number for a record that is written later."""
        self.records += 1
        return self.records

    def _prepare(self, ip: Any) -> None:
        """Let the shell skip what cannot work behind the walls."""
        shell.install(ip, lambda what, detail: self.write("note", what=what, detail=detail))

    def _watch_figures(self, backend_bases: ModuleType) -> None:
        figures.watch(backend_bases, self._drawn, lambda image: single_row(image, self.pristine))

    def _begin_cell(self, info: Any) -> None:
        self.cell = self._cell_of(info)
        self.predicted.clear()
        self.nested.begin()
        self.seeds.begin_cell()

    def _cell_of(self, _info: Any) -> int | None:
        """The index of the cell that begins, which the driver has left in the run folder."""
        try:
            return int((self.job / wire.CELL).read_text())
        except (OSError, ValueError):
            return None

    def _end_cell(self, names: dict[str, Any]) -> None:
        self._end_loops()
        self.taped = None
        for replaced in self.guard.replaced(names):
            self.write("note", what=wire.TAMPERED, detail=replaced)

    def _end_loops(self) -> None:
        loops, self.loops = self.loops, {}
        for loop in loops.values():
            self.quietly(loop.finish)

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
        self._conduct()
        kinds = (keras.Model, keras.Sequential, keras.src.models.functional.Functional)
        wrapped = {"fit": self._fit, "evaluate": self._evaluate, "predict": self._predict}
        for name, wrapper in wrapped.items():
            original = getattr(TensorFlowTrainer, name)
            setattr(TensorFlowTrainer, name, _around(original, wrapper))
        keras.Model.__call__ = _around(keras.Model.__call__, self._call)
        keras.losses.Loss.__call__ = _around(keras.losses.Loss.__call__, self._loss)
        TensorFlowTrainer.train_on_batch = _around(TensorFlowTrainer.train_on_batch, self._batch)
        BaseOptimizer.apply = _around(BaseOptimizer.apply, self._own_loop)
        self.guard.watch(kinds, ("fit", "evaluate", "predict", "train_on_batch", "compile"))
        self.guard.watch((BaseOptimizer,), ("apply",))
        self.guard.watch((keras.callbacks.History, keras.callbacks.CallbackList), ("on_epoch_end",))
        self.seeds.reset()

    def _conduct(self) -> None:
        """Let trainings here be those of the trainer: its pipelines, its order of the rows."""
        untune()
        self.epochs.install()

    def _fit(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if self.nested:
            return self._aside(original, model, args, kwargs)
        with self.nested.inside():
            self._end_loops()
            try:
                fit = self.watch_fit(self, model, _bound(original, model, args, kwargs))
            except Exception as error:
                self.write("note", what="recorder", detail=f"fit: {error}"[:290])
                return original(model, *args, **kwargs)
            return fit.run(original, args, kwargs)

    def _aside(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        """Run what a callback calls for itself, unattended and with the model's own functions."""
        __tracebackhide__ = True
        attendant, self.epochs.attendant = self.epochs.attendant, None
        functions = {name: getattr(model, name, None) for name in FUNCTIONS}
        if attendant is not None:
            for name in FUNCTIONS:
                setattr(model, name, None)
        try:
            return original(model, *args, **kwargs)
        finally:
            self.epochs.attendant = attendant
            if attendant is not None:
                for name, function in functions.items():
                    setattr(model, name, function)

    def quietly(self, action: Callable[..., Any], *args: Any) -> None:
        """Run a part of the recorder; its faults must never break or change a student's cell."""
        with held():
            try:
                action(*args)
            except Exception as error:
                self.write("note", what="recorder", detail=f"{type(error).__name__}: {error}"[:290])

    def _batch(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        """Look at a batch of a loop; the loop becomes one record at the end of its cell."""
        __tracebackhide__ = True
        if self.nested:
            return self._aside(original, model, args, kwargs)
        with self.nested.inside():
            self.quietly(self._watched_batch, model, _bound(original, model, args, kwargs))
            return original(model, *args, **kwargs)

    def _watched_batch(self, model: Any, arguments: dict[str, Any]) -> None:
        x, y = arguments.get("x"), arguments.get("y")
        if not claims(x) or not claims(y):
            self._note_loop(model)
            return
        loop = self.loops.get(id(model))
        if loop is None or loop.model is not model:
            loop = self.loops[id(model)] = LoopWatch(self, model, x, y)
        loop.batch(x, y, arguments)

    def _own_loop(self, original: Callable[..., Any], thing: Any, args: Any, kwargs: Any) -> Any:
        """Look at a step that the notebook takes itself; note it where it was not seen whole."""
        __tracebackhide__ = True
        if self.nested:
            return original(thing, *args, **kwargs)
        with self.nested.inside():
            self.quietly(self._stepped, thing, _bound(original, thing, args, kwargs))
            return original(thing, *args, **kwargs)

    def _stepped(self, optimizer: Any, arguments: dict[str, Any]) -> None:
        step, self.taped = self.taped, None
        if step is None or step.loss is None or not claims(step.y):
            self._note_loop(optimizer)
            return
        given = arguments.get("trainable_variables")
        own = [id(one) for one in step.model.trainable_variables]
        if given is None or [id(one) for one in given] != own:
            self._note_loop(optimizer)
            return
        loop = self.loops.get(id(step.model))
        if loop is None or loop.model is not step.model:
            compiled = AsCompiled(step.model, optimizer, step.loss)
            loop = LoopWatch(self, step.model, step.x, step.y, compiled)
            self.loops[id(step.model)] = loop
        weighted = {"sample_weight": True} if step.weighted else {}
        loop.batch(step.x, step.y, weighted)

    def _loss(self, original: Callable[..., Any], loss: Any, args: Any, kwargs: Any) -> Any:
        """A loss under a tape belongs to the step that its model's call began."""
        __tracebackhide__ = True
        if not self.nested and self.taped is not None:
            arguments = _bound(original, loss, args, kwargs)
            self.taped.y, self.taped.loss = arguments.get("y_true"), loss
            self.taped.weighted = arguments.get("sample_weight") is not None
        return original(loss, *args, **kwargs)

    def _note_loop(self, thing: Any) -> None:
        if self.loop_noted != self.cell:
            self.loop_noted = self.cell
            self.write("note", what=wire.OWN_LOOP, detail=type(thing).__name__)

    def _evaluate(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if self.nested:
            if kwargs.get("_use_cached_eval_dataset"):  # the fit's own validation
                return original(model, *args, **kwargs)
            return self._aside(original, model, args, kwargs)
        with self.nested.inside():
            self._end_loops()
            arguments = _bound(original, model, args, kwargs)
            data = self.look.quietly_at(arguments.get("x"), arguments.get("y"))
            answered = self._answered(model, arguments, data)
            if answered is None:
                with self._larger_steps(model, arguments):
                    result = original(model, *args, **kwargs)
            else:
                self.epochs.attendant = answered
                try:
                    result = answered.run(original, arguments)
                finally:
                    self.epochs.attendant = None
            self.quietly(self._evaluated, model, data)
        return result

    def _larger_steps(self, model: Any, arguments: dict[str, Any]) -> AbstractContextManager[None]:
        return larger_steps(model, arguments, "test_function")

    def _answered(self, model: Any, arguments: dict[str, Any], data: Any) -> Evaluated | None:
        """Ask the trainer for an evaluation of weights that it made; None where Keras must."""
        fit = self.made.get(model)
        usual = all(arguments.get(name) is None for name in ("sample_weight", "steps", "callbacks"))
        known = isinstance(data, dict) and data["recognised"] and data["labels"] is not None
        if fit is None or not usual or not known or arguments.get("kwargs"):
            return None
        try:
            weights = fit.stands(model)
            size = arguments.get("batch_size") or 32
            answered = Evaluated(fit, model, {"data": data, "batch_size": size})
            if weights is None or not (claims(arguments["x"]) and claims(arguments["y"])):
                return None
            answered.ask(weights)
        except (Lost, LookupError, TypeError, ValueError):
            return None
        return answered

    def _evaluated(self, model: Any, data: Any) -> None:
        chain = self.chains.of(model)
        results = {name: wire.finite(value) for name, value in model.get_metrics_result().items()}
        self.write(
            "evaluate", chain=chain.id if chain else None, epochs=chain.epochs if chain else 0,
            data=record(data), results=results,
        )  # fmt: skip

    def _predict(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if self.nested:
            return self._aside(original, model, args, kwargs)
        with self.nested.inside():
            result = original(model, *args, **kwargs)
            self.quietly(
                self._predicted, model, _bound(original, model, args, kwargs).get("x"), result
            )
        return result

    def _call(self, original: Callable[..., Any], model: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if self.nested or not args or not claims(args[0]):
            return original(model, *args, **kwargs)
        from tensorflow.python.eager.record import could_possibly_record

        with self.nested.inside():
            result = original(model, *args, **kwargs)
            if could_possibly_record():
                self.taped = Taped(model, args[0])
            else:
                self.quietly(self._predicted, model, args[0], result)
        return result

    def _predicted(self, model: Any, x: Any, result: Any) -> None:
        self._end_loops()
        values = np.asarray(result)
        chain = self.chains.of(model)
        alike = (chain.id if chain else None, values.shape)
        self.predicted[alike] = self.predicted.get(alike, 0) + 1
        if self.predicted[alike] > MOST_ALIKE:
            if self.predicted[alike] == MOST_ALIKE + 1:
                self.write("note", what=wire.MORE, detail=f"predictions of shape {values.shape}")
            return
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
