"""The class by student: what a person must decide is decided here, and reports follow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from grader.gradebook import Gradebook
from grader.result import Student
from tests.factories import run
from tests.review.a_class import ASSIGNMENT, a_class, hand_in
from tests.review.serving import Served, opened, serving

pytestmark = pytest.mark.browser
CHECK = "baseline.accuracy"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two students, and one whose model could not be verified."""
    folder = a_class(tmp_path_factory.mktemp("students") / "class", 2)
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        unverified = run(1, trained_by="kernel (unverified)", measured=None, start=None)
        result = hand_in(book, Student("zoe", "Zoe Ruiz"), {}, unverified)
        assert "needs_review" in [one["status"] for one in result["findings"]]
    with serving(folder) as running:
        yield running


def test_who_needs_a_person_comes_first_and_has_no_name(served: Served, browser: Any) -> None:
    """Names only where somebody asks for them."""
    with opened(browser, served) as page:
        page.click("text=Por estudiante")
        page.wait_for_url("**/students")
        rows = page.locator("tbody tr").all_inner_texts()
        assert "Tiene que revisarlo una persona" in rows[0]
        assert not any(name in "".join(rows) for name in ("Zoe", "zoe", "Estudiante 00"))
        page.click("text=Mostrar los nombres")
        page.wait_for_selector("text=Zoe Ruiz")


def test_a_finding_is_decided_and_the_report_follows(served: Served, browser: Any) -> None:
    """With who and why in the gradebook; the next grade keeps it."""
    with opened(browser, served) as page:
        page.goto(served.student("zoe"))
        form = page.locator(f"form[action$='/check/{CHECK}']")
        form.locator("[name=points]").fill("1,5")
        form.locator("[name=because]").fill("Lo miré: la exactitud es la que dice.")
        form.locator("button").click()
        page.wait_for_selector("text=decidido por una persona: 1,5")
        assert (
            0
            == page.locator(f".finding form[action$='/check/{CHECK}']")
            .locator("xpath=ancestor::section")
            .count()
        )
    with Gradebook(served.folder) as book:
        (event,) = book.events("zoe")

    assert ("Eva", CHECK, 150) == (event.who, event.override.check, event.override.points)
    report = served.folder / "students" / "zoe" / "result.json"
    for _ in range(200):
        if report.exists() and CHECK in report.read_text(encoding="utf-8"):
            break
        time.sleep(0.1)
    result = json.loads(report.read_text(encoding="utf-8"))
    (found,) = (one for one in result["findings"] if one["check"] == CHECK)
    assert (1.5, "Lo miré: la exactitud es la que dice.") == (found["earned"], found["overridden"])


@pytest.mark.parametrize(
    ("points", "because", "said"),
    [
        ("99", "sí", "no es un número de puntos"),
        ("mucho", "sí", "no es un número"),
        ("1", " ", "di por qué"),
    ],
)
def test_what_decides_nothing_is_refused(
    served: Served, points: str, because: str, said: str
) -> None:
    """Too many points, none, no reason: one line says what, and nothing is written."""
    before = _events(served)
    where = served.student("s000").removeprefix(served.at(""))
    form = {"form": served.form(), "seen": "0", "points": points, "because": because}
    status, _, text = served.ask(f"{where}/check/{CHECK}", served.token, form)

    assert (400, True) == (status, said in text)
    assert before == _events(served)
    assert 404 == served.ask(f"{where}/check/baseline.nothing", served.token, form)[0]
    assert 403 == served.ask(f"{where}/check/{CHECK}", served.token, {**form, "form": "no"})[0]


def test_one_student_after_the_other_by_the_keyboard(served: Served, browser: Any) -> None:
    """All five answers, then the student's page, then the next student."""
    with opened(browser, served) as page:
        page.goto(served.at("/student/1/q1"))
        for number in range(2, len(ASSIGNMENT.rubric.questions) + 1):
            page.keyboard.press("j")
            page.wait_for_url(f"**/student/1/q{number}")
        page.keyboard.press("j")
        page.wait_for_url("**/student/1")
        page.keyboard.press("j")
        page.wait_for_url("**/student/2")


def _events(served: Served) -> int:
    with Gradebook(served.folder) as book:
        return len(book.events())
