"""Publish every message with an example in both languages: `python -m scripts.messages`.

The messages are those of the code (`T(…)`) and of the templates; the examples are made here, so
that each can be read as a student reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from jinja2.ext import babel_extract

from grader.locale import Bilingual, T, Text, Translator

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "messages.md"
HEAD = """# Messages · Mensajes

Every sentence that the grader says, with an example, by the file that says it.
`python -m scripts.messages` writes this page; a test compares it.
The titles, hints and questions of the workshop are in `assignment.toml` and `rubric.toml`.

Cada frase que dice el corrector, con un ejemplo, según el archivo que la dice.
"""
CELL = Bilingual(
    es="la celda [12] «history = model.fit(…)»", en="cell [12] “history = model.fit(…)”"
)
LAYERS = "Flatten → Dense(64, relu) → Dense(10, softmax)"
# What a name in braces may stand for; `OF` where a message needs another example.
EXAMPLES: Mapping[str, Any] = {
    "accuracy": 0.8712, "address": "tcp://127.0.0.1:8786",
    "asked": T("{count} epochs", count=10), "bars": 10, "before": 10,
    "cell": CELL, "cells": CELL, "checks": "Medir la exactitud", "classes": 10, "column": 7,
    "criterion": "q1.data_used",
    "columns": "Taller 2 (41); Taller 3 (42)", "count": 3, "counts": 0.8741,
    "csv": "notas/grades.csv", "days": 2, "deduction": "0,5", "depth": 6, "detail": "NameError: x",
    "doing": T("training an epoch"),
    "differences": "…", "done": T("{count} epochs", count=4), "earned": "58,5", "epoch": 4,
    "english": "Identifier, Grade, Last modified (grade)",
    "epochs": T("{count} epochs", count=10), "error": "ValueError", "expected": "Dense(128, relu)",
    "file": "retroalimentacion.html", "folder": "curso",
    "first": 0.8702, "found": "Dense(64, relu)", "full": 0.8745, "gap": 0.0581, "grade": "4,1",
    "here": "TensorFlow 2.19.0", "high": 255.0, "highest": 0.8912, "hours": 5,
    "how": "ValueError", "image": 100,
    "images": 60000, "index": 12, "kept": 24, "kernel": "ir", "kind": T("a ZIP archive"),
    "kinds": "application/javascript", "label": 9, "language": "R", "last": 14,
    "layer": "Dense", "layers": LAYERS, "least": T("{count} epochs", count=11), "left": 0.0089,
    "limit": 0.0456, "line": "history = model.fit(…)", "lines": "…", "loss": "mse", "low": 0.0,
    "marked": 12, "maximum": "10.00", "middle": 0.8812,
    "measured": 0.8812, "metric": "accuracy", "metrics": "accuracy", "minutes": 3,
    "missing": T("the test data"), "name": "ana.ipynb", "names": "Sequential.fit",
    "none": 0.8245, "notes": T("the images are not in order"), "now": 10, "number": 2,
    "optimizer": "sgd", "over": 0.0125, "path": "informe/report.html", "pending": "30",
    "points": "58,5 / 70", "position": 812, "possible": "70", "problem": "…", "process": 4711,
    "rate": 0.1, "running": 3,
    "reason": T("no epoch was completed"), "row": 1, "rows": "test[0:100]", "run": 3,
    "scale": "5", "source": T("a download of Moodle"),
    "spanish": "Identificador, Calificación, Última modificación (calificación)",
    "submissions": "ana, Ana Pérez", "time": "viernes, 2 de mayo de 2025, 23:59",
    "scored": 27, "second": 0.8741, "seconds": 900, "seen": T("the images go from 0 to 1."),
    "setting": "sample_weight", "shape": "(100, 10)", "share": 20, "short": 0.0033, "shown": 0.9312,
    "size": 10000, "split": T("the test data"), "start": 0.8411, "student": "Ana", "taken":
    "taller3.ipynb", "test": 0.8812, "text": "…", "there": 9, "title": "Más neuronas: 500",
    "top": "5,0", "total": 5, "train": 0.9393, "usual": 0.001, "value": 0.9312, "version": 3,
    "waiting": 15, "wanted": 1,
    "why": T("The model was trained in the notebook and could not be verified."),
    "way": T("down"), "what": T("the difference between training and test"),
    "after": 0.058,
}  # fmt: skip
OF: Mapping[str, Mapping[str, Any]] = {
    "{what}: the answer says that it goes {way}, and in the notebook it went from {before:.3f} to "
    "{after:.3f}.": {"before": 0.031, "after": 0.058},
    "“{title}”: the notebook’s run gives {now:g} points now and gave {before:g} when a person "
    "decided on {points:g}. The person’s points count.": {"now": 2.0, "before": 0.0, "points": 1.5},
    "{done} done · {running} running · {waiting} waiting": {"done": 12},
    "{number} of {total}: {name}, {points}": {"number": 12, "total": 30},
    "cell {cell}": {"cell": 12},
    "{marked} of {total}": {"total": 30},
    "{address}: no scheduler answers ({reason}); start one, or correct --scheduler": {
        "reason": "Connection refused"
    },
    "grading stopped: {reason}; start it again to go on": {"reason": "MemoryError"},
    "Kept at {time}.": {"time": "14:03:22"},
    "{path}: {reason}; make room or give the right to write, and start it again to go on": {
        "path": "curso/gradebook.sqlite",
        "reason": "database or disk is full",
    },
    "grading stopped: {count} submissions in a row met a fault of ours, the last one: {problem} "
    "Mend it and start it again to go on": {"problem": "The trainer failed."},
    "{label} of {count} students: from {low} to {high}, half of them below {middle}.": {
        "label": T("Test accuracy"),
        "low": 0.8702,
        "high": 0.8912,
    },
    "grades by words (“{maximum}”), and the course by numbers; choose points in Moodle": {
        "maximum": "Aprobado",
    },
    "{earned} of {total} points.{pending} Your report: {file}": {
        "pending": T(" Points that still wait for a person: {pending}.", pending="30"),
        "total": "100",
    },
    "line {line}, column {column}: “{value}” is not {wanted}; correct it and try again": {
        "line": 7,
        "column": "submitted",
        "value": "ayer",
        "wanted": T("a time such as 2025-05-02 23:59"),
    },
    "no column says who a student is (wanted: {wanted}); check the first line": {
        "wanted": "id, name, email",
    },
    "a ZIP archive with {count} entries, and at most {limit} are read; divide the class into "
    "several archives": {"count": 2412, "limit": 2000},
    "a ZIP archive with more entries than are read (at most {limit}); divide the class into "
    "several archives": {"limit": 2000},
    "This was handed in {days} days late; after {limit} days a person decides.": {
        "days": 9,
        "limit": 7,
    },
    "{name} has {size} MB and at most {limit} MB are read; clear the stored outputs of its cells, "
    "save it and hand it in again.": {"size": 61, "limit": 50},
    "{name} has {count} cells and at most {limit} are read; hand in the workshop's notebook with "
    "your work only.": {"count": 2600, "limit": 2000},
    "{name} has {size} KB of text and code in its cells and at most {limit} KB are read; leave "
    "long texts and data out of them.": {"size": 2400, "limit": 2000},
    "a ZIP archive that would unpack to {size} MB, and at most {limit} are read; divide the class "
    "into several archives": {"size": 4180, "limit": 1000},
    "its name is longer than {limit} bytes; it is not read": {"limit": 255},
    "{name} is packed more than {limit} times smaller than it is, as no notebook is; hand in the "
    "file itself.": {"limit": 100},
    "is no CSV table ({reason})": {"reason": "unexpected end of data"},
    "a damaged ZIP archive ({reason}); download it again": {"reason": "Bad magic number"},
    "is no gradebook of Canvas: its first line begins with {found}, not with Student and ID; "
    "export it with “Export entire gradebook”": {"found": "Nombre, Nota"},
    "the platform counts to {maximum}, and this course to {scale} (or {points} points); change the "
    "maximum there": {"points": "100"},
    "{path}: there is no such file; call it in the project's checkout": {
        "path": "requirements.lock",
    },
    "{path}: upload it as the autograder of a programming assignment with {points} points": {
        "path": "dist/autograder-taller3.zip",
        "points": "70",
    },
    "Of your notebooks {name} was taken, and not {names}.": {
        "name": "taller3.ipynb",
        "names": "pruebas.ipynb, viejo.ipynb",
    },
    "{path}: students: {count}": {"path": "curso/export/moodle/notas.csv", "count": 30},
    "{path}: {reason}": {"path": "clase.zip", "reason": T("does not exist; check the name")},
    "{name} cannot be opened: {reason}.": {
        "name": "entrega.zip",
        "reason": T("a link, and links are never followed; put the file itself there"),
    },
    "I recognised images of {seen}, but none of {missing}.": {"seen": T("the training data")},
    "{first} or {second}": {"first": "Dense(128, relu)", "second": "Dense(500, relu)"},
    "{first} {second}": {"first": "…", "second": "…"},
    "{text}": {"text": "adam"},
    "This ran with {here}, and the reference values were made with {there}: accuracies may differ "
    "a little from those of another computer.": {"there": "TensorFlow 2.21.0"},
    "it uses {name}, which the grader does not know": {"name": "Lookahead"},
    "Your notebook shows class {number} ({name}) for test image 0.": {"name": "Botín", "number": 9},
}
OF_PAGES: Mapping[str, str] = {
    "answers": "30", "asked": "20", "criteria": "Datos no vistos", "checks": "4",
    "command": "grader review", "count": "3", "done": "12", "found": "15",
    "gain": "1", "groups": "9", "high": "5,0", "left": "3", "number": "3", "of": "30",
    "points": "1,5", "problem": "OSError: no space left", "title": "Tres capas", "who": "Eva",
    "label": "Camisa", "late": "1 d 2 h 0 min", "low": "0,0", "more": "4", "passing": "3,0",
    "predicted": "Camiseta", "reason": "…", "wrong": "1 188",
}  # fmt: skip
KEYWORDS = ("gettext", "_", "ngettext")
FIRSTS = ("shows images {first} to {last}", "shows test images {first} to {last}")


def catalogue() -> dict[str, list[str]]:
    """Return the messages of each file, in the order of the code, each under its first file."""
    found: dict[str, list[str]] = {}
    known: set[str] = set()
    for path in [*sorted((ROOT / "grader").rglob("*.py")), *_templates()]:
        texts = _of_code(path) if path.suffix == ".py" else _of_template(path)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(new)
        if new:
            found[path.relative_to(ROOT).as_posix()] = new
    return found


def example(template: str, language: str) -> str:
    """Return a message with example values in one language.

    Raises:
        KeyError: a name in it has no example.
    """
    if "%(" in template:
        return _of_page(template, language)
    values = {name: _value(name, template) for _, name, _, _ in Formatter().parse(template) if name}
    if not values:
        return _found(template, language)
    return Translator(language)(Text(template, values))


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, templates in catalogue().items():
        parts.append(f"\n## `{name}`\n")
        for template in templates:
            parts.append(
                f"- {_plain(example(template, 'en'))}\n  {_plain(example(template, 'es'))}"
            )
    return "\n".join(parts) + "\n"


def _value(name: str, template: str) -> Any:
    if name in ("first", "last") and any(first in template for first in FIRSTS):
        return {"first": 0, "last": 14}[name]
    return OF.get(template, {}).get(name, EXAMPLES[name])


def _of_page(template: str, language: str) -> str:
    values = {name: str(value) for name, value in EXAMPLES.items() if not isinstance(value, Text)}
    return str(_found(template, language) % {**values, **OF_PAGES})


def _found(template: str, language: str) -> str:
    catalogue = Translator(language).catalogue
    found = catalogue.gettext(template)
    if found == template:  # gettext before Python 3.11.3 does not look among plurals
        found = catalogue.ngettext(template, template, 1)
    return str(found)


def _templates() -> list[Path]:
    return [
        path for path in sorted((ROOT / "templates").rglob("*")) if path.suffix in (".html", ".j2")
    ]


def _of_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "T" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _of_template(path: Path) -> Iterator[str]:
    with path.open("rb") as source:
        for _, _, message, _ in babel_extract(
            source, ("gettext", "_", "ngettext"), [], {"silent": "false"}
        ):
            first = message[0] if isinstance(message, tuple) else message
            if first:
                yield first


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
