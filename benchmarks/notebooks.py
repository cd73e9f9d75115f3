"""Notebooks as plain values: the workshop's template filled in, parts of them, no training."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.loading import default_folder

Notebook = dict[str, Any]
EMPTY = "# Escribe aquí tu código"
TRAINED_ROWS = 32  # of a call of `fit` that trains nothing to speak of


def template() -> Notebook:
    """Return the notebook that students get."""
    read: Notebook = json.loads((default_folder() / "taller3.ipynb").read_text(encoding="utf-8"))
    return read


def code(identity: str, source: str) -> dict[str, Any]:
    """Return a code cell without outputs."""
    return {
        "cell_type": "code", "id": identity, "metadata": {}, "source": source,
        "outputs": [], "execution_count": None,
    }  # fmt: skip


def filled(sources: Mapping[str, str], answer: str, order: Sequence[str]) -> Notebook:
    """Return the template with code in its cells.

    Args:
        sources: cell id → code; `<id>+` is a further cell after that one. A heading that the
            template's cell begins with stays.
        answer: what stands below each question.
        order: of the experiments after the baseline, each with the text before it.
    """
    notebook = template()
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        identity = cell["id"]
        if identity in sources:
            heading = source.split("\n")[0] if EMPTY in source else ""
            source = (f"{heading}\n" if heading else "") + sources[identity]
        elif cell["metadata"].get("grader", {}).get("role") == "answer":
            source = f"{source}\n\n{answer}"
        cells.append({**cell, "source": source.rstrip("\n")})
        if f"{identity}+" in sources:
            cells.append(code(f"{identity}-more", sources[f"{identity}+"].rstrip("\n")))
    notebook["cells"] = _ordered(cells, order)
    return notebook


def _ordered(cells: list[dict[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    """Move the blocks of the experiments (text, code, further cells) into an order."""
    blocks: dict[str, list[dict[str, Any]]] = {
        name: [cell for cell in cells if cell["id"].startswith(f"t3-{name}")] for name in order
    }
    moved = [cell for name in order for cell in blocks[name]]
    first = min(index for index, cell in enumerate(cells) if cell in moved)
    kept = [cell for cell in cells if cell not in moved]
    return kept[:first] + moved + kept[first:]


def changed(notebook: Notebook, change: Callable[[str, str], str]) -> Notebook:
    """Return a notebook with the code cells' sources changed by `change(id, source)`."""
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = change(cell["id"], "".join(cell["source"]))
    return made


def only(notebook: Notebook, identities: Sequence[str]) -> Notebook:
    """Return a notebook with these code cells alone, in its own order."""
    kept = [cell for cell in notebook["cells"] if cell["id"] in identities]
    return {**copy.deepcopy(notebook), "cells": copy.deepcopy(kept)}


def without_training(notebook: Notebook) -> Notebook:
    """Return a notebook whose calls of `fit` see one batch once; everything else is as it was."""
    return changed(notebook, lambda identity, source: _untrained(source))


def _untrained(source: str) -> str:
    return ast.unparse(_Untrained().visit(ast.parse(source)))


class _Untrained(ast.NodeTransformer):
    DROPPED = ("epochs", "validation_split", "validation_data", "callbacks")

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Attribute) and node.func.attr == "fit"):
            return node
        node.args = [self._cut(one) for one in node.args]
        kept = [one for one in node.keywords if one.arg not in self.DROPPED]
        for keyword in kept:
            if keyword.arg in ("x", "y"):
                keyword.value = self._cut(keyword.value)
        node.keywords = [*kept, ast.keyword("epochs", ast.Constant(1))]
        return node

    @staticmethod
    def _cut(rows: ast.expr) -> ast.expr:
        return ast.Subscript(rows, ast.Slice(upper=ast.Constant(TRAINED_ROWS)), ast.Load())


def write(path: Path, notebook: Notebook) -> Path:
    """Write a notebook; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
