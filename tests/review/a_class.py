"""A class whose answers come from the labelled set: some alike, some missing, one hostile."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from grader.evidence import Measurement, Mistake, Run
from grader.gradebook import Gradebook
from grader.grading import Gathered, conclude, template_of
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.result import NotebookFile, Student, result_json
from tests.factories import evidence, measurement, mlp, run
from tests.rubric.labelled import labelled

ASSIGNMENT = load_assignment(default_folder())
QUESTIONS = tuple(ASSIGNMENT.rubric.questions)
TEMPLATE = template_of(ASSIGNMENT)


def notebook_of(answers: dict[str, str]) -> bytes:
    """The sheet with these answers in its answer cells."""
    sheet = json.loads((ASSIGNMENT.folder / ASSIGNMENT.spec.notebook).read_bytes())
    for cell in sheet["cells"]:
        role = cell["metadata"].get("grader", {})
        if role.get("role") == "answer" and role["question"] in answers:
            marker = "".join(cell["source"]).split("\n")[0]
            cell["source"] = f"{marker}\n\n{answers[role['question']]}"
    return json.dumps(sheet).encode()


def with_text(text: str) -> bytes:
    """The sheet with a cell of text that names no question."""
    sheet = json.loads(notebook_of({}))
    sheet["cells"].insert(8, {"cell_type": "markdown", "id": "x", "metadata": {}, "source": text})
    return json.dumps(sheet).encode()


def measured() -> Measurement:
    """A measurement with the mistakes that a report shows: coats and shirts, mostly."""
    confusion = [[1000 if row == column else 0 for column in range(10)] for row in range(10)]
    confusion[6][0], confusion[6][6] = 200, 800
    wrong = [Mistake(row=60_000 + row, label=6, predicted=0, confidence=0.99) for row in (4, 40)]
    return measurement().model_copy(update={"confusion": confusion, "mistakes": wrong})


def hand_in(
    book: Gradebook,
    student: Student,
    answers: dict[str, str],
    *runs: Run,
    data: bytes | None = None,
) -> dict[str, Any]:
    """Grade a notebook with these answers as if it had run; return its result."""
    data = data or notebook_of(answers)
    notebook = read_notebook(data, f"{student.id}.ipynb")
    file = NotebookFile(f"{student.id}.ipynb", notebook.sha256)
    runs = runs or (run(1, measured=measured()), run(2, mlp(500, 500, 500)))
    gathered = Gathered(file, notebook, evidence(*runs))
    graded = conclude(ASSIGNMENT, TEMPLATE, gathered, student, marks=book.marks.of(student.id))
    result = result_json(graded, "es")
    book.add(student, gathered, result)
    return result


def a_class(folder: Path, count: int, extra: dict[str, dict[str, str]] | None = None) -> Path:
    """A gradebook of `count` students; a third of them copied from one another."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = random.Random(7)
    texts = {
        name: [one["text"] for one in labelled() if one["question"] == name] for name in QUESTIONS
    }
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        for place in range(count):
            answers = {
                name: texts[name][
                    place % 3 if place % 3 == 0 else chosen.randrange(len(texts[name]))
                ]
                for name in QUESTIONS
                if chosen.random() > 0.1
            }
            student = Student(f"s{place:03}", f"Estudiante {place:03}")
            hand_in(book, student, answers)
        for name, answers in (extra or {}).items():
            hand_in(book, Student(name, name.title()), answers)
    return folder
