"""All that crosses a wall: record shapes, caps, framing, derived seeds. Standard library only.

The kernel side writes records (one JSON object a line); the trainer speaks frames (one JSON object
and some blobs). Both sides of every wall import this module and nothing else of ours but
`dataset.identity`. What a record holds is validated again, strictly, by `grader.evidence`.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

# Caps: what a submission may make the controller or the trainer read.
MAX_RECORD_BYTES = 2_000_000
MAX_RECORDS_BYTES = 64_000_000
MAX_RECORDS = 20_000
MAX_BLOB_BYTES = 25_000_000
MAX_BLOBS = 2  # a state's weights and its optimizer's variables
MAX_REQUEST_BYTES = 1_000_000  # the JSON of what a kernel may ask for
MAX_LAYERS = 100
MAX_PARAMETERS = 5_000_000
MAX_VALUES = 200_000_000  # that all layers of a model together make of one batch of rows
MAX_WORK = 2e12  # multiply-adds of one epoch or measurement, and of its optimizer's steps
MAX_FIGURES = 300  # a few kilobytes of JSON can be a thousand axes
MAX_CLASSES = 256
MAX_OUTPUT_BYTES = 1_000_000
MAX_OUTPUTS_BYTES = 20_000_000

EVENTS = "events.jsonl"
CELLS = "cells.jsonl"
CELL = "cell"  # the index of the cell that is running
PLAN = "plan.json"
NOTEBOOK = "notebook.json"
DOOR = "door"  # the socket's name in the folder that is bound beside the run folder
VARIABLES = "variables"
OWN_LOOP = "own loop"  # a note: the notebook trains step by step itself
MORE = "more alike"  # a note: a cell did one thing so often that not all of it was recorded
KILLED = "the kernel was killed"  # how a run ended: by the system, or by the notebook itself
TAMPERED = "tampered"  # a note: something that the recorder had put in place is gone

# The allow-lists: what can be rebuilt, and which of its settings travel. Activations are a name of
# ACTIVATIONS, regularizers a list that begins with a name of REGULARIZERS; anything else makes the
# layer "custom". A setting that is not listed must have Keras's default.
LAYERS: Mapping[str, tuple[str, ...]] = {
    "Activation": ("activation",),
    "Add": (),
    "AlphaDropout": ("rate",),
    "Average": (),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "Concatenate": ("axis",),
    "Conv2D": (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "kernel_regularizer",
        "bias_regularizer",
    ),
    "Dense": (
        "units",
        "activation",
        "use_bias",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
    ),
    "Dropout": ("rate",),
    "ELU": ("alpha",),
    "Flatten": (),
    "GaussianDropout": ("rate",),
    "GaussianNoise": ("stddev",),
    "GlobalAveragePooling2D": ("keepdims",),
    "GlobalMaxPooling2D": ("keepdims",),
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "LeakyReLU": ("negative_slope",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Rescaling": ("scale", "offset"),
    "Reshape": ("target_shape",),
    "Softmax": ("axis",),
}  # fmt: skip
REGULARIZERS: Mapping[str, tuple[str, ...]] = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}
_ADAPTIVE = ("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "epsilon")
OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "Adadelta": (*_ADAPTIVE, "rho"),
    "Adagrad": (*_ADAPTIVE, "initial_accumulator_value"),
    "Adam": (*_ADAPTIVE, "beta_1", "beta_2", "amsgrad"),
    "AdamW": (*_ADAPTIVE, "beta_1", "beta_2", "amsgrad"),
    "Adamax": (*_ADAPTIVE, "beta_1", "beta_2"),
    "Nadam": (*_ADAPTIVE, "beta_1", "beta_2"),
    "RMSprop": (*_ADAPTIVE, "rho", "momentum", "centered"),
    "SGD": (*_ADAPTIVE[:-1], "momentum", "nesterov"),
}
SCHEDULES: Mapping[str, tuple[str, ...]] = {
    "CosineDecay": (
        "initial_learning_rate", "decay_steps", "alpha", "warmup_target", "warmup_steps",
    ),
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": (
        "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle",
    ),
}  # fmt: skip
LOSSES: Mapping[str, tuple[str, ...]] = {
    "CategoricalCrossentropy": ("from_logits", "label_smoothing", "axis"),
    "CategoricalFocalCrossentropy": ("alpha", "gamma", "from_logits", "label_smoothing", "axis"),
    "CategoricalHinge": (),
    "KLDivergence": (),
    "MeanAbsoluteError": (),
    "MeanSquaredError": (),
    "SparseCategoricalCrossentropy": ("from_logits", "ignore_class"),
}
METRICS: Mapping[str, tuple[str, ...]] = {
    "Accuracy": (),  # the word, which Keras resolves by the shapes of labels and outputs
    "CategoricalAccuracy": (),
    "CategoricalCrossentropy": ("from_logits", "label_smoothing", "axis"),
    "MeanAbsoluteError": (),
    "MeanSquaredError": (),
    "SparseCategoricalAccuracy": (),
    "SparseCategoricalCrossentropy": ("from_logits", "axis"),
    "SparseTopKCategoricalAccuracy": ("k",),
    "TopKCategoricalAccuracy": ("k",),
}
INITIALIZERS: Mapping[str, tuple[str, ...]] = {
    "Constant": ("value",),
    "GlorotNormal": (),
    "GlorotUniform": (),
    "HeNormal": (),
    "HeUniform": (),
    "LecunNormal": (),
    "LecunUniform": (),
    "Ones": (),
    "Orthogonal": ("gain",),
    "RandomNormal": ("mean", "stddev"),
    "RandomUniform": ("minval", "maxval"),
    "TruncatedNormal": ("mean", "stddev"),
    "VarianceScaling": ("scale", "mode", "distribution"),
    "Zeros": (),
}
ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign",
    "tanh", "sigmoid", "hard_sigmoid", "softmax", "log_softmax", "exponential", "mish",
)  # fmt: skip


def derived_seed(seed: int, *parts: object) -> int:
    """Return a 31-bit seed that depends on `seed` and on every part, the same everywhere."""
    text = "\x1f".join([str(seed), *map(str, parts)])
    return zlib.crc32(text.encode()) & 0x7FFFFFFF


def initial_seed(seed: int, layer_class: str, shape: Sequence[int], ordinal: int) -> int:
    """Return the seed of a cell's `ordinal`-th unseeded weight of this layer class and shape."""
    return derived_seed(seed, "start", layer_class, *shape, ordinal)


def epoch_seed(seed: int, epochs_done: int) -> int:
    """Return the seed of the row order of the epoch after `epochs_done` on the same variables."""
    return derived_seed(seed, "epoch", epochs_done)


def snake(name: str) -> str:
    """Return a class's name as Keras writes it in a word."""
    if not any(letter.isupper() for letter in name):
        return name[:300]
    if name in ("ReLU", "SELU", "GELU", "ELU", "ReLU6", "SiLU", "SGD", "RMSprop"):
        return name.lower()
    parts = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return parts.lstrip("_")[:300]


def append_record(path: Path | str, record: Mapping[str, Any]) -> None:
    """Append one record to disk at once, so that it survives the process.

    Raises:
        ValueError: the record is over the cap, or holds what JSON has no word for (NaN too).
    """
    line = (
        json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
        + b"\n"
    )
    if len(line) > MAX_RECORD_BYTES:
        raise ValueError(f"record of {len(line)} bytes is over the cap of {MAX_RECORD_BYTES}")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def finite(value: float) -> float | None:
    """Return the number, or None where it is not finite: JSON has no NaN."""
    number = float(value)
    return number if number - number == 0.0 else None


class FrameError(Exception):
    """The other side of the wall closed, or sent what is no frame."""


def write_frame(stream: BinaryIO, message: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Send one message: its length, the JSON, then each blob (their lengths stand in the JSON)."""
    body = json.dumps(
        {**message, "blobs": [len(blob) for blob in blobs]}, allow_nan=False, separators=(",", ":")
    ).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def read_frame(
    stream: BinaryIO, most_bytes: int = MAX_RECORDS_BYTES
) -> tuple[dict[str, Any], list[bytes]]:
    """Receive one message and its blobs.

    Args:
        most_bytes: the longest JSON that is read.

    Raises:
        EOFError: the other side closed between two frames.
        FrameError: it closed inside one, or a length is over its cap.
    """
    head = stream.read(4)
    if not head:
        raise EOFError
    (length,) = struct.unpack(">I", _whole(head, 4))
    if length > most_bytes:
        raise FrameError(f"frame of {length} bytes is over the cap of {most_bytes}")
    try:
        message = json.loads(_whole(stream.read(length), length))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"frame is not JSON: {error}") from error
    sizes = message.pop("blobs", None) if isinstance(message, dict) else None
    if not isinstance(sizes, list) or len(sizes) > MAX_BLOBS:
        raise FrameError("frame has no list of blobs, or too many")
    if not all(type(size) is int and 0 <= size <= MAX_BLOB_BYTES for size in sizes):
        raise FrameError(f"a blob is over the cap of {MAX_BLOB_BYTES} bytes")
    return message, [_whole(stream.read(size), size) for size in sizes]


def _whole(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise FrameError(f"the other side closed after {len(data)} of {length} bytes")
    return data


def dial(address: str) -> socket.socket:
    """Connect to a door: the path of a UNIX socket, or `port:token` of the loopback interface.

    Raises:
        OSError: nobody listens there.
    """
    port, colon, token = address.partition(":")
    if not colon or not port.isdigit():
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(address)
        except BaseException:
            line.close()
            raise
        return line
    line = socket.create_connection(("127.0.0.1", int(port)))
    line.sendall(token.encode() + b"\n")
    return line
