"""What `%check` shows under a cell: the findings so far, as text and as HTML."""

from __future__ import annotations

import io

from rich.console import Console

from grader.locale import T, Translator
from grader.report.findings import sections
from grader.report.pages import page_template
from grader.report.terminal import print_findings
from grader.report.text import visible
from grader.report.words import points_text
from grader.result import Graded

WIDTH = 100
PROVISIONAL = ("accuracy", "gap")
"""Aspects whose numbers are the notebook's own."""


def render_live(graded: Graded, language: str, has_file: bool) -> dict[str, str]:
    """Return the findings of a live kernel as `text` and `html`.

    Args:
        has_file: the notebook's file is known, so its written answers can be counted.
    """
    say = Translator(language)
    notes = _notes(graded, say, has_file)
    stream = io.StringIO()
    console = Console(
        file=stream, width=WIDTH, highlight=False, force_terminal=False, color_system=None
    )
    print_findings(graded, say, console)
    for note in notes:
        console.print(note, markup=False)
    html = page_template(language, "live/check.html").render(
        sections=sections(graded, say),
        provisional=PROVISIONAL,
        earned=points_text(graded.score.earned, say),
        possible=points_text(graded.score.possible, say),
        notes=notes,
    )
    return {"text": stream.getvalue(), "html": visible(html)}


def _notes(graded: Graded, say: Translator, has_file: bool) -> list[str]:
    found = sum(answer.status == "found" for answer in graded.answers)
    answers = T(
        "I see {found} of {total} written answers in the file as it was last saved.",
        found=found,
        total=len(graded.assignment.rubric.questions),
    )
    if not has_file:
        answers = T("I cannot see the notebook's file from here, so I cannot count your answers.")
    return [
        say(answers),
        say(
            T(
                "Accuracies are provisional here: they are what your notebook showed. For your "
                "grade each model is trained and measured again."
            )
        ),
        say(
            T(
                "This checks what you ran in this session. Before you hand in, restart the "
                "kernel, run everything from top to bottom, and run %check once more."
            )
        ),
    ]
