"""Who is in the class, and when they handed in: a roster, or Moodle's grading worksheet.

Both are CSV files that a person downloads or writes; what cannot be understood is refused with the
line and the column.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.intake.folder import fault, refused
from grader.intake.layouts import Place
from grader.intake.submission import IntakeError
from grader.locale import Readable, T
from grader.notebook import shown
from grader.records import read_regular
from grader.scoring import UNKNOWN, Late

MAX_CSV_BYTES = 20_000_000
# Headers in lower case without accents → what they mean to us.
ROSTER = {
    **dict.fromkeys(("id", "student", "student id", "codigo", "estudiante", "numero de id"), "id"),
    **dict.fromkeys(("sis user id", "sis login id", "username", "usuario"), "id"),
    **dict.fromkeys(("name", "full name", "nombre completo", "nombre"), "name"),
    **dict.fromkeys(("first name", "nombres", "nombre(s)"), "first"),
    **dict.fromkeys(("last name", "surname", "apellidos", "apellido(s)"), "last"),
    **dict.fromkeys(("email", "email address", "correo", "correo electronico"), "email"),
    **dict.fromkeys(("direccion de correo", "direccion email"), "email"),
    **dict.fromkeys(("submitted", "submitted at", "entregado", "fecha de entrega"), "submitted"),
    **dict.fromkeys(("late", "tarde", "con retraso"), "late"),
}
# mod/assign/gradingtable.php, in the words of the English and the Spanish language pack.
WORKSHEET = {
    **dict.fromkeys(("identifier", "identificador"), "participant"),
    **dict.fromkeys(("full name", "nombre completo"), "name"),
    **dict.fromkeys(("email address", "direccion de correo", "direccion email"), "email"),
    **dict.fromkeys(
        (
            "last modified (submission)",
            "ultima modificacion (entrega)",
            "ultima modificacion (envio)",
        ),
        "submitted",
    ),
}
MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    )
    for number, name in enumerate(names.split(), start=1)
}
# `Friday, 2 May 2025, 11:59 PM` · `viernes, 2 de mayo de 2025, 23:59` (langconfig.php)
_MOODLE_TIME = re.compile(
    r"(?:\w+,\s*)?(?P<day>\d{1,2})(?:\s+de)?\s+(?P<month>\w+)(?:\s+de)?\s+(?P<year>\d{4}),\s*"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?:\s*(?P<half>[ap])\.?\s?m\.?)?"
)
WORDS = ("id", "number", "email", "name")
YES, NO = ("yes", "y", "si", "s", "true", "1", "x"), ("no", "n", "false", "0", "")


@dataclass(frozen=True)
class Person:
    """One row.

    Attributes:
        id: the student's id in our files; None where only the platform has one.
        words: by which a submission is known to be theirs.
        named: the list has the name; in blind marking it has a number only.
        participant: the row is of Moodle's worksheet.
    """

    name: str
    words: frozenset[str]
    id: str | None = None
    late: Late = UNKNOWN
    named: bool = True
    participant: bool = False


class People:
    """The people of a class; nobody by default."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.people = tuple(people)
        counts = Counter(word for person in self.people for word in person.words)
        self._by_word = {
            word: person for person in self.people for word in person.words if counts[word] == 1
        }

    def find(self, place: Place) -> Person | None:
        """Return whose a submission is: by the platform's id, an address, or an unshared name.

        The number of a Moodle team may be that of another participant, so the name must agree.
        """
        words = map(known_word, place.words if self._by_word else ())
        found = next((self._by_word[word] for word in words if word in self._by_word), None)
        if found is not None and found.participant and found.named:
            return found if agree(found.name, place.name) else None
        return found


def read_roster(path: Path, due: datetime) -> People:
    """Read a roster: columns id, name (or first and last name), email; submitted or late.

    Args:
        due: when the assignment is due; a time without an offset is one of the same place.

    Raises:
        IntakeError: it cannot be read, or a row cannot be understood.
    """
    return People(_people(path, ROSTER, due, ("id", "name", "email")))


def read_worksheet(path: Path, due: datetime) -> People:
    """Read the people and their times from Moodle's offline grading worksheet.

    Raises:
        IntakeError: it cannot be read, or a time cannot be understood.
    """
    return People(_people(path, WORKSHEET, due, ("participant",)))


def plain(text: str) -> str:
    """Return a word as it is compared: no accents, no case, one space."""
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(one for one in letters if not unicodedata.combining(one))
    return " ".join(bare.casefold().split())


def known_word(text: str) -> str:
    """Return what stands for an id, an address or a name: `Pérez, Ana` is `ana_perez`."""
    return " ".join(sorted(re.split(r"[\s_.,-]+", plain(text).strip(" _.,-"))))


def agree(one: str, other: str) -> bool:
    """Whether two ways of writing a name are the same: order and accents aside."""
    return known_word(one) == known_word(other)


def _people(
    path: Path, headers: Mapping[str, str], due: datetime, one_of: Sequence[str]
) -> Iterator[Person]:
    columns, rows = _table(path, headers)
    if not set(columns.values()) & {*one_of, *(("first",) if "name" in one_of else ())}:
        raise refused(
            path,
            T(
                "no column says who a student is (wanted: {wanted}); check the first line",
                wanted=", ".join(one_of),
            ),
        )
    for line, row in rows:
        said: dict[str, str] = {}
        for column, what in columns.items():
            if column < len(row) and row[column].strip():
                said.setdefault(what, row[column].strip())
        if "first" in said or "last" in said:
            full = " ".join(said[what] for what in ("first", "last") if what in said)
            said.setdefault("name", full)
        if number := re.search(r"\d+$", said.get("participant", "")):
            said["number"] = f"participant {number[0]}"
        known = [said[what] for what in ("name", "email", "id", "participant") if what in said]
        if known:
            words = {known_word(said[what]) for what in said if what in WORDS}
            late = _late(path, line, said, due)
            yield Person(
                shown(known[0]), frozenset(words), said.get("id"), late,
                named="name" in said, participant="participant" in said,
            )  # fmt: skip


def _late(path: Path, line: int, said: Mapping[str, str], due: datetime) -> Late:
    word = plain(said.get("late", ""))
    if word not in (*YES, *NO):
        raise _unclear(path, line, "late", said["late"], T("yes or no"))
    late = None if "late" not in said else word in YES
    submitted = said.get("submitted", "-")
    if submitted in ("-", "–"):
        return Late(late=late)
    at = time_of(submitted, due)
    if at is None:
        raise _unclear(path, line, "submitted", submitted, T("a time such as 2025-05-02 23:59"))
    return Late(by_s=round((at - due).total_seconds()), late=late)


def time_of(text: str, due: datetime) -> datetime | None:
    """Return a time; one without an offset is read where the assignment is due."""
    try:
        at = datetime.fromisoformat(text.strip())
        return at if at.tzinfo else at.replace(tzinfo=due.tzinfo)
    except ValueError:
        pass
    found = _MOODLE_TIME.fullmatch(plain(text))
    month = MONTHS.get(found["month"]) if found else None
    if found is None or month is None:
        return None
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    try:
        return datetime(
            int(found["year"]), month, int(found["day"]), hour, int(found["minute"]),
            tzinfo=due.tzinfo,
        )  # fmt: skip
    except ValueError:
        return None


def _unclear(path: Path, line: int, column: str, value: str, wanted: Readable) -> IntakeError:
    return refused(
        path,
        T(
            "line {line}, column {column}: “{value}” is not {wanted}; correct it and try again",
            line=line, column=column, value=shown(value), wanted=wanted,
        ),
    )  # fmt: skip


def _table(
    path: Path, headers: Mapping[str, str]
) -> tuple[dict[int, str], list[tuple[int, list[str]]]]:
    """Return what each known column means, and the rows with their line numbers."""
    text = _text_of(path)
    dialect = ";" if text.splitlines()[0].count(";") > text.splitlines()[0].count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=dialect, strict=True)
    try:
        first, *rest = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise refused(path, T("is no CSV table ({reason})", reason=shown(error))) from error
    named = {place: headers.get(plain(name)) for place, name in enumerate(first[1])}
    return {place: what for place, what in named.items() if what}, rest


def _text_of(path: Path) -> str:
    try:
        data = read_regular(path.resolve(), MAX_CSV_BYTES)
    except OSError as error:
        raise refused(path, fault(error)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # what spreadsheets in Spanish save
    if not text.strip():
        raise refused(path, T("is empty; give the file that was downloaded"))
    return text
