"""How the platforms lay out what they hand over; each file of this folder is one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.intake.layouts import canvas, gradescope, moodle, nbgrader, plain
from grader.intake.layouts.place import Place, Placing
from grader.intake.listing import Listing

__all__ = ["LAYOUTS", "PLAIN", "Place", "Placing"]

PLAIN = "folder"
# In the order in which they are tried; the last one takes everything.
# Each takes the listing and what the assignment calls its notebook.
LAYOUTS: Mapping[str, Callable[[Listing, str], Placing]] = {
    "moodle": moodle.placing,
    "canvas": canvas.placing,
    "gradescope": gradescope.placing,
    "nbgrader": nbgrader.placing,
    PLAIN: plain.placing,
}
