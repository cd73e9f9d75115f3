"""Grades a class: every submission through `grading`, results into the gradebook, files into DIR."""

from __future__ import annotations

from grader.batch.classroom import Outcome, grade_class, write_grades

__all__ = ["Outcome", "grade_class", "write_grades"]
