"""A class on its marking pages in which each student puts one text everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from grader.evidence import Run
from grader.gradebook import Gradebook
from grader.grading import Gathered, Override, conclude
from grader.notebook import read_notebook
from grader.recipes import Node, Recipe
from grader.result import Mark, NotebookFile, Student, result_json
from grader.rubric.marks import key_of
from tests.factories import evidence, mlp, run
from tests.review.a_class import ASSIGNMENT, QUESTIONS, TEMPLATE, measured, notebook_of

OLD = "Una respuesta de antes."
CHECK = ASSIGNMENT.spec.checks[0].name


def storable(text: str) -> str:
    """A text as the readers of notebooks and of records leave it: no lone surrogates, no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def runs(text: str) -> tuple[Run, ...]:
    """A run with the mistakes that stand beside an answer, and a model whose layer has the name."""
    own = Node(op=text[:250], custom=True, inputs=[0])
    deep = mlp(500, 500, 500)
    made = Recipe(input_shape=[28, 28], nodes=[deep.nodes[0], own, *deep.nodes[2:]])
    return run(1, measured=measured()), run(2, mlp(500)), run(3, made)


def hand_in(book: Gradebook, number: int, text: str, answer: str | None = None) -> str:
    """Grade a notebook of one text as if it had run, marked before and after; return the id."""
    text, student = storable(text), Student(f"m{number:03}", storable(text)[:300])
    written = text if answer is None else answer
    sheet = json.loads(notebook_of(dict.fromkeys(QUESTIONS, written)))
    extra = {"cell_type": "markdown", "id": "x", "metadata": {}, "source": text}
    sheet["cells"].insert(8, extra)
    notebook = read_notebook(json.dumps(sheet).encode(), text)
    file = NotebookFile(notebook.name, notebook.sha256)
    gathered = Gathered(file, notebook, evidence(*runs(text)))
    result = result_json(conclude(ASSIGNMENT, TEMPLATE, gathered, student), "es")
    for finding in result["findings"][1:4]:
        finding |= dict.fromkeys(("expected", "observed", "where", "hint", "remark"), text)
    result["findings"][2]["status"] = "needs_review"
    result["problem"] = text
    result["flags"] = [{"kind": "claim_differs", "detail": text}]
    book.add(student, gathered, result)
    book.override(student.id, Override(CHECK, 100, text[:500]), "Eva")
    first, second, *_ = ASSIGNMENT.rubric.questions["q1"].criteria
    old = Mark("q1", first.id, 0, text[:2000], answer=key_of(OLD + text))
    now = Mark("q1", second.id, 0, text[:2000], answer=key_of(result["answers"][0]["text"]))
    given = [(student.id, old), (student.id, now)]
    book.marks.add(text[:60], given, {}, {key_of(OLD + text): f"{OLD} {text}"})
    return student.id


def hostile_class(folder: Path, texts: Iterable[str], honest: Iterable[tuple[str, str]]) -> Path:
    """A gradebook with an honest student for each (text, answer), then one for each text."""
    folder.mkdir(parents=True, exist_ok=True)
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        pairs = [*honest, *((text, None) for text in texts)]
        for number, (text, answer) in enumerate(pairs):
            hand_in(book, number, text, answer)
    return folder
