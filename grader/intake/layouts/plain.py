"""A plain folder: one notebook for each student, or one folder for each student."""

from __future__ import annotations

from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing, Parts
from grader.intake.students import stem


def placing(listing: Listing, notebook: str) -> Placing:
    """Return where files belong: the first name says whose they are."""
    return _place


def _place(parts: Parts) -> Place | None:
    return Place(key=parts[0], name=parts[0], rest=parts[1:] or parts, words=(stem(parts[0]),))
