"""`grader export`: reads the gradebook, writes what a platform takes; nothing in it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from grader.export import canvas, gradescope, moodle
from grader.export.filled import Filled
from grader.export.marks import ExportError, Mark, marks
from grader.export.sheet import SheetError
from grader.export.table import write_table
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.loading import load_assignment
from grader.locale import T, Text, Translator
from grader.report.words import points_text
from grader.writing import write_whole

Answer = TypeVar("Answer")
AUTOGRADER = "gradescope-autograder"
PLATFORMS = ("moodle", "canvas", "gradescope", AUTOGRADER, "csv")


def export(
    folder: Path,
    platform: str,
    out: Path | None,
    template: Path | None,
    column: str | None,
    provisional: bool,
    say: Callable[[str], None],
) -> None:
    """Write a platform's files into `out`, and say what is in them and what is not.

    Args:
        folder: the `--out` folder of `grader grade`; for the autograder an assignment's will do.
        out: None for a folder of its own in a class's folder, and `dist` for an assignment's.
        template: Moodle's worksheet, or Canvas's exported gradebook.
        column: Canvas's column, where the assignment's title does not name it.
        provisional: fill in the lowest grade where something still waits for a person.

    Raises:
        ExportError: the template is none, or none was given.
        GradebookError: there is no gradebook.
        SpecError: the autograder's assignment is wrong.
        OSError: the disk is full or read-only.
    """
    if platform == AUTOGRADER:
        _write_autograder(folder, out, say)
        return
    with Gradebook(folder) as gradebook:
        assignment, language = load_assignment(gradebook.assignment_folder), gradebook.language
        everybody, missing = list(marks(folder, gradebook)), gradebook.missing()
    translate = Translator(language)
    out = out or folder / "export" / platform
    out.mkdir(parents=True, exist_ok=True)

    def tell(path: Path, count: int) -> None:
        say(translate(T("{path}: students: {count}", path=str(path), count=count)))

    if platform == "csv":
        write_table(out / "grades.csv", [mark.result for mark in everybody], missing)
        tell(out / "grades.csv", len(everybody) + len(missing))
    elif platform == "gradescope":
        for mark in everybody:
            name = mark.handed_in.handles.get("gradescope_submission", mark.student)
            _write(out / name / "results.json", _results(mark, language))
        tell(out, len(everybody))
    elif platform == "moodle":
        if template is None:
            raise ExportError(
                T(
                    "Moodle knows students by the names and numbers of its grading worksheet: "
                    "download it and give it as --worksheet"
                )
            )
        apart = _filled(template, lambda data: moodle.named_otherwise(data, everybody))
        packed = out / ("retroalimentacion.zip" if language == "es" else "feedback.zip")
        theirs = [mark for mark in everybody if mark.student not in apart]
        tell(packed, moodle.feedback(packed, theirs, language))
        filled = _filled(
            template,
            lambda data: moodle.worksheet(data, everybody, assignment, language, provisional),
        )
        _hand_back(out / template.name, template, filled, translate, say, tell)
    else:
        if template is None:
            raise ExportError(
                T("Canvas takes its own gradebook back: export it there and give it as --worksheet")
            )
        filled = _filled(
            template,
            lambda data: canvas.gradebook(data, everybody, assignment, column, provisional),
        )
        _hand_back(out / template.name, template, filled, translate, say, tell)


def _write_autograder(folder: Path, out: Path | None, say: Callable[[str], None]) -> None:
    from grader.export.autograder.package import autograder  # the release's nbconvert takes seconds

    usual = Path("dist")
    if not (folder / "assignment.toml").exists():
        usual = folder / "export" / AUTOGRADER
        folder = _graded_by(folder)
    assignment = load_assignment(folder)
    path = (out or usual) / f"autograder-{assignment.id}.zip"
    _write(path, autograder(assignment))
    translate = Translator(assignment.spec.language)
    done = T(
        "{path}: upload it as the autograder of a programming assignment with {points} points",
        path=str(path), points=points_text(assignment.automatic, translate),
    )  # fmt: skip
    say(translate(done))


def _graded_by(folder: Path) -> Path:
    if not (folder / FILE).exists():
        raise _about(
            folder,
            T(
                "is no assignment's folder (with assignment.toml) and no class's (with "
                "gradebook.sqlite); check the name"
            ),
        )
    with Gradebook(folder) as gradebook:
        return gradebook.assignment_folder


def _filled(template: Path, fill: Callable[[bytes], Answer]) -> Answer:
    try:
        return fill(template.read_bytes())
    except FileNotFoundError as error:
        raise _about(template, T("does not exist; check the name")) from error
    except ExportError as error:
        raise _about(template, error.text) from error
    except SheetError as error:
        raise _about(template, T("is no CSV table ({reason})", reason=str(error))) from error


def _hand_back(
    path: Path,
    template: Path,
    filled: Filled,
    translate: Translator,
    say: Callable[[str], None],
    tell: Callable[[Path, int], None],
) -> None:
    if path.exists() and path.samefile(template):
        raise _about(path, T("would be written over; give another --out"))
    _write(path, filled.data)
    tell(path, filled.count)
    for notice in filled.notices:
        say(translate(notice))


def _results(mark: Mark, language: str) -> bytes:
    plain = gradescope.results(mark.result, language)
    return json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def _about(template: Path, reason: Text) -> ExportError:
    return ExportError(T("{path}: {reason}", path=str(template), reason=reason))
