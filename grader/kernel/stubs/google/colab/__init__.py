"""A stand-in for Colab's own module: says kindly what is not there and lets the notebook go on.

`google/` has no `__init__.py`: it must stay a namespace that TensorFlow's `google.protobuf`
shares. Standard library only; nothing here touches the network or waits.
"""

from . import (
    auth,
    data_table,
    drive,
    files,
    output,
    patches,
    runtime,
    userdata,
    widgets,
)

__all__ = [
    "auth",
    "data_table",
    "drive",
    "files",
    "output",
    "patches",
    "runtime",
    "userdata",
    "widgets",
]
