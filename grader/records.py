"""Reads what a sandbox left in its run folder, after everything in it is dead.

What is read is hostile: regular files only, capped sizes, and each record through the strict models
of `grader.evidence`. A record that does not pass is dropped and counted, never repaired.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from grader import wire
from grader.evidence import CellRun, End, Event, Figure, Note

R = TypeVar("R")
NEW_LINE = b"\n"


class OverCapError(OSError):
    """A file that a sandbox left is larger than what is read."""


@dataclass(frozen=True)
class Records:
    """The validated records of one run folder."""

    events: tuple[Any, ...]
    cells: tuple[CellRun, ...]
    end: End | None
    dropped: tuple[str, ...]
    unread: bool = False
    """Records beyond a cap were not looked at, or not written."""

    def of(self, kind: type[R]) -> tuple[R, ...]:
        """Return the events of one kind, in order."""
        return tuple(event for event in self.events if isinstance(event, kind))


_EVENT: TypeAdapter[Any] = TypeAdapter(Event)
_CELL: TypeAdapter[Any] = TypeAdapter(Annotated[CellRun | End, Field(discriminator="kind")])


def read_records(folder: Path) -> Records:
    """Read what the kernel side left in its run folder, after its processes are dead."""
    dropped: list[str] = []
    beyond: list[str] = []
    events = tuple(_valid(folder / wire.EVENTS, _EVENT, dropped, beyond))
    driven = tuple(_valid(folder / wire.CELLS, _CELL, dropped, beyond))
    ends = [record for record in driven if isinstance(record, End)]
    return Records(
        events=events,
        cells=tuple(record for record in driven if isinstance(record, CellRun)),
        end=ends[-1] if ends else None,
        dropped=(*dropped, *beyond),
        unread=bool(beyond)
        or any(isinstance(one, Note) and one.what == wire.MORE for one in events),
    )


def read_regular(path: Path, cap: int) -> bytes:
    """Read a file that a sandbox left: a regular file, no link, of at most `cap` bytes.

    Raises:
        OSError: it is missing, is no regular file, or is over the cap.
    """
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_BINARY", 0)
    )
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path.name} is no regular file")
        if status.st_size > cap:
            raise OverCapError(f"{path.name} has {status.st_size} bytes; at most {cap} are read")
        return _whole(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _whole(descriptor: int, size: int) -> bytes:
    parts, left = [], size
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _valid(
    path: Path, adapter: TypeAdapter[Any], dropped: list[str], beyond: list[str]
) -> Iterator[Any]:
    """Yield the valid records of a file; say which do not fit, and which are beyond a cap."""
    try:
        lines = read_regular(path, wire.MAX_RECORDS_BYTES).split(b"\n", wire.MAX_RECORDS)
    except OSError as error:
        (beyond if isinstance(error, OverCapError) else dropped).append(f"{path.name}: {error}")
        return
    if rest := b"".join(lines[wire.MAX_RECORDS :]).strip():
        beyond.append(f"{path.name}: {rest.count(NEW_LINE) + 1} records at its end")
    figures = 0
    for number, line in enumerate(lines[: wire.MAX_RECORDS], start=1):
        if not line:
            continue
        place = f"{path.name}:{number}"
        try:
            if len(line) > wire.MAX_RECORD_BYTES:  # which the kernel side does not write
                raise ValueError(f"{len(line)} bytes")
            record = adapter.validate_json(line)
            figures += isinstance(record, Figure)
            if figures > wire.MAX_FIGURES and isinstance(record, Figure):
                beyond.append(f"{place}: only {wire.MAX_FIGURES} figures are kept")
                continue
            yield record
        except (ValidationError, ValueError, RecursionError) as error:
            dropped.append(f"{place}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"[:200]
    return str(error)[:200]
