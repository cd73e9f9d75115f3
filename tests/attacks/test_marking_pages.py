"""What a student writes on the marking pages: text in its own place, and our page around it.

Beside the page's own forms and scripts nothing may be filled in or run: every tag with attributes
outside of the student's places is one that an honest student's page has too, and of those that can
do something there are as many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.gradebook import Gradebook
from tests.attacks.hostile_class import CHECK, hostile_class
from tests.attacks.payloads import FAMILIES, PAYLOADS, groups
from tests.attacks.test_pages import HONEST
from tests.report.pages import HIDDEN, LINK, Element, Page
from tests.review.serving import Served, opened, serving

PLACES = {"text", "laid"}  # the classes of what holds a student's layout
LAID = {
    "a", "blockquote", "br", "code", "del", "em", "ins", "li", "mark", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ACTS = {"a", "button", "form", "h1", "h2", "input", "label", "link", "meta", "script", "textarea"}
TOO_LONG = "\n\n".join([*FAMILIES["classic"].values(), "una palabra " * 600])  # to be compared
GROUPS = [*groups(1_150), TOO_LONG]
ANSWERS = (
    HONEST,
    "",
    f"{HONEST} ![figura](attachment:x.png)",
    "Memoriza los datos de entrenamiento: sobreajuste. La brecha con la prueba sube.",
    f"## Pregunta 2\n{HONEST}\n\n<!-- {HONEST} -->",
)


class Pages:
    """The marking pages of a class, read as any browser gets them."""

    def __init__(self, served: Served, students: int) -> None:
        self.served, self.students = served, students
        self.honest: set[tuple[Any, ...]] = set()
        self.acts: dict[str, set[int]] = {}
        for number in range(len(ANSWERS)):
            for path in self.of(number):
                bones, acts = self.looked_at(path)
                self.honest |= set(bones)
                for tag in ACTS:
                    self.acts.setdefault(f"{kind(path)} {tag}", set()).add(acts[tag])

    def of(self, number: int) -> list[str]:
        """The pages of one student: all that is known, an answer with all beside it, a model."""
        student = self.served.student(f"m{number:03}").removeprefix(self.served.at(""))
        return [student, f"{student}/q1", f"{student}/q2", f"{student}/q5"]

    def page(self, path: str) -> Page:
        status, _, text = self.served.ask(path, cookie=self.served.token)
        assert 200 == status, path
        return Page(text)

    def looked_at(self, path: str) -> tuple[list[tuple[Any, ...]], Counter[str]]:
        """The bones of our page around what a student wrote, and how many can do something."""
        page = self.page(path)
        assert not HIDDEN.search(page.document) and not page.open, path
        within = [one for one in page.elements if PLACES & one.around]
        for one in within:
            assert one.tag in LAID and links_out(one), (path, one)
        outside = [one for one in page.elements if not PLACES & one.around]
        return [bone(one) for one in outside], Counter(
            one.tag for one in outside if one.attributes.get("data-key") not in ("j", "k")
        )

    def assert_inert(self, number: int) -> None:
        for path in self.of(number):
            bones, acts = self.looked_at(path)
            assert [] == [one for one in bones if one not in self.honest], path
            for tag in ACTS:
                assert acts[tag] in self.acts[f"{kind(path)} {tag}"], (path, tag)


def kind(path: str) -> str:
    return path.rpartition("/")[2] if "/q" in path else "student"


def links_out(one: Element) -> bool:
    attributes = dict(one.attributes)
    if one.tag == "ol" and re.fullmatch(r"\d+", attributes.pop("start", None) or "0"):
        return not attributes
    if one.tag == "a" and (address := attributes.pop("href", None)):
        ours = bool(re.match("https://|mailto:", address))
        return ours and {"rel": LINK} == attributes
    return attributes in ({}, {"rel": LINK})


def bone(one: Element) -> tuple[Any, ...]:
    """A tag with its attributes; numbers and values that people give are left open."""
    values = {
        name: re.sub(r"\d+", "N", value or "")
        for name, value in one.attributes.items()
        if name not in ("value", "src", "alt") and name != "checked"
    }
    return one.tag, *sorted(values.items())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Five honest students, and one for each group of payloads."""
    folder = tmp_path_factory.mktemp("marking") / "class"
    with serving(hostile_class(folder, GROUPS, [(HONEST, one) for one in ANSWERS])) as running:
        yield Pages(running, len(GROUPS))


def test_the_texts_are_on_the_pages(served: Pages) -> None:
    """An honest word arrives in each place, so the tests look at something."""
    student, first, _, fifth = map(served.page, served.of(0))

    facts = [one for one in student.all("dl") if HONEST in one.text]
    values = [one.attributes.get("value") for one in student.all("input")]
    assert (
        len(facts) >= 3
        and HONEST in values
        and HONEST in student.all("code")[-1].text + (student.text)
    )
    texts = [one for one in first.all("blockquote") if HONEST in one.text]
    assert 3 == len(texts)  # the answer, what changed in it, what no answer took
    assert HONEST in first.all("textarea")[1].text
    assert [True] == [HONEST in one.text for one in first.all("ul") if "members" in one.classes]
    assert HONEST in " ".join(one.text for one in fifth.all("th"))
    assert HONEST in served.page("/students?names=1").text


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_student_is_inert_on_the_marking_pages(served: Pages, group: int) -> None:
    """Every payload in every place of a student's pages, several in one text."""
    served.assert_inert(len(ANSWERS) + group)


def test_lists_and_refusals_are_inert(served: Pages) -> None:
    """The list with names; a refused form that says a text again; the marker's own name."""
    page = served.page("/students?names=1")
    own = next(str(e.attributes["value"]) for e in page.all("input"))
    allowed = set(map(bone, served.page("/students").elements))
    assert set(map(bone, page.elements)) - allowed <= {("a", ("href", "/students"))}
    assert not HIDDEN.search(page.document)
    student = served.of(0)[0]
    for text in GROUPS:
        form = {"form": own, "points": text.encode("utf-8", "replace").decode(), "because": "x"}
        status, _, said = served.served.ask(f"{student}/check/{CHECK}", served.served.token, form)
        shown = Page(said)
        assert 400 == status and 1 == len(shown.all("h1")) and 1 == len(shown.all("form"))
        assert not HIDDEN.search(said)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_payload_alone_on_the_marking_pages(tmp_path: Path, record_property: Any) -> None:
    """One student for each payload, with it in every place of four pages."""
    record_property("payloads", len(PAYLOADS))
    folder = tmp_path / "class"
    with serving(
        hostile_class(folder, PAYLOADS.values(), [(HONEST, one) for one in ANSWERS])
    ) as running:
        pages = Pages(running, len(PAYLOADS))
        for number in range(len(ANSWERS), len(ANSWERS) + len(PAYLOADS)):
            pages.assert_inert(number)


@pytest.mark.browser
def test_a_browser_stays_on_the_marking_pages(served: Pages, browser: Any) -> None:
    """No script but our two, no request but ours, no dialog, no word in the console."""
    ours = served.served.at("/")
    with opened(browser, served.served) as page:
        noise: list[str] = []
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: noise.append("dialog"))
        page.on(
            "request",
            lambda asked: (
                noise.append(f"{asked.method} {asked.url[:90]}")
                if asked.method != "GET" or not asked.url.startswith((ours, "data:"))
                else None
            ),
        )
        for number in range(len(ANSWERS), len(ANSWERS) + len(GROUPS)):
            for path in served.of(number)[:2]:
                page.goto(served.served.at(path))
                page.evaluate(
                    "document.querySelectorAll('details').forEach(one => one.open = true)"
                )
                scripts = page.evaluate(
                    "[...document.scripts].map(one => new URL(one.src).pathname)"
                )
                assert ["/static/htmx-2.0.10.min.js", "/static/keys.js"] == scripts
                assert 1 == page.locator("h1").count() and "100/100" not in page.inner_text("h1")
                assert page.url == served.served.at(path)
    assert [] == noise
    with Gradebook(served.served.folder) as book:
        given = book.marks.all()
    assert {2} == {len(marks) for marks in given.values()}
