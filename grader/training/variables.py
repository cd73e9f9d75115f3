"""Variables handed over as npz: checked before they are read, then put into a rebuilt model."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import wire
from .build import Built

DTYPES = ("float32", "float16", "float64", "int32", "int64", "uint32", "bool")


class VariablesError(ValueError):
    """The file is not what `np.savez` makes of a model's variables."""


def read_variables(data: bytes) -> list[np.ndarray]:
    """Return the arrays `v0`, `v1`, … of an npz, sizes checked before they are allocated.

    Raises:
        VariablesError: the file is no such npz, is too large, or holds anything but numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > 5 * wire.MAX_LAYERS:
                raise VariablesError(f"{len(members)} arrays are too many")
            if sum(member.file_size for member in members) > 4 * wire.MAX_BLOB_BYTES:
                raise VariablesError("the arrays are too large")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise VariablesError("the arrays are compressed")
            names = {member.filename for member in members}
            wanted = [f"v{number}.npy" for number in range(len(members))]
            if names != set(wanted):
                raise VariablesError("the arrays are not v0, v1, …")
            return [_array(archive.read(name)) for name in wanted]
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise VariablesError(f"not an npz file: {error}") from error


def assign(built: Built, recipe: Mapping[str, Any], variables: Sequence[np.ndarray]) -> None:
    """Put a notebook's variables into the model that `build` made of its recipe.

    Raises:
        VariablesError: a variable is missing, has another shape, or is not finite.
    """
    for number, (node, layer) in enumerate(zip(recipe["nodes"], built.layers, strict=True)):
        positions = node.get("variables", [])
        if len(positions) != len(layer.variables):
            raise VariablesError(
                f"node {number} ({node['op']}): {len(positions)} variables, "
                f"not {len(layer.variables)}"
            )
        for position, variable in zip(positions, layer.variables, strict=True):
            if type(position) is not int or not 0 <= position < len(variables):
                raise VariablesError(f"node {number}: there is no variable {position!r}")
            value = variables[position]
            if tuple(value.shape) != tuple(variable.shape):
                raise VariablesError(
                    f"node {number}: shape {value.shape}, not {tuple(variable.shape)}"
                )
            if not np.all(np.isfinite(value)):
                raise VariablesError(f"node {number}: a variable is not finite")
            variable.assign(value)


def _array(data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = read_header[version](stream)
        if dtype.name not in DTYPES:
            raise VariablesError(f"an array of {dtype.name}")
        if math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
            raise VariablesError(f"an array that claims the shape {shape}")
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, KeyError) as error:
        if isinstance(error, VariablesError):
            raise
        raise VariablesError(f"not an array: {str(error)[:120]}") from error
