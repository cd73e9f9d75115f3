"""What the report says, in which order, and that it says it the same way every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from grader.checks import judge
from grader.evidence import CellRun, Evidence
from grader.findings import Status
from grader.loading import default_folder, load_assignment
from grader.locale import LANGUAGES, Text, Translator
from grader.report import html
from grader.report.findings import first, sections
from grader.report.html import MOST_BYTES, render_report
from grader.report.pages import style, template_folder
from grader.result import Answer, Flag
from tests.factories import evidence, run
from tests.report.assignment_factory import HIDDEN_IDEA
from tests.report.graded_factory import (
    ANSWERS,
    EVERY,
    pixels,
    runs,
    sample,
)
from tests.report.pages import Page, dangers

ROOT = Path(__file__).resolve().parents[2]


@cache
def document(name: str, language: str) -> str:
    return render_report(EVERY[name](), language, pixels)


@cache
def rendered(name: str = "sample", language: str = "es") -> Page:
    return Page(document(name, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EVERY)
def test_nothing_in_a_report_runs_or_asks(name: str, language: str) -> None:
    """No script, handler, style attribute or address; the policy allows the one style sheet."""
    assert [] == dangers(rendered(name, language))


@pytest.mark.parametrize("name", EVERY)
def test_two_reports_of_the_same_are_the_same(name: str) -> None:
    assert document(name, "es") == render_report(EVERY[name](), "es", pixels)


def test_another_process_writes_the_same_bytes() -> None:
    """Nothing depends on hash order, on what was drawn before or on the clock."""
    code = (
        "import hashlib; from grader.report.html import render_report;"
        "from tests.report.graded_factory import pixels, sample;"
        "print(hashlib.sha256(render_report(sample(), 'es', pixels).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(digests)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_is_there(language: str) -> None:
    """Its title, what was expected and observed, its hint, and where."""
    graded, say = sample(), Translator(language)
    words = rendered(language=language).words()
    said = [
        say(text)
        for finding in graded.findings
        for text in (
            finding.title,
            finding.expected,
            finding.observed,
            finding.hint,
            finding.remark,
        )
        if text
    ]

    assert [] == [text for text in said if text not in words]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sections_come_in_order(language: str) -> None:
    """Also without a style sheet the page reads from the grade down to where it ran."""
    page = rendered(language=language)
    places = [page.document.index(f'id="{name}"') for name in (
        "first", "comparison", "experiments", "experiment-baseline", "check-baseline.gap",
        "experiment-deep", "section-data", "section-predictions", "answers", "claims", "flags",
        "cells", "provenance",
    )]  # fmt: skip

    assert places == sorted(places)
    assert page.document.index('class="grade"') < places[0]


@pytest.mark.parametrize("name", EVERY)
def test_headings_never_skip_a_level(name: str) -> None:
    levels = [int(e.tag[1]) for e in rendered(name).elements if re.fullmatch("h[1-6]", e.tag)]

    assert 1 == levels[0] and 1 == levels.count(1)
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_language_is_named_and_kept() -> None:
    """Spanish decimals have commas; the page says its language."""
    spanish, english = rendered("sample", "es"), rendered("sample", "en")

    assert "es" == spanish.all("html")[0].attributes["lang"]
    assert "2,8" in spanish.words() and "0,8812" in spanish.words()
    assert "2.8" in english.words() and "0.8812" in english.words()
    assert [] == re.findall(r"(?<![\d.])\d\.\d{3,4}(?![\d.])", spanish.words())


def test_a_grade_with_points_pending_is_a_range() -> None:
    words = rendered().words()

    assert "Nota hasta ahora: entre 2,8 y 4,4" in words
    assert "obtenidos 56 pendientes 32 no obtenidos 12 en total 100" in words
    assert "Quedan pendientes 30 puntos de las respuestas escritas" in words


def test_a_decided_grade_is_one_number() -> None:
    """With what lateness cost on its own line, and the person's reason beside the check."""
    words = rendered("marked").words()

    assert "Nota 3,6" in words and "todavía" not in words
    assert "Se entregó con un retraso de 1 d 1 h 0 min. La nota ya tiene descontado 0,3" in words
    assert "El gráfico vale: la barra de más es la rejilla." in words
    assert "pendiente de calificar" not in words


def test_the_first_things_to_fix_are_worth_most() -> None:
    """What was not checked because of a finding counts as to be gained with it."""
    page = rendered()
    cards = [e.text for e in page.all("li") if "card" in str(e.attributes.get("class"))][:3]

    assert ["+4 puntos · permite ganar 4 puntos más", "+2 puntos", "+1 punto"] == [
        " ".join(card.split())[: len(wanted)]
        for card, wanted in zip(
            cards, ["+4 puntos · permite ganar 4 puntos más", "+2 puntos", "+1 punto"], strict=True
        )
    ]


def test_an_experiment_that_was_not_tried_is_one_step() -> None:
    """Its five checks are gained together, so they stand there once, with all their points."""
    assignment = load_assignment(default_folder())
    found = judge(assignment, evidence(run(1))).findings
    graded = replace(sample(), assignment=assignment, findings=found)
    steps = [(step.check, step.gain, step.unlocks) for step in first(graded, Translator("es"))]

    assert [("wide.architecture", "3", "7"), ("longer.architecture", "2", "8")] == steps[:2]
    assert ("deep.architecture", "3", "7") == steps[2]


def test_only_what_says_the_same_is_folded_away() -> None:
    """Of five checks that expected and saw the same, one is open; a person's word always is."""
    found = judge(load_assignment(default_folder()), evidence(run(1))).findings
    decided = replace(found[-1], overridden="Lo vi.", observed=found[-2].observed)
    graded = replace(
        sample(), assignment=load_assignment(default_folder()), findings=(*found[:-1], decided)
    )
    views = {
        view.check: view for one in sections(graded, Translator("es")) for view in one.findings
    }

    assert not views["wide.architecture"].repeats and views["wide.gap"].repeats
    assert not views["predictions.grid_second"].repeats
    assert not views[decided.check].repeats


def test_status_is_a_word_and_a_sign() -> None:
    """Nothing is told by colour alone."""
    page = rendered()
    chips = [e.text.split() for e in page.all("span") if "status" in str(e.attributes.get("class"))]

    assert len(chips) > len(sample().findings)
    assert all(len(chip) >= 2 for chip in chips)


def test_figures_have_words_and_numbers() -> None:
    """Each picture has a text of its own; each curve's numbers stand in a table."""
    page = rendered()

    assert all(e.attributes.get("alt") for e in page.all("img"))
    assert 4 == page.words().count("La curva en números")
    assert "Línea base: Exactitud a lo largo de 10 épocas" in page.document


def test_every_experiment_shows_measure_and_reference() -> None:
    words = rendered().words()

    assert "Exactitud en prueba 0,8812 0,8780 – 0,8820 ≥ 0,8690" in words
    assert "Diferencia 0,0312 0,0320 – 0,0340 ≤ 0,0460" in words
    assert "Dense(128, relu) 128 100 480" in words
    assert "15 (se pedían 20)" in words


def test_a_wrong_architecture_is_shown_layer_by_layer() -> None:
    words = rendered().words()

    assert "Dense(500, relu) – falta" in words
    assert "Dense(10, softmax) Dense(10, softmax) igual" in words


def test_a_chain_shows_all_its_epochs() -> None:
    """Ten epochs and then ten more are one curve of twenty."""
    first, *others = runs()
    more = first.fit.model_copy(update={"id": 9, "epochs_before": 10})
    graded = sample(
        evidence=replace(
            sample().evidence, runs=(first, replace(first, fit=more, epochs=20), *others)
        ),
        experiments={"baseline": 1, "wide": 2, "longer": 9, "deep": 4},
    )

    assert "Más épocas: Exactitud a lo largo de 20 épocas" in render_report(graded, "es", None)


def test_claims_stand_beside_measurements() -> None:
    words = rendered().words()

    assert "evaluate con test[0:10000] (celda [8]) 0,8812 0,8812 igual" in words
    assert "evaluate con test[0:10000] (celda [12]) 0,9312 0,8871 distinto" in words
    assert "entrenamiento, última época (celda [7]) 0,9059 0,9124 no se compara" in words
    assert "es un promedio a lo largo de una época" in words


def test_mistakes_are_named_in_the_readers_language() -> None:
    spanish, english = rendered("sample", "es"), rendered("sample", "en")

    assert "es Camisa dijo Camiseta 99,8 % · n.º 12" in spanish.words()
    assert "is Shirt said T-shirt/top 99.8% · no. 12" in english.words()
    assert "203 era Camisa, dijo Camiseta" in spanish.words()


def test_without_pixels_the_gallery_says_so() -> None:
    page = Page(render_report(sample(), "es", None))

    assert "Las imágenes no se muestran" in page.words()
    assert not [e for e in page.all("img") if "image/png" in str(e.attributes["src"])]


def test_pictures_that_make_a_page_too_large_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words stay; the gallery says where its images would have been."""
    without = render_report(sample(), "es", None)
    monkeypatch.setattr(html, "MOST_BYTES", len(without.encode()) + 100)

    assert without == render_report(sample(), "es", pixels)


def test_pixels_that_fail_leave_their_picture_out() -> None:
    """A row that the dataset does not have is no reason to have no report."""

    def broken(row: int) -> object:
        raise IndexError(row)

    assert "Lo que más confunde" in render_report(sample(), "es", broken)  # type: ignore[arg-type]


def test_answers_stand_beside_their_criteria() -> None:
    """Pending until a person marked them; nothing that only markers may read."""
    words, page = rendered().words(), rendered().document

    assert "los pesos se ajustaron con esas imágenes" in words
    assert 5 == words.count("pendiente de calificar") and 1 == words.count("No se encontró ninguna")
    assert HIDDEN_IDEA not in page
    assert "<strong>entrenamiento</strong>" in page and ANSWERS[0] not in page
    assert "La causa Completo 4 / 4 4 ✔ Completo (otorgado)" in rendered("marked").words()


def test_a_half_dead_notebook_says_which_cell_and_how() -> None:
    words = rendered("half_dead").words()

    assert "llegó a su límite de memoria" in words
    assert "la celda [12] «# ✏️ Tarea 4.1 · Más neuronas: 500 en la capa oculta, 10 ép" in words
    assert "A los 41 s se interrumpió la celda" in words
    assert 3 == words.count("todavía sin entrenar")


def test_an_unreadable_file_gets_its_reason_and_no_empty_sections() -> None:
    page = rendered("unreadable")

    assert "No se pudo leer taller3.ipynb está vacío" in page.words()
    assert "todavía no hay" in page.words() and "Comprobaciones" not in page.words()


def test_a_fault_of_the_grader_is_called_that() -> None:
    findings = tuple(
        replace(f, status=Status.GRADER_ERROR, earned=0) if f.check == "baseline.gap" else f
        for f in sample().findings
    )
    words = Page(render_report(sample(findings=findings), "es", None)).words()

    assert "Fallo del corrector" in words
    assert "El fallo es del corrector, no tuyo: no te resta puntos." in words
    assert "Falló el corrector" in rendered("grader_error").words()


@pytest.mark.parametrize("language", LANGUAGES)
def test_provenance_says_where_points_come_from(language: str) -> None:
    words = rendered(language=language).words()
    wanted = {
        "es": "salen solo de modelos que entrenó el propio corrector",
        "en": "come only from models that the grader itself trained",
    }

    assert wanted[language] in words
    assert sample().environment["data_sha256"] in words and "a5" * 32 in words


def test_a_self_check_is_no_grade() -> None:
    graded = sample(environment={**sample().environment, "sandbox": "none"})
    words = Page(render_report(graded, "es", None)).words()

    assert 2 == words.count("autocomprobación")
    assert "autocomprobación" not in rendered().words()


def test_flags_are_told_in_neutral_words() -> None:
    graded = sample(flags=tuple(Flag(kind, Text("seen")) for kind in (
        "trained_on_test", "pretrained", "implausible_accuracy", "claim_differs",
        "unverifiable_model", "tampered_recorder",
    )))  # fmt: skip
    words = Page(render_report(graded, "en", None)).words().lower()

    assert "there were test images among those used for training" in words
    assert [] == [
        word
        for word in ("cheat", "fraud", "tamper", "lie ", "suspicious", "forge")
        if word in words
    ]


def test_a_huge_submission_stays_under_the_cap() -> None:
    """Long answers, many cells, long errors and many epochs are cut, each with a notice."""
    trace = "\x1b[31m" + "Error <&> " * 400
    log = tuple(
        CellRun(
            kind="cell", index=n, status="error", seconds=1.0, error="E" * 300, message=trace[:4000]
        )
        for n in range(2000)
    )
    values = {"accuracy": [0.5 + n / 30_000 for n in range(10_000)]}
    fit = runs()[0].fit.model_copy(update={"history": values, "epochs_run": 10_000})
    long = replace(runs()[0], fit=fit)
    answers = tuple(Answer(f"q{n}", "found", "cell id", "|<&>" * 200_000) for n in range(1, 6))
    graded = sample(
        answers=answers,
        evidence=Evidence(cells=log, runs=(long,), sources=("<&>" * 10_000,) * 2000),
        flags=tuple(Flag("claim_differs", Text("<&>" * 5_000)) for _ in range(500)),
        notices=(Text("<&>" * 5_000),) * 100,
    )
    page = render_report(graded, "es", pixels)
    words = Page(page).words()

    assert len(page.encode()) < MOST_BYTES
    assert "1700 celdas más no se muestran." in words
    assert "La respuesta es más larga" in words
    assert "Son demasiadas épocas para una tabla" in words


def test_one_missing_name_in_a_template_is_an_error() -> None:
    """Templates refuse what they do not know instead of leaving a hole."""
    from jinja2 import UndefinedError

    from grader.report.pages import environment

    with pytest.raises(UndefinedError):
        environment("es").from_string("{{ page.nothing }}").render(page=object())


def test_templates_are_found_in_a_checkout() -> None:
    assert (template_folder() / "report" / "report.html").is_file()
    assert (template_folder() / "executed" / "index.html.j2").is_file()


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sheet", ["report/report.css", "executed/executed.css"])
def test_colours_reach_the_contrast_that_wcag_asks_for(sheet: str) -> None:
    """4.5 to 1 for every text on every ground it stands on, light, dark and on paper."""
    blocks = [_colours(block) for block in re.findall(r":root \{(.*?)\}", style(sheet), flags=re.S)]
    light = blocks[0]
    grounds = {"paper", "card", "rule", "figure", "soft", "code"}
    texts = {name for name in light if name not in grounds and not name.endswith("-back")}
    wrong = []
    for block in blocks:
        for name in texts:
            own = {f"{name}-back"} & set(block)
            for ground in {"paper", "card", "soft", "code"} & set(block) | own:
                if _contrast(block[name], block[ground]) < 4.5:
                    wrong.append(f"{name} {block[name]} on {ground} {block[ground]}")

    assert [] == wrong


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the variables were not handed over", "sus capas no se pueden seguir una por una"),
        ("the model holds Mia, which only the notebook itself can build", "contiene Mia, que solo"),
        ("<b>something new</b>", "el programa respondió «<b>something new</b>»"),
    ],
)
def test_a_model_that_was_not_measured_says_why(reason: str, said: str) -> None:
    """In the reader's language where the reason is known, else as it was left."""
    first, *others = runs()
    bare = replace(first, measured=None, unmeasured=reason)
    graded = sample(evidence=replace(sample().evidence, runs=(bare, *others)))

    assert (
        f"Este modelo no se pudo medir: {said}" in Page(render_report(graded, "es", None)).words()
    )


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ("deadline", "llegó a su límite de tiempo"),
        ("the kernel died", "El proceso del cuaderno terminó de forma inesperada"),
        ("driver: OSError: x", "se detuvo antes de terminar: driver: OSError: x."),
    ],
)
def test_a_run_that_stopped_says_why(ended: str, said: str) -> None:
    graded = sample(evidence=replace(sample().evidence, ended=ended))

    assert said in Page(render_report(graded, "es", None)).words()
