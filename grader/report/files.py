"""Writes what one student gets: report.html, result.json, executed.ipynb and executed.html."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.grading import Gathered
from grader.notebook import to_run
from grader.report.html import render_report
from grader.result import Graded, result_json
from grader.writing import keep_names, write_whole

if TYPE_CHECKING:
    from grader.signing import Key


def write_student(
    out: Path,
    gathered: Gathered,
    graded: Graded,
    language: str,
    dataset: Dataset,
    ran: bool = True,
    key: Key | None = None,
) -> Path:
    """Write one student's files below `out/students/`; return their folder."""
    folder = out / "students" / graded.student.id
    return write_files(folder, gathered, graded, language, dataset, ran, key)


def write_files(
    folder: Path,
    gathered: Gathered,
    graded: Graded,
    language: str,
    dataset: Dataset,
    ran: bool = True,
    key: Key | None = None,
) -> Path:
    """Write the files, each whole or not at all; return the folder.

    Args:
        ran: the notebook has run since the files were written; else its executed pages stay where
            they are there in this language.
        key: signs the report.

    Raises:
        OSError: the disk is full or read-only.
    """
    pristine = Pristine.open(dataset.rows)
    result = result_json(graded, language)
    report = render_report(graded, language, lambda row: pristine.images([row])[0])
    if key is not None:
        from grader.signing import signed  # the instructor's package has what it needs

        report = signed(report, result, key)
    contents = {
        "result.json": json.dumps(result, ensure_ascii=False, indent=1) + "\n",
        "report.html": report,
    }
    stands = not ran and _in_language(folder / "executed.html", language)
    if gathered.notebook is not None and not gathered.fault and not stands:
        # nbconvert takes two seconds to import; scoring a class anew does not need it
        from grader.report.executed import executed_notebook, render_executed

        executed = executed_notebook(to_run(gathered.notebook), gathered.evidence.cells)
        contents["executed.ipynb"] = json.dumps(executed, ensure_ascii=False, indent=1) + "\n"
        contents["executed.html"] = render_executed(executed, language)
    write_all(folder, contents)
    if ran and "executed.html" not in contents:  # they would be an earlier notebook's
        for name in ("executed.html", "executed.ipynb"):
            (folder / name).unlink(missing_ok=True)
    return folder


def _in_language(page: Path, language: str) -> bool:
    try:
        with page.open(encoding="utf-8") as stream:
            return f'lang="{language}"' in stream.read(300)
    except (OSError, UnicodeDecodeError):
        return False


def write_all(folder: Path, contents: Mapping[str, str]) -> None:
    """Write texts as UTF-8, each whole or not at all.

    Raises:
        OSError: the disk is full or read-only; it names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        write_whole(folder / name, text.encode("utf-8", "replace"))
    keep_names(folder)
