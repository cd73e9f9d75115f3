"""`grader check`: one notebook of one's own, at the best level of walls that is offered here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grader.assignment import Assignment
from grader.dataset.store import Dataset
from grader.grading import Gathered, Grading, open_service
from grader.intake import IntakeError, Submission, submissions
from grader.locale import T, Translator
from grader.notebook import read_notebook
from grader.report.files import write_files
from grader.result import SELF_CHECK, Graded, NotebookFile
from grader.sandbox import probe
from grader.unreadable import Unreadable
from grader.watching import Watching, shown


def check_notebook(
    path: Path,
    assignment: Assignment,
    dataset: Dataset,
    out: Path,
    language: str,
    say: Callable[[str], None] = lambda line: None,
    train_in_kernel: bool = False,
) -> Graded:
    """Run and judge one notebook and write its files into `out`.

    Args:
        train_in_kernel: train as plain Keras would, and verify afterwards.
        say: receives one line when the notebook starts to run.

    Raises:
        IntakeError: there is no such file, or it is none to read.
    """
    if path.is_dir():
        raise IntakeError(
            T("{path}: is a folder; give one notebook, or use `grader grade`", path=str(path))
        )
    (submission,) = submissions(path, assignment.spec.notebook).submissions
    gathered, graded = check_submission(
        submission, assignment, dataset, language, say, train_in_kernel
    )
    write_files(out, gathered, graded, language, dataset)
    return graded


def check_submission(
    submission: Submission,
    assignment: Assignment,
    dataset: Dataset,
    language: str,
    say: Callable[[str], None] = lambda line: None,
    train_in_kernel: bool = False,
) -> tuple[Gathered, Graded]:
    """Run and judge one notebook, and write nothing.

    Raises:
        IntakeError: the file cannot be read any more.
    """
    began = T("Running {name}; a whole workshop takes a few minutes.", name=submission.name)
    level = probe().level
    with open_service(assignment, dataset, level) as service:
        grading = Grading(assignment, dataset, level, service, train_in_kernel=train_in_kernel)
        translator, watching = Translator(language), Watching()
        say(translator(began))
        try:
            data = submission.read()
            with shown(watching, _sources(data), assignment.spec.epochs, translator):
                gathered = grading.gather(data, submission.name, watching)
        except Unreadable as unreadable:
            gathered = Gathered(NotebookFile(submission.name, ""), problem=unreadable.text)
        return gathered, grading.conclude(gathered, SELF_CHECK)


def _sources(data: bytes) -> list[str]:
    """The code of each cell by index, nothing for text; for what cannot be read, nothing at all."""
    try:
        cells = read_notebook(data, "").cells
    except Unreadable:
        return []
    return [cell.source if cell.kind == "code" else "" for cell in cells]
