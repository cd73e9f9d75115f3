"""Who may ask the marking pages, and what nobody's form may say."""

from __future__ import annotations

from html import unescape

from tests.review.serving import Served


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
        seen = unescape(page.partition('name="seen" value="')[2].partition('"')[0])
        before = small.marked()
        for bad in (
            {"level.data_used": "175"}, {"level.data_used": "x"}, {"seen": '{"otro": 0}'},
            {"shown": "[]"}, {"seen": "[" * 9_000},
        ):  # fmt: skip
            form = {"form": small.form(), "level.data_used": "200", "seen": seen, **bad}
            status, _, text = small.ask("/q/q1/1", small.token, form)
            assert (400, True) == (status, "Abrir la página de nuevo" in text), bad
        assert before == small.marked()
        for path in (
            "/q/q9",
            "/q/q1/999",
            "/q/q1/0",
            "/student/0",
            "/student/7/q1",
            "/student/1/q9",
            "/static/../review.py",
        ):
            assert 404 == small.ask(path, small.token)[0]
