"""Grades a class: each submission through `grading`, results to the gradebook, files to DIR."""

from __future__ import annotations

from grader.batch.classroom import Outcome, grade_class, write_grades

__all__ = ["Outcome", "grade_class", "write_grades"]
