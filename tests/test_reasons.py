"""Every reason that kernel, trainer or controller leave is known in the reader's language."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from grader.locale import Translator
from grader.reasons import said
from tests.factories import ROOT

# Functions and exceptions whose text becomes `Data.reason`, `Fit.reason`, `Fit.unsaid` or
# `Run.unmeasured`, and the functions that return such a text.
RAISED = {"NoRecipe", "Unsaid", "Unverifiable", "unrecognised"}
RETURNED = {"why_unsaid", "why_unverifiable"}
FILES = (
    "kernel/data.py", "kernel/recipes.py", "kernel/plans.py", "kernel/loops.py",
    "kernel/observer.py", "measuring.py", "verifying.py",
)  # fmt: skip


def texts(node: ast.expr | None) -> Iterator[str]:
    """The strings that an expression may be; names in an f-string become a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values
        )
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def reasons() -> Iterator[str]:
    for name in FILES:
        tree = ast.parse((ROOT / "grader" / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in RAISED:
                for argument in node.args:
                    yield from texts(argument)
            if isinstance(node, ast.FunctionDef) and node.name in RETURNED:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return):
                        yield from texts(inner.value)
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "reason":
                        yield from texts(value)
            if isinstance(node, ast.keyword) and node.arg == "unmeasured":
                yield from texts(node.value)


REASONS = sorted(set(reasons()))


def test_there_are_reasons_to_look_at() -> None:
    """The walk finds what the files write."""
    assert len(REASONS) > 30
    assert "the model has parts of its own" not in REASONS  # of a local fit, which nobody is told


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_said_in_spanish(reason: str) -> None:
    """None of ours reaches a student in English."""
    spanish = Translator("es")(said(reason))

    assert "el programa respondió" not in spanish
    assert reason not in spanish


def test_what_a_library_says_is_quoted() -> None:
    """A text that is not ours is shown as it is, and never read as a template."""
    assert "el programa respondió «bad {0} <b>»" == Translator("es")(said("bad {0} <b>"))


def test_no_reason_is_no_reason() -> None:
    assert "no se sabe el motivo" == Translator("es")(said(None))


def test_names_are_kept() -> None:
    """What the reason names is in the sentence."""
    holds = "the model holds Mia, which only the notebook itself can build"

    assert "contiene Mia, que solo el propio cuaderno puede construir" == Translator("es")(
        said(holds)
    )
    assert "Lookahead" in Translator("es")(said("Lookahead is not on the allow-list"))
    assert "mse" in Translator("es")(said("losses: 'mse' is not on the allow-list"))


@pytest.mark.parametrize(
    "reason",
    [
        "x: '' is not on the allow-list", "x: \"\" is not on the allow-list", "{name}", "{0}",
        "the model holds , which only the notebook itself can build", "fit was given ", "\n",
        "the  of  is not plain", "Ñandú has a {setting}", "a" * 300, "(" * 300,
    ],
)  # fmt: skip
def test_a_hostile_reason_is_still_said(reason: str) -> None:
    """Whatever a kernel leaves as a reason becomes a sentence, in both languages."""
    assert Translator("es")(said(reason)) and Translator("en")(said(reason))


@pytest.mark.parametrize(
    "reason",
    [
        "a batch of 60000 rows is too large for this model: all layers keep 9 values of each row",
        "60000 rows in batches of 1 take this model too long",
    ],
)
def test_what_a_trainer_refuses_for_its_size_is_said(reason: str) -> None:
    """A batch size is the student's own choice."""
    assert "con este tamaño de lote" in Translator("es")(said(reason))
