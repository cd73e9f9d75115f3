"""`python -m grader.live.judge FOLDER`: what the checks say of a live kernel's records, as JSON.

The accuracies are those that the notebook itself showed, by `evaluate` or by `fit`; nothing is run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from grader import scoring
from grader.assignment import Assignment
from grader.checks import judge
from grader.checks.trust import ACCURACIES, same_data
from grader.dataset.identity import Pristine
from grader.evidence import (
    Evaluation,
    Evidence,
    Figure,
    Fit,
    Measurement,
    Note,
    Prediction,
    Run,
    Runtime,
)
from grader.grading import template_of
from grader.loading import default_folder, load_assignment
from grader.notebook import Notebook, read_notebook
from grader.records import Records, read_records, read_regular
from grader.report.live import render_live
from grader.result import Answer, Graded, NotebookFile, State, Student
from grader.rubric.answers import find_answers
from grader.unreadable import Unreadable

MAX_BYTES = 20_000_000


class Live(BaseModel):
    """What the session left beside its records (`session.CELLS`)."""

    language: str | None
    sources: list[str]
    rows: str | None
    notebook: str | None


def main(arguments: Sequence[str]) -> int:
    """Print one line of JSON: `text` and `html`."""
    assignment = load_assignment(default_folder())
    folder = Path(arguments[0])
    live = Live.model_validate_json(read_regular(folder / "live.json", MAX_BYTES))
    graded = judged(assignment, read_records(folder), live)
    language = live.language if live.language in ("es", "en") else assignment.spec.language
    print(json.dumps(render_live(graded, language, live.notebook is not None)))
    return 0


def judged(assignment: Assignment, records: Records, live: Live) -> Graded:
    """Judge what a kernel has done so far."""
    notebook = _notebook(live.notebook)
    evidence = _evidence(records, live, assignment)
    verdict = judge(assignment, evidence)
    answers = _answers(assignment, notebook)
    return Graded(
        assignment=assignment,
        student=Student("live", ""),
        notebook=NotebookFile(Path(live.notebook).name if live.notebook else "", ""),
        state=State.GRADED,
        score=scoring.score(assignment, verdict.findings, answers),
        findings=verdict.findings,
        answers=answers,
        evidence=evidence,
        experiments=verdict.experiments,
    )


def _evidence(records: Records, live: Live, assignment: Assignment) -> Evidence:
    splits, labels = _dataset(live.rows, assignment)
    evaluations = records.of(Evaluation)
    test = splits.get(assignment.spec.dataset.test, (0, 0))
    runtimes = records.of(Runtime)
    return Evidence(
        cells=records.cells,
        runs=tuple(_run(fit, evaluations, test) for fit in records.of(Fit)),
        evaluations=evaluations,
        predictions=records.of(Prediction),
        figures=records.of(Figure),
        notes=records.of(Note),
        unread=records.unread,
        runtime=runtimes[-1] if runtimes else None,
        sources=tuple(live.sources),
        splits=splits,
        labels=labels,
        live=True,
    )


def _dataset(
    rows: str | None, assignment: Assignment
) -> tuple[dict[str, tuple[int, int]], tuple[int, ...]]:
    """Where the splits begin and end, and the first labels; nothing before any data was used."""
    if rows is None:
        return {}, ()
    pristine = Pristine.open(Path(rows))
    first, _ = pristine.splits[assignment.spec.dataset.test]
    return dict(pristine.splits), tuple(map(int, pristine.labels(range(first, first + 64))))


def _run(fit: Fit, evaluations: Sequence[Evaluation], test: tuple[int, int]) -> Run:
    """A fit with the accuracies that the notebook itself showed for it, where it showed both."""
    epochs = fit.epochs_before + fit.epochs_run
    run = Run(fit=fit, epochs=epochs, trained_by="kernel (unverified)")
    mine = [one for one in evaluations if one.chain == fit.chain and one.epochs == epochs]
    tested = [one for one in mine if same_data(one, run, test)]
    trained = [one for one in mine if one.data.recognised and one.data.rows == fit.data.rows]
    on_test = _shown(tested[-1].results) if tested else None
    on_train = _shown(trained[-1].results) if trained else _last(fit)
    if on_test is None or on_train is None:
        return run
    measured = Measurement(
        train_accuracy=on_train, train_loss=0.0, test_accuracy=on_test, test_loss=0.0,
        confusion=[], mistakes=[], parameters=0,
    )  # fmt: skip
    return replace(run, measured=measured)


def _shown(results: dict[str, Any]) -> float | None:
    found = (results.get(name) for name in ACCURACIES)
    return next((float(value) for value in found if value is not None and 0 <= value <= 1), None)


def _last(fit: Fit) -> float | None:
    return _shown({name: values[-1] for name, values in fit.history.items() if values})


def _notebook(path: str | None) -> Notebook | None:
    if path is not None:
        with suppress(OSError, Unreadable):
            return read_notebook(Path(path).read_bytes(), Path(path).name)
    return None


def _answers(assignment: Assignment, notebook: Notebook | None) -> tuple[Answer, ...]:
    if notebook is None:
        return ()
    template = template_of(assignment)
    return find_answers(notebook, template, assignment.rubric.questions)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
