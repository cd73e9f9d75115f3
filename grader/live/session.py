"""Watches a student's own kernel, and shows on demand what the checks say of it.

Nothing that the notebook does is changed or run again. What goes wrong here is told in one line
and never breaks a cell.
"""

from __future__ import annotations

import atexit
import contextlib
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from .. import wire
from ..dataset.identity import Pristine
from ..kernel.observer import Observer

LIVE = "live.json"  # what is left beside the records: sources, the dataset's rows, the file
LOG = "judge.log"
# -P: no file of the student's folder is imported in place of a library
PYTHON = (sys.executable, "-P", "-X", "utf8", "-m")
JUDGE, ROWS = (*PYTHON, "grader.live.judge"), (*PYTHON, "grader.live.rows")
TIMEOUT_S = 120
PATIENCE_S = 6.0  # that one call waits for the dataset
AGAIN_S = 30.0  # until the dataset is looked for again
PRINTED = 100_000  # characters of a cell's printed text that are kept
ALIKE = 0.6  # of a cell that failed and the next one, where cells have no ids
SESSION = "_grader_session"

LOADED = (
    "El corrector mira lo que haces aquí, sin cambiar nada. Escribe %check cuando quieras ver cómo "
    "vas. · The grader watches what you do here and changes nothing. Type %check whenever you want "
    "to see how you are doing."
)
NOT_LOADED = "Primero ejecuta %load_ext grader. · Run %load_ext grader first."
FAILED = (
    "No se pudo revisar: es un fallo del corrector, no tuyo, y tu cuaderno sigue igual. · "
    "The check failed: it is the grader's fault, not yours, and your notebook is as it was."
)


def load(ip: Any) -> None:
    """Watch a kernel; a second time is the same as once."""
    if getattr(ip, SESSION, None) is not None:
        return
    try:
        session = Session(ip)
    except Exception as error:  # noqa: BLE001 - the border: the notebook must run without us
        print(f"grader: {type(error).__name__}: {error}"[:300])
        return
    setattr(ip, SESSION, session)
    ip.register_magic_function(lambda line="": session.check(line.strip() or None), "line", "check")
    print(LOADED)


def check_now(language: str | None = None) -> None:
    """Show what the checks say of the kernel so far."""
    from IPython.core.getipython import get_ipython

    session = getattr(get_ipython(), SESSION, None)
    if session is None:
        print(NOT_LOADED)
    else:
        session.check(language)


class Session:
    """One kernel that is watched.

    Attributes:
        cells: by index (the number that Jupyter shows, minus one): source, cell id, how it ended.
    """

    def __init__(self, ip: Any) -> None:
        self.ip = ip
        self.job = Path(tempfile.mkdtemp(prefix="grader-live-"))
        atexit.register(_remove, self.job, os.getpid())
        (self.job / wire.EVENTS).touch()
        self.rows = _Rows(self.job / LOG)
        self.cells: dict[int, dict[str, Any]] = {}
        self._printed: list[str] = []
        self._room = PRINTED
        self._began = time.monotonic()
        self._index: int | None = None
        self._tee: tuple[Any, Any, Any] | None = None
        self.recorder = Observer(self.job, cast("Pristine", self.rows), self._number)
        self.recorder.install(ip)
        shown = ip.displayhook.write_format_data

        def write_format_data(formats: Any, *more: Any) -> Any:
            with contextlib.suppress(Exception):
                self._print(f"{formats.get('text/plain', '')}\n")
            return shown(formats, *more)

        ip.displayhook.write_format_data = write_format_data
        # this cell's own `pre_run_cell` is past
        self.recorder.cell = self._index = self._current()
        self._listen()
        ip.events.register("pre_run_cell", self._begins)
        ip.events.register("post_run_cell", self._ended)

    def check(self, language: str | None) -> None:
        """Ask the judge, and show its answer under the cell."""
        try:
            self._leave(language)
            with (self.job / LOG).open("ab") as log:
                done = subprocess.run(
                    [*JUDGE, str(self.job)], stdout=subprocess.PIPE, stderr=log, timeout=TIMEOUT_S,
                    **_apart(),
                )  # fmt: skip
            answer = json.loads(done.stdout.strip().rpartition("\n")[2])
            from IPython.display import display

            shown = {"text/plain": answer["text"], "text/html": answer["html"]}
            display(shown, raw=True)  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - the border: a student's cell must not fail by us
            print(FAILED)

    def _leave(self, language: str | None) -> None:
        """Write down the cells for the judge, beside the records."""
        stale = self._stale()
        self._forget(stale)
        count = max(self.cells, default=-1) + 1
        with (self.job / wire.CELLS).open("wb") as stream:
            for index in range(count):
                record = {"kind": "cell", "index": index, "status": "ok", "seconds": 0.0}
                if index not in stale:
                    record |= self.cells.get(index, {}).get("record", {})
                if index == self._index:
                    record["outputs"] = _stream(self._printed)
                stream.write(json.dumps(record).encode() + b"\n")
        said = {
            "language": language,
            "sources": [self.cells.get(index, {}).get("source", "") for index in range(count)],
            "rows": self.rows.known(),
            "notebook": _notebook(self.ip.user_ns),
        }
        (self.job / LIVE).write_text(json.dumps(said), encoding="utf-8")

    def _stale(self) -> set[int]:
        """The runs of cells that were run again since: mended, or just once more.

        Cells are known by their id. Where the frontend sends none, only a run that failed is
        replaced, by the next one when that reads much the same: two experiments may well have the
        same line of code.
        """
        latest: dict[str, int] = {}
        stale: set[int] = set()
        for index in sorted(self.cells):
            cell = self.cells[index]
            if cell["id"]:
                stale.update({latest[cell["id"]]} if cell["id"] in latest else ())
                latest[cell["id"]] = index
            before = self.cells.get(index - 1, {})
            failed = before.get("record", {}).get("status") == "error"
            if failed and not cell["id"] and _alike(before["source"], cell["source"]):
                stale.add(index - 1)
        return stale

    def _forget(self, stale: set[int]) -> None:
        """Drop the records of runs that no longer count, so that a long session stays small."""
        path = self.job / wire.EVENTS
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line).get("cell") not in stale]
        if len(kept) < len(lines):
            path.write_bytes(b"".join(kept))

    def _current(self) -> int | None:
        """The index of the cell that is running; IPython counts it before or after, by version."""
        index = int(self.ip.displayhook.prompt_count) - 1
        return index if index >= 0 else None

    def _number(self, info: Any) -> int | None:
        """The cell that a run belongs to: one without history is part of the running one."""
        if getattr(info, "store_history", True):
            self._index = self._current()
        return self._index

    def _begins(self, info: Any) -> None:
        if not getattr(info, "store_history", True) or self._index is None:
            return
        with contextlib.suppress(Exception):
            self._printed, self._room, self._began = [], PRINTED, time.monotonic()
            self.cells[self._index] = {
                "source": _text(info.raw_cell), "id": getattr(info, "cell_id", None), "record": {},
            }  # fmt: skip
            self._listen()

    def _ended(self, result: Any) -> None:
        info = getattr(result, "info", None)
        if info is None or not info.store_history or self._index is None:
            return
        with contextlib.suppress(Exception):
            self._deafen()
            index, self._index = self._index, None
            error = result.error_in_exec or result.error_before_exec
            record: dict[str, Any] = {
                "status": "ok" if error is None else "error",
                "seconds": round(time.monotonic() - self._began, 3),
                "outputs": _stream(self._printed),
            }
            if error is not None:
                record |= {"error": _text(type(error).__name__)[:300], "message": _message(error)}
            self.cells[index] = {
                "source": _text(info.raw_cell), "id": getattr(info, "cell_id", None),
                "record": record,
            }  # fmt: skip

    def _listen(self) -> None:
        """Hear what the running cell prints; IPython puts `write` back itself after each cell."""
        stream = sys.stdout
        original = stream.write

        def write(text: str, *more: Any, **named: Any) -> Any:
            with contextlib.suppress(Exception):
                self._print(text)
            return original(text, *more, **named)

        with contextlib.suppress(AttributeError):
            stream.write = write  # type: ignore[method-assign]
            self._tee = stream, write, original

    def _deafen(self) -> None:
        if self._tee is not None:
            stream, write, original = self._tee
            if getattr(stream, "write", None) is write:
                stream.write = original
            self._tee = None

    def _print(self, text: str) -> None:
        if "\r" in text or "\b" in text:  # a progress bar: only what follows its last line
            text = text.rpartition("\n")[2] if "\n" in text else ""
        if text and self._room > 0:
            self._printed.append(_text(text[: self._room]))
            self._room -= len(text)


class _Rows:
    """The dataset's rows, opened when they are first needed.

    Another process finds, verifies and unpacks them meanwhile: in Keras's own folder, where
    `load_data` puts them, or from where Keras has them.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._pristine: Pristine | None = None
        self._folder: str | None = None
        self._finding: subprocess.Popen[str] | None = self._find()
        self._tried = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._pristine is None:
            self._open(PATIENCE_S)
        if self._pristine is None:
            raise LookupError("the dataset is not ready")
        return getattr(self._pristine, name)

    def known(self) -> str | None:
        """Return the folder of the rows as soon as it is found."""
        if self._pristine is None:
            self._open(0.0)
        return self._folder

    def _find(self) -> subprocess.Popen[str]:
        with self._log.open("ab") as log:
            return subprocess.Popen(ROWS, stdout=subprocess.PIPE, stderr=log, **_apart())

    def _open(self, patience_s: float) -> None:
        if self._finding is None:
            if time.monotonic() - self._tried < AGAIN_S:
                return
            self._finding, self._tried = self._find(), time.monotonic()
        try:
            said, _ = self._finding.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            return
        self._finding = None
        with contextlib.suppress(OSError, ValueError):
            folder = json.loads(said.strip().rpartition("\n")[2])
            self._pristine = Pristine.open(Path(folder))
            self._folder = folder


def _apart() -> dict[str, Any]:
    """How a process of ours runs: away from the kernel's interrupts, console and input."""
    root = str(Path(__file__).resolve().parents[2])
    loud = ("FORCE_COLOR", "CLICOLOR_FORCE", "MPLBACKEND")
    env = {key: value for key, value in os.environ.items() if key not in loud}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [root, env.get("PYTHONPATH")]))
    window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    apart = {"creationflags": window} if os.name == "nt" else {"start_new_session": True}
    return {"stdin": subprocess.DEVNULL, "env": env, "encoding": "utf-8", **apart}


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child leaves it alone
        shutil.rmtree(folder, ignore_errors=True)


def _stream(printed: list[str]) -> list[dict[str, str]]:
    return [{"output_type": "stream", "text": "".join(printed)}]


def _text(text: Any) -> str:
    """A text that every file can keep: half a surrogate pair becomes a question mark."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def _message(error: BaseException) -> str:
    try:
        return _text(error)[:4_000]
    except Exception:  # noqa: BLE001 - an exception of the student's own
        return ""


def _alike(one: str, other: str) -> bool:
    before, after = one.strip()[:4_000], other.strip()[:4_000]
    return difflib.SequenceMatcher(None, before, after, autojunk=False).ratio() > ALIKE


def _notebook(names: dict[str, Any]) -> str | None:
    """The file that is being worked on, where the program that shows it says so.

    VS Code leaves `__vsc_ipynb_file__` in the notebook's names; Jupyter's servers name the session
    by its path (`JPY_SESSION_NAME`); else the only notebook in the working folder.
    """
    with contextlib.suppress(OSError, ValueError):
        for said in (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
            if said and Path(str(said)).is_file():
                return str(said)
        here = [path for path in Path.cwd().glob("*.ipynb") if path.is_file()]
        return str(here[0]) if len(here) == 1 else None
    return None
