"""Hostile archives: each row of the catalogue is refused, in one line, and the others go on."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.intake import Intake, IntakeError, archive, submissions
from grader.locale import Translator
from grader.unreadable import Unreadable

GOOD = ("luis/taller3.ipynb", b"{}")


def packed(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """A ZIP archive with these members."""
    with zipfile.ZipFile(path / "clase.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path / "clase.zip"


def reasons(intake: Intake) -> dict[str, str]:
    for one in intake.ignored:
        assert Translator("es")(one.reason) != Translator("en")(one.reason)
    return {one.shown: Translator("en")(one.reason) for one in intake.ignored}


def refused(path: Path) -> str:
    with pytest.raises(IntakeError) as caught:
        submissions(path)
    assert Translator("es")(caught.value.text) != str(caught.value)
    return str(caught.value).partition(": ")[2]


@pytest.mark.parametrize(
    "name",
    ["../../ana.ipynb", "ana/../../x.ipynb", "/etc/ana.ipynb", "C:/ana.ipynb", "C:ana.ipynb",
     "..\\ana.ipynb", "ana\\..\\x.ipynb", "ana/..\\..\\x.ipynb", "ana\\../x.ipynb",
     "\\ana.ipynb", "\\\\host\\ana.ipynb", "C:\\ana.ipynb", "c:..\\ana.ipynb"],
)  # fmt: skip
def test_a_name_that_leads_outside_is_not_read(tmp_path: Path, name: str) -> None:
    """G01, G02: zip slip, absolute names and drives; the neighbour is graded."""
    intake = submissions(packed(tmp_path, (name, b"x"), GOOD, ("eva/t.ipynb", b"")))

    assert ["eva", "luis"] == [one.student.id for one in intake.submissions]
    assert ["its name leads out of the archive; it is not read"] == list(reasons(intake).values())


def test_backslashes_part_names_as_slashes_do(tmp_path: Path) -> None:
    """Old programs on Windows write them (APPNOTE 4.4.17.1 forbids it); folders end in one."""
    intake = submissions(
        packed(
            tmp_path, ("clase\\", b""), ("clase\\ana\\taller3.ipynb", b"ana"),
            ("clase\\ana\\.ipynb_checkpoints\\taller3.ipynb", b""),
            ("clase/ana\\datos\\notas.txt", b""), ("clase\\eva\\", b""),
            ("clase/luis/taller3.ipynb", b"luis"),
        )
    )  # fmt: skip

    assert {"ana": b"ana", "luis": b"luis"} == {
        one.student.id: one.read() for one in intake.submissions
    }
    assert ["eva"] == [one.id for one in intake.missing]
    assert {"ana/datos/notas.txt": "no notebook (.ipynb)"} == reasons(intake)


def test_a_students_own_archive_of_windows_is_read(tmp_path: Path) -> None:
    """Its folders are folders; a name that leads out is still not read."""
    trap = ("..\\luis\\taller3.ipynb", b"trap")
    inner = packed(tmp_path, ("Taller 3\\", b""), ("Taller 3\\taller3.ipynb", b"dentro"), trap)
    outer = {"ana_1_assignsubmission_file/t.zip": inner.read_bytes(),
             "luis_2_assignsubmission_file/taller3.ipynb": b"luis"}  # fmt: skip

    intake = submissions(packed(tmp_path, *outer.items()))

    assert [b"dentro", b"luis"] == [one.read() for one in intake.submissions]
    assert {
        "ana_1_assignsubmission_file/t.zip/../luis/taller3.ipynb": (
            "its name leads out of the archive; it is not read"
        )
    } == reasons(intake)


def test_a_name_that_stands_twice_by_its_backslash_counts_once(tmp_path: Path) -> None:
    """G05: two ways of writing one name."""
    intake = submissions(packed(tmp_path, ("ana/t.ipynb", b"1"), ("ana\\t.ipynb", b"2"), GOOD))

    assert [b"1", b"{}"] == [one.read() for one in intake.submissions]
    assert "stands twice" in reasons(intake)["ana/t.ipynb"]


def test_links_and_devices_are_not_read(tmp_path: Path) -> None:
    """G03: a member that would become a link or a device is named."""
    link, pipe = zipfile.ZipInfo("ana/taller3.ipynb"), zipfile.ZipInfo("eva/taller3.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pipe.external_attr = (stat.S_IFIFO | 0o600) << 16

    found = reasons(submissions(packed(tmp_path, (link, b"/etc/passwd"), (pipe, b""), GOOD)))

    assert "a link" in found["ana/taller3.ipynb"]
    assert "a device" in found["eva/taller3.ipynb"]


def test_a_bomb_is_that_students_fault(tmp_path: Path) -> None:
    """G04: what shrinks more than a hundredfold is not inflated."""
    intake = submissions(packed(tmp_path, ("ana/t.ipynb", bytes(30_000_000)), GOOD))

    ana, luis = intake.submissions
    with pytest.raises(Unreadable, match="packed more than 100 times") as caught:
        ana.read()
    assert "bomb" == caught.value.looks_like
    assert b"{}" == luis.read()


def test_a_file_over_the_cap_is_that_students_fault(tmp_path: Path) -> None:
    """G04: at most 50 MB for a file, by what the directory says; nothing is inflated."""
    path = packed(tmp_path, ("ana/t.ipynb", b"x" * 1000), GOOD)
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, place + 24, 60_000_000)
    path.write_bytes(data)

    with pytest.raises(Unreadable, match="60 MB"):
        submissions(path).submissions[0].read()


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    """G04, G06: a member that holds more or less than it says is damaged, and is read in bounds."""
    path = packed(tmp_path, ("ana/t.ipynb", b"x" * 1000), GOOD)
    for claimed in (10, 5000):
        data = bytearray(path.read_bytes())
        struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, claimed)
        (tmp_path / "otro.zip").write_bytes(data)
        with pytest.raises(Unreadable, match="damaged"):
            submissions(tmp_path / "otro.zip").submissions[0].read()


@pytest.mark.parametrize(
    ("cap", "value", "said"),
    [("MAX_ENTRIES", 3, "with 4 entries, and at most 3"), ("MAX_TOTAL_BYTES", 1_000_000, "MB")],
)
def test_an_archive_over_a_cap_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str, value: int, said: str
) -> None:
    """G04: too many entries, too many bytes in all."""
    monkeypatch.setattr(archive, cap, value)
    members = [(f"e{number}/t.ipynb", b"x" * 700_000) for number in range(4)]

    assert said in refused(packed(tmp_path, *members))


def test_a_directory_that_fills_the_memory_is_not_read(tmp_path: Path) -> None:
    """G04: a directory over 4 MB, as with a million entries, or a ZIP64 marker."""
    path = packed(tmp_path, GOOD)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 12, 0xFFFFFFFF)
    path.write_bytes(data)

    assert "more entries than are read" in refused(path)


def test_parts_that_overlap_are_refused(tmp_path: Path) -> None:
    """G04: CVE-2024-0450, quoted-overlap; a thousand names for the same compressed bytes."""
    path = packed(tmp_path, ("ana/t.ipynb", b"x" * 5000), GOOD)
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)

    assert "parts overlap" in refused(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [("ana/" + "a" * 300 + ".ipynb", "longer than 255 bytes"),
     ("ana/x\ny.ipynb", "control characters"),
     ("d/" * 20 + "x.ipynb", "more than 8 folders deep")],
)  # fmt: skip
def test_names_that_no_file_has(tmp_path: Path, name: str, said: str) -> None:
    """G05: listed with a reason; nothing is written under them."""
    assert said in " ".join(reasons(submissions(packed(tmp_path, (name, b""), GOOD))).values())


def test_names_that_look_alike_stay_apart(tmp_path: Path) -> None:
    """G05: case, Unicode twins, reserved names, bidi, a trailing dot: ids of their own."""
    names = ["ana", "ANA", "jose\u0301", "jos\u00e9", "CON", "NUL.", "x\u202egpj", "-rf"]
    intake = submissions(packed(tmp_path, *((f"{name}/t.ipynb", name.encode()) for name in names)))

    ids = [one.student.id for one in intake.submissions]
    assert len(names) == len({one.casefold() for one in ids})
    assert sorted(names) == sorted(one.read().decode() for one in intake.submissions)
    assert all(one.isascii() and not one.startswith("-") for one in ids)


def test_a_name_that_stands_twice_counts_once(tmp_path: Path) -> None:
    """G05: the first of two equal names is read, the second is named."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed(tmp_path, ("ana/t.ipynb", b"1"), ("ana/t.ipynb", b"2"), GOOD)

    intake = submissions(path)

    assert b"1" == intake.submissions[0].read()
    assert "stands twice" in reasons(intake)["ana/t.ipynb"]


def _locked(data: bytearray) -> None:
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(mark)
        data[place + offset] |= 1


def _broken(data: bytearray) -> None:
    place = data.index(b"ana/t.ipynb") + len(b"ana/t.ipynb")
    data[place : place + 8] = b"\xff" * 8


def _unknown_method(data: bytearray) -> None:
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(mark) + offset, 99)


@pytest.mark.parametrize(
    ("harm", "said"),
    [(_locked, "locked with a password"), (_broken, "damaged"), (_unknown_method, "damaged")],
)
def test_a_member_that_cannot_be_read_is_unreadable(
    tmp_path: Path, harm: Callable[[bytearray], None], said: str
) -> None:
    """G06: encrypted, corrupt, of an unknown method; the others are read."""
    path = packed(tmp_path, ("ana/t.ipynb", b'{"cells": []}' * 50), GOOD)
    data = bytearray(path.read_bytes())
    harm(data)
    path.write_bytes(data)

    ana, luis = submissions(path).submissions
    with pytest.raises(Unreadable, match=said):
        ana.read()
    assert b"{}" == luis.read()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"<html>", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    """G06: empty, cut off, a web page."""
    (tmp_path / "clase.zip").write_bytes(data)

    assert "no ZIP archive" in refused(tmp_path / "clase.zip")


def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """G06: every prefix of an archive is refused with one line, and never with a traceback."""
    whole = packed(tmp_path, ("ana/t.ipynb", b"{}" * 200), GOOD).read_bytes()
    for length in range(0, len(whole) - 1, 7):
        (tmp_path / "corto.zip").write_bytes(whole[:length])
        assert "ZIP archive" in refused(tmp_path / "corto.zip")


def test_a_students_broken_archive_is_theirs(tmp_path: Path) -> None:
    """G06: who handed in only a ZIP that cannot be opened is unreadable, not missing."""
    intake = submissions(packed(tmp_path, ("ana/t.zip", b"no zip"), ("luis/taller3.ipynb", b"{}")))

    with pytest.raises(Unreadable, match=r"t\.zip cannot be opened: no ZIP archive"):
        intake.submissions[0].read()
    assert () == intake.missing


def test_rubbish_in_archives_is_skipped(tmp_path: Path) -> None:
    """G07: what macOS, Jupyter and LibreOffice leave is nobody's."""
    rubbish = ["__MACOSX/ana/._taller3.ipynb", "ana/.ipynb_checkpoints/taller3-checkpoint.ipynb",
               "ana/.~lock.taller3.ipynb#", "ana/._taller3.ipynb"]  # fmt: skip
    intake = submissions(packed(tmp_path, *((name, b"") for name in rubbish), GOOD))

    assert (["luis"], ()) == ([one.student.id for one in intake.submissions], intake.ignored)


def test_an_archive_that_changed_is_not_mixed_up(tmp_path: Path) -> None:
    """G10: the bytes of another archive under the same name are not taken for the student's."""
    path = packed(tmp_path, ("ana/t.ipynb", b"ana's"), GOOD)
    ana = submissions(path).submissions[0]
    packed(tmp_path, ("otra/larga/carpeta/t.ipynb", b"other"), GOOD)

    with pytest.raises(Unreadable, match="damaged"):
        ana.read()


def test_utf8_names_without_the_mark_are_read_as_such(tmp_path: Path) -> None:
    """macOS writes UTF-8 without saying so; `pÃ©rez` is nobody's name."""
    path = packed(tmp_path, ("ana pérez/t.ipynb", b""), GOOD)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(mark) + offset, 0)
    path.write_bytes(data)

    assert ["Ana Pérez", "Luis"] == [one.student.name for one in submissions(path).submissions]


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member is asked for no more bytes than it says it has, and that was held to the cap."""
    asked: list[int] = []
    real = zipfile.ZipExtFile.read

    def read(self: zipfile.ZipExtFile, count: int | None = -1) -> bytes:
        asked.append(-1 if count is None else count)
        return real(self, count)

    path = packed(tmp_path, ("ana/t.ipynb", b"{}"), GOOD)
    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    submissions(path).submissions[0].read()

    assert [3] == asked
