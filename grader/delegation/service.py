"""What was asked for, from memory or from a trainer: each thing is trained once, whoever asks.

A call blocks its own thread only. Calls for one key wait for the first; all others go on. A trainer
that dies is started again and its request repeated: that costs the running epoch and no more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from grader import wire
from grader.delegation.memory import Keys, Memory
from grader.delegation.turns import Turns
from grader.recipes import Data, Part, Plan, Recipe, State, Validation, plain
from grader.trainer import Busy, Refused, StoreFull, Trainer, TrainerFault

TRIES = 3
ELSEWHERE_S = 0.3  # between looks at what another controller's trainer is working on


@dataclass(frozen=True)
class Start:
    """Start values: the names of drawn weights (None where none were asked for), and a fresh
    optimizer's.
    """

    weights: str | None
    optimizer: str


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave.

    Attributes:
        metrics, validated: the metrics' variables, base64 each, in Keras's order.
        seconds: that it took, waiting for a trainer included; 0 when it was remembered.
    """

    state: State
    metrics: list[str]
    validated: list[str] | None
    seconds: float


@dataclass(frozen=True)
class Load:
    """What the trainers do right now, for those who watch.

    Attributes:
        working: what each busy trainer does: `epoch`, `validate`, `measure`, `start`.
        waiting: requests that wait for a trainer.
        trained: answers that were not in the memory, so far; `epochs` are epochs among them.
        seconds: that trainers computed for all of them.
    """

    working: tuple[str, ...] = ()
    waiting: int = 0
    trained: int = 0
    epochs: int = 0
    seconds: float = 0.0


@dataclass
class _Job:
    """One request on its way to a trainer."""

    request: dict[str, Any]
    blobs: tuple[bytes, ...]
    answer: Future[dict[str, Any]] = field(default_factory=Future)
    after: float = 0.0
    """Nobody takes it before this moment of the monotonic clock; 0: it may be taken."""

    @property
    def home(self) -> str:
        """Requests of one plan go to the trainer that has its model."""
        return str(self.request.get("plan_key", ""))


class Service:
    """Trainings for any number of runs; use it as a context manager.

    Args:
        open_trainer: makes the trainer of a slot; called when there is work for it.
        slots: how many trainers run at the same time: one for each core.
        dataset: its hash, part of every key.

    Attributes:
        turns: of runs and trainers that compute; one more than cores, for each also waits a bit.
    """

    def __init__(
        self, memory: Memory, open_trainer: Callable[[int], Trainer], slots: int, dataset: str
    ) -> None:
        self.memory, self.keys = memory, Keys(dataset)
        self.turns = Turns(slots + 1)
        self._open = open_trainer
        self._slots = slots
        self._changed = threading.Condition()
        self._waiting: list[_Job] = []
        self._threads: list[threading.Thread] = []
        self._idle: set[int] = set()
        self._homes: list[list[str]] = [[] for _ in range(slots)]
        self._running: dict[str, Future[dict[str, Any]]] = {}
        self._closed = False
        self._working: dict[int, str] = {}
        self._served: Counter[str] = Counter()
        self._spent_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if kind is not None and not issubclass(kind, Exception):
            return  # interrupted: the trainers end with this process, and nobody waits for them
        for thread in self._threads:
            thread.join()

    def start(self, plan: Plan, draws: Sequence[Part | None] | None) -> Start:
        """Draw start values, and name a fresh optimizer's.

        Raises:
            Refused, TrainerFault: it cannot be served; the trainers failed.
        """
        own = self.keys.plan(plan)
        drawn = None if draws is None else [draw and plain(draw) for draw in draws]
        made = self._made(
            self.keys.start(own, drawn),
            {"op": "start", "plan": plain(plan), "plan_key": own, "draws": drawn},
        )
        return Start(made["weights"], made["optimizer"])

    def epoch(
        self,
        plan: Plan,
        state: State,
        seed: int,
        validation: Validation | None = None,
        blobs: Sequence[bytes] = (),
    ) -> Epoch:
        """Train one epoch.

        Args:
            blobs: the bytes of `state`, needed only where no trainer made it.

        Raises:
            Refused, TrainerFault: it cannot be served; the trainers failed.
        """
        own = self.keys.plan(plan)
        key = self.keys.epoch(own, state, seed)
        request = {
            "op": "epoch", "plan": plain(plan), "plan_key": own,
            "state": plain(state), "seed": seed,
        }  # fmt: skip
        began = time.monotonic()
        known = self.memory.answer(key)
        made = known if known is not None else self._made(key, request, blobs)
        seconds = 0.0 if known is not None else time.monotonic() - began
        after = state.model_copy(
            update={name: made[name] for name in ("weights", "optimizer", "seeds")}
        )
        validated = None if validation is None else self.validate(plan, after, validation)
        return Epoch(after, made["metrics"], validated, seconds)

    def validate(self, plan: Plan, state: State, validation: Validation) -> list[str]:
        """Evaluate a state on some rows; return the metrics' variables.

        Raises:
            Refused, TrainerFault: it cannot be served; the trainers failed.
        """
        own = self.keys.plan(plan)
        request = {
            "op": "validate", "plan": plain(plan), "plan_key": own, "state": plain(state),
            "validation": plain(validation),
        }  # fmt: skip
        made = self._made(self.keys.validation(own, state.weights, validation), request)
        return list(made["metrics"])

    def measure(
        self,
        recipe: Recipe,
        data: Data,
        weights: str,
        test: str,
        from_logits: bool,
        blobs: Sequence[bytes] = (),
    ) -> dict[str, Any]:
        """Measure weights on the rows they were trained on and on the test split.

        Raises:
            Refused, TrainerFault: it cannot be served; the trainers failed.
        """
        request = {
            "op": "measure", "recipe": plain(recipe), "data": plain(data), "weights": weights,
            "test": test, "from_logits": from_logits,
        }  # fmt: skip
        key = self.keys.measure(recipe, weights, data, test, from_logits)
        return self._made(key, request, blobs)

    def info(self) -> dict[str, Any]:
        """Return the versions that the trainers run."""
        return self._asked(_Job({"op": "info"}, ()))

    @property
    def load(self) -> Load:
        """What the trainers do right now."""
        with self._changed:
            working = tuple(self._working.values())
            served = self._served
            return Load(working, len(self._waiting), served.total(), served["epoch"], self._spent_s)

    def _made(
        self, key: str, request: Mapping[str, Any], blobs: Sequence[bytes] = ()
    ) -> dict[str, Any]:
        """Return the answer of this key: remembered, on its way for somebody else, or made now."""
        while True:
            with self._changed:
                running = self._running.get(key)
                if running is None:
                    known = self.memory.answer(key)
                    if known is not None:
                        return known
                    self._running[key] = Future()
            if running is None:
                return self._trained(key, {**request, "key": key}, blobs)
            with _others_fault():
                return running.result()

    def _trained(self, key: str, request: dict[str, Any], blobs: Sequence[bytes]) -> dict[str, Any]:
        promise = self._running[key]
        try:
            made = self._asked(_Job(request, tuple(blobs)))
            promise.set_result(made)
            return made
        except BaseException as error:
            promise.set_exception(error)
            raise
        finally:
            with self._changed:
                del self._running[key]

    def _asked(self, job: _Job) -> dict[str, Any]:
        with self._changed:
            if self._closed:
                raise TrainerFault("the trainers were closed")
            self._waiting.append(job)
            if len(self._waiting) > len(self._idle) and len(self._threads) < self._slots:
                slot = len(self._threads)
                thread = threading.Thread(target=self._work, args=(slot,), daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()
        return job.answer.result()

    def _work(self, slot: int) -> None:
        trainer: Trainer | None = None
        try:
            while (found := self._next(slot)) is not None:
                with self._noted(slot, found):
                    trainer = self._serve(slot, trainer, found)
        finally:
            if trainer is not None:
                trainer.close()

    @contextmanager
    def _noted(self, slot: int, job: _Job) -> Iterator[None]:
        """Say what a trainer does, as long as it does."""
        with self._changed:
            self._working[slot] = str(job.request["op"])
        try:
            yield
        finally:
            with self._changed:
                del self._working[slot]

    def _next(self, slot: int) -> _Job | None:
        """Wait for work; None when there will be no more."""
        with self._changed:
            self._idle.add(slot)
            try:
                while True:
                    if self._closed:
                        for left in self._waiting:
                            left.answer.set_exception(TrainerFault("the trainers were closed"))
                        self._waiting.clear()
                        return None
                    job = self._choose(slot)
                    if job is not None:
                        self._waiting.remove(job)
                        homes = self._homes[slot]
                        homes[:] = [job.home, *(home for home in homes if home != job.home)][:4]
                        if self._waiting:
                            self._changed.notify_all()  # what was left to this one is anybody's
                        return job
                    self._changed.wait(self._rest_s())
            finally:
                self._idle.discard(slot)

    def _choose(self, slot: int) -> _Job | None:
        """Own plans first, then the oldest; what an idle trainer has at home is left to it."""
        now = time.monotonic()
        for job in self._waiting:
            if job.after <= now:
                job.after = 0.0
        ripe = [job for job in self._waiting if not job.after]
        for job in ripe:
            if job.home in self._homes[slot]:
                return job
        for job in ripe:
            if not any(job.home in self._homes[other] for other in self._idle - {slot}):
                return job
        return None

    def _rest_s(self) -> float | None:
        """Seconds until a request that waits becomes ripe; None: there is none."""
        later = [job.after for job in self._waiting if job.after]
        return max(0.0, min(later) - time.monotonic()) if later else None

    def _serve(self, slot: int, trainer: Trainer | None, job: _Job) -> Trainer | None:
        problem: Exception | None = None
        for _ in range(TRIES):
            try:
                with self.turns.taken():
                    if trainer is None:
                        trainer = self._open(slot)
                    began = time.monotonic()
                    made = trainer.ask(job.request, job.blobs)
                with self._changed:
                    self._served[str(job.request["op"])] += 1
                    self._spent_s += time.monotonic() - began
                job.answer.set_result(made)
                return trainer
            except Busy:
                self._later(job)
                return trainer
            except (Refused, StoreFull) as refused:
                job.answer.set_exception(refused)
                return trainer
            except Exception as fault:  # noqa: BLE001 - the thread's border: whoever asked is told
                problem = fault
                if trainer is not None:
                    trainer.close()
                trainer = None
        said = TrainerFault(f"{problem}")
        said.__cause__ = problem
        job.answer.set_exception(said)
        return trainer

    def _later(self, job: _Job) -> None:
        """Another controller on this machine trains it: look again in a while."""
        with self._changed:
            known = self.memory.answer(job.request["key"])
            if known is not None:
                job.answer.set_result(known)
            else:
                job.after = time.monotonic() + ELSEWHERE_S
                self._waiting.append(job)


@contextmanager
def _others_fault() -> Iterator[None]:
    """An exception of a shared answer, raised anew for each who waits."""
    try:
        yield
    except Refused as refused:
        raise Refused(str(refused)) from refused
    except StoreFull as full:
        raise StoreFull(full.errno, full.strerror, full.filename) from full
    except TrainerFault as fault:
        raise TrainerFault(str(fault)) from fault


def epoch_seed(plan: Plan, assignment_seed: int, epochs_done: int) -> int:
    """Return the seed of the next epoch's order: fresh in every epoch, unless the notebook seeded
    TensorFlow, which repeats one order (design.md, *Determinism*).
    """
    own = plan.training.tensorflow_seed
    return wire.epoch_seed(assignment_seed, epochs_done) if own is None else own
