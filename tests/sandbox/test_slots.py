"""Slots: whoever runs at the same time on a machine has one of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox.slots import free_slots

HELD = """
import sys
from grader.sandbox.slots import free_slots
with free_slots(2) as held:
    print(*held, flush=True)
    sys.stdin.read()
"""


def test_two_processes_never_share_a_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever each of them keeps its temporary files; the end of one frees what it held."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = set(map(int, other.stdout.readline().split()))
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        with free_slots(max(theirs) + 1) as ours:
            assert 2 == len(theirs) and set() == theirs & set(ours)
        other.kill()
        other.wait()
        with free_slots(max(theirs) + 1) as ours:
            assert theirs & set(ours)
