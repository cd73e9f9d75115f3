"""The kernel's process: the recorder first, then an ordinary ipykernel."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .. import wire


def main(job: str, code: str, rows: str, connection: str, *options: str) -> None:
    """Start the kernel.

    Args:
        job: the run folder; `code` where our code lies; `rows` the pristine rows.
        connection: the connection file that jupyter_client made; `options` what nbclient adds.
    """
    from ipykernel.kernelapp import IPKernelApp

    from ..dataset.identity import Pristine
    from .data import Look
    from .recorder import Recorder
    from .seeds import Seeds

    plan = json.loads((Path(job) / wire.PLAN).read_text(encoding="utf-8"))
    sys.path.remove(code)
    sys.path.insert(0, str(Path(code) / "stubs"))
    sys.argv = ["ipykernel_launcher"]
    app = IPKernelApp.instance()
    app.initialize(["-f", connection, *options])  # type: ignore[no-untyped-call]
    pristine = Pristine.open(Path(rows))
    seeds, look = Seeds(plan["seed"]), Look(pristine)
    recorder = Recorder(Path(job), pristine, seeds, look, plan["door"])
    recorder.install(app.shell)
    app.start()  # type: ignore[no-untyped-call]
