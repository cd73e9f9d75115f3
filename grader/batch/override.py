"""`grader override`: a person's points for one check, kept as an event; files follow at once."""

from __future__ import annotations

from pathlib import Path

from grader.batch.classroom import write_grades
from grader.batch.desk import Desk
from grader.dataset.store import open_dataset
from grader.gradebook import Gradebook, GradebookError
from grader.grading import Override
from grader.loading import load_assignment


def override(folder: Path, student: str, check_name: str, points: float, because: str) -> str:
    """Keep the mark and write the student's files again; return one line that says what changed.

    Raises:
        GradebookError: there is no such student, or the points are more than the check is worth.
        SpecError: there is no such check.
    """
    with Gradebook(folder) as gradebook:
        assignment = load_assignment(gradebook.assignment_folder)
        check, hundredths = assignment.check(check_name), round(points * 100)
        if not 0 <= hundredths <= check.possible:
            raise GradebookError(
                f"{check_name} is worth {check.points:g} points; "
                f"{points:g} is not from 0 to {check.points:g}"
            )
        entry = gradebook.entry(student)
        gradebook.override(student, Override(check_name, hundredths, because))
        dataset = open_dataset(assignment.spec.dataset.spec)
        desk = Desk(assignment, dataset, gradebook, folder, gradebook.language)
        gathered, result = desk.write(entry.student, entry.gathered, ran=False)
        scored = gradebook.standings()[student].scored
        gradebook.add(entry.student, gathered, result, scored)
        write_grades(
            folder / "grades.csv",
            gradebook.results(),
            gradebook.missing(),
        )
    before, after = entry.result["points"]["earned"], result["points"]["earned"]
    return (
        f"{student}: {check_name} is now {points:g} of {check.points:g} points ({because}); "
        f"earned {before:g} → {after:g}"
    )
