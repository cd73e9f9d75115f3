"""The class page says who needs a person, where the class stands and what it missed."""

from __future__ import annotations

import re
from typing import Any

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


def long_answers(*keys: dict[str, str]) -> list[dict[str, Any]]:
    """Short results of students with these long answers."""
    made = summaries(len(keys))
    for one, own in zip(made, keys, strict=True):
        one["long_answers"] = own
    return made


def listed(made: list[dict[str, Any]], language: str = "es") -> str:
    """The part of the page that names what is alike."""
    page = render_class(ASSIGNMENT, made, [], [], [], language)
    return page[page.index('id="alike"') : page.index('id="students"')]


@pytest.mark.parametrize(
    ("language", "group", "neutral"),
    [
        ("es", "Pregunta 2</b>, 2 estudiantes", "Eso no prueba nada: quienes estudian juntos"),
        ("en", "Question 2</b>, 2 students", "That proves nothing: people who study together"),
    ],
)
def test_equal_long_answers_are_named(language: str, group: str, neutral: str) -> None:
    """The question, both students with their reports, and no accusation."""
    part = listed(long_answers({"q2": "aa"}, {"q3": "aa"}, {"q2": "aa"}), language)

    assert group in part and neutral in part
    assert ["ana-0", "ana-2"] == re.findall(r'href="students/([\w-]+)/report.html#answers"', part)
    assert not re.search("copi[oóae]|copied|copying|cheat|plagi|trampa|fraud", part, re.IGNORECASE)


def test_large_groups_of_equal_answers_come_first_and_are_cut() -> None:
    """At most twenty groups and twelve names in each; the page says what it leaves out."""
    own = [{"q1": f"{number // 2}", "q5": "aa" if number < 15 else "bb"} for number in range(46)]
    for number in range(15, 46):
        own[number] |= {"q5": f"alone {number}"}
    part = listed(long_answers(*own))

    assert 20 == part.count("<li><p><b>")
    assert part.index("Pregunta 5</b>, 15 estudiantes") < part.index("Pregunta 1</b>")
    assert 12 + 19 * 2 == part.count("report.html#answers")
    assert "y 3 más" in part and "Grupos que no aparecen aquí: 4." in part


def test_students_with_equal_answers_are_text() -> None:
    """Names and ids of a group are no markup, and a link is an address."""
    made = long_answers({"q1": "aa"}, {"q1": "aa"})
    made[0] |= {"name": "<script>x</script>", "student": 'a"b/../c'}
    part = listed(made)

    assert "<script" not in part and "&lt;script&gt;x" in part
    assert 'href="students/a%22b/../c/report.html#answers"' in part
    assert "a&#34;b/../c" in part


def marked(*criteria: dict[str, int], language: str = "es") -> str:
    """The part of the page that says how far marking is."""
    made = summaries(len(criteria))
    for one, counts in zip(made, criteria, strict=True):
        one["marked"] = counts
    page = render_class(ASSIGNMENT, made, [], [], [], language)
    return page[page.index('id="attention"') : page.index('id="spread"')]


@pytest.mark.parametrize(
    ("language", "progress", "command"),
    [
        ("es", ["Pregunta 1", "1 de 3", "Pregunta 3", "0 de 1"], "grader review CARPETA"),
        ("en", ["Question 1", "1 of 3", "Question 3", "0 of 1"], "grader review FOLDER"),
    ],
)
def test_marking_is_counted_by_whole_answers(
    language: str, progress: list[str], command: str
) -> None:
    """An answer is marked with its last criterion; a question without answers is left out."""
    every = len(ASSIGNMENT.rubric.questions["q1"].criteria)
    part = marked({"q1": every}, {"q1": every - 1, "q3": 0}, {"q1": 0}, {}, language=language)

    bars = re.findall(r'<li><span>(.*?)</span> <svg.*</svg> <span class="quiet">(.*?)</span>', part)
    assert progress == [text for bar in bars for text in bar]
    assert ["33", "0"] == re.findall(r'<rect x="0" y="0" width="(\d+)"', part)
    assert f"<code>{command}</code>" in part


def test_nothing_is_asked_for_when_all_is_marked() -> None:
    """One answer of a thousand keeps a bar from being full and the command in its place."""
    questions = ASSIGNMENT.rubric.questions.items()
    done = {name: len(question.criteria) for name, question in questions}
    all_done, nearly = marked(done, done), marked(*[done] * 999, done | {"q1": 0})

    assert "Todas las respuestas escritas están calificadas." in all_done
    assert "grader review" not in all_done
    assert "grader review" in nearly and "999 de 1000" in nearly and 'width="99"' in nearly


def test_without_answers_no_marking_is_shown() -> None:
    """A class of unreadable files has no answers, and the page speaks of none."""
    assert "calificadas" not in marked({}, {})
