"""Hostile archives and damaged notebooks through intake, the judgement and the report.

Another process reads them (`tests.attacks.reading`), so that its memory, its time and the files
that it opens are its own: no exception, no hang, at most 500 MB, a verdict for each and a valid
report.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.shapes import HEAVY, archives, collected, corpus, notebooks

MOST_MB = 500
ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 40, 500
NOTEBOOKS, MANY_NOTEBOOKS = 40, 10_000


def read(folder: Path, record: Any) -> Counter[str]:
    """Read every file of a folder in a process of its own; return the verdicts."""
    names = sorted(path.name for path in folder.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "tests.attacks.reading", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=1_500, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert 0 == done.returncode, (done.stdout.splitlines()[-1:], done.stderr[-2_000:])
    *lines, last = map(json.loads, done.stdout.splitlines())
    assert names == [line["file"] for line in lines]
    assert [] == [other for line in lines for other in line["others"]]  # nothing but the archive
    assert names == sorted(path.name for path in folder.iterdir())
    record("peak MB", last["peak_mb"])
    assert last["peak_mb"] <= MOST_MB
    found = Counter(verdict for line in lines for verdict in line["verdicts"])
    record("files with verdicts", f"{len(lines)}: {dict(found.most_common())}")
    return found


def written(folder: Path, files: list[bytes], suffix: str) -> Path:
    folder.mkdir()
    for number, data in enumerate(files):
        (folder / f"{number:05}{suffix}").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    "count", [FEW, pytest.param(MANY, marks=[pytest.mark.long, pytest.mark.timeout(1800)])]
)
def test_archives_have_verdicts(tmp_path: Path, count: int, record_property: Any) -> None:
    """Slips, links, twins, bombs, lies about sizes and places, locks, cuts: each ends in words."""
    made = corpus() + collected(archives(), count)
    found = read(written(tmp_path / "in", made, ".zip"), record_property)

    assert {"refused", "ignored", "read"} <= set(found)


@pytest.mark.parametrize(
    "count",
    [NOTEBOOKS, pytest.param(MANY_NOTEBOOKS, marks=[pytest.mark.long, pytest.mark.timeout(1800)])],
)
def test_notebooks_have_reports(tmp_path: Path, count: int, record_property: Any) -> None:
    """Hostile answers in damaged sheets: each is read or says what it looks like, and is shown."""
    made = collected(notebooks(), count)
    found = read(written(tmp_path / "in", made, ".ipynb"), record_property)

    assert count == found.total() and found["read"] >= count // 5


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", HEAVY)
def test_files_at_the_caps_stay_small_in_memory(
    tmp_path: Path, name: str, record_property: Any
) -> None:
    """Fifty megabytes of numbers, of keys, of escapes; bombs; two thousand students."""
    read(written(tmp_path / "in", [HEAVY[name]()], ".zip"), record_property)
