"""Suggestions beside people's marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.gradebook import Gradebook
from grader.grading import Gathered
from grader.loading import default_folder, load_assignment
from grader.result import NotebookFile, Student
from grader.rubric.agreement import agreements
from grader.rubric.ideas import suggest
from tests.factories import outcome

ASSIGNMENT = load_assignment(default_folder())
CRITERION = ASSIGNMENT.rubric.questions["q1"].criteria[2]
TEXTS = (
    "Hay sobreajuste y mide cómo generaliza.",
    "Hay sobreajuste.",
    "No sé.",
    "Hay sobreajuste.",
)


def result(text: str, points: float | None) -> dict[str, Any]:
    mark = {"points": points, "level": "", "comment": ""}
    marks = None if points is None else {CRITERION.id: mark}
    return {"answers": [{"question": "q1", "status": "found", "text": text, "marks": marks}]}


def place(text: str) -> int:
    found = suggest(CRITERION, text)
    assert found is not None
    return CRITERION.levels.index(found.level)


def test_who_gives_what_is_suggested_agrees_fully() -> None:
    """Kappa is 1; answers without a mark do not count."""
    results = [result(text, CRITERION.levels[place(text)].points) for text in TEXTS]
    each, everything = agreements(ASSIGNMENT, [*results, result("Otra cosa.", None)])

    assert (4, 1, 1, 1) == (each.marks, each.exact, each.within_one, each.kappa)
    assert ("q1.generalisation", "all") == (each.name, everything.name)


def test_kappa_is_what_cohen_says() -> None:
    """Observed against expected distance, by hand: suggestions 1, 1, 3, 1 and marks 0, 2, 3, 3."""
    assert [1, 1, 3, 1] == [place(text) for text in TEXTS]
    given = [CRITERION.levels[level].points for level in (0, 2, 3, 3)]
    each, _ = agreements(ASSIGNMENT, map(result, TEXTS, given))

    observed = (1 + 1 + 0 + 2) / 4
    suggested, marked = {1: 3 / 4, 3: 1 / 4}, {0: 1 / 4, 2: 1 / 4, 3: 2 / 4}
    chance = sum(
        p * q * abs(one - other) for one, p in suggested.items() for other, q in marked.items()
    )
    assert (0.25, 0.75) == (each.exact, each.within_one)
    assert pytest.approx(1 - observed / chance) == each.kappa


def test_one_level_for_all_says_nothing_of_chance() -> None:
    """There is no kappa then."""
    each, _ = agreements(ASSIGNMENT, [result("No sé.", 0.0)] * 3)

    assert (1.0, None) == (each.exact, each.kappa)


def test_levels_and_questions_that_are_no_more_do_not_count() -> None:
    """The rubric may have changed since."""
    gone = {"answers": [{"question": "q9", "text": "x", "marks": None}]}

    assert [] == agreements(ASSIGNMENT, [result("No sé.", 0.25), gone])


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    """Of a class's gradebook; before anything is marked it says so."""
    answers = [result(TEXTS[0], 2.0)["answers"][0]]
    cases = (("none", [], "nobody has marked"), ("one", answers, "q1.generalisation"))
    for name, said, expected in cases:
        (tmp_path / name).mkdir()
        with Gradebook(tmp_path / name, ASSIGNMENT) as book:
            kept = Gathered(NotebookFile("ana.ipynb", "0" * 64))
            book.add(Student("ana", "Ana"), kept, outcome("ana") | {"answers": said})
        done = CliRunner().invoke(main, ["rubric", "agreement", str(tmp_path / name)])

        assert 0 == done.exit_code, done.output
        assert expected in done.output
    assert 2 == CliRunner().invoke(main, ["rubric", "agreement", str(tmp_path / "nada")]).exit_code
