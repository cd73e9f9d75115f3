"""`grader override`: a person's points for one check, kept as an event; files follow at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.desk import Desk
from grader.batch.lock import locked
from grader.dataset.store import open_dataset
from grader.gradebook import Gradebook, GradebookError
from grader.gradebook.store import FILE
from grader.grading import Override
from grader.loading import load_assignment


def override(folder: Path, student: str, check_name: str, points: float, because: str) -> str:
    """Keep the mark and write the student's files again; return one line that says what changed.

    Raises:
        GradebookError: there is no such student, or the points are more than the check is worth.
        SpecError: there is no such check.
    """
    if not (folder / FILE).exists():
        raise GradebookError(f"{folder / FILE}: there is no gradebook; check the name")
    with locked(folder), Gradebook(folder) as gradebook:
        assignment = load_assignment(gradebook.assignment_folder)
        entry, standing = gradebook.entry(student), gradebook.standings()[student]
        dataset = open_dataset(assignment.spec.dataset.spec)
        desk = Desk(assignment, dataset, gradebook, folder, gradebook.language)
        current = standing.scored == desk.scored_by(entry.student)
        decide(gradebook, assignment, student, check_name, points, because)
        result, failed = desk.write(entry.student, entry.gathered, ran=False)
        # the next `grade` leaves alone what nothing but this mark has changed
        scored = desk.scored_by(entry.student) if current else standing.scored
        gradebook.add(entry.student, entry.gathered, result, "" if failed else scored)
        from grader.batch.page import write_class  # draws: matplotlib takes half a second

        write_class(folder, assignment, gradebook, gradebook.language)
    before, after = entry.result["points"]["earned"], result["points"]["earned"]
    return (
        f"{student}: {check_name} is now {points:g} of {assignment.check(check_name).points:g} "
        f"points ({because}); earned {before:g} → {after:g}"
    )


def decide(
    gradebook: Gradebook,
    assignment: Assignment,
    student: str,
    check_name: str,
    points: float,
    because: str,
    who: str | None = None,
) -> None:
    """Keep a person's points for one check; files follow when somebody writes them.

    Args:
        who: the person; the user of this process by default.

    Raises:
        GradebookError: there is no such student, or the points are more than the check is worth.
        SpecError: there is no such check.
    """
    check = assignment.check(check_name)
    hundredths = round(points * 100) if math.isfinite(points) else -1
    if not 0 <= hundredths <= check.possible:
        raise GradebookError(
            f"{check_name} is worth {check.points:g} points; "
            f"{points:g} is not from 0 to {check.points:g}"
        )
    saw = _alone(gradebook.result(student), check_name)
    gradebook.override(student, Override(check_name, hundredths, because, saw), who)


def _alone(result: dict[str, Any], check: str) -> int | None:
    """Return what the run gave by itself, in hundredths; None where it could not be judged."""
    for finding in result["findings"]:
        if finding["check"] == check and result["problem"] is None:
            own: float = finding["earned"] if finding["overridden"] is None else finding["alone"]
            return round(100 * own)
    return None
