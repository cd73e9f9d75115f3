"""What a class page needs of a result.json: a few hundred bytes instead of a hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.similar import long_key


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the short form of a result.json (schema `grader/result/1`).

    `marked` says of each answer how many criteria a person has marked, `long_answers` which words
    (`similar.long_key`) a long one has.
    """
    points, grade = result["points"], result["grade"]
    return {
        "student": result["student"]["id"],
        "name": result["student"]["name"],
        "state": result["state"],
        "problem": result["problem"],
        "earned": points["earned"],
        "possible": points["possible"],
        "pending": points["pending"],
        "total": points["total"],
        "grade": [grade["value"], *grade["range"]],
        "late": [result["late"]["by_s"], result["late"]["deduction"]],
        "flags": sorted({flag["kind"] for flag in result["flags"]}),
        "findings": {
            one["check"]: [one["status"], one["earned"], one["possible"]]
            for one in result["findings"]
        },
        "measured": {
            run["experiment"]: [run["test_accuracy"], run["gap"]]
            for run in result["runs"]
            if run["experiment"] is not None and run["test_accuracy"] is not None
        },
        "marked": {one["question"]: len(one["marks"] or ()) for one in result["answers"]},
        "long_answers": dict(_long_answers(result["answers"])),
        "seconds": round(sum(cell["seconds"] for cell in result["cells"])),
    }


def _long_answers(answers: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in answers:
        key = long_key(one["text"]) if one["status"] == "found" else None
        if key is not None:
            yield one["question"], key
