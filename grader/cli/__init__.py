"""The commands. No logic: each reads its arguments, calls one function and says how it ended.

Imports of ours stand inside the commands, so that `grader --help` answers at once.
"""

from grader.cli import author, classroom, machine, student  # each adds its commands
from grader.cli.base import main

__all__ = ["author", "classroom", "machine", "main", "student"]
