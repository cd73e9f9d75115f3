"""The contract that holds the zones apart finds what it must find."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contracts():
    spec = importlib.util.spec_from_file_location("contracts", ROOT / "scripts" / "contracts.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["contracts"] = module
    spec.loader.exec_module(module)
    return module


def broken(contracts, imported: str, **options: list[str]) -> bool:
    """Is the contract broken when grader.kernel.driver imports this?"""
    graph = ImportGraph()
    external = not imported.startswith("grader")
    graph.add_module("grader.kernel.driver")
    graph.add_module(imported, is_squashed=external)
    graph.add_import(
        importer="grader.kernel.driver", imported=imported, line_number=7, line_contents="import"
    )
    contract = contracts.ZoneContract(
        name="kernel",
        session_options={"root_packages": ["grader"]},
        contract_options={"zone": ["grader.kernel"], **options},
    )
    check = contract.check(graph, verbose=False)
    assert check.metadata["broken"] == (
        [] if check.kept else [("grader.kernel.driver", imported, 7)]
    )
    return not check.kept


ALLOWED = ["stdlib", "grader.wire", "grader.dataset.identity"]


@pytest.mark.parametrize(
    ("imported", "expected"),
    [
        ("json", False),
        ("numpy", True),
        ("grader.wire", False),
        ("grader.dataset.identity", False),
        ("grader.dataset", False),
        ("grader.dataset.store", True),
        ("grader.scoring", True),
        ("grader.wireless", True),
    ],
)
def test_what_is_not_allowed_is_broken(contracts, imported, expected):
    """A zone may import what is named, its parents, and nothing else, however new."""
    assert broken(contracts, imported, allowed=ALLOWED) is expected


@pytest.mark.parametrize(
    ("imported", "expected"), [("pickle", True), ("json", False), ("keras", True), ("rich", False)]
)
def test_what_is_forbidden_is_broken_though_its_kind_is_allowed(contracts, imported, expected):
    """A forbidden module is found though the standard library and other packages are allowed."""
    assert (
        broken(contracts, imported, allowed=["stdlib", "external"], forbidden=["pickle", "keras"])
        is expected
    )


def test_an_excluded_part_is_another_zone(contracts):
    """What a contract excludes is not its business."""
    assert not broken(contracts, "pickle", allowed=["grader"], exclude=["grader.kernel"])
