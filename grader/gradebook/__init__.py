"""The gradebook: one SQLite file for a class, one writer; nothing in it is ever overwritten."""

from __future__ import annotations

from grader.gradebook.marks import MarkRow, MarksChanged
from grader.gradebook.register import HandedIn
from grader.gradebook.store import Entry, Event, Gradebook, GradebookError

__all__ = ["Entry", "Event", "Gradebook", "GradebookError", "HandedIn", "MarkRow", "MarksChanged"]
