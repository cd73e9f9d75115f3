"""`grades.csv`: one row for each student; `answers.csv`: one for each mark of a written answer.

Text stands in quotes and numbers do not, decimals have a point and thousands none; a text that a
spreadsheet would take for a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.export.sheet import inert, inert_anywhere
from grader.result import Student
from grader.writing import write_whole

MISSING = "missing"
POINTS = ("earned", "possible", "pending", "total")
COLUMNS = ("student", "name", "state", *POINTS, "grade", "lowest", "highest")


ANSWERS = (
    "student", "name", "question", "criterion", "points", "possible", "level", "comment",
)  # fmt: skip


def write_answers(path: Path, assignment: Assignment, results: Iterable[Mapping[str, Any]]) -> None:
    """Write one row for each student and criterion; points are empty while a person must decide."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(ANSWERS)
    for result in results:
        whose = tuple(inert_anywhere(result["student"][key]) for key in ("id", "name"))
        for answer in result["answers"]:
            for criterion in assignment.rubric.questions[answer["question"]].criteria:
                mark = (answer["marks"] or {}).get(criterion.id)
                said = (mark["level"], inert(mark["comment"])) if mark else ("", "")
                points = mark["points"] if mark else ""
                place = answer["question"], criterion.id
                writer.writerow([*whose, *place, points, criterion.possible / 100, *said])
    write_whole(path, stream.getvalue().encode())


def write_table(
    path: Path, summaries: Iterable[Mapping[str, Any]], missing: Iterable[Student] = ()
) -> None:
    """Write the table of `grader.summary`'s short forms, whole or not at all."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    for one in summaries:
        value, *ends = one["grade"]
        texts = inert_anywhere(one["student"]), inert_anywhere(one["name"]), one["state"]
        points = (one[key] for key in POINTS)
        writer.writerow([*texts, *points, "" if value is None else value, *ends])
    for student in missing:
        texts = inert_anywhere(student.id), inert_anywhere(student.name), MISSING
        writer.writerow([*texts, *[""] * 7])
    write_whole(path, stream.getvalue().encode())
