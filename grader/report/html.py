"""The student's report: one HTML file without scripts, fonts or addresses of anything else.

Its content policy allows the one style sheet in it, by hash, and images inside the file: even a
mistake in the sanitising could neither run code nor tell anyone that the report was opened.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.findings import Status
from grader.locale import Translator
from grader.report.mistakes import Pixels
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


def template_folder() -> Path:
    """Return where the templates are: packed with the package, or at the checkout's top."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "templates"
    return packed if packed.is_dir() else package.parent / "templates"


def environment(language: str) -> Environment:
    """Return templates that escape, refuse unknown names and speak one language."""
    made = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    say = Translator(language)
    made.install_gettext_translations(say.catalogue, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=language, Status=Status)
    return made


def style(name: str) -> Markup:
    """Return a style sheet of the templates, without comments and indentation."""
    text = (template_folder() / name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return Markup(re.sub(r"\s*\n\s*", "\n", text).strip())  # noqa: S704 - our own file


def policy(sheet: str) -> str:
    """Return the content policy of a page whose only style sheet is this one."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment(language: str) -> Environment:
    return environment(language)


def _render(graded: Graded, say: Translator, pixels: Pixels | None) -> str:
    sheet = style("report/report.css")
    template = _environment(say.language).get_template("report/report.html")
    document = template.render(page=page(graded, say, pixels), sheet=sheet, policy=policy(sheet))
    return visible(document)
