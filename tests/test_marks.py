"""A person's mark wins over every run, and a run that disagrees with it says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.grading import Gathered, Override, conclude
from grader.loading import default_folder, load_assignment
from grader.locale import T, Translator
from grader.notebook import Notebook
from grader.result import NotebookFile, State, Student, result_json

ASSIGNMENT = load_assignment(default_folder())
CHECK = "data.grid"
EMPTY = Gathered(
    NotebookFile("ana.ipynb", "0" * 64), Notebook("ana.ipynb", "0" * 64, (), (), "python")
)


def judged(*marks: Override) -> dict:  # type: ignore[type-arg]
    graded = conclude(ASSIGNMENT, None, EMPTY, Student("ana", "Ana"), overrides=marks)
    assert graded.state is State.GRADED
    return result_json(graded, "es")


def the_finding(result: dict) -> dict:  # type: ignore[type-arg]
    return next(one for one in result["findings"] if one["check"] == CHECK)


def test_a_run_that_gives_what_it_gave_says_nothing() -> None:
    """The run alone gives nothing here, as it did when the person decided."""
    result = judged(Override(CHECK, 150, "la mostró en papel", saw=0))

    assert (1.5, 0.0) == (the_finding(result)["earned"], the_finding(result)["alone"])
    assert [] == result["flags"]


def test_a_run_that_disagrees_says_so_and_the_mark_stays() -> None:
    """It gave all points then and none now; a person looks, and the student loses nothing."""
    result = judged(Override(CHECK, 150, "una barra de más", saw=200))

    assert 1.5 == the_finding(result)["earned"]
    (flag,) = result["flags"]
    assert "mark_differs" == flag["kind"]
    assert "da ahora 0 puntos y daba 2 cuando una persona decidió 1,5" in flag["detail"]


@pytest.mark.parametrize("saw", [None, 0])
def test_the_latest_mark_counts(saw: int | None) -> None:
    """Whoever marks again has seen what the run gives now."""
    result = judged(
        Override(CHECK, 150, "una barra de más", saw=200), Override(CHECK, 100, "otra vez", saw)
    )

    assert 1.0 == the_finding(result)["earned"]
    assert [] == result["flags"]


def test_both_languages_have_it() -> None:
    """The sentence reads well in English, too."""
    marks = (Override(CHECK, 150, "seen", saw=200),)
    graded = conclude(ASSIGNMENT, None, EMPTY, Student("ana", "Ana"), overrides=marks)

    assert "gives 0 points now and gave 2 when a person decided on 1.5." in Translator("en")(
        graded.flags[0].detail
    )


def test_a_mark_is_no_more_than_the_check_is_worth_now() -> None:
    """The assignment has changed since: less for this check, and another check is gone."""
    gone = Override("data.gone", 100, "no longer there")

    assert 2.0 == the_finding(judged(Override(CHECK, 900, "todo"), gone))["earned"]
    unread = replace(EMPTY, notebook=None, problem=T("does not exist"))
    graded = conclude(
        ASSIGNMENT, None, unread, Student("ana", "Ana"),
        overrides=(gone, Override(CHECK, 900, "todo"), Override(CHECK, 150, "visto")),
    )  # fmt: skip
    assert [(CHECK, 150)] == [(one.check, one.earned) for one in graded.findings]
