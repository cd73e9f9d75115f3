"""Classes of any size for the class page, the same ones every time."""

from __future__ import annotations

import random
from typing import Any

from grader.assignment import Assignment
from grader.loading import default_folder, load_assignment
from grader.report.classroom import render_class
from grader.result import Student
from grader.similar import Pair

ASSIGNMENT = load_assignment(default_folder())
ABSENT = [Student("leo-ruiz", "Leo Ruiz"), Student("mia-paz", "Mía <b>Paz</b>")]
WORTH = {"passed": 1.0, "partial": 0.5, "failed": 0.0, "not_attempted": 0.0}


def summaries(count: int, assignment: Assignment = ASSIGNMENT) -> list[dict[str, Any]]:
    """Short results of a class: mostly good, a few that need a person."""
    chance = random.Random(7)
    return [_one(number, chance, assignment) for number in range(count)]


def _one(number: int, chance: random.Random, assignment: Assignment) -> dict[str, Any]:
    state = (
        ("unreadable", "needs_review", "grader_error")[number % 29] if number % 29 < 3 else "graded"
    )
    judged = state in ("graded", "needs_review")
    findings = {}
    for check in assignment.spec.checks if judged else ():
        status = chance.choices(list(WORTH), [80, 8, 8, 4])[0]
        possible = check.possible / 100
        findings[check.name] = [status, round(possible * WORTH[status], 2), possible]
    if state == "needs_review":
        name = assignment.spec.checks[-1].name
        findings[name] = ["needs_review", 0.0, findings[name][2]]
    earned = round(sum(found[1] for found in findings.values()), 2)
    low = round(earned / 20, 1)
    return {
        "student": f"ana-{number}", "name": f"Ana Pérez {number}", "state": state,
        "problem": None if judged else "Está vacío; guárdalo otra vez y entrega esa copia.",
        "earned": earned, "pending": 30.0, "total": 100.0, "grade": [None, low, low + 1.5],
        "late": [90_000 if number % 7 == 1 else None, 0.0],
        "flags": ["trained_on_test"] if number % 23 == 5 else [], "findings": findings,
        "measured": {
            one.id: [chance.gauss(0.885, 0.004), chance.gauss(0.03, 0.006)]
            for one in (assignment.spec.experiments if judged else ())
        },
        "seconds": chance.randint(60, 900),
        "marked": {
            name: len(question.criteria) if number % place == 0 else place % 2
            for place, (name, question) in enumerate(assignment.rubric.questions.items(), 1)
        } if judged else {},
        "long_answers": {
            "q1": "7" * 16 if number % 2 and number > 4 else f"{number:016x}",
            "q4": "5" * 16 if number in (7, 12) else f"{number:016x}",
        } if judged else {},
    }  # fmt: skip


def class_page(count: int, language: str = "es") -> str:
    """The page of such a class."""
    made = summaries(count)
    alike = [Pair("ana-3", "ana-4", 0.83, 40)] if count > 4 else []
    numbers = [Pair("ana-7", "ana-9", 1.0, 36)] if count > 9 else []
    return render_class(ASSIGNMENT, made, ABSENT, alike, numbers, language)
