"""Reads hostile files as `grader grade` would, in a process of its own that is measured.

    python -m tests.attacks.reading FOLDER

For each file of the folder one line of JSON: its verdicts. The last line has the peak of memory.
Ends with an exception of ours, an open file that is not the archive, or a file that takes too long.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from grader.grading import Gathered, conclude, template_of
from grader.intake import IntakeError, submissions
from grader.loading import default_folder, load_assignment
from grader.locale import Translator
from grader.notebook import read_notebook, to_run
from grader.report import charts
from grader.report.executed import executed_notebook, render_executed
from grader.report.html import render_report
from grader.report.schema import result_schema
from grader.result import NotebookFile, Student, result_json
from grader.similar import code_of, fingerprints, printed
from grader.unreadable import Unreadable
from tests.attacks.sinks import DOT
from tests.report.pages import Page, dangers

MOST_S = 30
SHOWN = 12  # reports rendered of one archive
ASSIGNMENT = load_assignment(default_folder())
TEMPLATE = template_of(ASSIGNMENT)
SCHEMA = Draft202012Validator(result_schema())
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.chmod", "os.system",
           "subprocess.Popen", "os.exec", "os.fork", "socket.connect", "shutil.unpack_archive",
           "pickle.find_class", "ctypes.dlopen"}  # fmt: skip
"""What reading a submission never does."""


ROOT = Path(__file__).resolve().parents[2]
PREFIXES = (sys.prefix, sys.base_prefix, str(Path(sys.prefix).resolve()), "/usr/share/zoneinfo")
FOLDERS = ("grader", "templates", "assignment", "tests", "reference")
OURS = (*PREFIXES, *(str(ROOT / name) for name in FOLDERS))
"""Where modules, templates and the assignment are read from."""


class Watched:
    """What the process opens and changes while it is asked to look."""

    def __init__(self) -> None:
        self.looking = False
        self.opened: list[str] = []
        self.changed: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.looking:
            return
        if event == "open":
            path, _, flags = arguments
            name = os.fsdecode(path) if isinstance(path, str | bytes) else str(path)
            # Python looks for the line of a syntax error in a file that is called <unknown>
            if not isinstance(path, int) and not name.startswith((*OURS, "<")):
                self.opened.append(name)
            if isinstance(flags, int) and flags & WRITES:
                self.changed.append(f"open {path!r}")
        elif event in CHANGES and not str(arguments[0]).startswith("babel."):  # its own tables
            self.changed.append(f"{event} {arguments!r}"[:200])


def verdicts(path: Path) -> Iterator[str]:
    """What becomes of each submission of a source: a word, or an exception of ours."""
    say = Translator("es")
    try:
        intake = submissions(path, ASSIGNMENT.spec.notebook)
    except IntakeError as error:
        yield _said(say(error.text), "refused")
        return
    for ignored in intake.ignored:
        assert (say(ignored.reason) and ignored.shown.isprintable()) or ignored.shown
        yield "ignored"
    ids = [one.student.id for one in intake.submissions] + [one.id for one in intake.missing]
    assert len(ids) == len({one.casefold() for one in ids}) and all(map(_safe, ids)), ids
    for number, one in enumerate(intake.submissions):
        try:
            data = one.read()
        except Unreadable as unreadable:
            file = NotebookFile(one.name, "0" * 64)
            gathered, word = Gathered(file, problem=unreadable.text), unreadable.looks_like
        except IntakeError as error:
            yield _said(say(error.text), "unread")
            continue
        else:
            assert len(data) <= 50_000_000
            gathered, word = read(data, one.name)
        if number < SHOWN:
            assert_reported(gathered, one.student)
        yield word


def read(data: bytes, name: str) -> tuple[Gathered, str]:
    """A notebook as it would be judged if nothing in it had run."""
    try:
        notebook = read_notebook(data, name)
    except Unreadable as unreadable:
        file = NotebookFile(name, "0" * 64)
        return Gathered(file, problem=unreadable.text), unreadable.looks_like
    fingerprints(code_of(notebook))  # what finds passages that are alike reads it too
    shown = tuple(sorted(printed(data)))
    file = NotebookFile(notebook.name, notebook.sha256)
    return Gathered(file, notebook, shown=shown), "read"


def assert_reported(gathered: Gathered, student: Student) -> None:
    """The verdict has a valid result and pages that can only be read."""
    graded = conclude(ASSIGNMENT, TEMPLATE, gathered, student)
    result = result_json(graded, "es")
    plain = json.loads(json.dumps(result, allow_nan=False).encode())
    assert [] == [error.message for error in SCHEMA.iter_errors(plain)]
    page = Page(render_report(graded, "es", None))
    assert [] == dangers(page) and 1 == len(page.all("h1"))
    if gathered.notebook is not None:
        executed = executed_notebook(to_run(gathered.notebook), ())
        assert [] == dangers(render_executed(executed, "es"))


def _said(sentence: str, verdict: str) -> str:
    assert sentence and "\n" not in sentence, verdict
    return verdict


def _safe(identity: str) -> bool:
    return identity.isascii() and identity.replace("-", "").isalnum() and identity[0] != "-"


def main(folder: Path) -> None:
    charts.learning_curve = charts.comparison = lambda *_: DOT  # type: ignore[assignment]
    assert_reported(*warm())
    watched = Watched()
    for path in sorted(folder.iterdir()):
        signal.alarm(MOST_S)  # ends the process: a hang is a failure
        watched.opened.clear()
        began, watched.looking = time.monotonic(), True
        found = list(verdicts(path))
        watched.looking = False
        signal.alarm(0)
        assert found, path
        assert [] == watched.changed, (path, watched.changed)
        others = [one for one in watched.opened if one != str(path.resolve())]
        seconds = round(time.monotonic() - began, 2)
        line = {"file": path.name, "verdicts": found, "others": others, "seconds": seconds}
        print(json.dumps(line), flush=True)
    print(json.dumps({"peak_mb": peak_mb()}))


def peak_mb() -> int:
    """The most memory that this program has had; `ru_maxrss` would count its parent's too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) // 1024


def warm() -> tuple[Gathered, Student]:
    """A first report, so that what is imported and read for every report is not looked at."""
    return read(b'{"cells": []}', "a.ipynb")[0], Student("ana", "Ana")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
