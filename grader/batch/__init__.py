"""Grades a class: each submission through `grading`, results to the gradebook, files to DIR."""
