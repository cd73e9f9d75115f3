"""A class whose answers come from the labelled set: some alike, some missing, one hostile."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from grader.gradebook import Gradebook
from grader.grading import Gathered, conclude, template_of
from grader.loading import default_folder, load_assignment
from grader.notebook import read_notebook
from grader.result import NotebookFile, Student, result_json
from tests.factories import evidence, run
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


def hand_in(book: Gradebook, student: Student, answers: dict[str, str], **seen: Any) -> None:
    """Grade a notebook with these answers, as if it had run."""
    data = notebook_of(answers)
    notebook = read_notebook(data, f"{student.id}.ipynb")
    runs = [run(1, **seen), run(2, units=500)] if seen else [run(1)]
    file = NotebookFile(f"{student.id}.ipynb", notebook.sha256)
    gathered = Gathered(file, notebook, evidence(*runs))
    graded = conclude(ASSIGNMENT, TEMPLATE, gathered, student, marks=book.marks.of(student.id))
    book.add(student, gathered, result_json(graded, "es"))


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
