"""Canvas: the exported gradebook with one column filled.

Only the columns that say who a student is and this assignment's go back: the others may have
changed in Canvas since. A header `Title (id)` with a known id is that assignment; a number's last
comma or point is taken for its decimal point, so no thousands are separated; students are found by
`ID` (lib/gradebook_importer.rb). HTML reports cannot go back in Canvas's ZIP, where a file takes
the name of the one that was handed in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from grader.assignment import Assignment
from grader.export.filled import Filled
from grader.export.marks import ExportError, Mark, number
from grader.export.sheet import Sheet
from grader.intake.people import plain
from grader.locale import T

WHO = (
    "Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "LastName",
    "FirstName", "Section",
)  # fmt: skip
ASSIGNMENT = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)
MAXIMUM_ROW = "points possible"


def gradebook(
    data: bytes,
    marks: Sequence[Mark],
    assignment: Assignment,
    column: str | None = None,
    provisional: bool = False,
) -> Filled:
    """Fill this assignment's column of an exported gradebook; who is not filled in is named.

    Args:
        column: the header of the column, where the assignment's title does not name it.

    Raises:
        ExportError: it is no gradebook of Canvas, or has no such column.
        SheetError: it is no CSV table.
    """
    sheet = Sheet.read(data)
    headers = [cell.text for cell in sheet.rows[0]]
    if headers[:1] not in (["Student"], ["LastName"]) or "ID" not in headers:
        raise ExportError(
            T(
                "is no gradebook of Canvas: its first line begins with {found}, not with Student "
                "and ID; export it with “Export entire gradebook”",
                found=", ".join(headers[:3]),
            )
        )
    place, who = _column(headers, assignment, column), headers.index("ID")
    by_id = {mark.handed_in.handles.get("canvas_user"): mark for mark in marks}
    maximum, filled, seen = Decimal(str(assignment.spec.scale.maximum)), Filled(b""), set()
    for number_of_row, row in enumerate(sheet.rows[1:], start=1):
        if len(row) <= max(place, who):
            continue
        if row[0].text.strip().casefold() == MAXIMUM_ROW:
            maximum = number(row[place].text) or maximum  # “(read only)” says none
            continue
        mark = by_id.get(row[who].text.strip())
        if mark is None:
            continue
        seen.add(mark.student)
        value = mark.value(maximum, assignment, provisional)
        if row[place].text.strip().upper() == "EX":
            filled.notices.append(T("{student}: is excused in Canvas.", student=mark.student))
        elif (why := mark.waits(value)) is not None:
            filled.notices.append(why)
        else:
            sheet.put(number_of_row, place, f"{value:.2f}")
            filled.count += 1
    filled.notices += [
        T("{student}: is not in the gradebook.", student=mark.student)
        for mark in marks
        if mark.student not in seen
    ]
    kept = [at for at, header in enumerate(headers) if header in WHO or at == place]
    filled.data = sheet.columns(kept)
    return filled


def _column(headers: Sequence[str], assignment: Assignment, wanted: str | None) -> int:
    titles = {
        at: found[1] for at, header in enumerate(headers) if (found := ASSIGNMENT.fullmatch(header))
    }
    if wanted is not None:
        named = [at for at in titles if wanted in (headers[at], titles[at])]
    else:
        own = [plain(text) for text in (assignment.spec.title.es, assignment.spec.title.en)]
        named = [at for at, title in titles.items() if plain(title) in own]
    if len(named) == 1:
        return named[0]
    raise ExportError(
        T(
            "{count} of its columns could be this assignment's; say which with --column: {columns}",
            count=len(named), columns="; ".join(headers[at] for at in titles),
        )
    )  # fmt: skip
