"""What every layout answers: whose is this file?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grader.intake.listing import Parts
from grader.scoring import UNKNOWN, Late


@dataclass(frozen=True)
class Place:
    """Whose a file is, as the source says it by the file's name.

    Attributes:
        key: what tells this student from all others of the source.
        name: the student's name as it stands there.
        rest: the file's way below what the student handed in; none for another assignment's.
        words: by which the student's row in a roster or worksheet is found, the surest first.
        attempt: of files with the same way the highest is the latest.
        late: what the name says about lateness.
        handles: what the platform calls the student and the file, for what goes back to it.
    """

    key: str
    name: str
    rest: Parts
    words: tuple[str, ...] = ()
    attempt: int = 0
    late: Late = UNKNOWN
    handles: Mapping[str, str] = field(default_factory=dict)


# The place of a file by its way; None: it is nobody's.
Placing = Callable[[Parts], Place | None]
