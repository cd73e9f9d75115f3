"""What could go wrong while somebody marks in a hurry, and when the server is killed."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.batch.desk import Desk
from grader.cli import main
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Gathered, conclude
from grader.locale import T
from grader.result import Mark, NotebookFile, Student, result_json
from grader.rubric.marks import key_of
from tests.review.a_class import ASSIGNMENT, TEMPLATE, hand_in, with_text
from tests.review.serving import Served, opened, serving

CRITERIA = ASSIGNMENT.rubric.questions["q1"].criteria
ALIKE = "La red memoriza los datos de entrenamiento y por eso baja en la prueba."
QUESTION = "q1"


def equals(folder: Path, count: int = 4) -> Path:
    """A class of students with the same answer to the first question."""
    folder.mkdir()
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        for number in range(count):
            hand_in(book, Student(f"g{number}", f"Gente {number}"), {QUESTION: ALIKE})
    return folder


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Four equal answers; each test marks another question or student."""
    with serving(equals(tmp_path_factory.mktemp("care") / "class")) as served:
        yield served


def rows(served: Served, student: str, question: str = QUESTION) -> list[tuple[str, int, str]]:
    """What stands: criterion, points, comment."""
    with Gradebook(served.folder) as book:
        given = book.marks.of_question(question).get(student, {})
    return sorted((name, mark.points, mark.comment) for name, mark in given.items())


@pytest.mark.browser
class TestKeys:
    """What fingers do by mistake."""

    def test_scrolling_marks_nothing(self, four: Served, browser: Any) -> None:
        """Space and arrows are for reading on."""
        with opened(browser, four) as page:
            page.goto(four.answer("g0", "q2"))
            for key in ("Space", "ArrowDown", "ArrowUp", "PageDown"):
                page.keyboard.press(key)
            page.wait_for_timeout(300)

            assert 0 == page.locator("input:checked").count()
        assert [] == rows(four, "g0", "q2")

    def test_a_digit_after_the_last_criterion_mends_that_one(
        self, four: Served, browser: Any
    ) -> None:
        """The first criterion is not in sight any more."""
        from playwright.sync_api import expect

        criteria = ASSIGNMENT.rubric.questions["q4"].criteria
        with opened(browser, four) as page:
            page.goto(four.answer("g0", "q4"))
            page.keyboard.type("1" * len(criteria))
            page.keyboard.press("2")
            expect(page.locator("fieldset").last.locator("input").nth(1)).to_be_checked()
            page.keyboard.press("Enter")
            page.wait_for_url(four.answer("g0", "q5"))
        given = {name: points for name, points, _ in rows(four, "g0", "q4")}
        last = criteria[-1]

        assert round(last.levels[1].points * 100) == given.pop(last.id)
        assert given == {one.id: one.possible for one in criteria[:-1]}

    def test_a_key_that_is_held_marks_once(self, four: Served, browser: Any) -> None:
        """Groups that nobody has seen stay unmarked."""
        with opened(browser, four) as page:
            page.goto(four.at("/student/1/q5"))
            page.keyboard.down("a")
            page.wait_for_url(four.at("/student/1"))
            for _ in range(5):
                page.keyboard.down("a")
            page.keyboard.up("a")
            page.goto(four.at("/student/2/q5"))

            assert 0 == page.locator("input:checked").count()

    def test_a_comment_without_a_level_is_not_left_behind(self, four: Served, browser: Any) -> None:
        """Going on stays here, with the words, and says what is missing; without scripts too."""
        for scripts in (True, False):
            with opened(browser, four, java_script_enabled=scripts) as page:
                page.goto(four.answer("g1", "q3"))
                page.locator("textarea").first.fill("Falta el número.")
                page.locator("button.main").click()
                page.wait_for_selector("#kept:has-text('Falta elegir un nivel')")

                assert "Falta el número." == page.locator("textarea").first.input_value()
                assert page.url.endswith("/q3")

    def test_undo_comes_back_to_where_one_was(self, four: Served, browser: Any) -> None:
        """By question stays by question."""
        from playwright.sync_api import expect

        with opened(browser, four) as page:
            page.goto(four.at("/q/q2/1"))
            page.keyboard.press("1")
            page.wait_for_selector("#kept p")
            page.keyboard.press("u")
            expect(page.locator("input:checked")).to_have_count(0)
            page.wait_for_url("**/q/q2/1")

    def test_two_classes_in_one_browser(self, tmp_path: Path, four: Served, browser: Any) -> None:
        """Opening another class does not close the first one."""
        with serving(equals(tmp_path / "other", 1)) as other, opened(browser, four) as page:
            page.goto(other.start)
            for served in (four, other):
                page.goto(served.at("/"))
                assert "Respuestas escritas" == page.inner_text("h1")


@pytest.mark.browser
def test_a_comment_of_one_stays_with_that_one(tmp_path: Path, browser: Any) -> None:
    """A group is opened again and kept as it is: nothing of one member goes to the others."""
    with serving(equals(tmp_path / "class")) as served, opened(browser, served) as page:
        page.goto(served.at("/q/q1/1"))
        page.keyboard.type("1" * len(CRITERIA))
        page.keyboard.press("Enter")
        page.wait_for_url(served.at("/"))
        page.goto(served.answer("g2", QUESTION))
        page.locator("textarea").first.fill("Hablemos de tu copia.")
        page.locator("textarea").first.blur()
        page.wait_for_selector("#kept p")
        page.goto(served.at("/q/q1/1"))
        assert "comentarios distintos" in page.inner_text("form.rubric")
        page.keyboard.press("Enter")
        page.wait_for_url(served.at("/"))

        comments = {student: rows(served, student)[0][2] for student in ("g0", "g1", "g2", "g3")}
    assert {"g0": "", "g1": "", "g2": "Hablemos de tu copia.", "g3": ""} == comments


def test_two_who_decide_a_check(four: Served) -> None:
    """The second one is told what stands, and writes nothing."""
    where = four.student("g3").removeprefix(four.at(""))
    form = {"form": four.form(), "seen": "0", "because": "Lo vi."}
    address = f"{where}/check/data.grid"

    assert 303 == four.ask(address, four.token, {**form, "points": "2"})[0]
    status, _, text = four.ask(address, four.token, {**form, "points": "0"})
    assert (400, True) == (status, "otra persona decidió 2 puntos" in text)
    with Gradebook(four.folder) as book:
        assert [200] == [event.override.points for event in book.events("g3")]


def test_what_is_read_alone_is_marked_alone(tmp_path: Path) -> None:
    """Opposites, a picture, words under no question, nothing at all: four groups, not one."""
    up = "La diferencia entre entrenamiento y prueba aumenta por el sobreajuste de la red."
    folder = tmp_path / "class"
    folder.mkdir()
    picture = "![mi respuesta](attachment:r.png)"
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        for name, text in (
            ("a", up), ("b", up.replace("aumenta", "disminuye")),
            ("c", up.replace("por", "por el")), ("d", picture), ("e", picture),
            ("f", ""), ("g", ""),
        ):  # fmt: skip
            hand_in(book, Student(name, name), {QUESTION: text} if text else {})
        hand_in(book, Student("h", "h"), {}, data=with_text("La red memoriza lo que ya ha visto."))
    with serving(folder) as served:
        texts = [served.ask(f"/q/q1/{number}", served.token)[2] for number in range(1, 7)]
        assert 404 == served.ask("/q/q1/7", served.token)[0]

    sizes = sorted(text.partition("De quién es (")[2].partition(")")[0] for text in texts)
    assert ["1", "1", "1", "1", "2", "2"] == sizes
    (both,) = (text for text in texts if "aumenta" in text and "De quién es (2)" in text)
    assert "<ins>el</ins>" in both


def test_an_unreadable_notebook_can_be_decided(tmp_path: Path) -> None:
    """Each check and each answer; then nothing waits any more, and there is a grade."""
    folder = tmp_path / "class"
    folder.mkdir()
    gathered = Gathered(NotebookFile("x.ipynb", "0" * 64), problem=T("It is empty."))
    student = Student("uno", "Uno")
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        result = result_json(conclude(ASSIGNMENT, TEMPLATE, gathered, student), "es")
        book.add(student, gathered, result)
    with serving(folder) as served:
        for check in ASSIGNMENT.spec.checks:
            form = {"form": served.form(), "seen": "0", "points": "0", "because": "Vacío."}
            assert 303 == served.ask(f"/student/1/check/{check.name}", served.token, form)[0]
        for name, question in ASSIGNMENT.rubric.questions.items():
            levels = {f"level.{one.id}": "0" for one in question.criteria}
            form = {"form": served.form(), "seen": '{"uno": 0}', **levels}
            assert 303 == served.ask(f"/student/1/{name}", served.token, form)[0]
    with Gradebook(folder) as book:
        decided = book.result("uno")

    assert ("graded", 0.0, 0.0) == (
        decided["state"], decided["points"]["pending"], decided["grade"]["value"],
    )  # fmt: skip
    assert result["state"] == "unreadable" and result["grade"]["value"] is None


class TestUnwritten:
    """Marks whose reports are not written yet."""

    def test_a_killed_server_leaves_nothing_stale(self, tmp_path: Path, dataset: Dataset) -> None:
        """Exports refuse until somebody opens the class again; then every report is written."""
        folder = equals(tmp_path / "class")
        words = ["export", str(folder), "--to", "csv"]
        with Gradebook(folder) as book:
            desk = Desk(ASSIGNMENT, dataset, book, folder, "es")
            for student in [Student(f"g{number}", f"Gente {number}") for number in range(4)]:
                book.rescore(student, json.dumps(book.result(student.id)), desk.scored_by(student))
            assert 0 == CliRunner().invoke(main, words).exit_code
            mark = Mark(QUESTION, CRITERIA[0].id, 0, answer=key_of(ALIKE))
            book.marks.add("Eva", [("g1", mark)], {}, {key_of(ALIKE): ALIKE})  # and then killed

        refused = CliRunner().invoke(main, words)
        assert (2, True) == (refused.exit_code, "g1" in refused.output), refused.output
        with serving(folder) as served:
            assert 200 == served.ask("/done", served.token)[0]
        good = CliRunner().invoke(main, words)
        assert 0 == good.exit_code, good.output
        table = (folder / "export" / "csv" / "answers.csv").read_text(encoding="utf-8")
        assert '"g1","Gente 1","q1"' in table and ",0.0," in table

    def test_one_who_cannot_be_written_stops_nobody(self, tmp_path: Path) -> None:
        """It is said on every page, and the exit is not good."""
        folder = equals(tmp_path / "class")
        with sqlite3.connect(folder / "gradebook.sqlite") as connection:
            connection.execute("UPDATE run SET gathered = '{}' WHERE student = 'g0'")
        with serving(folder) as served:
            for student in ("g0", "g1"):
                form = {"form": served.form(), "seen": json.dumps({student: 0})}
                form["level.data_used"] = "200"
                address = served.answer(student, QUESTION).removeprefix(served.at(""))
                assert 303 == served.ask(address, served.token, form)[0]
            for _ in range(100):
                if "g0: " in served.ask("/", served.token)[2]:
                    break
                time.sleep(0.1)
            assert "no se pudo escribir (g0: " in served.ask("/", served.token)[2]
        with Gradebook(folder) as book:
            (first, *_) = book.result("g1")["answers"]

        assert 2.0 == first["marks"]["data_used"]["points"]
        assert served.process.returncode not in (0, -signal.SIGKILL)
