"""The JSON Schema of `result.json`, which other programs rely on.

`python -m grader.report.schema > docs/schema/result.schema.json` writes the published file.
"""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from grader.evidence import CellRun, Run
from grader.findings import Basis, Status
from grader.result import SCHEMA, State

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
POINTS: Schema = {"type": "number", "minimum": 0}  # floats break `multipleOf`
POINTS_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0}
FRACTION_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SHA256: Schema = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}


def result_schema() -> Schema:
    """Return the schema (draft 2020-12) of what `grader.result.result_json` gives."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:grader:result:1",
        "title": "result.json",
        "description": "The outcome of one submission. Numbers are finite; points have at most "
        "two decimals; accuracies are fractions.",
        **_object(
            schema={"const": SCHEMA},
            assignment=_object(id=TEXT, sha256=SHA256),
            student=_object(id=TEXT, name=TEXT),
            notebook=_object(name=TEXT, sha256=SHA256),
            state=_words(State, "How the submission ended."),
            problem=_said(TEXT_OR_NULL, "Why it could not be read or graded."),
            notices=_list(TEXT, "What was tolerated in the file."),
            points=_points(),
            late=_late(),
            grade=_grade(),
            findings=_list(_finding(), "One for each check of the assignment."),
            runs=_list(_run(), "Every training that was recorded."),
            answers=_list(_answer(), "The written answers."),
            flags=_list(_flag(), "What a person should look at; none takes points away."),
            cells=_list(_cell(), "The notebook's code cells as they ran."),
            environment={"type": "object", "additionalProperties": TEXT},
        ),
    }


def _points() -> Schema:
    return _object(
        earned=_said(POINTS, "Confirmed points."),
        possible=_said(POINTS, "The automatic points."),
        pending=_said(POINTS, "Points that wait for a person."),
        total=_said(POINTS, "All points of the assignment."),
    )


def _late() -> Schema:
    return _object(
        by_s=_said(COUNT_OR_NULL, "Seconds late; null when not known."),
        deduction=_said({"type": "number", "minimum": 0}, "In points of the scale."),
    )


def _grade() -> Schema:
    ends = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
    return _object(
        value=_said({"type": ["number", "null"]}, "Null while anything is pending."),
        range=_said(ends, "Where the grade can still end."),
        scale=_said(TEXT, "Lowest and highest grade, such as 0.0–5.0."),
    )


def _finding() -> Schema:
    return _object(
        check=_said(TEXT, "The check's name in assignment.toml."),
        status=_words(Status, "needs_review and grader_error leave the points pending."),
        basis={"enum": list(get_args(Basis))},
        earned=POINTS,
        possible=POINTS,
        title=TEXT,
        expected=TEXT,
        observed=TEXT,
        cell=_said(COUNT_OR_NULL, "Index of the cell to look at, as in `cells`; null for none."),
        where=_said(TEXT, "The same cell in words, with Jupyter's number; empty for none."),
        hint=TEXT,
        remark=TEXT,
        run=_said(COUNT_OR_NULL, "The id of the run that was judged."),
        overridden=_said(TEXT_OR_NULL, "Why a person decided otherwise."),
        alone=_said(POINTS_OR_NULL, "What the run alone gives where a person decided."),
    )


def _run() -> Schema:
    return _object(
        id=COUNT,
        experiment=_said(TEXT_OR_NULL, "The experiment that this run was taken for."),
        cell=COUNT_OR_NULL,
        layers=_list(TEXT),
        epochs=_said(COUNT, "Of the same variables up to this run's end."),
        data=_said(TEXT, "The rows that were trained on."),
        trained_by={"enum": list(get_args(_annotation(Run, "trained_by")))},
        start_test_accuracy=FRACTION_OR_NULL,
        train_accuracy=FRACTION_OR_NULL,
        test_accuracy=FRACTION_OR_NULL,
        gap={"type": ["number", "null"], "minimum": -1, "maximum": 1},
        parameters=COUNT_OR_NULL,
        unmeasured=_said(TEXT_OR_NULL, "Why it could not be measured."),
        flags=_list(TEXT),
    )


def _answer() -> Schema:
    mark = _object(
        title=_said(TEXT, "What the criterion is about."),
        points=POINTS,
        possible=POINTS,
        level=_said(TEXT, "The level's name in the report's language."),
        comment=_said(TEXT, "What the marker wrote, as it was written."),
    )
    marks = {"type": ["object", "null"], "additionalProperties": mark}
    return _object(
        question=TEXT,
        status={"enum": ["found", "missing", "needs_review"]},
        found_by=TEXT_OR_NULL,
        sure={"type": "boolean"},
        text=TEXT,
        cells=_list(COUNT),
        elsewhere={"type": "boolean"},
        possible=_said(POINTS, "What the question is worth."),
        pending=_said(POINTS, "Of that, what waits for a person."),
        marks=_said(marks, "By criterion; null until a person marks one. What is missing waits."),
    )


def _flag() -> Schema:
    return _object(kind=TEXT, detail=TEXT, run=COUNT_OR_NULL)


def _cell() -> Schema:
    return _object(
        index=COUNT,
        seconds=NUMBER,
        status={"enum": list(get_args(_annotation(CellRun, "status")))},
        error=TEXT_OR_NULL,
    )


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema, description: str = "") -> Schema:
    made: Schema = {"type": "array", "items": items}
    return _said(made, description) if description else made


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _words(words: type[State] | type[Status], description: str) -> Schema:
    return {"enum": [word.value for word in words], "description": description}


def _annotation(owner: type, name: str) -> Any:
    return get_type_hints(owner)[name]


def text() -> str:
    """Return the published file's text."""
    return json.dumps(result_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    print(text(), end="")
