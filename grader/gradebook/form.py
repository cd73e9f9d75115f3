"""What a run left, as JSON: how the gradebook keeps it, and how it travels between machines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from grader.evidence import Evidence
from grader.grading import Gathered
from grader.locale import Text
from grader.notebook import Cell, Notebook
from grader.result import NotebookFile

_EVIDENCE = TypeAdapter(Evidence)


def now() -> str:
    """Return the time as every row has it: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def to_json(gathered: Gathered) -> str:
    """Return all that a run left, as one line of ASCII."""
    notebook = gathered.notebook
    problem = gathered.problem
    return json.dumps(
        {
            "file": {"name": gathered.file.name, "sha256": gathered.file.sha256},
            "notebook": notebook and {
                "name": notebook.name,
                "sha256": notebook.sha256,
                "language": notebook.language,
                "notices": [text_form(notice) for notice in notebook.notices],
                "cells": [
                    {
                        "index": cell.index,
                        "id": cell.id,
                        "kind": cell.kind,
                        "source": cell.source,
                        "role": dict(cell.role),
                    }
                    for cell in notebook.cells
                ],
            },
            "evidence": json.loads(_EVIDENCE.dump_json(gathered.evidence)),
            "environment": dict(gathered.environment),
            "problem": text_form(problem) if isinstance(problem, Text) else None,
            "fault": gathered.fault,
            "under": gathered.under,
            "shown": list(gathered.shown),
        },
        ensure_ascii=True,
    )  # fmt: skip


def from_json(text: str) -> Gathered:
    """Return what `to_json` was given.

    Raises:
        ValueError, KeyError, TypeError: it is none of ours.
    """
    plain = json.loads(text)
    notebook = plain["notebook"]
    return Gathered(
        file=NotebookFile(**plain["file"]),
        notebook=notebook
        and Notebook(
            name=notebook["name"],
            sha256=notebook["sha256"],
            cells=tuple(Cell(**cell) for cell in notebook["cells"]),
            notices=tuple(text_of(notice) for notice in notebook["notices"]),
            language=notebook["language"],
        ),
        evidence=_EVIDENCE.validate_json(json.dumps(plain["evidence"])),
        environment=plain["environment"],
        problem=plain["problem"] and text_of(plain["problem"]),
        fault=plain["fault"],
        under=plain["under"],
        shown=tuple(plain["shown"]),
    )


def text_form(text: Text) -> dict[str, Any]:
    """Return a text as plain values; texts that stand in it, likewise."""
    return {
        "template": text.template,
        "values": {key: _value(value) for key, value in text.values.items()},
    }


def _value(value: Any) -> Any:
    if isinstance(value, Text):
        return text_form(value)
    return [_value(item) for item in value] if isinstance(value, list | tuple) else value


def text_of(plain: dict[str, Any]) -> Text:
    """Return the text that `text_form` was given."""
    return Text(
        plain["template"], {key: _from_value(value) for key, value in plain["values"].items()}
    )


def _from_value(value: Any) -> Any:
    if isinstance(value, dict):
        return text_of(value)
    return tuple(_from_value(item) for item in value) if isinstance(value, list) else value
