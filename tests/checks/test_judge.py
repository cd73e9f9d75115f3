"""The whole verdict: prerequisites, broken checks, notebooks that stopped."""

from __future__ import annotations

from typing import Any

import pytest

from grader.assignment import Assignment
from grader.checks import KINDS, judge
from grader.checks.kinds import Kind
from grader.checks.rows import read_rows
from grader.findings import Status
from grader.locale import LANGUAGES, Translator
from tests.factories import (
    assignment,
    axes,
    cell,
    data,
    dense,
    english,
    evaluation,
    evidence,
    figure,
    finding,
    mlp,
    node,
    perfect,
    prediction,
    recipe,
    run,
    spanish,
    unknown_data,
    verdict,
)


def needing(name: str, needed: str) -> Assignment:
    """The assignment in which one check needs another."""
    real = assignment()
    checks = tuple(
        check.model_copy(update={"needs": (needed,)}) if check.name == name else check
        for check in real.spec.checks
    )
    return real.model_copy(update={"spec": real.spec.model_copy(update={"checks": checks})})


def test_a_run_without_a_record_waits_for_a_person() -> None:
    """What the notebook did to the record of its run gives no points and takes none."""
    found = verdict(evidence(lost=True))

    assert {Status.NEEDS_REVIEW} == {one.status for one in found.findings}
    assert "el registro de su ejecución desapareció" in spanish(found.findings[0].observed)
    assert Status.NOT_ATTEMPTED in {
        one.status for one in verdict(evidence(ended="killed")).findings
    }


def test_what_may_be_among_records_that_were_not_read_waits_for_a_person() -> None:
    """Points that were earned stay earned; those that would be missing are nobody's yet."""
    whole = {one.check: one for one in verdict(evidence(run(1))).findings}
    part = {one.check: one for one in verdict(evidence(run(1), unread=True)).findings}
    waits = {name for name, one in part.items() if one.status is Status.NEEDS_REVIEW}
    short = (Status.FAILED, Status.PARTIAL, Status.NOT_ATTEMPTED)

    assert {name for name, one in whole.items() if one.status in short} <= waits
    assert not [name for name in waits if whole[name].status is Status.PASSED]
    assert Status.PASSED in {one.status for one in part.values()}
    assert "más registros de su ejecución de los que se leen" in spanish(part["wide.gap"].observed)


def test_a_broken_check_is_our_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that raises becomes a grader_error with the detail; all others stand."""

    def broken(_case: Any) -> Any:
        raise ZeroDivisionError("oh {no}")

    monkeypatch.setitem(KINDS, "explored", Kind(broken, KINDS["explored"].settings))  # type: ignore[index]
    found = verdict(perfect())

    assert ["data.explored"] == [one.check for one in found.findings if one.status.pending]
    assert 6800 == sum(one.earned for one in found.findings)
    assert "ZeroDivisionError: oh {no}" in spanish(found.findings[1].observed)


def test_a_broken_aspect_is_our_fault_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An aspect that raises is pending for every experiment, and the others stand."""
    from grader.checks import aspects

    def broken(_candidate: Any, _check: Any) -> Any:
        raise RuntimeError("gap")

    monkeypatch.setitem(aspects.ASPECTS, "gap", broken)  # type: ignore[index]
    found = verdict(perfect())
    pending = [one.check for one in found.findings if one.status is Status.GRADER_ERROR]

    assert ["baseline.gap", "wide.gap", "longer.gap", "deep.gap"] == pending
    assert 6200 == sum(one.earned for one in found.findings)


def test_when_choosing_breaks_every_aspect_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a choice of trainings the twenty aspects are pending, the observed checks stand."""
    from grader.checks import experiments

    def broken(_candidates: Any) -> Any:
        raise RecursionError("deep")

    monkeypatch.setattr(experiments, "assign", broken)
    found = verdict(perfect())

    assert 20 == sum(one.status is Status.GRADER_ERROR for one in found.findings)
    assert {None} == set(found.experiments.values())


def test_a_failed_prerequisite_skips() -> None:
    """A check that needs another is skipped when that one failed, and names it."""
    changed = needing("evaluation.test", "baseline.architecture")
    found = finding(
        evidence(run(model=mlp(64)), evaluations=(evaluation(),)), "evaluation.test", changed
    )

    assert ("skipped", 0) == (found.status, found.earned)
    assert "128 neuronas" in spanish(found.observed)


def test_a_prerequisite_that_waits_does_not_skip() -> None:
    """Only a prerequisite that is known not to hold skips."""
    changed = needing("evaluation.test", "data.loaded")
    odd = evidence(run(data=unknown_data(), measured=None), evaluations=(evaluation(),))

    assert "passed" == finding(odd, "evaluation.test", changed).status


def test_what_was_never_tried_stays_not_attempted() -> None:
    """Not attempted says more than skipped."""
    changed = needing("evaluation.test", "data.loaded")

    assert "not_attempted" == finding(evidence(), "evaluation.test", changed).status


def test_empty_evidence_earns_nothing_and_pends_nothing() -> None:
    """An empty notebook is not attempted throughout."""
    found = verdict(evidence())

    assert {Status.NOT_ATTEMPTED} == {one.status for one in found.findings}
    assert {"baseline": None, "wide": None, "longer": None, "deep": None} == found.experiments


def test_evidence_without_splits_breaks_nothing() -> None:
    """Where the dataset's splits are not known, nothing breaks."""
    bare = verdict(evidence(run(), evaluations=(evaluation(),), splits={}))

    assert not [one.check for one in bare.findings if one.status is Status.GRADER_ERROR]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (
            (cell(4, status="killed"), cell(5, status="not_run")),
            "se detuvo en la celda [1] (el proceso del cuaderno terminó",
        ),
        ((cell(5, status="not_run"),), "desde la celda [1] no se ejecutó nada"),
        ((cell(2, status="error", error="KeyError"), cell(3)), "[1] (KeyError)"),
        ((cell(2, status="error"), cell(3)), "[1] (terminó con un error)"),
    ],
)
def test_a_stopped_notebook_explains_missing_work(cells: Any, words: str) -> None:
    """Every check that saw nothing says which cell ended the notebook and how."""
    found = verdict(evidence(cells=cells))

    assert all(words in spanish(one.observed) for one in found.findings)


def test_what_was_recorded_before_the_stop_counts() -> None:
    """A notebook that died after the baseline keeps the baseline."""
    cells = (cell(1), cell(2, status="timeout"), cell(3, status="not_run"))
    found = verdict(evidence(run(1), cells=cells))

    assert 1600 == sum(one.earned for one in found.findings if one.check.startswith("baseline"))


HOSTILE = [
    perfect(),
    evidence(run(data=data([[5, 3]]))),
    evidence(run(data=data("not base64!"))),
    evidence(run(data=data(table=[None] * 256))),
    evidence(run(model=recipe(node("Reshape"), node("Dense"), node("Softmax", axis=None)))),
    evidence(run(model=recipe(node("Rescaling", scale=[1.0, 2.0]), dense(10, "softmax")))),
    evidence(run(cell=None)),
    evidence(run(history={"accuracy": [None]})),
    evidence(run(), predictions=(prediction(argmax=[99]), prediction(shape=[]))),
    evidence(run(), predictions=(prediction(cell=None, rows=[]),)),
    evidence(figures=(figure(1), figure(2, axes(None, None, texts=["{x}"])))),
    evidence(run(), evaluations=(evaluation(cell=None, results={}),)),
    evidence(cells=(cell(99_999, "9"),), sources=("argmax",)),
]


@pytest.mark.parametrize("found", HOSTILE)
def test_odd_evidence_never_breaks_a_check(found: Any) -> None:
    """Whatever passed validation can be judged, and every sentence exists in both languages."""
    result = verdict(found)
    say = [Translator(language) for language in LANGUAGES]
    for one in result.findings:
        for text in (one.title, one.expected, one.observed, one.hint, one.remark):
            assert text is None or all(speak(text) for speak in say)
    texts = [english(one.observed) for one in result.findings if one.status == "grader_error"]

    assert [] == texts


def test_every_kind_is_used_by_the_assignment() -> None:
    """No check stands in the code for nothing."""
    assert set(KINDS) == {check.kind for check in assignment().spec.checks}


def test_judging_is_repeatable() -> None:
    """The same evidence gives the same verdict."""
    assert judge(assignment(), perfect()) == judge(assignment(), perfect())


@pytest.mark.parametrize(
    ("rows", "first", "spans"),
    [
        ([[5, 7], [0, 2]], (5, 6, 0, 1), ((0, 2), (5, 7))),
        ([[0, 5], [3, 9]], (0, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8), ((0, 9),)),
        ("AgAAAAEAAAAHAAAA", (2, 1, 7), ((1, 3), (7, 8))),
        ([], (), ()),
        ("", (), ()),
    ],
)
def test_rows_are_read_as_spans(rows: Any, first: tuple[int, ...], spans: Any) -> None:
    """Runs and base64 give the order of the first rows and all rows without repetition."""
    read = read_rows(data(rows))

    assert read is not None
    assert (first, spans) == (read.first, read.spans)


def test_unread_rows_are_none() -> None:
    """Unrecognised data and broken rows are no rows."""
    assert None is read_rows(unknown_data())
    assert None is read_rows(None)
    assert None is read_rows(data([[3, 1]]))
    assert None is read_rows(data("%%%"))


def test_a_cell_is_called_as_people_know_it() -> None:
    """The number that Jupyter shows after a run from the top, and the first line with words."""
    sources = ("# Título", "\n\n  model.fit(x)  \nprint(1)", "", "x" * 80)
    seen = evidence(cells=(cell(1), cell(3)), sources=sources)
    live = evidence(sources=sources, live=True)

    assert "la celda [1] «model.fit(x)»" == spanish(seen.called(1))
    assert f"cell [2] “{'x' * 59}…”" == english(seen.called(3))
    assert "la celda «# Título»" == spanish(seen.called(0))
    assert "una celda" == spanish(seen.called(None)) == spanish(seen.called(2))
    assert (4, None) == (live.number(3), live.number(None))
