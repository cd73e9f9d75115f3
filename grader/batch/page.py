"""Writes what concerns the whole class, from what the gradebook holds: its page and its table."""

from __future__ import annotations

from pathlib import Path

from grader.assignment import Assignment
from grader.export.table import write_table
from grader.gradebook import Gradebook
from grader.grading import template_of
from grader.loading import calibration_file
from grader.notebook import read_notebook
from grader.report.classroom import render_class
from grader.report.files import write_all
from grader.similar import Pair, code_of, fingerprints, pairs


def write_class(out: Path, assignment: Assignment, gradebook: Gradebook, language: str) -> None:
    """Write `index.html` and `grades.csv`.

    Raises:
        OSError: the disk is full or read-only.
    """
    summaries, missing = gradebook.summaries(), gradebook.register.missing()
    page = render_class(
        assignment,
        summaries,
        missing,
        similar(assignment, gradebook),
        pairs(gradebook.shown()),
        language,
        gradebook.register.notices(),
    )
    write_all(out, {"index.html": page})
    write_table(out / "grades.csv", summaries, missing)


def similar(assignment: Assignment, gradebook: Gradebook) -> list[Pair]:
    """Return the pairs of students whose code is alike beyond what they were given."""
    template = template_of(assignment)
    solution = calibration_file(assignment.folder).with_name("solution.ipynb")
    given = [template] if template is not None else []
    if solution.exists():
        given.append(read_notebook(solution.read_bytes(), solution.name))
    return pairs(gradebook.prints(), [fingerprints(code_of(one)) for one in given])
