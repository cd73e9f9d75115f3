"""The notebook with the outputs that our own run gave: as `.ipynb`, and as one HTML page.

nbconvert does the walking with a template of ours; its own templates, scripts and addresses are
not used, nor anything that the user's Jupyter folders hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter, TemplateExporter
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grader.evidence import CellRun
from grader.locale import T, Translator
from grader.report.outputs import Shown, shown, stored
from grader.report.pages import policy, style, template_folder
from grader.report.text import markdown, visible
from grader.report.words import CELL

MOST_BYTES = 10_000_000
SOURCE = 60_000
"""Characters of one cell's source that the page shows; coloured up to a third of it."""


@dataclass(frozen=True)
class CellPage:
    """One cell of the page.

    Attributes:
        number: what Jupyter writes beside it when all run from the top; None for text.
        word: how it ended, where that is worth saying.
    """

    number: int | None
    kind: str
    status: str
    word: str
    source: Markup
    cut: bool
    outputs: tuple[Shown, ...]


def executed_notebook(notebook: Mapping[str, Any], cells: Iterable[CellRun]) -> dict[str, Any]:
    """Return a cleaned notebook (nbformat 4.5) with the outputs of its run.

    Each code cell's metadata says under `grader` how it ended and how long it took.
    """
    ran = {cell.index: cell for cell in cells}
    made, count = [], 0
    for index, cell in enumerate(notebook["cells"]):
        run = ran.get(index)
        if cell["cell_type"] != "code" or run is None:
            made.append(dict(cell))
            continue
        count += run.status != "not_run"
        ended = {"status": run.status, "seconds": round(run.seconds, 2)}
        made.append(
            {
                **cell,
                "metadata": {**cell["metadata"], "grader": ended},
                "execution_count": None if run.status == "not_run" else count,
                "outputs": stored(run),
            }
        )
    return {**notebook, "cells": made}


def render_executed(notebook: Mapping[str, Any], language: str) -> str:
    """Return an executed notebook as one HTML page without scripts or addresses."""
    sheet = style("executed/executed.css")
    say = Translator(language)
    resources = {
        "page": _pages(notebook["cells"], say),
        "sheet": sheet,
        "policy": policy(sheet),
        "language": language,
    }
    node: Any = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    document, _ = _Exporter(language).from_notebook_node(node, resources)
    return visible(str(document))


class _Exporter(HTMLExporter):
    """nbconvert with our template alone: escaping, one language, no second parsing of the page."""

    def __init__(self, language: str) -> None:
        self._language = language
        super().__init__(  # type: ignore[no-untyped-call]
            extra_template_basedirs=[str(template_folder())],
            template_name="executed",
            sanitize_html=True,
            default_preprocessors=[],
        )

    def get_prefix_root_dirs(self) -> list[str]:
        return []

    def _create_environment(self) -> Environment:
        made = Environment(
            loader=FileSystemLoader(template_folder() / "executed"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        say = Translator(self._language)
        made.install_gettext_translations(say.catalogue, newstyle=True)  # type: ignore[attr-defined]
        return made

    def from_notebook_node(
        self, nb: Any, resources: Any = None, **more: Any
    ) -> tuple[Any, dict[str, Any]]:
        prepared = self._init_resources(resources)  # type: ignore[no-untyped-call]
        return TemplateExporter.from_notebook_node(self, nb, prepared, **more)


def _pages(cells: Sequence[Mapping[str, Any]], say: Translator) -> list[CellPage]:
    """Return the cells until the page is full; from there on sources only, then nothing."""
    pages, used, count = [], 0, 0
    for cell in cells:
        runs = cell["cell_type"] == "code" and bool("".join(cell["source"]).strip())
        count += runs
        page = _page(count if runs else None, cell, say)
        weight = len(page.source) + sum(output.size for output in page.outputs)
        if used + weight > MOST_BYTES:
            full = T("The page is full: this cell and what follows are in executed.ipynb.")
            pages.append(CellPage(None, "note", "ok", "", Markup.escape(say(full)), False, ()))
            return pages
        used += weight
        pages.append(page)
    return pages


def _page(number: int | None, cell: Mapping[str, Any], say: Translator) -> CellPage:
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    status = str(cell.get("metadata", {}).get("grader", {}).get("status", "ok"))
    kind = str(cell["cell_type"])
    return CellPage(
        number=number,
        kind=kind,
        status=status,
        word=say(CELL[status]) if status != "ok" and status in CELL else "",
        source=_markup(kind, source[:SOURCE]),
        cut=len(source) > SOURCE,
        outputs=tuple(one for output in cell.get("outputs", ()) for one in shown(output, say)),
    )


def _markup(kind: str, source: str) -> Markup:
    if kind == "markdown":
        return markdown(source, SOURCE, headings=True)
    if kind != "code" or len(source) > SOURCE // 3:
        return Markup(escape(source))  # noqa: S704 - escaped here
    coloured = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True))
    return Markup(coloured)  # noqa: S704 - pygments escapes
