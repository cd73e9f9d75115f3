"""What our pages share: templates in one language, a style sheet, the policy that allows it."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.findings import Status
from grader.locale import Translator


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


@cache
def page_template(language: str, name: str) -> Template:
    """Return one page's template in one language."""
    return environment(language).get_template(name)


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
