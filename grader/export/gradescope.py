"""Gradescope: `results.json` of one submission (gradescope/autograder_samples, docs/specs.md).

A test without `score` and `status` is shown and counts nothing: so what waits for a person is said
without being a zero. No test is hidden, since a student with a hidden test does not see the total.

What nobody could judge has no score at all. It is "required if not on each test case", and over an
empty list of test cases nothing is missing; so `tests` is empty, and `output` says what happened
and that it is no grade. A reader that wants a number all the same shows that the autograder failed,
which is the truth about a fault of ours, and no zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.export.marks import UNDECIDED, spoken, spoken_mark
from grader.locale import Readable, T, Translator
from grader.result import SCHEMA, State
from grader.sandbox import Level

OURS = T("The grader failed. This is our fault and costs no points; tell your instructor.")
WAITS = ("needs_review", "grader_error")


def results(result: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return `results.json` for a submission.

    Args:
        result: its result.json (schema `grader/result/1`).
    """
    say, points = Translator(language), result["points"]
    if result["state"] in UNDECIDED:
        seen = [f"{one['title']}: {one['observed']}" for one in result["findings"]]
        return ungraded([result.get("problem") or OURS, *seen], language, result["state"])
    said = [
        T(
            "{earned} points of {possible} automatic ones; {pending} wait for a person.",
            earned=spoken(points["earned"], say), possible=spoken(points["possible"], say),
            pending=spoken(points["pending"], say),
        )
    ]  # fmt: skip
    if result.get("environment", {}).get("sandbox") == Level.NONE:
        said.append(
            T(
                "Your notebook ran without isolation, because this machine offers none: the points "
                "are provisional until your instructor confirms them."
            )
        )
    plain = _whole([say(text) for text in said], result["state"])
    return {"score": points["earned"], **plain, "tests": [*_tests(result), *_answers(result, say)]}


def ungraded(said: Sequence[Readable | str], language: str, state: str) -> dict[str, Any]:
    """Return `results.json` for a submission that nobody could judge.

    Args:
        said: what happened, and what to do.
        state: a state of `grader/result/1`, or `missing`.
    """
    say = Translator(language)
    closing = T("No grade was given: this is not a zero.")
    return {**_whole([say(text) for text in (*said, closing)], state), "tests": []}


def failed(language: str) -> dict[str, Any]:
    """Return `results.json` for a submission on which the grader itself failed."""
    return ungraded([OURS], language, State.GRADER_ERROR.value)


def _whole(lines: Sequence[str], state: str) -> dict[str, Any]:
    """What is said of the submission as a whole."""
    return {
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"state": state, "schema": SCHEMA},
    }


def _tests(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for finding in result["findings"]:
        said = [finding[key] for key in ("expected", "observed", "hint") if finding.get(key)]
        test = {
            "name": finding["title"],
            "number": finding["check"],
            "output": "\n".join(said),
            "output_format": "text",
            "visibility": "visible",
        }
        if finding["status"] not in WAITS:
            test |= {"score": finding["earned"], "max_score": finding["possible"]}
            test["status"] = "passed" if finding["status"] == "passed" else "failed"
        yield test


def _answers(result: Mapping[str, Any], say: Translator) -> Iterator[dict[str, Any]]:
    for number, answer in enumerate(result["answers"], start=1):
        marks = list((answer["marks"] or {}).values())
        said = [spoken_mark(mark, say) for mark in marks]
        if answer["pending"]:
            waits = T(
                "Points that wait for a person: {pending}.", pending=spoken(answer["pending"], say)
            )
            said.append(say(waits))
        test = {
            "name": say(T("Question {number}", number=number)),
            "number": answer["question"],
            "output": "\n".join(said),
            "output_format": "text",
            "visibility": "visible",
        }
        if not answer["pending"]:
            earned = round(sum(mark["points"] for mark in marks), 2)
            test |= {"score": earned, "max_score": answer["possible"]}
        yield test
