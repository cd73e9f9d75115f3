"""The door takes hostile requests: each gets an answer or a closed line, and hurts nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import wire
from grader.delegation import Budget, Door, Ledger, Turn
from grader.delegation.door import MOST_REFUSALS
from grader.delegation.service import Epoch, Start
from grader.delegation.turns import Turns
from grader.recipes import Plan, State, plain
from grader.trainer import Refused
from tests.delegation.plans import PLAN, STATE

FUZZED = 10_000 if os.environ.get("GRADER_LONG") else 1_000


class Trained:
    """Stands for the service where only the door is tried: everything is trained at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def start(self, plan: Plan, draws: object) -> Start:
        self.asked.append("start")
        return Start(None if draws is None else STATE.weights, STATE.optimizer)

    def epoch(self, plan: Plan, state: State, seed: int, *more: object) -> Epoch:
        self.asked.append("epoch")
        if state.learning_rate == 666.0:
            raise Refused("not that")
        return Epoch(
            state.model_copy(update={"weights": "e" * 64, "optimizer": "9" * 64}), [], None, 0.5
        )

    @property
    def memory(self) -> Any:
        raise RuntimeError("nothing is kept here")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as one:
        yield one


@contextlib.contextmanager
def opened(folder: Path, unix: bool = True) -> Iterator[Door]:
    ledger = Ledger(Trained(), 1, Budget(100, 100))  # type: ignore[arg-type]
    with Turn(Turns(1)) as turn, Door(ledger, folder / "door", turn, unix) as one:
        yield one


class Speaker:
    """One line to a door."""

    def __init__(self, door: Door) -> None:
        address = door.address(lambda path: str(door.folder))
        self.socket = wire.dial(address)
        self.socket.settimeout(20)
        self.stream = self.socket.makefile("rwb")

    def ask(self, message: dict[str, Any], *blobs: bytes) -> dict[str, Any]:
        wire.write_frame(self.stream, message, blobs)  # type: ignore[arg-type]
        return wire.read_frame(self.stream)[0]  # type: ignore[arg-type]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.stream.close()
        self.socket.close()


Speak = Callable[[Door], Speaker]


@pytest.fixture
def speak() -> Iterator[Speak]:
    """Opens lines, and closes them when the test is over."""
    with contextlib.ExitStack() as stack:

        def open_line(door: Door) -> Speaker:
            speaker = Speaker(door)
            stack.callback(speaker.close)
            return speaker

        yield open_line


def opening(**changes: Any) -> dict[str, Any]:
    return {"op": "open", "plan": plain(PLAN), "state": plain(STATE), "before": 0, **changes}


def test_a_training_goes_its_way(door: Door, speak: Speak) -> None:
    """Open, train, and close: the ledger has one training that is the trainer's own."""
    speaker = speak(door)
    fit = speaker.ask(opening())["fit"]
    answer = speaker.ask({"op": "epoch", "fit": fit, "state": plain(STATE)})
    speaker.ask({"op": "close", "fit": fit, "weights": "e" * 64})

    assert "e" * 64 == answer["state"]["weights"]
    (passed,) = door.ledger.fits
    assert (1, False, "e" * 64) == (passed.epochs, passed.given, passed.final)


def test_a_given_state_must_be_brought(door: Door, speak: Speak) -> None:
    """Unknown names are asked for; with their bytes the training goes on as given."""
    data = b"my own weights"
    own = {**plain(STATE), "weights": wire_name(data)}
    speaker = speak(door)
    fit = speaker.ask(opening(state=own))["fit"]
    missing = speaker.ask({"op": "epoch", "fit": fit, "state": own})
    speaker.ask({"op": "put"}, data)
    answer = speaker.ask({"op": "epoch", "fit": fit, "state": own})

    assert {"missing": [wire_name(data)]} == missing
    assert "state" in answer
    assert door.ledger.fits[0].given


@pytest.mark.parametrize("part", ["weights", "optimizer"])
def test_what_a_given_training_made_stays_given(door: Door, speak: Speak, part: str) -> None:
    """A fresh training that goes on, or begins, from another one's given state is a claim too."""
    data = b"brought along"
    own = {**plain(STATE), part: wire_name(data)}
    speaker = speak(door)
    first = speaker.ask(opening(state=own))["fit"]
    speaker.ask({"op": "put"}, data)
    made = speaker.ask({"op": "epoch", "fit": first, "state": own})["state"]
    second = speaker.ask(opening())["fit"]
    honest = door.ledger.fits[second].given
    moved = {**plain(STATE), part: made[part]}
    speaker.ask({"op": "epoch", "fit": second, "state": moved})
    third = speaker.ask(opening(state=moved, before=10))["fit"]

    assert (False, True) == (honest, door.ledger.fits[second].given)
    assert (True, True) == (door.ledger.fits[first].given, door.ledger.fits[third].given)
    assert 0 == door.ledger.fits[first].before


def test_equal_trainings_keep_their_own_epochs(door: Door, speak: Speak) -> None:
    """Of two trainings that passed through one state, the notebook's word says which goes on."""
    speaker = speak(door)
    state = plain(STATE)
    ends = []
    for epochs in (1, 2):
        fit = speaker.ask(opening())["fit"]
        at = state
        for _ in range(epochs):
            at = speaker.ask({"op": "epoch", "fit": fit, "state": at})["state"]
        ends.append(at)
    on = [speaker.ask(opening(state=ends[0], before=before))["fit"] for before in (1, 2)]

    assert [(0, 1, False), (1, 2, False)] == [
        (door.ledger.fits[fit].parent, door.ledger.fits[fit].before, door.ledger.fits[fit].given)
        for fit in on
    ]


def test_nobody_fetches_what_was_not_made_for_them(door: Door, speak: Speak) -> None:
    """A state of another run is not handed out by its name."""
    answer = speak(door).ask({"op": "fetch", "names": ["d" * 64]})

    assert "not made here" in answer["refused"]


def test_budgets_end_a_training(door: Door, speak: Speak) -> None:
    """Past the budget each further epoch is refused, with the reason in the record."""
    door.ledger.budget = Budget(0.9, 100)
    speaker = speak(door)
    fit = speaker.ask(opening())["fit"]
    answers = []
    state = plain(STATE)
    for _ in range(3):
        answers.append(speaker.ask({"op": "epoch", "fit": fit, "state": state}))
        state = answers[-1].get("state", state)

    assert [True, True, False] == ["state" in answer for answer in answers]
    assert "took more than" in door.ledger.refusals[-1]


def test_evaluations_are_paid_for_too(door: Door, speak: Speak) -> None:
    """Whatever a run asks for counts; past its budget nothing more is done for it."""
    door.ledger.budget = Budget(100, 0.9)
    speaker = speak(door)
    fit = speaker.ask(opening())["fit"]
    state = speaker.ask({"op": "epoch", "fit": fit, "state": plain(STATE)})["state"]
    door.ledger.budget.spent_s = 0.91
    validation = {"data": plain(PLAN.data), "batch_size": 32}
    asked = {"op": "evaluate", "fit": fit, "weights": state["weights"], "validation": validation}

    for request in (asked, {"op": "epoch", "fit": fit, "state": state}, opening()):
        assert "took more than" in speaker.ask(request)["refused"]


def test_trainings_without_end_are_refused(door: Door, speak: Speak) -> None:
    """The record of a run stays small, however small its trainings are."""
    speaker = speak(door)
    answers = [speaker.ask(opening()) for _ in range(501)]

    assert all("fit" in answer for answer in answers[:500])
    assert "enough for one notebook" in answers[500]["refused"]


def test_states_that_are_brought_are_kept_up_to_a_size(door: Door) -> None:
    """Of too many only the last stay; the kernel is asked for the others again."""
    brought = [bytes(wire.MAX_BLOB_BYTES)] * 7
    for number, data in enumerate(brought):
        door.ledger.upload(f"{number}" * 64, data)

    assert ["6" * 64] == list(door.ledger.uploads)


def test_only_what_the_budget_bounds_stops_the_clock(door: Door, speak: Speak) -> None:
    """A run that fetches or is refused without end does not wait: its deadline comes."""
    waits: list[int] = []

    @contextlib.contextmanager
    def waiting(stock: Callable[[], Any] = door.ledger.waiting) -> Iterator[None]:
        with stock():
            waits.append(door._waits)
            yield

    door.ledger.waiting = waiting
    speaker = speak(door)
    fit = speaker.ask(opening())["fit"]
    speaker.ask({"op": "epoch", "fit": fit, "state": plain(STATE)})
    assert [1, 1] == waits
    for asked in (
        {"op": "fetch", "names": ["e" * 64]},
        {"op": "epoch", "fit": 7, "state": plain(STATE)},
        {"op": "nonsense"},
    ):
        speaker.ask(asked)
    door.ledger.budget.spent_s = 1000
    assert "took more than" in speaker.ask(opening())["refused"]

    assert [1, 1] == waits


def test_refusals_are_kept_up_to_a_number(door: Door, speak: Speak) -> None:
    """A notebook that asks for nonsense without end costs no memory."""
    speaker = speak(door)
    for _ in range(MOST_REFUSALS + 5):
        assert "refused" in speaker.ask({"op": "nonsense"})

    assert MOST_REFUSALS == len(door.ledger.refusals)


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", 4) + b"nope",
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 30) + b'{"op":"put","blobs":[9999999999',
        struct.pack(">I", 100_000) + b"[" * 100_000,
        b"\x00",
    ],
)
def test_broken_frames_close_the_line_and_nothing_else(
    door: Door, speak: Speak, frame: bytes
) -> None:
    """A line that speaks no frames is closed; the next one is served."""
    line = speak(door)
    line.socket.sendall(frame)
    line.socket.shutdown(socket.SHUT_WR)
    assert b"" == line.socket.recv(10)
    assert "waited_s" in speak(door).ask({"op": "clock"})


def test_a_request_over_the_cap_is_not_read(door: Door, speak: Speak) -> None:
    """It would be answered, were it shorter."""
    for size, answered in ((wire.MAX_REQUEST_BYTES, True), (wire.MAX_REQUEST_BYTES + 1, False)):
        line = speak(door)
        with contextlib.nullcontext() if answered else pytest.raises((EOFError, OSError)):
            line.socket.sendall(struct.pack(">I", size) + b'{"op":"clock","blobs":[]}'.ljust(size))
            assert "waited_s" in wire.read_frame(line.stream)[0]  # type: ignore[arg-type]


def test_few_lines_are_served_at_once(door: Door, speak: Speak) -> None:
    """A notebook that opens lines without end gets four."""
    speakers = [speak(door) for _ in range(4)]
    assert all("waited_s" in speaker.ask({"op": "clock"}) for speaker in speakers)
    extra = speak(door)
    with pytest.raises((EOFError, OSError)):
        extra.ask({"op": "clock"})


def test_a_loopback_door_wants_its_token(tmp_path: Path, speak: Speak) -> None:
    """Without UNIX sockets the line begins with a token; a wrong one is hung up on."""
    with opened(tmp_path, unix=False) as one:
        assert "waited_s" in speak(one).ask({"op": "clock"})
        port = one.address(str).partition(":")[0]
        with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as line:
            line.sendall(b"0" * 32 + b"\n")
            assert b"" == line.recv(10)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["open", "epoch", "put", "fetch", "close", "clock", "f" * 64, 10**9, -1]),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)
PLACES: list[tuple[str | int, ...]] = [
    ("plan",), ("plan", "recipe"), ("plan", "recipe", "nodes"), ("plan", "recipe", "nodes", 1),
    ("plan", "recipe", "nodes", 1, "config"), ("plan", "recipe", "nodes", 1, "config", "units"),
    ("plan", "recipe", "nodes", 1, "inputs"), ("plan", "recipe", "input_shape"),
    ("plan", "data"), ("plan", "data", "rows"), ("plan", "data", "table"), ("plan", "data", "labels"),
    ("plan", "data", "count"), ("plan", "data", "row_shape"), ("plan", "training"),
    ("plan", "training", "optimizer"), ("plan", "training", "loss"), ("plan", "training", "draws"),
    ("plan", "training", "batch_size"), ("plan", "training", "class_weight"), ("state",),
    ("state", "weights"), ("state", "seeds"), ("state", "learning_rate"), ("before",), ("op",),
    ("validation",), ("fit",), ("names",), ("weights",), ("new",),
]  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request of some kind with a few of its places changed."""
    base: dict[str, Any] = json.loads(
        json.dumps(
            draw(
                st.sampled_from(
                    [
                        opening(),
                        {"op": "epoch", "fit": 0, "state": plain(STATE), "validate_after": True},
                        {"op": "put"},
                        {"op": "fetch", "names": ["f" * 64]},
                        {"op": "close", "fit": 0, "weights": "f" * 64},
                        {"op": "clock"},
                    ]
                )
            )
        )
    )
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        inner: Any = base
        for key in place[:-1]:
            inside = isinstance(inner, dict) and key in inner
            inside = inside or (
                isinstance(inner, list) and isinstance(key, int) and key < len(inner)
            )
            inner = inner[key] if inside else None
        if isinstance(inner, dict):
            inner[str(place[-1])] = draw(JSON)
    return base


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, Speaker]]:
    with opened(tmp_path_factory.mktemp("fuzz")) as one:
        speaker = Speaker(one)
        yield one, speaker
        speaker.close()


@settings(
    max_examples=FUZZED, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(message=requests(), blobs=st.lists(st.binary(max_size=50), max_size=2))
@pytest.mark.timeout(900)
def test_a_thousand_changed_requests_each_get_an_answer(
    fuzzed: tuple[Door, Speaker], message: dict[str, Any], blobs: list[bytes]
) -> None:
    """Whatever stands in a request, the answer is a dict, and no fault of ours."""
    _, speaker = fuzzed
    answer = speaker.ask(message, *blobs)

    assert isinstance(answer, dict)
    assert "fault" not in answer, answer


def wire_name(data: bytes) -> str:
    from grader.delegation.memory import name_of

    return name_of(data)
