"""One run's door: the socket on which its kernel asks for trainings, and the driver for the time.

Who speaks here is hostile. A bad request gets a refusal, a broken line is closed; neither reaches
another run, because every run has a door of its own.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from grader import wire
from grader.delegation.ledger import Ledger, Missing, Unserved
from grader.delegation.memory import name_of
from grader.delegation.turns import Turn
from grader.recipes import Count, Hash, Plan, Record, State, Validation, plain
from grader.sandbox import Running
from grader.trainer import Refused, StoreFull, TrainerFault

MOST_LINES = 4  # kernel, driver, and what a notebook may open itself
MOST_REFUSALS = 200  # that are kept


class Open(Record):
    """Begin a training from `state`, after `before` epochs."""

    op: Literal["open"]
    plan: Plan
    state: State
    before: Count
    validation: Validation | None = None


class Put(Record):
    """The bytes of states that no trainer made come with this frame."""

    op: Literal["put"]


class NextEpoch(Record):
    """Train the next epoch of training `fit` from `state`; `validate` on its validation rows."""

    op: Literal["epoch"]
    fit: Count
    state: State
    validate_after: bool = False


class Evaluate(Record):
    """Evaluate weights that were made for training `fit` on some rows."""

    op: Literal["evaluate"]
    fit: Count
    weights: Hash
    validation: Validation


class Fetch(Record):
    """Send the bytes of these states."""

    op: Literal["fetch"]
    names: Annotated[list[Hash], Field(max_length=2)]


class Close(Record):
    """A fit ended with these weights."""

    op: Literal["close"]
    fit: Count
    weights: Hash


class Clock(Record):
    """How long has this run waited for trainings, and does it now? The cell `begins` runs next."""

    op: Literal["clock"]
    begins: Count | None = None


Request = Annotated[
    Open | Put | NextEpoch | Evaluate | Fetch | Close | Clock, Field(discriminator="op")
]
_REQUEST: TypeAdapter[Any] = TypeAdapter(Request)
Answer = tuple[dict[str, Any], list[bytes]]


class Door:
    """Listens for one run; use it as a context manager around the run.

    Args:
        folder: where the socket goes; the run sees it as `/door`.
        turn: the run's turn to compute, which it lends while it waits.
        unix: whether to listen on a UNIX socket; else on the loopback interface, with a token.

    Attributes:
        running: the run, once it has been started; its clock stops while it waits.
        full: the trainings cannot be kept any more; the run was stopped.
        began: a cell was about to run; the first such word comes before any code of a notebook.
    """

    def __init__(
        self, ledger: Ledger, folder: Path, turn: Turn, unix: bool = hasattr(socket, "AF_UNIX")
    ) -> None:
        self.ledger, self.folder, self.turn = ledger, folder, turn
        ledger.waiting = self._waiting
        self.unix = unix
        self.running: Running | None = None
        self.full: StoreFull | None = None
        self.began = False
        self._token = "" if unix else secrets.token_hex(16)
        self._openings: dict[int, Open] = {}
        self._lock = threading.Lock()
        self._lines: set[socket.socket] = set()
        self._waits = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.unix:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            _bind(self._listener, self.folder / wire.DOOR)
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def address(self, inside: Callable[[str], str]) -> str:
        """Return what `wire.dial` takes, with the path as the run has it."""
        if self.unix:
            return f"{inside('/door')}/{wire.DOOR}"
        return f"{self._listener.getsockname()[1]}:{self._token}"

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if len(self._lines) >= MOST_LINES:
                    line.close()
                    continue
                self._lines.add(line)
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        try:
            with line, line.makefile("rwb") as stream:
                if self._token and not hmac.compare_digest(
                    stream.readline(64).strip(), self._token.encode()
                ):
                    return
                self._serve(stream)  # type: ignore[arg-type]
        except (OSError, EOFError, ValueError, wire.FrameError):
            return
        finally:
            with self._lock:
                self._lines.discard(line)

    def _serve(self, stream: BinaryIO) -> None:
        while True:
            message, blobs = wire.read_frame(stream, wire.MAX_REQUEST_BYTES)
            answer, data = self._answer(message, blobs)
            wire.write_frame(stream, answer, data)

    def _answer(self, message: dict[str, Any], blobs: list[bytes]) -> Answer:
        try:
            request = _REQUEST.validate_python(message)
            return self._HANDLERS[type(request)](self, request, blobs)
        except Missing as missing:
            return {"missing": missing.names}, []
        except (Unserved, Refused) as refused:
            return self._refuse(str(refused)[:300])
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
            return self._refuse(said)
        except StoreFull as full:
            self.full = full
            if self.running is not None:
                self.running.kill()  # nothing that it trains could be kept or verified
            return {"fault": "no room"}, []
        except TrainerFault as fault:
            return {"fault": str(fault)[:300]}, []
        except Exception as error:  # noqa: BLE001 - the border: one request must not end the door
            return {"fault": f"{type(error).__name__}: {error}"[:300]}, []

    def _refuse(self, said: str) -> Answer:
        if len(self.ledger.refusals) < MOST_REFUSALS:
            self.ledger.refusals.append(said)
        return {"refused": said}, []

    def _open(self, request: Open, blobs: list[bytes]) -> Answer:
        if not request.plan.recipe.buildable or not request.plan.data.trainable:
            raise Unserved("the model or the rows are not known in full")
        if request.validation is not None and not request.validation.data.trainable:
            raise Unserved("the validation rows are not known in full")
        passed = self.ledger.open(request.plan, request.state, request.before)
        self._openings[passed.number] = request
        return {"fit": passed.number}, []

    def _put(self, request: Put, blobs: list[bytes]) -> Answer:
        for data in blobs:
            self.ledger.upload(name_of(data), data)
        return {}, []

    def _epoch(self, request: NextEpoch, blobs: list[bytes]) -> Answer:
        opening = self._openings.get(request.fit)
        if opening is None:
            raise Unserved(f"there is no training {request.fit}")
        validation = opening.validation if request.validate_after else None
        done = self.ledger.epoch(request.fit, request.state, opening.before, validation)
        return {
            "state": plain(done.state), "metrics": done.metrics, "validated": done.validated,
        }, []  # fmt: skip

    def _evaluate(self, request: Evaluate, blobs: list[bytes]) -> Answer:
        if not request.validation.data.trainable:
            raise Unserved("the rows are not known in full")
        metrics = self.ledger.evaluate(request.fit, request.weights, request.validation)
        return {"metrics": metrics}, []

    def _fetch(self, request: Fetch, blobs: list[bytes]) -> Answer:
        return {}, [self.ledger.bytes_of(name) for name in request.names]

    def _close(self, request: Close, blobs: list[bytes]) -> Answer:
        self.ledger.close(request.fit, request.weights)
        return {}, []

    def _clock(self, request: Clock, blobs: list[bytes]) -> Answer:
        self.began = self.began or request.begins is not None
        waited_s = 0.0 if self.running is None else self.running.paused_s
        return {"waited_s": waited_s, "waiting": self._waits > 0}, []

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._lock:
            self._waits += 1
        try:
            with nullcontext() if self.running is None else self.running.paused(), self.turn.lent():
                yield
        finally:
            with self._lock:
                self._waits -= 1

    _HANDLERS: ClassVar[dict[type[Record], Callable[[Door, Any, list[bytes]], Answer]]] = {
        Open: _open, Put: _put, NextEpoch: _epoch, Evaluate: _evaluate, Fetch: _fetch,
        Close: _close, Clock: _clock,
    }  # fmt: skip


def _bind(listener: socket.socket, path: Path) -> None:
    """Bind a socket to a path of any length; the system takes 108 bytes."""
    if len(os.fsencode(path)) < 100:
        listener.bind(str(path))
        return
    short = Path(f"/proc/self/fd/{os.open(path.parent, os.O_RDONLY)}")
    try:
        listener.bind(str(short / path.name))
    finally:
        os.close(int(short.name))
