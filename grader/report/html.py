"""The student's report: one HTML file without scripts, fonts or addresses of anything else.

Its content policy allows the one style sheet in it, by hash, and images inside the file: even a
mistake in the sanitising could neither run code nor tell anyone that the report was opened.
"""

from __future__ import annotations

from grader.locale import Translator
from grader.report.mistakes import Pixels
from grader.report.pages import page_template, policy, style
from grader.report.text import visible
from grader.report.view import page
from grader.result import Graded

MOST_BYTES = 2_000_000


def render_report(graded: Graded, language: str, pixels: Pixels | None) -> str:
    """Return the report of one submission as one HTML document.

    Args:
        graded: the submission.
        language: one of `grader.locale.LANGUAGES`.
        pixels: gives the pristine image of a global row number; None leaves the images out.
    """
    say = Translator(language)
    document = _render(graded, say, pixels)
    if pixels is not None and len(document.encode()) > MOST_BYTES:
        document = _render(graded, say, None)
    return document


def _render(graded: Graded, say: Translator, pixels: Pixels | None) -> str:
    sheet = style("report/report.css")
    template = page_template(say.language, "report/report.html")
    document = template.render(page=page(graded, say, pixels), sheet=sheet, policy=policy(sheet))
    return visible(document)
