"""Grades a class: each submission through `grading`, results to the gradebook, files to DIR."""

from __future__ import annotations

from grader.batch.classroom import Machine, Outcome, grade_class, write_grades

__all__ = ["Machine", "Outcome", "grade_class", "write_grades"]
