"""The layouts in which students leave written answers, and what of them is theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.loading import default_folder, load_assignment
from grader.notebook import Notebook, read_notebook
from grader.result import Answer
from grader.rubric.answers import find_answers
from grader.rubric.spec import Criterion, Level, Question
from grader.specfile import Sentence

Raw = dict[str, Any]
PROMPTS = {
    "q1": "Compara la exactitud en entrenamiento y en prueba. ¿Por qué no son iguales?",
    "q2": "¿Qué ocurre cuando la capa pasa de 128 a 500 neuronas?",
    "q3": "Explica línea por línea esta arquitectura.",
}
LAYERS = "```text\nSequential([\n    Flatten(28×28),\n    Dense(10, softmax),\n])\n```"


def question(es: str) -> Question:
    """A question with one criterion."""
    words = Sentence(es="Bien", en="Good")
    levels = tuple(Level(points=points, label=words, description=words) for points in (2, 0))
    criterion = Criterion(id="ideas", title=words, levels=levels)
    return Question(prompt=Sentence(es=es, en="In English"), points=2, criteria=(criterion,))


QUESTIONS = {name: question(es) for name, es in PROMPTS.items()}


def text(source: str, identity: str | None = None, **ours: str) -> Raw:
    """A Markdown cell."""
    metadata = {"grader": ours} if ours else {}
    return {"cell_type": "markdown", "id": identity, "metadata": metadata, "source": source}


def code(source: str) -> Raw:
    """A code cell."""
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}


def notebook(*cells: Raw) -> Notebook:
    """A notebook of these cells."""
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return read_notebook(json.dumps(whole).encode(), "ana.ipynb")


def marker(number: int) -> str:
    """The first line of a template's answer cell."""
    return f"**✏️ Respuesta a la pregunta {number}** (escribe debajo de esta línea)"


def template_cells(**answers: str) -> list[Raw]:
    """The template's cells, the answers in place of the placeholders."""
    cells = [text("# Taller\n\n1. Lee.\n2. Responde.\n3. Entrega.", "t-title", role="text")]
    for number, (name, prompt) in enumerate(PROMPTS.items(), start=1):
        layers = f"\n\n{LAYERS}" if name == "q3" else ""
        cells.append(
            text(f"**Pregunta {number}.** {prompt}{layers}", f"t-{name}-text", role="text")
        )
        written = answers.get(name, "_Escribe aquí tu respuesta._")
        answer = f"{marker(number)}\n\n<!-- aquí -->\n{written}"
        cells.append(text(answer, f"t-{name}", role="answer", question=name))
    return [*cells, text("---\n\n**Para entregar.** Guarda el cuaderno.", "t-end", role="text")]


TEMPLATE = notebook(*template_cells())


def stripped(cells: list[Raw], *keys: str) -> list[Raw]:
    """Cells that lost their ids (`id`) or their metadata, as other programs save them."""
    return [cell | {key: {} if key == "metadata" else None for key in keys} for cell in cells]


def found(*cells: Raw, template: Notebook | None = TEMPLATE) -> dict[str, tuple[str | None, str]]:
    """How and what was found for each question with an answer."""
    answers = find_answers(notebook(*cells), template, QUESTIONS)
    assert list(QUESTIONS) == [answer.question for answer in answers]
    return {a.question: (a.found_by, a.text) for a in answers if a.status == "found"}


FULL = {"q1": "Porque memoriza.", "q2": "Aprende más.\n\nY sobreajusta.", "q3": "- Flatten: 784"}


def by(method: str, **answers: str) -> dict[str, tuple[str | None, str]]:
    """What is expected when every answer was found in one way."""
    return {name: (method, answer) for name, answer in (answers or FULL).items()}


def test_the_untouched_template_has_no_answers() -> None:
    """Prompts, markers, comments and placeholders are nobody's answer."""
    answers = find_answers(TEMPLATE, TEMPLATE, QUESTIONS)

    assert [("missing", "metadata", "")] * 3 == [(a.status, a.found_by, a.text) for a in answers]
    assert {} == found(*template_cells(), template=None)


def test_an_empty_notebook_has_no_answers() -> None:
    """Where nothing names a question, nothing was found in any way."""
    answers = find_answers(notebook(), TEMPLATE, QUESTIONS)

    assert Answer("q1", "missing", None, "") == answers[0]


@pytest.mark.parametrize(
    ("method", "lost"),
    [
        ("metadata", ()),
        ("metadata", ("id",)),
        ("cell id", ("metadata",)),
        ("marker", ("id", "metadata")),
    ],
)
def test_answer_cells_are_known_by_what_survived(method: str, lost: tuple[str, ...]) -> None:
    """Our metadata, else the cell's id, else the visible marker leads to the answer."""
    cells = stripped(template_cells(**FULL), *lost)

    assert by(method) == found(*cells)


def test_without_template_the_marker_is_a_heading() -> None:
    """A marker's own words name the question even where no template is at hand."""
    cells = stripped(template_cells(**FULL), "id", "metadata")[1:-1]

    answers = found(*cells, template=None)

    assert {"q1", "q2", "q3"} == set(answers)
    assert ("heading", "Porque memoriza.") == answers["q1"]


@pytest.mark.parametrize(
    "line",
    [
        "### Pregunta {}",
        "**Pregunta {}:**",
        "**Pregunta {}. ¿Por qué crees que pasa?**",
        "Pregunta {}",
        "PREGUNTA N° {}.",
        "Pregunta #{}:",
        "# Respuesta {}",
        "**Respuesta a la pregunta {}**",
        "✏️ *Respuesta {}:*",
        "## Question {}",
        "Answer to question {}:",
        "> Q{}.",
        "P{})",
        "**R{}:**",
    ],
)
def test_questions_are_named_in_many_ways(line: str) -> None:
    """A line that names the question starts its answer, in the same cell or in the next."""
    same = [text(f"{line.format(n)}\n\n{FULL[f'q{n}']}") for n in (1, 2, 3)]
    below = [cell for n in (1, 2, 3) for cell in (text(line.format(n)), text(FULL[f"q{n}"]))]

    assert by("heading") == found(*same)
    assert by("heading") == found(*below, template=None)


@pytest.mark.parametrize("line", ["### {}.", "## {}) Sobreajuste", "{}) ", "**{}.** ", "{}.- "])
def test_numbers_name_questions_too(line: str) -> None:
    """Numbered headings, or numbers at the start of lines, are the last resort."""
    cell = text("\n\n".join(f"{line.format(n)}\n{FULL[f'q{n}']}" for n in (1, 2, 3)))

    assert by("heading") == found(code("a = 1"), cell)


def test_an_answer_beside_its_number_is_kept() -> None:
    """What follows the number on its line belongs to the answer, a question does not."""
    cell = text("1) Porque memoriza.\n2) ¿Qué ocurre con 500?\nAprende más.\n3. Explica todo.")

    assert by("heading", q1="Porque memoriza.", q2="Aprende más.", q3="Explica todo.") == found(
        cell
    )


def test_all_answers_in_one_cell_below_names() -> None:
    """One cell may answer everything, even the answer cell of the first question."""
    everything = "Porque memoriza.\n\n**Pregunta 2**\nAprende más.\n\n**Pregunta 3**\nTres capas."

    answers = found(*template_cells(q1=everything))

    assert {
        "q1": ("metadata", "Porque memoriza."),
        "q2": ("heading", "Aprende más."),
        "q3": ("heading", "Tres capas."),
    } == answers


def test_all_answers_in_one_cell_below_numbers() -> None:
    """Numbers for every open question in one answer cell divide it; a list in one does not."""
    listed = "Las respondo aquí:\n\n1) Memoriza.\n2) Aprende más.\n3) Tres capas."

    divided = found(*template_cells(q1=listed))
    kept = found(*template_cells(q1=listed, q2="Aprende."))

    assert ("metadata", "Las respondo aquí:\n\nMemoriza.") == divided["q1"]
    assert ("heading", "Aprende más.") == divided["q2"]
    assert ("heading", "Tres capas.") == divided["q3"]
    assert {"q1": ("metadata", listed), "q2": ("metadata", "Aprende.")} == kept


def test_cells_below_belong_to_the_answer() -> None:
    """Several cells may hold one answer: in its own cell, in new ones below, beside a drawing."""
    cells = template_cells(q1="Memoriza.")
    more = [text("Además sobreajusta."), text("### Conclusión\n\nFin."), code("plt.show()")]
    late = text("Ahora entreno otra vez.")

    answers = find_answers(notebook(*cells[:3], *more, late, *cells[3:]), TEMPLATE, QUESTIONS)

    assert "Memoriza.\n\nAdemás sobreajusta.\n\n### Conclusión\n\nFin." == answers[0].text
    assert (2, 3, 4) == answers[0].cells
    assert ["missing", "missing"] == [answer.status for answer in answers[1:]]


def test_an_answer_below_an_untouched_cell() -> None:
    """Who leaves the answer cell as it is and writes in a new one below has answered."""
    cells = template_cells()

    answers = found(*cells[:3], text("Porque memoriza."), *cells[3:])

    assert by("metadata", q1="Porque memoriza.") == answers


def test_an_answer_in_place_of_the_answer_cell() -> None:
    """Who deletes the answer cell and writes below the prompt, or in it, has answered."""
    cells = template_cells()
    prompt = cells[3] | {"source": cells[3]["source"] + "\n\nAprende más."}

    answers = found(*cells[:2], text("Porque memoriza."), prompt, *cells[5:])

    assert by("heading", q1="Porque memoriza.", q2="Aprende más.") == answers


def test_a_split_answer_cell() -> None:
    """Jupyter copies metadata when a cell is split: both halves count."""
    cells = template_cells(q1="Memoriza.")
    half = text("Y sobreajusta.", "new", role="answer", question="q1")

    assert by("metadata", q1="Memoriza.\n\nY sobreajusta.") == found(*cells[:3], half, *cells[3:])


def test_merged_answer_cells() -> None:
    """A marker of another question in an answer cell begins that other answer."""
    cells = template_cells(q1="Memoriza.", q2="Aprende.")
    merged = cells[2] | {"source": f"{cells[2]['source']}\n\n{cells[4]['source']}"}

    answers = found(cells[0], cells[1], merged, cells[5], cells[6], cells[7])

    assert {"q1": ("metadata", "Memoriza."), "q2": ("marker", "Aprende.")} == answers


def test_a_section_ends_an_answer() -> None:
    """Text below another heading is no part of the answer above it."""
    cells = [text("### Pregunta 1"), text("Memoriza."), text("### Anexo\n\nOtra cosa."), text("x")]

    assert by("heading", q1="Memoriza.") == found(*cells)


def test_a_heading_that_only_says_answer_ends_nothing() -> None:
    """`### Respuesta` between a question and its answer is a label."""
    cells = [text("### Pregunta 1\n¿Por qué?"), text("### Respuesta\n\nMemoriza.")]

    assert "Memoriza." in found(*cells)["q1"][1]
    assert "Respuesta" not in found(*cells)["q1"][1]


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("Porque memoriza.", "_Escribe aquí tu respuesta._ Porque memoriza."),
        ("Porque memoriza.", "Porque memoriza. <!-- borrar -->"),
        ("Sí <!-- sin cerrar", "Sí <!-- sin cerrar"),
        ("a\n\nb", "a\n\n\n\n\nb\n\n"),
        ("    sangría", "    sangría"),
        ("42", "42"),
    ],
)
def test_only_what_is_ours_is_subtracted(expected: str, written: str) -> None:
    """Placeholders and comments go, everything else stays as it was written."""
    assert by("metadata", q1=expected) == found(*template_cells(q1=written))


@pytest.mark.parametrize(
    "written", ["", "  \n", "...", "---", "<!-- nada -->", "*Escribe aquí*", "¿?"]
)
def test_what_says_nothing_is_missing(written: str) -> None:
    """An answer without a letter or a digit is none."""
    assert {} == found(*template_cells(q1=written))


def test_quoting_the_prompt_is_part_of_an_answer() -> None:
    """A line of the prompt that the answer explains stays in it."""
    written = "    Flatten(28×28),\nhace 784 valores.\n\n    Dense(10, softmax),\nda diez."

    assert by("metadata", q3=written) == found(*template_cells(q3=written))


def test_a_copied_prompt_is_subtracted() -> None:
    """The whole question above an answer is not the student's text."""
    copied = f"### Pregunta 3\n{PROMPTS['q3']}\n\n{LAYERS}\n\nTres capas."

    assert by("heading", q3="Tres capas.") == found(text(copied))


def test_prose_and_code_name_no_question() -> None:
    """Mentions within a sentence, comments in code and our own lists start nothing."""
    cells = [
        text("Como dije en la pregunta 2, memoriza."),
        text("Pregunta 2 me pareció difícil."),
        text("Pregunta 4: no existe."),
        text("1. uno de varios"),
        code("# Pregunta 1\nprint('Pregunta 2')"),
    ]

    assert {} == found(*cells)


def test_generated_ids_match_nothing() -> None:
    """Where neither file has ids, the ones that reading made up mean nothing."""
    bare = notebook(*stripped(template_cells(), "id"))
    cells = stripped([text("x"), text("y"), text("Mi resumen del curso.")], "id")

    assert {} == found(*cells, template=bare)


@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time() -> None:
    """Openings, numbers or spaces without end are read in moments."""
    for unit in ("<!--", "1)\n2)\n", "### 1\n", "Pregunta ", " " * 50, "**", "\n", "Respuesta a "):
        cell = text(unit * (200_000 // len(unit)))

        answers = find_answers(notebook(cell), TEMPLATE, QUESTIONS)

        assert 3 == len(answers)


def test_the_samples_answers_are_found() -> None:
    """In every sample submission of the assignment, answers are found where they were written."""
    folder = default_folder()
    assignment = load_assignment(folder)
    template = _read(folder / assignment.spec.notebook)
    expected = {
        "ana-completa": ["found"] * 5,
        "bruno-funciones": ["found"] * 5,
        "carla-a-medias": ["found", "missing", "found", "missing", "missing"],
        "diego-breve": ["found"] * 5,
    }

    for name, statuses in expected.items():
        sample = _read(folder / "samples" / f"{name}.ipynb")
        answers = find_answers(sample, template, assignment.rubric.questions)
        assert statuses == [answer.status for answer in answers], name
        assert not any("✏️" in answer.text for answer in answers)


def _read(path: Path) -> Notebook:
    return read_notebook(path.read_bytes(), path.name)
