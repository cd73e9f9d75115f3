"""Moodle: the grading worksheet filled in, and the feedback files in a ZIP.

The worksheet goes back as it came; only the cells *Grade* and *Feedback comments* change. Its
import finds three headers by their exact words in the site's language, and cuts a fixed number of
letters off the identifier, so that cell must stay byte for byte
(mod/assign/feedback/offline/importgradeslib.php). A feedback file finds its student by the exact
name of the downloaded folder (mod/assign/feedback/file/importziplib.php).
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from grader.assignment import Assignment
from grader.export.filled import Filled
from grader.export.marks import ExportError, Mark, number
from grader.export.sheet import Sheet, inert
from grader.intake.people import agree, time_of
from grader.locale import Readable, T, Translator

FEEDBACK = {"es": "retroalimentacion.html", "en": "feedback.html"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # no clock in the archive: equal grades give equal bytes


@dataclass(frozen=True)
class Words:
    """The headers of a worksheet in one of Moodle's languages (lang/*/assign.php)."""

    grade: str
    identifier: str
    name: str
    graded: str
    maximum: str
    changeable: str
    submitted: str
    comments: str
    scale: str
    no: str


WORDS = (
    Words(
        "Grade", "Identifier", "Full name", "Last modified (grade)", "Maximum grade",
        "Grade can be changed", "Last modified (submission)", "Feedback comments", "Scale", "No",
    ),
    Words(
        "Calificación", "Identificador", "Nombre completo", "Última modificación (calificación)",
        "Calificación máxima", "La calificación puede ser cambiada",
        "Última modificación (entrega)", "Comentarios de retroalimentación", "Escala", "No",
    ),
)  # fmt: skip


def worksheet(
    data: bytes,
    marks: Sequence[Mark],
    assignment: Assignment,
    language: str,
    provisional: bool = False,
) -> Filled:
    """Fill a worksheet; rows that Moodle would not take, or that are not up to date, are named.

    Raises:
        ExportError: it is no worksheet, or counts to another maximum than the course.
        SheetError: it is no CSV table.
    """
    sheet = Sheet.read(data)
    words, columns = _headers(sheet)
    say, filled = Translator(language), Filled(b"")
    by_id = {
        mark.handed_in.handles["moodle_id"]: mark
        for mark in marks
        if "moodle_id" in mark.handed_in.handles
    }
    seen: set[str] = set()
    for place, row in enumerate(sheet.rows[1:], start=1):
        if len(row) <= max(columns.values()):
            continue
        found = re.search(r"\d+$", row[columns[words.identifier]].text.strip())
        mark = by_id.get(found[0]) if found else None
        if mark is None:
            continue
        seen.add(mark.student)
        text = {name: row[column].text for name, column in columns.items()}
        value = mark.value(_maximum(text, words, assignment), assignment, provisional)
        why = _not_filled(mark, text, words, assignment.spec.due) or mark.waits(value)
        if why is not None:
            filled.notices.append(why)
            continue
        comma = "," in text.get(words.maximum, "")
        sheet.put(place, columns[words.grade], f"{value:.2f}".replace(".", "," if comma else "."))
        filled.count += 1
        if text.get(words.comments, "").strip():
            filled.notices.append(
                T("{student}: has a comment already, which stays.", student=mark.student)
            )
        elif words.comments in columns:
            sheet.put(place, columns[words.comments], inert(mark.comment(say, FEEDBACK[language])))
    filled.notices += [
        T("{student}: is not in the worksheet.", student=mark.student)
        for mark in marks
        if mark.student not in seen
    ]
    filled.data = sheet.data()
    return filled


def named_otherwise(data: bytes, marks: Sequence[Mark]) -> set[str]:
    """Return the students whose number in a worksheet stands beside another name: teams.

    A team's number may be that of another participant, who would get its feedback file.
    """
    sheet = Sheet.read(data)
    words, columns = _headers(sheet)
    if words.name not in columns:  # blind marking
        return set()
    names = {
        found[0]: row[columns[words.name]].text
        for row in sheet.rows[1:]
        if len(row) > max(columns.values())
        and (found := re.search(r"\d+$", row[columns[words.identifier]].text.strip()))
    }
    return {
        mark.student
        for mark in marks
        if not agree(
            names.get(mark.handed_in.handles.get("moodle_id", ""), ""),
            mark.handed_in.handles.get("moodle_name", ""),
        )
    }


def feedback(path: Path, marks: Sequence[Mark], language: str) -> int:
    """Write the ZIP of the reports, whole or not at all; return how many are in it."""
    count = 0
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for mark in marks:
            folder = mark.handed_in.handles.get("moodle_folder")
            if folder and mark.report.exists():
                member = zipfile.ZipInfo(f"{folder}/{FEEDBACK[language]}", EPOCH)
                member.external_attr = 0o644 << 16
                archive.writestr(member, mark.report.read_bytes(), zipfile.ZIP_DEFLATED)
                count += 1
    os.replace(partial, path)
    return count


def _headers(sheet: Sheet) -> tuple[Words, dict[str, int]]:
    columns = {cell.text: place for place, cell in enumerate(sheet.rows[0])}
    for words in WORDS:
        if {words.grade, words.identifier, words.graded} <= set(columns):
            known = {getattr(words, name) for name in words.__dataclass_fields__} - {words.no}
            return words, {name: place for name, place in columns.items() if name in known}
    raise ExportError(
        T(
            "is no grading worksheet of Moodle in Spanish or English: its first line needs "
            "{spanish} or {english}; download it with “Download grading worksheet”",
            spanish=", ".join((WORDS[1].identifier, WORDS[1].grade, WORDS[1].graded)),
            english=", ".join((WORDS[0].identifier, WORDS[0].grade, WORDS[0].graded)),
        )
    )


def _maximum(text: dict[str, str], words: Words, assignment: Assignment) -> Decimal:
    written = text.get(words.maximum, text.get(words.scale))
    found = number(written or "")
    if written is not None and found is None:
        raise ExportError(
            T(
                "grades by words (“{maximum}”), and the course by numbers; choose points in Moodle",
                maximum=written,
            )
        )
    return Decimal(str(assignment.spec.scale.maximum)) if found is None else found


def _not_filled(mark: Mark, text: dict[str, str], words: Words, due: datetime) -> Readable | None:
    name, folder = text.get(words.name), mark.handed_in.handles.get("moodle_name", "")
    if name is not None and not agree(name, folder):
        return T(
            "{student}: its number is {name}'s in the worksheet; write a team's grade by hand.",
            student=mark.student, name=name,
        )  # fmt: skip
    if text.get(words.changeable) == words.no:
        return T("{student}: the grade is locked in Moodle.", student=mark.student)
    submitted = time_of(text.get(words.submitted, "-"), due)
    by_s = mark.handed_in.late.by_s
    if submitted is None or by_s is None or (submitted - due).total_seconds() < by_s + 1:
        return None
    return T(
        "{student}: handed in a newer version ({time}) than the one that was graded; grade the "
        "class again.",
        student=mark.student, time=text[words.submitted],
    )  # fmt: skip
