"""Who handed in what: a folder or one notebook → submissions. Reads names; executes nothing."""

from __future__ import annotations

from grader.intake.folder import read_file, submissions
from grader.intake.submission import Ignored, Intake, IntakeError, Submission

__all__ = ["Ignored", "Intake", "IntakeError", "Submission", "read_file", "submissions"]
