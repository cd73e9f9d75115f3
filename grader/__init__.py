"""Grades Keras notebooks: runs them behind walls, measures their models, explains every point.

In a notebook of one's own, `%load_ext grader` and then `%check` (or `grader.check()`) say what the
checks think of the work so far.
"""

from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(ip: Any) -> None:
    """Watch this kernel from here on, and register `%check`."""
    from grader.live.session import load

    load(ip)


def check(language: str | None = None) -> None:
    """Show what the checks say of all that this kernel has done so far.

    Args:
        language: `es` or `en`; the assignment's by default.
    """
    from grader.live.session import check_now

    check_now(language)
