"""What one run was given and what it brought itself: the record that points rest on.

A state that a trainer made for this run, recognised by its name (the SHA-256 of its bytes), is
*made*; every other one is *given*: training goes on from it, but the chain is then a claim.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from grader.delegation.service import Epoch, Service, epoch_seed
from grader.recipes import Plan, State, Validation

MOST_FITS = 500
MOST_UPLOAD_BYTES = 150_000_000


class Unserved(Exception):
    """The run asked for what it cannot have; the message says why."""


class Missing(Exception):
    """The bytes of these states are needed first."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("upload " + ", ".join(name[:12] for name in names))
        self.names = names


@dataclass
class Budget:
    """Seconds of training, and of waiting for it, that one fit and one run may take.

    Attributes:
        spent_s: what the run has taken so far, evaluations and failures included.
    """

    fit_s: float
    run_s: float
    spent_s: float = 0.0

    def ask(self) -> None:
        """Ask whether something is left.

        Raises:
            Unserved: nothing is.
        """
        if self.spent_s > self.run_s:
            raise Unserved(f"this notebook's trainings took more than {self.run_s:.0f} s")

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count what is done inside.

        Raises:
            Unserved: nothing is left.
        """
        self.ask()
        began = time.monotonic()
        try:
            yield
        finally:
            self.spent_s += time.monotonic() - began


@dataclass
class Passed:
    """One training that was passed on for a run.

    Attributes:
        parent: number of the training whose weights it goes on with, None for fresh ones.
        before: epochs of all its ancestors.
        given: some state of it was not made by a trainer.
        states: after each epoch, the start first; each with the learning rate that led to it.
        seconds: that trainers spent on it, and that it waited for them.
        final: name of the weights that the fit ended with, where a trainer made them.
    """

    number: int
    plan: Plan
    parent: int | None
    before: int
    states: list[State]
    given: bool = False
    seconds: float = 0.0
    final: str | None = None

    @property
    def epochs(self) -> int:
        """Epochs of this training alone."""
        return len(self.states) - 1


@dataclass
class Ledger:
    """The trainings of one run.

    Args:
        seed: the assignment's.
        budget: how long one training and all of them together may take.
        waiting: entered while the run waits, which its budget bounds; nothing else stops its clock.
    """

    service: Service
    seed: int
    budget: Budget
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    fits: list[Passed] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _weights: dict[str, list[int]] = field(default_factory=dict)  # who made them; none: drawn
    _optimizers: dict[str, list[int]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)

    def open(self, plan: Plan, state: State, before: int) -> Passed:
        """Begin a training.

        Args:
            before: epochs that the notebook says its weights have had; they choose the order of
                the rows, and nothing else.

        Raises:
            Unserved, Refused, TrainerFault: it cannot be trained.
        """
        if len(self.fits) >= MOST_FITS:
            raise Unserved(f"{MOST_FITS} trainings are enough for one notebook")
        plan = plan.normal
        draws = plan.training.draws
        drawn = draws if draws and all(draws) else None
        with self._served():
            start = self.service.start(plan, drawn)
        self._optimizers.setdefault(start.optimizer, [])
        fresh = start.weights is not None and start.weights == state.weights
        if fresh:
            self._weights[state.weights] = []
        parent = self._parent(state.weights, before)
        ancestors = 0 if parent is None else self._total(parent)
        passed = Passed(
            number=len(self.fits),
            plan=plan,
            parent=parent,
            before=ancestors,
            states=[state],
            given=not self._honest(state, parent),
        )
        self.fits.append(passed)
        return passed

    def epoch(self, number: int, state: State, before: int, validation: Validation | None) -> Epoch:
        """Train the next epoch of a training.

        Raises:
            Missing: a given state's bytes have not been uploaded.
            Unserved, Refused, TrainerFault: it cannot be trained.
        """
        passed = self._fit(number)
        if passed.seconds > self.budget.fit_s:
            raise Unserved(f"this training took more than {self.budget.fit_s:.0f} s")
        unknown = [
            name
            for name, made in (
                (state.weights, state.weights in self._weights),
                (state.optimizer, state.optimizer in self._optimizers),
            )
            if not made
        ]
        missing = [name for name in unknown if name not in self.uploads]
        if missing:
            raise Missing(missing)
        # going on from what another training made is as good as bringing it: only this training's
        # own states, or those it began from, have its rows and its epochs behind them
        passed.given = passed.given or state.weights not in {one.weights for one in passed.states}
        passed.given = passed.given or state.optimizer not in {
            one.optimizer for one in passed.states
        }
        seed = epoch_seed(passed.plan, self.seed, before + passed.epochs)
        blobs = [self.uploads[name] for name in unknown]
        with self._served():
            done = self.service.epoch(passed.plan, state, seed, validation, blobs)
        passed.states.append(done.state)
        passed.seconds += done.seconds
        for makers, name in (
            (self._weights, done.state.weights),
            (self._optimizers, done.state.optimizer),
        ):
            known = makers.get(name)
            if known is None or (known and number not in known):
                makers[name] = [*(known or []), number]
        return done

    def evaluate(self, number: int, weights: str, validation: Validation) -> list[str]:
        """Evaluate weights of a training on some rows; return the metrics' variables.

        Raises:
            Unserved, Refused, TrainerFault: it cannot be done.
        """
        passed = self._fit(number)
        state = next((one for one in passed.states[1:] if one.weights == weights), None)
        if state is None:
            raise Unserved("these weights were not made for this training")
        with self._served():
            return self.service.validate(passed.plan, state, validation)

    def close(self, number: int, weights: str) -> None:
        """Note the weights with which a fit ended, such as the best that were restored."""
        passed = self._fit(number)
        if weights in {state.weights for state in passed.states}:
            passed.final = weights

    def upload(self, name: str, data: bytes) -> None:
        """Keep the bytes of a given state; where they would be too many, the earlier ones go."""
        if sum(map(len, self.uploads.values())) + len(data) > MOST_UPLOAD_BYTES:
            self.uploads.clear()
        self.uploads[name] = data

    def bytes_of(self, name: str) -> bytes:
        """Return a state's bytes, of those that were made for this run.

        Raises:
            Unserved: it was not, or its bytes are gone.
        """
        if name not in self._weights and name not in self._optimizers:
            raise Unserved("this state was not made here")
        data = self.service.memory.blob(name)
        if data is None:
            with self._served():
                data = self._again(name)
        return data

    def history(self, passed: Passed) -> Iterator[Passed]:
        """Yield a training and its ancestors, the latest first."""
        at: int | None = passed.number
        while at is not None:
            yield self.fits[at]
            at = self.fits[at].parent

    @contextmanager
    def _served(self) -> Iterator[None]:
        self.budget.ask()  # first: whoever has nothing left does not wait either
        with self.waiting(), self.budget.spending():
            yield

    def _honest(self, state: State, parent: int | None) -> bool:
        """Whether trainers made this state for this run, weights and optimizer in one chain."""
        if state.weights not in self._weights or state.optimizer not in self._optimizers:
            return False
        if parent is not None and self.fits[parent].given:
            return False
        makers = self._optimizers[state.optimizer]
        chain = [] if parent is None else list(self.history(self.fits[parent]))
        return not makers or any(one.number in makers and not one.given for one in chain)

    def _parent(self, weights: str, before: int) -> int | None:
        """The training that these weights go on with: of several that passed through them, the one
        with as many epochs as the notebook says, else the latest; one that is not given first.
        """
        makers = [self.fits[number] for number in self._weights.get(weights, [])]
        if not makers:
            return None
        best = max(
            makers,
            key=lambda one: (not one.given, self._total(one.number) == before, one.number),
        )
        return best.number

    def _total(self, number: int) -> int:
        """Epochs of a training and all its ancestors."""
        return self.fits[number].before + self.fits[number].epochs

    def _fit(self, number: int) -> Passed:
        if not 0 <= number < len(self.fits):
            raise Unserved(f"there is no training {number}")
        return self.fits[number]

    def _again(self, name: str) -> bytes:
        """Train again what has gone missing from the memory."""
        for passed in reversed(self.fits):
            for place, state in enumerate(passed.states[1:], start=1):
                if name in (state.weights, state.optimizer):
                    before = passed.states[place - 1]
                    seed = epoch_seed(passed.plan, self.seed, passed.before + place - 1)
                    self.service.epoch(passed.plan, before, seed)
        data = self.service.memory.blob(name)
        if data is None:
            raise Unserved(f"the state {name[:12]} is gone")
        return data
