"""Frames and records: what is sent arrives, what is cut or too large is refused."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import wire


@given(
    st.dictionaries(st.text().filter(lambda key: key != "blobs"), st.integers() | st.text()),
    st.lists(st.binary(max_size=200), max_size=wire.MAX_BLOBS),
)
def test_frames_arrive_as_they_were_sent(message: dict[str, object], blobs: list[bytes]) -> None:
    """Two frames behind each other come back equal, and then the stream ends."""
    stream = io.BytesIO()
    wire.write_frame(stream, message, blobs)
    wire.write_frame(stream, {"last": True})
    stream.seek(0)

    assert (message, blobs) == wire.read_frame(stream)
    assert ({"last": True}, []) == wire.read_frame(stream)
    with pytest.raises(EOFError):
        wire.read_frame(stream)


def test_a_frame_cut_anywhere_is_refused() -> None:
    """A stream that ends inside a frame is a fault, never half a message."""
    stream = io.BytesIO()
    wire.write_frame(stream, {"op": "measure"}, [b"12345"])
    whole = stream.getvalue()
    for length in range(1, len(whole)):
        with pytest.raises(wire.FrameError):
            wire.read_frame(io.BytesIO(whole[:length]))


def body(text: str) -> io.BytesIO:
    return io.BytesIO(struct.pack(">I", len(text)) + text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"blobs": 3}',
        '{"blobs": [-1]}',
        '{"blobs": [true]}',
        '{"blobs": ["1"]}',
        f'{{"blobs": [{wire.MAX_BLOB_BYTES + 1}]}}',
        f'{{"blobs": {[1] * (wire.MAX_BLOBS + 1)}}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    """Sizes are checked before anything of that size is read."""
    with pytest.raises(wire.FrameError):
        wire.read_frame(body(text))


@pytest.mark.parametrize("sizes", [[wire.MAX_BLOB_BYTES + 1], [1] * (wire.MAX_BLOBS + 1)])
def test_blobs_over_the_caps_are_refused_though_they_came(sizes: list[int]) -> None:
    """Nothing is missing of them; they are too large, or too many."""
    sent = body(json.dumps({"blobs": sizes})).getvalue() + bytes(sum(sizes))

    with pytest.raises(wire.FrameError):
        wire.read_frame(io.BytesIO(sent))


def test_a_length_over_the_cap_is_refused_unread() -> None:
    """A frame that claims gigabytes is refused by its first four bytes."""
    with pytest.raises(wire.FrameError, match="over the cap"):
        wire.read_frame(io.BytesIO(b"\xff\xff\xff\xff"))


def test_records_are_lines_of_plain_json(tmp_path: Path) -> None:
    """NaN and records over the cap never reach the disk."""
    path = tmp_path / "events"
    wire.append_record(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        wire.append_record(path, {"a": float("nan")})
    with pytest.raises(ValueError, match="cap"):
        wire.append_record(path, {"a": "x" * wire.MAX_RECORD_BYTES})
    wire.append_record(path, {"b": "ñ"})

    assert b'{"a":1}\n{"b":"\\u00f1"}\n' == path.read_bytes()


def test_derived_seeds_depend_on_every_part() -> None:
    """Other layers, shapes, ordinals, epochs and seeds give other seeds; the same give the same."""
    starts = {
        wire.initial_seed(seed, layer, shape, ordinal)
        for seed in (1, 2)
        for layer in ("Dense", "Conv2D")
        for shape in ((2, 3), (3, 2))
        for ordinal in (0, 1)
    }

    assert 16 == len(starts)
    assert 20 == len({wire.epoch_seed(1, epoch) for epoch in range(20)})
    assert wire.epoch_seed(7, 3) == wire.epoch_seed(7, 3)
    assert all(0 <= seed < 2**31 for seed in starts)
