"""215 ways in which students leave their answers, written without a look at the finder.

`layouts.jsonl` has a notebook in each line: cells of the sheet by their id, others as they are
(`source_of` names the cell of the sheet whose text it has), and for each question what a careful
person would expect: fragments that the answer has, fragments that it must not have, `missing`, or
`needs_review` where a machine cannot read or attribute it honestly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.loading import default_folder, load_assignment
from grader.notebook import Notebook, read_notebook
from grader.rubric.answers import find_answers, unclaimed
from grader.rubric.passages import code_lines
from grader.rubric.sheet import Sheet

ASSIGNMENT = load_assignment(default_folder())
SHEET = (ASSIGNMENT.folder / ASSIGNMENT.spec.notebook).read_bytes()
TEMPLATE = read_notebook(SHEET, "taller3.ipynb")
CELLS = {cell["id"]: cell for cell in json.loads(SHEET)["cells"]}
FILE = Path(__file__).with_name("layouts.jsonl")
OTHERWISE = {
    "split-over-cells-with-plots": "text below a plot is no part of an answer that had begun",
    "two-attempts-two-places": "both texts are shown as one answer",
    "two-attempts-labelled-corrected": "both texts are shown, with the student's own label",
    "separators-and-signature": "a signature is shown with the answer",
    "spanglish-mixed-labels": "a bare number among named questions may be any list",
    "course-picture-in-prompt-only": "a picture beside a prompt may be the answer; a person looks",
    "criteria-pasted-no-answer": "what the rubric says is nobody's answer: missing",
    "course-text-pasted-as-answer": "what the sheet says is nobody's answer: missing",
    "observation-after-evaluate": "a remark elsewhere is no answer while others were found",
    "teacher-feedback-kept": "nothing shows that the words are not the student's",
    "report-topic-headings": "a heading that says the question in other words names it",
    "mojibake-markers": "damaged placeholders are shown to a person as text",
    "duplicate-label-same-number": "the label is taken at its word",
    "number-out-of-range": "the label is taken at its word",
}


def layouts() -> Iterator[Any]:
    for line in FILE.read_text(encoding="utf-8").splitlines():
        layout = json.loads(line)
        reason = OTHERWISE.get(layout["name"])
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason is not None else []
        yield pytest.param(layout, id=layout["name"], marks=marks)


def notebook(layout: dict[str, Any]) -> Notebook:
    cells = [_cell(cell) for cell in layout["cells"]]
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return read_notebook(json.dumps(whole).encode(), layout["name"])


def _cell(cell: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(cell, str):
        return CELLS[cell]  # type: ignore[no-any-return]
    text = "".join(CELLS[cell["source_of"]]["source"]) if "source_of" in cell else cell["source"]
    code = {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return {"metadata": {}, **code, **cell, "source": text}


@pytest.mark.parametrize("layout", [*layouts()])
def test_answers_are_found_or_honestly_reported(layout: dict[str, Any]) -> None:
    """Each question has the status that a person would give, and the student's words."""
    answers = find_answers(notebook(layout), TEMPLATE, ASSIGNMENT.rubric.questions)

    expected = layout["expected"]
    assert {name: one["status"] for name, one in expected.items()} == {
        answer.question: answer.status for answer in answers
    }
    for answer in answers:
        wanted = expected[answer.question]
        if wanted["status"] == "found":
            fragments = wanted.get("text") or []
            for fragment in [fragments] if isinstance(fragments, str) else fragments:
                assert fragment in answer.text
            for fragment in wanted.get("not") or []:
                assert fragment not in answer.text


def test_what_no_answer_took_is_shown() -> None:
    """Also where a layout is met otherwise: each word in a text cell is somewhere on the page."""
    lost = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        layout = json.loads(line)
        read = notebook(layout)
        questions = ASSIGNMENT.rubric.questions
        answers = find_answers(read, TEMPLATE, questions)
        used = {cell for answer in answers for cell in answer.cells}
        shown = "\n".join(answer.text for answer in answers)
        shown += unclaimed(read, Sheet(questions, TEMPLATE), used)
        for wanted in layout["expected"].values():
            fragments = wanted.get("text") or []
            for fragment in [fragments] if isinstance(fragments, str) else fragments:
                if fragment not in shown:
                    lost.append((layout["name"], fragment))

    assert [] == lost


def test_at_least_sixty_are_met() -> None:
    """The corpus is as large as it says, and few of it are met otherwise."""
    names = [json.loads(line)["name"] for line in FILE.read_text(encoding="utf-8").splitlines()]

    assert 215 == len(set(names))
    assert set(OTHERWISE) <= set(names) and len(OTHERWISE) <= 14


def test_an_escape_that_python_does_not_know_is_no_error() -> None:
    """Python warns of `"\\d"`, and here a warning is an error; comments are found all the same."""
    found = [line.text for line in code_lines('x = "\\d"  # La red memoriza.\nprint(x)')]

    assert "La red memoriza." in " ".join(found) and "print" not in " ".join(found)
