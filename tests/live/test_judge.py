"""What the checks say of a kernel that a student is working in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.findings import Finding
from grader.live.judge import Live, judged, main
from grader.loading import default_folder, load_assignment
from grader.records import read_records
from grader.result import Graded
from tests.factories import cell, data, evaluation, run, spanish
from tests.live.conftest import Kernel

ASSIGNMENT = load_assignment(default_folder())
FIT = "# Línea base\nmodel.fit(train_images, train_labels, epochs=10)"
EVALUATE = "model.evaluate(test_images, test_labels)"


def judge(kernel: Kernel) -> Graded:
    live = Live.model_validate_json((kernel.folder / "live.json").read_bytes())
    return judged(ASSIGNMENT, read_records(kernel.folder), live)


def finding(graded: Graded, check: str) -> Finding:
    return next(one for one in graded.findings if one.check == check)


def test_nothing_done_is_nothing_attempted(kernel: Kernel) -> None:
    """Before the first cell no check has failed."""
    kernel.left([])

    assert {"not_attempted"} == {one.status for one in judge(kernel).findings}


def test_a_fit_counts_at_once_and_its_accuracy_after_evaluate(kernel: Kernel) -> None:
    """Architecture and epochs are known after fit; accuracy waits for the notebook's evaluate."""
    kernel.did(run(1, cell=0, history={"accuracy": [0.8, 0.9]}).fit)
    kernel.left([FIT])
    before = judge(kernel)
    kernel.did(evaluation(2, chain=1, cell=1, results={"accuracy": 0.88, "loss": 0.3}))
    kernel.left([FIT, EVALUATE])
    after = judge(kernel)

    assert "passed" == finding(before, "baseline.architecture").status
    assert "passed" == finding(before, "baseline.epochs").status
    assert "not_attempted" == finding(before, "baseline.accuracy").status
    assert "evaluate" in spanish(finding(before, "baseline.accuracy").observed)
    assert "passed" == finding(after, "baseline.accuracy").status
    assert "0,8800" in spanish(finding(after, "baseline.accuracy").observed)


def test_the_gap_takes_what_the_notebook_showed(kernel: Kernel) -> None:
    """`evaluate` on the training rows where it was called, else the last epoch of fit."""
    kernel.did(
        run(1, cell=0, history={"accuracy": [0.8, 0.93]}).fit,
        evaluation(2, chain=1, cell=1, results={"accuracy": 0.88}),
    )
    kernel.left([FIT, EVALUATE])
    by_fit = judge(kernel)
    kernel.did(evaluation(3, rows=[[0, 60_000]], chain=1, cell=1, results={"accuracy": 0.905}))
    by_evaluate = judge(kernel)

    assert "0,9300" in spanish(finding(by_fit, "baseline.gap").observed)
    assert "0,9050" in spanish(finding(by_evaluate, "baseline.gap").observed)


def test_an_evaluate_of_another_moment_is_not_taken(kernel: Kernel) -> None:
    """What was evaluated before ten more epochs says nothing of the model after them."""
    fitted = run(2, cell=0, history={"accuracy": [0.8, 0.9]}).fit
    kernel.did(
        evaluation(1, chain=2, cell=0, epochs=0),
        fitted,
        evaluation(3, rows=[[60_000, 60_100]], chain=2, cell=1),
        evaluation(4, chain=7, cell=1),
    )
    kernel.left([FIT, EVALUATE])
    before = finding(judge(kernel), "baseline.accuracy").status
    kernel.did(evaluation(5, chain=2, cell=1))

    assert "not_attempted" == before
    assert "passed" == finding(judge(kernel), "baseline.accuracy").status


def test_where_names_the_number_that_jupyter_shows(kernel: Kernel) -> None:
    """Cells that ran before the extension was loaded are counted, too."""
    kernel.did(run(1, cell=4, epochs=3).fit)
    kernel.left(["", "", "", "", FIT])
    graded = judge(kernel)
    found = finding(graded, "baseline.epochs")

    assert (4, 5) == (found.cell, graded.evidence.number(found.cell))


def test_test_rows_in_the_training_still_wait_for_a_person(kernel: Kernel) -> None:
    """A self-check gives no points that the grade will not give."""
    kernel.did(
        run(1, cell=0, data=data([[0, 60_000], [60_000, 60_100]])).fit,
        evaluation(2, chain=1, cell=1),
    )
    kernel.left([FIT, EVALUATE])

    assert "needs_review" == finding(judge(kernel), "baseline.accuracy").status


def test_printed_text_is_seen(kernel: Kernel) -> None:
    kernel.left(["print(train_images.shape, test_images.shape)"], printed="(60000, 28, 28) 10000")

    assert "partial" == finding(judge(kernel), "data.explored").status


def test_answers_are_counted_where_the_file_is_known(kernel: Kernel, tmp_path: Path) -> None:
    """The file as it was last saved; a file that is no notebook counts none and breaks nothing."""
    sample = default_folder() / "samples" / "ana-completa.ipynb"
    kernel.left([], notebook=sample)
    found = judge(kernel)
    broken = tmp_path / "roto.ipynb"
    broken.write_text("{", encoding="utf-8")
    kernel.left([], notebook=broken)

    assert 5 == sum(answer.status == "found" for answer in found.answers)
    assert () == judge(kernel).answers


@pytest.mark.parametrize(("language", "word"), [("es", "provisionales"), ("en", "provisional")])
def test_the_answer_is_one_line_of_json(
    kernel: Kernel, capsys: pytest.CaptureFixture[str], language: str, word: str
) -> None:
    """Text and HTML with the same words; what a student wrote is escaped."""
    kernel.did(run(1, cell=0, epochs=2).fit)
    kernel.left(["# <script>alert(1)</script>\nmodel.fit(x)"], language=language)

    assert 0 == main([str(kernel.folder)])
    answer = json.loads(capsys.readouterr().out)
    assert word in answer["text"] and word in answer["html"]
    assert "<script>" not in answer["html"] and "&lt;script&gt;" in answer["html"]


def test_a_cell_that_failed_is_told(kernel: Kernel) -> None:
    """An error explains why something was not seen."""
    kernel.left(["1 / 0"])
    failed = cell(0, status="error", error="ZeroDivisionError")
    (kernel.folder / "cells.jsonl").write_text(failed.model_dump_json() + "\n", encoding="utf-8")

    assert "ZeroDivisionError" in spanish(finding(judge(kernel), "data.loaded").observed)
