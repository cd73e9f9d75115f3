"""The outcome of one submission, and the `result.json` that says it (schema `grader/result/1`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from grader.assignment import Assignment
from grader.evidence import CellRun, Evidence, Run
from grader.findings import Finding, Flag
from grader.locale import Readable, Translator
from grader.rubric.spec import Criterion

SCHEMA = "grader/result/1"


class State(StrEnum):
    """How a submission ended."""

    GRADED = "graded"
    NEEDS_REVIEW = "needs_review"
    UNREADABLE = "unreadable"
    GRADER_ERROR = "grader_error"


@dataclass(frozen=True)
class Student:
    """Who handed in."""

    id: str
    name: str


@dataclass(frozen=True)
class NotebookFile:
    """The file that was graded: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


SELF_CHECK = Student("self-check", "")
"""Whoever checks a notebook of their own."""
SURE = ("metadata", "cell id", "marker", "heading")


@dataclass(frozen=True)
class Mark:
    """What a person gave for one criterion of a written answer, in hundredths of a point.

    Attributes:
        at: UTC, ISO 8601.
        answer: the key (`rubric.marks.key_of`) of the text that was marked.
    """

    question: str
    criterion: str
    points: int
    comment: str = ""
    who: str = ""
    at: str = ""
    answer: str = ""

    def repeats(self, other: Mark | None) -> bool:
        """Whether another mark says the same of the same text, whoever gave it."""
        said = self.points, self.comment, self.answer
        return other is not None and said == (other.points, other.comment, other.answer)


@dataclass(frozen=True)
class Answer:
    """A written answer, as found.

    Attributes:
        marks: what counts, by criterion; criteria that are missing wait for a person.
        earlier: marks of another text, or of a level that is no more; they count nothing.
        elsewhere: the student also wrote text that names no question.
    """

    question: str
    status: Literal["found", "missing", "needs_review"]
    found_by: str | None
    text: str
    cells: tuple[int, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    earlier: Mapping[str, Mark] = field(default_factory=dict)
    elsewhere: bool = False

    @property
    def sure(self) -> bool:
        """Whether our own marks or the question's name say that this is its answer."""
        return self.status == "found" and self.found_by in SURE


@dataclass(frozen=True)
class Score:
    """Points in hundredths and the grade they make.

    Attributes:
        earned: confirmed points; `possible` the automatic points; `pending` what waits for a
            person; `total` the whole assignment.
        value: the grade on the course's scale, None while anything is pending.
        lowest, highest: where the grade can still end.
        late_s: seconds late, None when not known; `deduction` in points of the scale.
    """

    earned: int
    possible: int
    pending: int
    total: int
    value: Decimal | None
    lowest: Decimal
    highest: Decimal
    late_s: int | None = None
    deduction: Decimal = Decimal(0)


@dataclass(frozen=True)
class Graded:
    """Everything about one graded submission: what `report` renders and `gradebook` keeps.

    Attributes:
        experiments: experiment → `id` of the run that was taken for it, None when there is none.
        problem: why it could not be read or graded, in one sentence.
        notices: what was tolerated in the file.
    """

    assignment: Assignment
    student: Student
    notebook: NotebookFile
    state: State
    score: Score
    findings: tuple[Finding, ...] = ()
    flags: tuple[Flag, ...] = ()
    answers: tuple[Answer, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    experiments: Mapping[str, int | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    problem: Readable | None = None
    notices: tuple[Readable, ...] = ()

    @property
    def self_check(self) -> bool:
        """Whether this is no grade: a person's own check, or a run without walls."""
        return self.student == SELF_CHECK or self.environment.get("sandbox") == "none"

    def run(self, experiment: str) -> Run | None:
        """Return the run that was taken for an experiment."""
        wanted = self.experiments.get(experiment)
        return next((run for run in self.evidence.runs if run.id == wanted), None)


def result_json(graded: Graded, language: str) -> dict[str, Any]:
    """Return `result.json` as plain values: points with two decimals, sentences in one language."""
    say = Translator(language)
    scale = graded.assignment.spec.scale
    score = graded.score
    return {
        "schema": SCHEMA,
        "assignment": {"id": graded.assignment.id, "sha256": graded.assignment.sha256},
        "student": {"id": graded.student.id, "name": graded.student.name},
        "notebook": {"name": graded.notebook.name, "sha256": graded.notebook.sha256},
        "state": graded.state.value,
        "problem": say(graded.problem) if graded.problem else None,
        "notices": [say(notice) for notice in graded.notices],
        "points": {
            "earned": points(score.earned),
            "possible": points(score.possible),
            "pending": points(score.pending),
            "total": points(score.total),
        },
        "late": {"by_s": score.late_s, "deduction": float(score.deduction)},
        "grade": {
            "value": None if score.value is None else float(score.value),
            "range": [float(score.lowest), float(score.highest)],
            "scale": f"{scale.minimum}–{scale.maximum}",
        },
        "findings": [_finding(finding, graded, say) for finding in graded.findings],
        "runs": [_run(run, graded) for run in graded.evidence.runs],
        "answers": [_answer(answer, graded.assignment, say) for answer in graded.answers],
        "flags": [_flag(flag, say) for flag in graded.flags],
        "cells": [_cell(cell) for cell in graded.evidence.cells],
        "environment": dict(graded.environment),
    }


def points(hundredths: int) -> float:
    """Return hundredths as points."""
    return round(hundredths / 100, 2)


def layer_texts(run: Run) -> list[str]:
    """Return a run's layers as people write them: `Dense(128, relu)`."""
    return (
        [layer_text(node.op, node.config) for node in run.fit.recipe.nodes]
        if run.fit.recipe
        else []
    )


def layer_text(op: str, config: Mapping[str, Any]) -> str:
    """Return one layer as `Class(main settings)`, the form that assignment.toml uses too."""
    name = op.rsplit(".", 1)[-1]
    main = [
        config[key]
        for key in ("units", "filters", "rate", "stddev", "kernel_size", "pool_size")
        if key in config
    ]
    if config.get("activation") not in (None, "linear"):
        main.append(config["activation"])
    words = [
        "×".join(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
        for value in main
    ]
    return f"{name}({', '.join(words)})" if words else name


def _finding(finding: Finding, graded: Graded, say: Translator) -> dict[str, Any]:
    return {
        "check": finding.check,
        "status": finding.status.value,
        "basis": finding.basis,
        "earned": points(finding.earned),
        "possible": points(finding.possible),
        "title": say(finding.title),
        "expected": say(finding.expected),
        "observed": say(finding.observed),
        "cell": finding.cell,
        "where": "" if finding.cell is None else say(graded.evidence.called(finding.cell)),
        "hint": say(finding.hint) if finding.hint else "",
        "remark": say(finding.remark) if finding.remark else "",
        "run": finding.run,
        "overridden": finding.overridden,
        "alone": None if finding.alone is None else points(finding.alone),
    }


def _flag(flag: Flag, say: Translator) -> dict[str, Any]:
    return {"kind": flag.kind, "detail": say(flag.detail), "run": flag.run}


def _run(run: Run, graded: Graded) -> dict[str, Any]:
    taken = [name for name, wanted in graded.experiments.items() if wanted == run.id]
    measured = run.measured
    return {
        "id": run.id,
        "experiment": taken[0] if taken else None,
        "cell": run.fit.cell,
        "layers": layer_texts(run),
        "epochs": run.epochs,
        "data": run.fit.data.text,
        "trained_by": run.trained_by,
        "start_test_accuracy": _rounded(run.start.test_accuracy if run.start else None),
        "train_accuracy": _rounded(measured.train_accuracy if measured else None),
        "test_accuracy": _rounded(measured.test_accuracy if measured else None),
        "gap": _rounded(measured.gap if measured else None),
        "parameters": measured.parameters if measured else None,
        "unmeasured": run.unmeasured,
        "flags": [flag.kind for flag in graded.flags if flag.run == run.id],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _answer(answer: Answer, assignment: Assignment, say: Translator) -> dict[str, Any]:
    question = assignment.rubric.questions[answer.question]
    return {
        "question": answer.question,
        "status": answer.status,
        "found_by": answer.found_by,
        "sure": answer.sure,
        "text": answer.text,
        "cells": list(answer.cells),
        "elsewhere": answer.elsewhere,
        "possible": points(question.possible),
        "pending": points(
            sum(one.possible for one in question.criteria if one.id not in answer.marks)
        ),
        "marks": {
            criterion.id: _mark(answer.marks[criterion.id], criterion, say)
            for criterion in question.criteria
            if criterion.id in answer.marks
        }
        or None,
    }


def _mark(mark: Mark, criterion: Criterion, say: Translator) -> dict[str, Any]:
    level = criterion.level(mark.points)
    return {
        "title": say(criterion.title.text),
        "points": points(mark.points),
        "possible": points(criterion.possible),
        "level": say(level.label.text) if level else "",
        "comment": mark.comment,
    }


def _cell(cell: CellRun) -> dict[str, Any]:
    return {
        "index": cell.index,
        "seconds": round(cell.seconds, 2),
        "status": cell.status,
        "error": cell.error,
    }
