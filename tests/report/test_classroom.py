"""The class page says who needs a person, where the class stands and what it missed."""

from __future__ import annotations

import re

import pytest

from grader.locale import T
from grader.report.classroom import render_class
from grader.similar import Pair
from tests.report.class_factory import ABSENT, ASSIGNMENT, class_page, summaries


def test_those_who_need_a_person_come_first() -> None:
    """Unreadable, to be reviewed, failed on our side, flagged: each with its reason and link."""
    page = class_page(30)
    first = page[page.index('id="attention"') : page.index('id="spread"')]

    named = set(re.findall(r'href="students/([\w-]+)/report.html"', first))
    assert {"ana-0", "ana-1", "ana-2", "ana-5", "ana-28", "ana-29"} == named
    assert "Está vacío; guárdalo otra vez" in first
    assert "Una persona debe decidir:" in first
    assert "Leo Ruiz" in first


def test_the_table_has_everybody_once() -> None:
    """One row for each student, whatever the state."""
    page = class_page(30)
    table = page[page.index('id="students"') :]

    assert [f"ana-{number}" for number in range(30)] == re.findall(
        r'href="students/([\w-]+)/report.html"', table
    )
    assert "2 d tarde" in table


def test_what_was_missed_is_counted() -> None:
    """Students, their share, and what the class lost; what waits for a person is no loss."""
    check = ASSIGNMENT.spec.checks[0]
    made = summaries(10)
    for number, one in enumerate(made):
        one["findings"] = {
            name: ["passed", worth, worth] for name, (*_, worth) in one["findings"].items()
        }
        if number in (4, 6, 7) and one["findings"]:
            worth = one["findings"][check.name][2]
            one["findings"][check.name] = ["failed", 0.0, worth]
        if number == 8:
            one["findings"][ASSIGNMENT.spec.checks[1].name] = ["needs_review", 0.0, 2.0]
    page = render_class(ASSIGNMENT, made, [], [], [], "es")
    missed = page[page.index('id="missed"') : page.index('id="alike"')]
    judged = sum(bool(one["findings"]) for one in made)

    assert [check.title.es] == re.findall(r'<th scope="row">(.*?)</th>', missed)
    assert f"{round(100 * 3 / judged)} %" in missed


@pytest.mark.parametrize("count", [1, 3])
def test_small_classes_have_a_page(count: int) -> None:
    """One student alone, and even nobody measured."""
    made = summaries(count)
    for one in made:
        one["measured"] = {}
    page = render_class(ASSIGNMENT, made, ABSENT, [], [], "en")

    assert "All students" in page
    assert "No two submissions are alike" in page


def test_names_are_text() -> None:
    """A student's name is no markup, and a link is an address."""
    made = summaries(1)
    made[0] |= {"name": "<script>x</script>", "student": 'a"b/../c'}
    page = render_class(ASSIGNMENT, made, [], [], [], "es")

    assert "<script" not in page
    assert "students/a%22b/../c/report.html" in page


def test_five_hundred_fit() -> None:
    """The page of a large class stays a page."""
    assert len(class_page(500).encode()) < 1_000_000


def test_what_concerns_the_whole_class_stands_first() -> None:
    """A notice of intake is read before any name, and is inert."""
    notice = T("{path}: {reason}", path="<b>clase</b>", reason="dos entregas serían de Ana")
    page = render_class(ASSIGNMENT, summaries(3), [], [], [], "es", [notice])

    assert "&lt;b&gt;clase&lt;/b&gt;: dos entregas serían de Ana" in page
    assert page.index("dos entregas serían de Ana") < page.index("ana-0")


def test_equal_stored_numbers_are_named() -> None:
    """Two files with one training's numbers: both names, how many rows, and no accusation."""
    page = render_class(ASSIGNMENT, summaries(3), [], [], [Pair("ana-0", "ana-2", 1.0, 36)], "es")

    assert "filas: 36" in page and "con la misma semilla" in page
