"""The executed notebook: valid, readable, and nothing in it runs."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import nbformat
import pytest
from PIL import Image, PngImagePlugin

from grader.evidence import CellRun
from grader.report.executed import MOST_BYTES, executed_notebook, render_executed
from tests.report.pages import Page, dangers


def notebook(*sources: str) -> dict[str, Any]:
    """A cleaned notebook; a source that begins with # is a text cell."""
    cells: list[dict[str, Any]] = []
    for number, source in enumerate(sources):
        code = not source.startswith("#")
        plain = {"id": f"c{number}", "metadata": {}, "source": source}
        more = {"outputs": [], "execution_count": None} if code else {}
        cells.append({"cell_type": "code" if code else "markdown", **plain, **more})
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def ran(index: int, *outputs: dict[str, Any], **more: Any) -> CellRun:
    values = {"kind": "cell", "index": index, "status": "ok", "seconds": 1.0, **more}
    return CellRun(**values, outputs=list(outputs))


def stream(text: Any) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shows(**data: Any) -> dict[str, Any]:
    names = {name.replace("_", "/", 1).replace("_", "+"): value for name, value in data.items()}
    return {
        "output_type": "display_data",
        "data": names,
        "metadata": {"image/png": {"width": "1e9"}},
    }


def picture(kind: str = "PNG", note: str = "", side: int = 40) -> str:
    stream = io.BytesIO()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", note)
    more = {"pnginfo": notes} if kind == "PNG" else {}
    Image.new("RGB", (side, side), (200, 60, 20)).save(stream, kind, **more)
    return base64.b64encode(stream.getvalue()).decode()


def rendered(*outputs: dict[str, Any], source: str = "x = 1") -> str:
    return render_executed(executed_notebook(notebook(source), [ran(0, *outputs)]), "es")


def test_the_notebook_is_valid_and_numbered() -> None:
    """Outputs stand in their cells; cells that were not run have no number."""
    made = executed_notebook(
        notebook("a = 1", "# text", "b = 2", "c = 3"),
        [ran(0, stream("1\n")), ran(2, stream(["2", "\n"])), ran(3, status="not_run")],
    )
    nbformat.validate(nbformat.from_dict(json.loads(json.dumps(made))))  # type: ignore[no-untyped-call]

    assert [1, None, 2, None] == [cell.get("execution_count") for cell in made["cells"]]
    assert "2\n" == made["cells"][2]["outputs"][0]["text"]
    assert {"status": "not_run", "seconds": 1.0} == made["cells"][3]["metadata"]["grader"]


def test_the_given_notebook_is_left_as_it_was() -> None:
    given = notebook("a = 1", "# text")
    before = json.dumps(given)
    executed_notebook(given, [ran(0, stream("1"))])

    assert before == json.dumps(given)


def test_active_outputs_are_dropped_from_both() -> None:
    """HTML, scripts, SVG and widgets leave their plain text, or only their name."""
    made = executed_notebook(
        notebook("x"),
        [
            ran(
                0,
                shows(text_html="<b>tabla</b>", text_plain="tabla"),
                shows(application_javascript="alert(1)"),
                shows(image_svg_xml="<svg onload=alert(1)>", text_plain="dibujo"),
            )
        ],
    )
    page = render_executed(made, "es")

    assert "alert" not in json.dumps(made) and "<b>" not in json.dumps(made)
    assert [] == dangers(page)
    assert "tabla" in page and "dibujo" in page and "[application/javascript]" in page


def test_a_page_names_its_cells_as_the_report_does() -> None:
    page = Page(render_executed(executed_notebook(notebook("# T", "y = 2"), [ran(1)]), "es"))

    assert [None, "cell-1"] == [e.attributes.get("id") for e in page.all("section")]
    assert "[1]" in page.words()
    assert "es" == page.all("html")[0].attributes["lang"]


@pytest.mark.parametrize("language", ["es", "en"])
def test_pictures_are_encoded_anew(language: str) -> None:
    """What a picture's file holds beside its pixels does not reach the page."""
    made = executed_notebook(
        notebook("x"),
        [
            ran(
                0,
                shows(image_png=picture(note="<script>geheim")),
                shows(image_jpeg=picture("JPEG")),
            )
        ],
    )
    page = render_executed(made, language)
    sources = [str(e.attributes["src"]) for e in Page(page).all("img")]

    assert [] == dangers(page)
    assert ["data:image/png", "data:image/jpeg"] == [source.split(";")[0] for source in sources]
    assert b"geheim" not in base64.b64decode(sources[0].split(",")[1])


@pytest.mark.parametrize(
    "content",
    ["nicht base64", base64.b64encode(b"<svg onload=alert(1)>").decode(), picture()[:60], 7, None],
)
def test_a_broken_picture_is_named(content: Any) -> None:
    page = rendered(shows(image_png=content, text_plain="<Figure>"))

    assert [] == dangers(page) and "&lt;Figure&gt;" in page


def test_a_picture_that_unpacks_to_too_much_is_left_out() -> None:
    """Sixty million pixels in a few kilobytes."""
    stream = io.BytesIO()
    Image.new("1", (8000, 8000)).save(stream, "PNG")
    page = rendered(shows(image_png=base64.b64encode(stream.getvalue()).decode()))

    assert not Page(page).all("img") and "Una imagen que no se pudo mostrar." in page


def test_progress_bars_show_their_last_state() -> None:
    page = Page(rendered(stream("Epoch 1/2\n\r 1/9 ...\r\x1b[1m9/9\x1b[0m 1s\x08\x08\nfin\r\n")))

    assert "Epoch 1/2\n9/9 1s\nfin" in page.text and "1/9" not in page.text


def test_an_error_shows_its_message_even_without_an_output() -> None:
    cell = ran(0, status="error", error="ValueError: mal", message="\x1b[31mTraceback\x1b[0m\nmal")
    page = Page(render_executed(executed_notebook(notebook("x"), [cell]), "es"))

    assert "Traceback\nmal" in page.text and "error" in page.text


@pytest.mark.parametrize(
    "source",
    [
        "print('</code></pre><script>alert(1)</script>')",
        "# <script>alert(1)</script>\n\n<img src=x onerror=1> ![x](https://evil.example/x.png)",
        "x = '\u202e' # \u2066",
        "'''" + "\\" * 500,
        "# [x](javascript:1)\n# [y](//evil.example)",
    ],
)
def test_sources_are_inert(source: str) -> None:
    assert [] == dangers(rendered(stream(source), shows(text_plain=source), source=source))


def test_the_page_has_a_cap() -> None:
    """Past ten megabytes the page says that the rest is in the notebook."""
    noise = io.BytesIO()
    Image.effect_noise((1200, 1200), 90).save(noise, "PNG")
    one = shows(image_png=base64.b64encode(noise.getvalue()).decode())
    page = render_executed(executed_notebook(notebook("x", "y", "z"), [
        ran(n, *[one] * 3) for n in range(3)
    ]), "es")  # fmt: skip

    assert len(page.encode()) < MOST_BYTES + 500_000
    assert "La página está llena" in page


def test_long_outputs_are_cut() -> None:
    page = rendered(stream("linea\n" * 100_000))

    assert len(page) < 60_000 and "El resto de esta salida no se muestra." in page


def test_an_empty_notebook_is_a_page() -> None:
    page = render_executed(executed_notebook(notebook(), []), "en")

    assert [] == dangers(page) and "Executed notebook" in page


def test_two_pages_of_the_same_are_the_same() -> None:
    outputs = (stream("a"), shows(image_png=picture()))

    assert rendered(*outputs) == rendered(*outputs)
