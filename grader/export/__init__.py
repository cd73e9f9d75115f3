"""What the platforms take back: each file of this folder is one of them, with the rule it rests on.

Grades are final or they stay empty; a file that a platform gave is filled in, not written anew.
"""

from __future__ import annotations

from grader.export.command import PLATFORMS, export
from grader.export.marks import ExportError
from grader.export.table import write_table

__all__ = ["PLATFORMS", "ExportError", "export", "write_table"]
