"""Who handed in what: one notebook, a folder or a platform's archive → submissions.

Reads names and bytes; executes nothing and writes nothing. `layouts/` has one file for each way in
which files are handed over.
"""

from __future__ import annotations

from grader.intake.folder import read_file
from grader.intake.people import People, read_roster, read_worksheet
from grader.intake.sorting import submissions, work_of
from grader.intake.submission import Ignored, Intake, IntakeError, Submission

__all__ = [
    "Ignored",
    "Intake",
    "IntakeError",
    "People",
    "Submission",
    "read_file",
    "read_roster",
    "read_worksheet",
    "submissions",
    "work_of",
]
