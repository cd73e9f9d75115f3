"""The marking pages, in a real browser and over the wire: keys, no scripts, two at once."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe

from grader.gradebook import Gradebook
from grader.report.text import markdown
from tests.report.test_hostile import PAYLOADS
from tests.review.a_class import ASSIGNMENT, QUESTIONS, a_class

HOSTILE = "\n\n".join(PAYLOADS.values())


@dataclass(frozen=True)
class Served:
    """A running `grader review`."""

    folder: Path
    start: str
    port: int

    @property
    def token(self) -> str:
        return self.start.partition("token=")[2]

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(
        self, path: str, cookie: str | None = None, form: dict[str, str] | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], str]:  # fmt: skip
        """Ask as any program could."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {**({"Cookie": f"grader-review={cookie}"} if cookie else {}), **headers}
        body = None if form is None else urlencode(form)
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if body is None else "POST", path, body, sent)
        answer = connection.getresponse()
        said = dict(answer.getheaders())
        text = answer.read().decode()
        connection.close()
        return answer.status, {name.lower(): value for name, value in said.items()}, text

    def marked(self) -> dict[str, int]:
        """How many criteria of each student are marked."""
        with Gradebook(self.folder) as book:
            return {student: len(marks) for student, marks in book.marks.all().items()}


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "grader", "review", str(folder), "--marker", "Eva"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        start = process.stdout.readline().split()[1]
        port = int(start.split(":")[2].split("/")[0])
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        try:
            yield Served(folder, start, port)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A class of six, one of them hostile; tests leave marks in it."""
    hostile = {"mala": dict.fromkeys(QUESTIONS, HOSTILE)}
    with serving(a_class(tmp_path_factory.mktemp("review") / "class", 5, hostile)) as served:
        yield served


@contextmanager
def opened(browser: Any, served: Served, **how: Any) -> Iterator[Any]:
    """A page of a browser that came by the start address."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **how})
    page = context.new_page()
    page.goto(served.start)
    yield page
    context.close()


class TestStrangers:
    """Who has no token, who calls by another name, who sends from elsewhere."""

    def test_without_the_token_nothing_is_shown(self, small: Served) -> None:
        """Not a page, not a file, and no start with another token."""
        for path in ("/", "/q/q1/1", "/static/keys.js", "/?token=no", f"/q/q1?token={small.token}"):
            status, _, text = small.ask(path)
            assert 403 == status and "Estudiante" not in text
        assert 403 == small.ask("/", cookie="no")[0]
        assert 200 == small.ask("/", cookie=small.token)[0]

    def test_another_name_for_this_machine_is_refused(self, small: Served) -> None:
        """A name that an attacker's server gave for 127.0.0.1 (DNS rebinding)."""
        for host in ("evil.example", f"evil.example:{small.port}", "127.0.0.1", ""):
            assert 421 == small.ask("/", small.token, Host=host)[0]
        assert 200 == small.ask("/", small.token, Host=f"localhost:{small.port}")[0]

    def test_forms_come_from_our_pages(self, small: Served) -> None:
        """Without the form's own token, or from another origin, nothing is written."""
        before = small.marked()
        form = {"level.data_used": "200", "seen": "{}", "form": "no"}
        assert 403 == small.ask("/q/q1/1", small.token, form)[0]
        assert 403 == small.ask("/undo", small.token, {})[0]
        assert 403 == small.ask("/", small.token, Origin="http://evil.example")[0]
        assert 403 == small.ask("/undo", small.token, {}, Origin="null")[0]

        assert before == small.marked()

    def test_every_answer_says_what_a_page_may_do(self, small: Served) -> None:
        """Also refusals and files: no inline script, no frame around it, nothing kept."""
        for path, cookie in (("/", small.token), ("/", None), ("/static/review.css", small.token)):
            _, headers, _ = small.ask(path, cookie)
            assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert ("nosniff", "no-store") == (
                headers["x-content-type-options"], headers["cache-control"],
            )  # fmt: skip

    def test_what_no_form_of_ours_sends_is_refused(self, small: Served) -> None:
        """A level that the rubric does not have, answers that were not shown, no such page."""
        page = small.ask("/q/q1/1", small.token)[2]
        own = page.partition('name="form" value="')[2].partition('"')[0]
        for bad in ({"level.data_used": "175"}, {"level.data_used": "x"}, {"seen": '{"otro": 0}'}):
            form = {"form": own, "seen": "{}", **bad}
            assert 400 == small.ask("/q/q1/1", small.token, form)[0]
        for path in ("/q/q9", "/q/q1/999", "/q/q1/0", "/s/nadie/q1", "/static/../review.py"):
            assert 404 == small.ask(path, small.token)[0]


@pytest.mark.browser
class TestBrowser:
    """What a marker does and sees."""

    def test_hostile_answers_are_inert(self, small: Served, browser: Any) -> None:
        """Nothing runs, nothing is asked for elsewhere, nothing leaves its place."""
        with opened(browser, small) as page:
            noise: list[str] = []
            page.on("console", lambda message: noise.append(message.text))
            page.on("pageerror", lambda error: noise.append(str(error)))
            page.on("dialog", lambda dialog: noise.append("dialog"))
            page.on("request", lambda request: noise.append(request.url))
            page.goto(small.at("/s/mala/q1"))
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            page.wait_for_timeout(300)
            shown = page.inner_text("main")

        assert [] == [line for line in noise if not line.startswith(small.at("/"))]
        assert "alert" in shown and str(markdown(HOSTILE, 20_000))

    @pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
    def test_pages_are_accessible_and_fit(
        self, small: Served, browser: Any, width: int, scheme: str
    ) -> None:
        """axe finds nothing, and no page scrolls sideways."""
        how = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
        with opened(browser, small, **how) as page:
            for path in ("/", "/q/q3/1", "/s/mala/q2", "/done"):
                page.goto(small.at(path))
                wide = page.evaluate("document.documentElement.scrollWidth")
                found = Axe().run(page).response["violations"]
                assert [] == [(one["id"], one["nodes"][0]["html"][:200]) for one in found], path
                assert wide <= width, path

    def test_two_markers_do_not_overwrite_each_other(self, small: Served, browser: Any) -> None:
        """Who comes second is shown both, and nothing of theirs is written."""
        with opened(browser, small) as one, opened(browser, small) as other:
            for page in (one, other):
                page.goto(small.at("/s/s001/q4"))
            one.locator("input[type=radio]").first.check()
            one.locator("button.main").click()
            other.locator("input[type=radio]").nth(2).check()
            other.locator("button.main").click()

            assert "Otra persona la calificó" in other.inner_text("h1")
            assert ["1,5 Completo", "0 Ausente"] == other.locator("tbody tr").first.locator(
                "td"
            ).all_inner_texts()
            other.locator("a.main").click()
            assert other.locator("input[type=radio]").first.is_checked()

    def test_undo_takes_the_last_mark_back(self, small: Served, browser: Any) -> None:
        """And shows what it was."""
        with opened(browser, small) as page:
            page.goto(small.at("/s/s002/q4"))
            page.locator("input[type=radio]").first.check()
            page.locator("textarea").first.fill("Muy bien.")
            page.locator("button.main").click()
            page.wait_for_load_state()
            assert page.locator("input[type=radio]").first.is_checked()
            page.keyboard.press("u")
            page.wait_for_url("**/q/q4/*")
            page.goto(small.at("/s/s002/q4"))

            assert not page.locator("input[type=radio]").first.is_checked()

    def test_without_scripts_everything_works(self, small: Served, browser: Any) -> None:
        """Levels, a comment, next and previous, by links and buttons."""
        with opened(browser, small, java_script_enabled=False) as page:
            page.click("text=Pregunta 5")
            assert "/q/q5/1" in page.url
            for criterion in page.locator("fieldset").all():
                criterion.locator("input[type=radio]").last.check()
            page.locator("textarea").first.fill("Falta todo.")
            page.locator("button.main").click()
            assert "/q/q5/2" in page.url
            page.click("text=Anterior")

            assert "Falta todo." == page.locator("textarea").first.input_value()

    @pytest.mark.parametrize("count", [6, pytest.param(30, marks=pytest.mark.long)])
    def test_a_class_is_marked_with_the_keyboard_alone(
        self, tmp_path: Path, browser: Any, count: int
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
