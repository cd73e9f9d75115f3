"""What a marker does and sees, in a real browser: keys, no scripts, two at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.gradebook import Gradebook
from grader.gradebook.marks import MarkRow
from tests.review.a_class import ASSIGNMENT, QUESTIONS, a_class
from tests.review.serving import Served, opened, serving

pytestmark = pytest.mark.browser


def test_hostile_answers_are_inert(small: Served, browser: Any) -> None:
    """Nothing runs, nothing is asked for elsewhere, nothing leaves its place."""
    with opened(browser, small) as page:
        noise: list[str] = []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: noise.append("dialog"))
        page.on("request", lambda request: noise.append(request.url))
        page.goto(small.answer("mala", "q1"))
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.wait_for_timeout(300)
        shown = page.inner_text("main")

    ours = (small.answer("mala", "q1"), small.at("/static/"))
    assert [] == [line for line in noise if not line.startswith(ours)]
    assert "alert" in shown


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
def test_pages_are_accessible_and_fit(small: Served, browser: Any, width: int, scheme: str) -> None:
    """axe finds nothing, and no page scrolls sideways."""
    how = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(browser, small, **how) as page:
        paths = ("/", "/q/q3/1", "/students?names=1", "/student/1", "/done")
        for path in (*map(small.at, paths), small.answer("mala", "q2")):
            page.goto(path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            found = Axe().run(page).response["violations"]
            assert [] == [(one["id"], one["nodes"][0]["html"][:200]) for one in found], path
            assert wide <= width, path


def test_two_markers_do_not_overwrite_each_other(small: Served, browser: Any) -> None:
    """Who comes second is shown both, and nothing of theirs is written."""
    with opened(browser, small) as one, opened(browser, small) as other:
        for page in (one, other):
            page.goto(small.answer("s001", "q4"))
        one.locator("input[type=radio]").first.check()
        one.wait_for_selector("#kept p")
        other.locator("input[type=radio]").nth(2).check()
        other.wait_for_selector("a.main")

        assert "Otra persona la calificó" in other.inner_text("h1")
        assert ["1,5 Completo", "0 Ausente"] == other.locator("tbody tr").first.locator(
            "td"
        ).all_inner_texts()
        other.locator("a.main").click()
        other.wait_for_selector("form.rubric")
        assert other.locator("input[type=radio]").first.is_checked()


def test_every_key_is_kept_at_once_and_once(small: Served, browser: Any) -> None:
    """Levels, a comment, and going on, faster than the server answers; each has one row."""
    criteria = ASSIGNMENT.rubric.questions["q1"].criteria
    with opened(browser, small) as page:
        page.goto(small.answer("s002", "q1"))
        page.keyboard.type("1" * len(criteria))
        page.keyboard.press("Enter")
        page.wait_for_url(small.answer("s002", "q2"))
    with Gradebook(small.folder) as book:
        rows = book.marks.history("s002", "q1")

    assert [one.id for one in criteria] == [row.mark.criterion for row in rows]


def test_a_comment_waits_for_its_level_and_says_so(small: Served, browser: Any) -> None:
    """Nothing is kept of a comment alone; with the level it is, and is offered the next time."""
    with opened(browser, small) as page:
        page.goto(small.answer("s003", "q4"))
        page.keyboard.press("c")
        page.keyboard.type("Di cuánto.")
        page.keyboard.press("Escape")
        page.wait_for_selector("#kept p")
        assert "Falta elegir un nivel" in page.inner_text("#kept")
        assert () == _rows(small, "s003", "q4")
        page.keyboard.press("2")
        page.wait_for_selector("#kept p:not(:has-text('Falta'))")
        page.goto(small.answer("s004", "q4"))

        assert ["Di cuánto."] == page.locator(".reuse").all_inner_texts()
    (row,) = _rows(small, "s003", "q4")
    assert ("Di cuánto.", "Eva") == (row.mark.comment, row.mark.who)


def test_what_cannot_be_kept_is_said(tmp_path: Path, browser: Any) -> None:
    """The program has ended; the page does not go on as if it had not."""
    with serving(a_class(tmp_path / "class", 2)) as served, opened(browser, served) as page:
        page.goto(served.answer("s000", "q1"))
        served.stop()
        page.keyboard.press("1")
        page.wait_for_selector("#kept .warn")

        assert "no se pudo guardar" in page.inner_text("#kept")


def test_undo_takes_the_last_mark_back(small: Served, browser: Any) -> None:
    """One press after the other, and the page shows what it was."""
    from playwright.sync_api import expect

    with opened(browser, small) as page:
        where = small.answer("s002", "q4")
        page.goto(where)
        page.keyboard.press("1")
        page.wait_for_selector("#kept p")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_url(small.answer("s002", "q5"))
        for left in (1, 0):
            page.keyboard.press("u")
            page.wait_for_url(where)
            expect(page.locator("input:checked")).to_have_count(left)

    assert [True, True] == [row.undone for row in _rows(small, "s002", "q4")]


def test_nothing_of_an_answer_stays_in_the_browser(small: Served, browser: Any) -> None:
    """No copy of a page in the browser's storage, also not for going back."""
    with opened(browser, small) as page:
        page.goto(small.at("/q/q1/1"))
        page.keyboard.press("j")
        page.wait_for_url("**/q/q1/2")
        page.go_back()
        page.wait_for_selector("h1:has-text('grupo 1')")
        page.wait_for_load_state()
        kept = page.evaluate("[localStorage.length, JSON.stringify(sessionStorage)]")

        assert 0 == kept[0] and "Pregunta" not in kept[1]
        assert "grupo 1" in page.inner_text("h1")


def test_without_scripts_everything_works(small: Served, browser: Any) -> None:
    """Levels, a comment, next and previous, by links and buttons."""
    with opened(browser, small, java_script_enabled=False) as page:
        page.click("text=Pregunta 5")
        page.wait_for_url("**/q/q5/1")
        for criterion in page.locator("fieldset").all():
            criterion.locator("input[type=radio]").last.check()
        page.locator("textarea").first.fill("Falta todo.")
        page.locator("button.main").click()
        page.wait_for_url("**/q/q5/2")
        page.click("text=Anterior")
        page.wait_for_url("**/q/q5/1")

        assert "Falta todo." == page.locator("textarea").first.input_value()


@pytest.mark.parametrize("count", [6, pytest.param(30, marks=pytest.mark.long)])
def test_a_class_is_marked_with_the_keyboard_alone(
    tmp_path: Path, browser: Any, count: int
) -> None:
    """One press for each group; then every report has its marks, and grades are whole."""
    with serving(a_class(tmp_path / "class", count)) as served, opened(browser, served) as page:
        presses = groups = 0
        for question in QUESTIONS:
            page.goto(served.at(f"/q/{question}"))
            groups += int(page.inner_text("h1").split()[-1])
            while f"/q/{question}/" in page.url:
                before = page.url
                page.keyboard.press("a")
                page.wait_for_url(lambda url, old=before: url != old)
                presses += 1
        criteria = sum(len(one.criteria) for one in ASSIGNMENT.rubric.questions.values())

        assert groups == presses < count * len(QUESTIONS)
        assert {f"s{place:03}": criteria for place in range(count)} == served.marked()
    with Gradebook(served.folder) as book:
        results = list(book.results())
    for result in results:
        marked = [len(answer["marks"]) for answer in result["answers"]]
        assert criteria == sum(marked) and 0 == result["points"]["pending"]
    report = (served.folder / "students" / "s000" / "report.html").read_text(encoding="utf-8")
    assert "pendiente de calificar" not in report


def _rows(served: Served, student: str, question: str) -> tuple[MarkRow, ...]:
    with Gradebook(served.folder) as book:
        return book.marks.history(student, question)
