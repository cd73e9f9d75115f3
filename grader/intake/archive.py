"""A ZIP archive → its listing; nothing is unpacked to disk.

Archives are hostile. What the standard library leaves to its caller is checked here before a byte
is inflated: the size of the directory, overlapping members (CVE-2024-0450, which Python 3.11.7 and
older do not refuse), names, links, ratios. A fault of one member is that student's; a fault of the
archive as a whole refuses it.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import IO

from grader.intake.folder import fault
from grader.intake.listing import MAX_DEPTH, File, Listing, Parts, is_skipped, way
from grader.intake.students import natural
from grader.intake.submission import Ignored, IntakeError
from grader.locale import T, Text
from grader.notebook import MAX_FILE_BYTES, shown
from grader.unreadable import refusal, too_large

MAX_ENTRIES = 2000
MAX_TOTAL_BYTES = 1_000_000_000
MAX_RATIO = 100
MAX_DIRECTORY_BYTES = 4_000_000
MAX_NAME_BYTES = 255
SMALL = 1_000_000  # below this a member is read whatever its ratio
# What zipfile and zlib raise for what is no good archive, or one of an unknown kind.
FAULTS = (
    zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, RuntimeError, zlib.error,
    struct.error,
)  # fmt: skip
_END = struct.Struct("<4s4H2LH")
_LOCAL_HEADER, _LOCATOR = 30, 20
_UTF8, _ENCRYPTED = 0x800, 0x1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Opener = Callable[[], IO[bytes]]


class ArchiveError(Exception):
    """The archive is refused as a whole; `reason` ends the sentence that names it."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.template)
        self.reason = reason


def listing_of_archive(open_it: Opener) -> Listing:
    """Return what lies in a ZIP archive, in natural order.

    Args:
        open_it: opens the archive; called again for each file that is read.

    Raises:
        ArchiveError: it is no ZIP archive, a bomb, or damaged.
        OSError: it cannot be opened.
    """
    with open_it() as stream:
        members = _members(stream)
    files: dict[Parts, File] = {}
    folders: set[Parts] = set()
    ignored: list[Ignored] = []
    for member in members:
        name = _name(member)
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        reason = _name_problem(name, parts)
        if not parts or (reason is None and any(map(is_skipped, parts))):
            continue
        reason = reason or _kind_problem(member)
        if reason is None and parts in files:
            reason = T("its name stands twice in the archive; the first one counts")
        if reason is not None:
            ignored.append(Ignored(way(parts), reason))
            continue
        folders.update(parts[:depth] for depth in range(1, len(parts)))
        if name.endswith("/"):
            folders.add(parts)
        else:
            files[parts] = File(parts, partial(_read, open_it, member, shown(parts[-1])))
    ordered = sorted(files.values(), key=lambda one: [natural(part) for part in one.parts])
    return Listing(tuple(ordered), tuple(sorted(folders)), tuple(ignored))


def _members(stream: IO[bytes]) -> list[zipfile.ZipInfo]:
    _look_at_directory(stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
    except FAULTS as error:
        raise ArchiveError(_damaged(error)) from error
    if len(members) > MAX_ENTRIES:
        raise ArchiveError(
            T(
                "a ZIP archive with {count} entries, and at most {limit} are read; divide the "
                "class into several archives",
                count=len(members), limit=MAX_ENTRIES,
            )
        )  # fmt: skip
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        raise ArchiveError(
            T(
                "a ZIP archive that would unpack to {size} MB, and at most {limit} are read; "
                "divide the class into several archives",
                size=total // 1_000_000, limit=MAX_TOTAL_BYTES // 1_000_000,
            )
        )  # fmt: skip
    _look_for_overlaps(members)
    return members


def _look_at_directory(stream: IO[bytes]) -> None:
    """Refuse a directory that would fill the memory before it could be counted."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END.size - 0xFFFF))
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise ArchiveError(
            T("no ZIP archive, or one that was cut off on the way; download it again")
        )
    *_, directory_bytes, _, _ = _END.unpack_from(tail, place)
    is_zip64 = tail[max(0, place - _LOCATOR) : place].startswith(b"PK\x06\x07")
    if is_zip64 or directory_bytes > MAX_DIRECTORY_BYTES:
        raise ArchiveError(
            T(
                "a ZIP archive with more entries than are read (at most {limit}); divide the "
                "class into several archives",
                limit=MAX_ENTRIES,
            )
        )


def _look_for_overlaps(members: list[zipfile.ZipInfo]) -> None:
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise ArchiveError(
                T("a ZIP archive whose parts overlap, so it is damaged; make or download it again")
            )
        end = member.header_offset + _LOCAL_HEADER + member.compress_size


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name: some programs write UTF-8 and do not say so, or part with `\\`."""
    name = member.orig_filename
    if not member.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _name_problem(name: str, parts: Parts) -> Text | None:
    if name.startswith("/") or ".." in parts or name[1:2] == ":":
        return T("its name leads out of the archive; it is not read")
    if any(ord(character) < 32 or character == "\x7f" for character in name):
        return T("its name has control characters; it is not read")
    if any(len(part.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES for part in parts):
        return T("its name is longer than {limit} bytes; it is not read", limit=MAX_NAME_BYTES)
    if len(parts) > MAX_DEPTH + 1:
        return T("more than {depth} folders deep", depth=MAX_DEPTH)
    return None


def _kind_problem(member: zipfile.ZipInfo) -> Text | None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return T("a link, and links are never followed; put the file itself there")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return T("a device, pipe or socket where a file was expected; give the file")
    return None


def _read(open_it: Opener, member: zipfile.ZipInfo, name: str) -> bytes:
    """Return a member's bytes.

    Raises:
        Unreadable: it is too large, encrypted, damaged, or shrunk more than work ever is.
        IntakeError: the archive cannot be opened.
    """
    if member.file_size > MAX_FILE_BYTES:
        raise too_large(name, member.file_size)
    if member.flag_bits & _ENCRYPTED:
        raise refusal("encrypted", name=name)
    if member.compress_type not in METHODS:  # LZMA's header may ask for gigabytes
        raise refusal("damaged", name=name)
    if member.file_size > max(SMALL, MAX_RATIO * member.compress_size):
        raise refusal("bomb", name=name, limit=MAX_RATIO)
    try:
        stream = open_it()
    except OSError as error:
        raise IntakeError(T("{path}: {reason}", path=name, reason=fault(error))) from error
    try:
        with stream, zipfile.ZipFile(stream) as archive, archive.open(member) as opened:
            data = opened.read(member.file_size + 1)
    except (*FAULTS, OSError) as error:
        raise refusal("damaged", name=name) from error
    if len(data) != member.file_size:
        raise refusal("damaged", name=name)
    return data


def _damaged(error: Exception) -> Text:
    return T(
        "a damaged ZIP archive ({reason}); download it again",
        reason=shown(str(error) or type(error).__name__),
    )
