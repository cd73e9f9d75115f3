"""`grader export`: reads the gradebook, writes what a platform takes; nothing in it changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from grader.assignment import Assignment
from grader.batch.desk import Desk
from grader.dataset.store import open_dataset
from grader.export import canvas, gradescope, moodle
from grader.export.filled import Filled
from grader.export.marks import ExportError, Mark, marks
from grader.export.sheet import SheetError
from grader.export.table import write_answers, write_table
from grader.gradebook import Gradebook
from grader.gradebook.store import FILE
from grader.loading import load_assignment
from grader.locale import T, Text, Translator
from grader.report.words import points_text
from grader.result import Student
from grader.summary import summary
from grader.writing import write_whole

Answer = TypeVar("Answer")
AUTOGRADER = "gradescope-autograder"
PLATFORMS = ("moodle", "canvas", "gradescope", AUTOGRADER, "csv")
MOODLE_NEEDS = T(
    "Moodle knows students by the names and numbers of its grading worksheet: download it and "
    "give it as --worksheet"
)
CANVAS_NEEDS = T("Canvas takes its own gradebook back: export it there and give it as --worksheet")


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
        _refuse_stale(folder, assignment, gradebook)
        everybody, missing = list(marks(folder, gradebook)), gradebook.register.missing()
    target = out or folder / "export" / platform
    target.mkdir(parents=True, exist_ok=True)
    filling = Filling(assignment, template, column, provisional)
    WRITERS[platform](Export(everybody, missing, language, target, say), filling)


def _refuse_stale(folder: Path, assignment: Assignment, gradebook: Gradebook) -> None:
    """A mark that no file has yet must not be left out without a word."""
    dataset = open_dataset(assignment.spec.dataset.spec)
    stale = Desk(assignment, dataset, gradebook, folder, gradebook.language).stale()
    if stale:
        raise _about(
            folder,
            T(
                "marks, points or texts have changed since the files of {count} students were "
                "written, {student} among them; `grader grade` or `grader review` on this folder "
                "writes them, then export again",
                count=len(stale), student=stale[0].id,
            ),
        )  # fmt: skip


@dataclass(frozen=True)
class Filling:
    """How a platform's own file is filled in."""

    assignment: Assignment
    template: Path | None
    column: str | None
    provisional: bool

    def filled(self, missing: Text, fill: Callable[[Path, bytes], Answer]) -> Answer:
        """Return what `fill` makes of the file; ExportError(`missing`) where none was given."""
        if self.template is None:
            raise ExportError(missing)
        try:
            return fill(self.template, self.template.read_bytes())
        except FileNotFoundError as error:
            raise _about(self.template, T("does not exist; check the name")) from error
        except ExportError as error:
            raise _about(self.template, error.text) from error
        except SheetError as error:
            reason = T("is no CSV table ({reason})", reason=str(error))
            raise _about(self.template, reason) from error


@dataclass(frozen=True)
class Export:
    """One class on its way to one platform."""

    everybody: Sequence[Mark]
    missing: Sequence[Student]
    language: str
    out: Path
    say: Callable[[str], None]

    def csv(self, filling: Filling) -> None:
        summaries = [summary(mark.result) for mark in self.everybody]
        write_table(self.out / "grades.csv", summaries, self.missing)
        self._tell(self.out / "grades.csv", len(self.everybody) + len(self.missing))
        results = [mark.result for mark in self.everybody]
        write_answers(self.out / "answers.csv", filling.assignment, results)
        self._tell(self.out / "answers.csv", len(results))

    def gradescope(self, filling: Filling) -> None:
        for mark in self.everybody:
            name = mark.handed_in.handles.get("gradescope_submission", mark.student)
            plain = gradescope.results(mark.result, self.language)
            data = json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"
            _write(self.out / name / "results.json", data)
        self._tell(self.out, len(self.everybody))

    def moodle(self, filling: Filling) -> None:
        def fill(template: Path, data: bytes) -> Filled:
            apart = moodle.named_otherwise(data, self.everybody)
            spanish = self.language == "es"
            packed = self.out / ("retroalimentacion.zip" if spanish else "feedback.zip")
            theirs = [mark for mark in self.everybody if mark.student not in apart]
            filled = moodle.worksheet(
                data, self.everybody, filling.assignment, self.language, filling.provisional
            )
            self._tell(packed, moodle.feedback(packed, theirs, self.language))
            return self._hand_back(template, filled)

        filling.filled(MOODLE_NEEDS, fill)

    def canvas(self, filling: Filling) -> None:
        def fill(template: Path, data: bytes) -> Filled:
            filled = canvas.gradebook(
                data, self.everybody, filling.assignment, filling.column, filling.provisional
            )
            return self._hand_back(template, filled)

        filling.filled(CANVAS_NEEDS, fill)

    def _hand_back(self, template: Path, filled: Filled) -> Filled:
        path = self.out / template.name
        if path.exists() and path.samefile(template):
            raise ExportError(T("would be written over; give another --out"))
        _write(path, filled.data)
        self._tell(path, filled.count)
        for notice in filled.notices:
            self.say(Translator(self.language)(notice))
        return filled

    def _tell(self, path: Path, count: int) -> None:
        said = T("{path}: students: {count}", path=str(path), count=count)
        self.say(Translator(self.language)(said))


WRITERS: Mapping[str, Callable[[Export, Filling], None]] = {
    "moodle": Export.moodle,
    "canvas": Export.canvas,
    "gradescope": Export.gradescope,
    "csv": Export.csv,
}


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


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def _about(template: Path, reason: Text) -> ExportError:
    return ExportError(T("{path}: {reason}", path=str(template), reason=reason))
