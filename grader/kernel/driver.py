"""The driver: runs a notebook cell by cell in a fresh kernel, and goes on after a failing cell.

It runs inside the walls. What it says is written to disk at once, cell by cell; the deadline of
the whole run is kept outside.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from .. import wire
from .line import Line, Lost

CUT = "\n[…]\n"
LOOK_S = 0.5  # between looks at the clock, once a cell's time seems to be over
INTERRUPTS = 2  # before the kernel is ended
SIGKILL = 9
SHORT = 90  # characters of the folder of a socket
GRACE_S = 10.0  # for a cell to stop after an interrupt; a loaded machine needs more than five
NOISE = re.compile(
    r"WARNING: All log messages before absl|oneDNN custom operations|cpu_feature_guard|"
    r"To enable the following instructions|Could not find cuda drivers|GPU will not be used|"
    r"cuda_executor|computation_placer|Unable to register cu|TF-TRT Warning|cuInit|"
    r"Fontconfig error: Cannot load default config file|Skipping registering GPU devices|"
    r"This TensorFlow binary is optimized|MLIR V1 optimization pass|XLA service|"
    r"StreamExecutor device|"
    r"Compiled cluster using XLA|OUT_OF_RANGE: End of sequence|service\.cc|device_compiler\.h"
)


class OurKernel(KernelSpecManager):
    """The one kernel there is: ours, whatever the notebook's metadata asks for."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__()
        self._argv = argv

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return our kernel's specification."""
        return KernelSpec(argv=self._argv, display_name="Python 3", language="python")


class Client(NotebookClient):
    """nbclient with a cap on what a cell may put out."""

    size = 0
    total = 0

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Cut what is over the caps, with a mark in its place."""
        if msg["msg_type"] not in (
            "stream",
            "display_data",
            "execute_result",
            "update_display_data",
        ):
            return super().process_message(msg, cell, cell_index)
        room = min(wire.MAX_OUTPUT_BYTES - self.size, wire.MAX_OUTPUTS_BYTES - self.total)
        size = _size(msg["content"])
        if size > room:
            if room > 0 and msg["msg_type"] == "stream":
                msg["content"]["text"] = msg["content"]["text"][:room] + CUT
                self.size, self.total = self.size + room, self.total + room
                return super().process_message(msg, cell, cell_index)
            if not cell.outputs or cell.outputs[-1].get("text") != CUT:
                mark = nbformat.v4.new_output("stream", name="stderr", text=CUT)  # type: ignore[no-untyped-call]
                cell.outputs.append(mark)
            return None
        self.size, self.total = self.size + size, self.total + size
        return super().process_message(msg, cell, cell_index)


class Driver:
    """Runs one notebook.

    Args:
        job: the run folder, with `notebook.json` and `plan.json`.
        code, rows: where our code and the pristine rows lie.
    """

    def __init__(self, job: Path, code: str, rows: str) -> None:
        self.job = job
        plan = json.loads((job / wire.PLAN).read_text(encoding="utf-8"))
        self.cell_s, self.notebook_s = float(plan["cell_s"]), float(plan["notebook_s"])
        self.line = Line(plan["door"])
        document = json.loads((job / wire.NOTEBOOK).read_text(encoding="utf-8"))
        self.notebook = nbformat.from_dict(document)  # type: ignore[no-untyped-call]
        start = (
            "import sys; sys.path.insert(0, sys.argv[2]); "
            "from engine.kernel.launch import main; main(*sys.argv[1:])"
        )
        argv = [sys.executable, "-I", "-c", start, str(job), code, rows, "{connection_file}"]
        transport = (
            {"transport": "ipc", "ip": str(_short_folder() / "k")}
            if sys.platform != "win32"
            else {}
        )
        self.manager = AsyncKernelManager(
            kernel_spec_manager=OurKernel(argv), kernel_name="python3", **transport
        )
        self.client = Client(
            self.notebook,
            km=self.manager,
            timeout=None,
            startup_timeout=120,
            allow_errors=False,
            force_raise_errors=True,
            store_widget_state=False,
            coalesce_streams=False,
            iopub_timeout=10,
        )

    def run(self) -> None:
        """Run all cells, then write how it ended."""
        try:
            asyncio.run(self._run())
        except Exception as error:  # the process border: the controller must hear of it
            self._write(
                {"kind": "end", "reason": f"driver: {type(error).__name__}: {str(error)[:200]}"}
            )

    async def _run(self) -> None:
        began, _ = self._own_clock()
        reason = "finished"
        async with self.client.async_setup_kernel(cwd=str(self.job)):
            for index, cell in enumerate(self.notebook.cells):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                left = self.notebook_s - (self._own_clock(index)[0] - began)
                if reason == "finished" and left <= 0:
                    reason = "deadline"
                if reason != "finished":
                    self._cell(index, "not_run", 0.0)
                    continue
                reason = await self._execute(index, cell, min(self.cell_s, left))
            await self._stop()
        self._write({"kind": "end", "reason": reason})

    async def _within(self, task: asyncio.Future[Any], limit_s: float) -> bool:
        """Wait for a cell; time in which it waits for trainings is not its own."""
        began, _ = self._own_clock()
        while True:
            now, waiting = self._own_clock()
            left = limit_s - (now - began)
            if left <= 0 and not waiting:
                return False
            if (await asyncio.wait({task}, timeout=max(left, LOOK_S)))[0]:
                return True

    async def _interrupted(self, task: asyncio.Future[Any]) -> bool:
        """Interrupt a cell; return whether it stopped.

        Python drops an exception in a destructor or a weak reference's callback, so about one
        interrupt of fifty is lost in a fit of very short epochs.
        """
        for _ in range(INTERRUPTS):
            await self.manager.interrupt_kernel()
            if (await asyncio.wait({task}, timeout=GRACE_S))[0]:
                return True
        return False

    def _own_clock(self, begins: int | None = None) -> tuple[float, bool]:
        """Seconds of the notebook's own, and whether it is waiting for a training now.

        Args:
            begins: the cell that runs next; outside they know of it whatever becomes of our files.
        """
        try:
            answer, _ = self.line.ask({"op": "clock", "begins": begins})
            return time.monotonic() - float(answer["waited_s"]), bool(answer["waiting"])
        except (Lost, KeyError, TypeError, ValueError):
            return time.monotonic(), False

    async def _stop(self) -> None:
        """End the kernel at once: nothing it could still say is wanted."""
        await self.manager.shutdown_kernel(now=True)

    async def _execute(self, index: int, cell: Any, limit_s: float) -> str:
        (self.job / wire.CELL).write_text(str(index))
        self.client.size = 0
        began = time.monotonic()
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, index))
        timed_out = not await self._within(task, limit_s)
        if timed_out and not await self._interrupted(task):
            await self._stop()
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_S)
            self._cell(index, "timeout", time.monotonic() - began, cell)
            return "a cell did not stop when it was interrupted"
        status, error, message = "ok", None, None
        try:
            task.result()
        except CellExecutionError as problem:
            status, error, message = "error", str(problem.ename)[:300], str(problem.evalue)[:4_000]
        except (DeadKernelError, asyncio.CancelledError):
            status, error = "killed", "DeadKernelError"
        self._cell(
            index,
            "timeout" if timed_out else status,
            time.monotonic() - began,
            cell,
            error,
            message,
        )
        return self._how_it_died() if status == "killed" else "finished"

    def _how_it_died(self) -> str:
        """Say whether SIGKILL ended the kernel, as the system does where memory runs out."""
        process = getattr(self.manager.provisioner, "process", None)
        killed = process is not None and process.poll() == -SIGKILL
        return wire.KILLED if killed else "the kernel died"

    def _cell(
        self,
        index: int,
        status: str,
        seconds: float,
        cell: Any = None,
        error: str | None = None,
        message: str | None = None,
    ) -> None:
        outputs = [
            _clean(output) for output in _joined(cell.outputs if cell is not None else [])[:500]
        ]
        record = {
            "kind": "cell",
            "index": index,
            "status": status,
            "seconds": round(seconds, 3),
            "error": error,
            "message": message,
        }
        try:
            self._write({**record, "outputs": [output for output in outputs if output is not None]})
        except ValueError:
            self._write({**record, "outputs": []})

    def _write(self, record: dict[str, Any]) -> None:
        wire.append_record(self.job / wire.CELLS, record)


def _short_folder() -> Path:
    """A folder whose name leaves room for a socket's (108 bytes in all)."""
    import tempfile

    folder = tempfile.mkdtemp(prefix="k")
    if len(folder) > SHORT and os.access("/tmp", os.W_OK):
        folder = tempfile.mkdtemp(prefix="k", dir="/tmp")
    return Path(folder)


def _size(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(map(_size, content.values()))
    return sum(map(_size, content)) if isinstance(content, list) else 8


def _joined(outputs: list[Any]) -> list[Any]:
    """Join neighbouring pieces of one stream, then show each line as a terminal would at its end.

    nbclient's own `coalesce_streams` takes quadratic time on one long line.
    """
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and output.get("name") == last.get("name"):
            last["parts"].append(output["text"])
        elif output["output_type"] == "stream":
            joined.append(
                {"output_type": "stream", "name": output["name"], "parts": [output["text"]]}
            )
        else:
            joined.append(output)
    return [
        {
            "output_type": "stream",
            "name": output["name"],
            "text": _overwritten("".join(output["parts"])),
        }
        if "parts" in output
        else output
        for output in joined
    ]


def _overwritten(text: str) -> str:
    """Each line after its carriage returns: what a progress bar last showed."""
    lines = text.replace("\r\n", "\n").replace("\b", "").split("\n")
    return "\n".join(
        next((part for part in reversed(line.split("\r")) if part), "") for line in lines
    )


def _clean(output: Any) -> dict[str, Any] | None:
    """An output as plain values, without TensorFlow's start-up lines; None when nothing is left."""
    plain: dict[str, Any] = json.loads(json.dumps(output).encode("utf-8", "replace"))
    if plain.get("output_type") == "stream" and plain.get("name") == "stderr":
        text = plain.get("text", "")
        kept = [line for line in text.splitlines(keepends=True) if not NOISE.search(line)]
        plain["text"] = "".join(kept)
        return plain if plain["text"].strip() else None
    return plain


def main() -> None:
    """Run the notebook of the run folder named first on the command line."""
    job, code, rows = sys.argv[1:4]
    Driver(Path(job), code, rows).run()
