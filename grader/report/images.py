"""Pictures as data URIs: pristine images of the dataset, and a notebook's own after re-encoding."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

PIXELS = 16_000_000
"""A picture with more is not shown: its decoded form would not fit beside the report."""
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}


def array_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """Return an image of the dataset as a PNG data URI.

    Raises:
        ValueError: it is no grey (height, width) or colour (height, width, 3) image of bytes.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or colour):
        raise ValueError(f"{pixels.dtype} {pixels.shape} is no image")
    return _png(pixels.shape, pixels.tobytes())


@lru_cache(4096)
def _png(shape: tuple[int, ...], data: bytes) -> str:
    """Encode an image; the models of a class are wrong on the same ones."""
    stream = io.BytesIO()
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    Image.fromarray(pixels).save(stream, format="PNG", optimize=False)
    return _uri("image/png", stream.getvalue())


def output_uri(mime: str, encoded: Any, cap: int) -> str | None:
    """Return a notebook's picture, decoded and encoded anew, or None where that cannot be done.

    What the file holds beside its pixels (text chunks, profiles, trailing bytes) is left behind.
    """
    text = "".join(encoded) if isinstance(encoded, list) else encoded
    if mime not in _FORMATS or not isinstance(text, str) or len(text) > cap:
        return None
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(base64.b64decode(text)), formats=[_FORMATS[mime]]) as image:
                if image.width * image.height > PIXELS:
                    return None
                _plain(image).save(stream, format=_FORMATS[mime])
    except (OSError, ValueError, SyntaxError, EOFError, binascii.Error,
            Image.DecompressionBombError, Image.DecompressionBombWarning):  # fmt: skip
        return None
    return _uri(mime, stream.getvalue())


def _plain(image: Image.Image) -> Image.Image:
    mode = "RGB" if image.format == "JPEG" or "A" not in image.getbands() else "RGBA"
    if image.mode == "P" and "transparency" in image.info:
        mode = "RGBA"
    copy = image.convert("L" if image.mode in ("1", "L") else mode)
    copy.info.clear()
    return copy


def _uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
