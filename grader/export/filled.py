"""A platform's own file, filled in."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.locale import Readable


@dataclass
class Filled:
    """The bytes to hand back, how many students are in them, and what a person should know."""

    data: bytes
    count: int = 0
    notices: list[Readable] = field(default_factory=list)
