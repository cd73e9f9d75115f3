"""What a sandbox leaves is read as hostile data: whole and valid, or dropped and counted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from grader import wire
from grader.evidence import DEPTH, Figure, Fit, Measurement, Note
from grader.execution import Execution
from grader.recipes import plain
from grader.records import read_records, read_regular
from grader.sandbox import Ended
from tests.factories import measurement, run

FIT = plain(run(1).fit)
CELL = {"kind": "cell", "index": 0, "status": "ok", "seconds": 0.5, "outputs": []}


def left(folder: Path, *events: Any, cells: tuple[Any, ...] = (CELL,)) -> Path:
    """A run folder with these lines; a string is a line as it is."""
    for name, records in ((wire.EVENTS, events), (wire.CELLS, cells)):
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_honest_records_are_read(tmp_path: Path) -> None:
    """A fit, a note and a cell come back as they were written."""
    note = {"kind": "note", "id": 2, "cell": 1, "what": "shell", "detail": "pip"}
    records = read_records(left(tmp_path, FIT, note))

    assert ((), 1, 1, 1) == (
        records.dropped, len(records.of(Fit)), len(records.of(Note)), len(records.cells),
    )  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        "no json",
        "[" * 100_000,
        "[]",
        "null",
        {**FIT, "kind": "verdict"},
        {**FIT, "epochs_run": -1},
        {**FIT, "epochs_run": True},
        {**FIT, "epochs_run": "10"},
        {**FIT, "epochs_run": 10**12},
        {**FIT, "points": 70},
        {**FIT, "data": None},
        {**FIT, "history": {"accuracy": ["1"]}},
        json.dumps({**FIT, "seconds": float("nan")}),
        json.dumps({**FIT, "seconds": float("inf")}),
        {**FIT, "model": "x" * 301},
        {**FIT, "seeds": [[-1]]},
        {**FIT, "recipe": {"input_shape": [28], "nodes": [{"op": "Dense", "inputs": [101]}]}},
        {**FIT, "data": FIT["data"] | {"rows": [[0, 10, 20]]}},
        {
            **FIT,
            "recipe": {"input_shape": [28, 28], "nodes": [{"op": "Dense", "inputs": [0]}] * 101},
        },
        {key: value for key, value in FIT.items() if key != "chain"},
    ],
)
def test_what_does_not_fit_is_dropped_and_counted(tmp_path: Path, bad: Any) -> None:
    """A record with another shape proves nothing; the honest one beside it stays."""
    records = read_records(left(tmp_path, bad, FIT))

    assert (1, 1) == (len(records.dropped), len(records.of(Fit)))


def test_a_line_over_the_cap_is_dropped(tmp_path: Path) -> None:
    """One endless line costs itself only, valid as it is."""
    endless = json.dumps(FIT) + " " * wire.MAX_RECORD_BYTES
    records = read_records(left(tmp_path, endless, FIT))

    assert (1, 1) == (len(records.dropped), len(records.of(Fit)))


def test_outputs_nested_too_deep_to_be_kept_are_dropped(tmp_path: Path) -> None:
    """What is read here must also be read again where it stands in other JSON."""
    for depth, dropped in ((DEPTH - 2, 0), (DEPTH, 1), (180, 1)):
        nested = json.loads("[" * depth + "]" * depth)
        cell = {**CELL, "outputs": [{"data": {"application/json": nested}}]}
        records = read_records(left(tmp_path, cells=(cell,)))

        assert (1 - dropped, dropped) == (len(records.cells), len(records.dropped))


def test_a_truncated_last_line_is_dropped(tmp_path: Path) -> None:
    """A process that dies while it writes loses that record only."""
    records = read_records(left(tmp_path, FIT, json.dumps(FIT)[:-20]))

    assert (1, 1) == (len(records.dropped), len(records.of(Fit)))


def test_figures_beyond_the_cap_are_dropped(tmp_path: Path) -> None:
    """A thousand axes take a few kilobytes of JSON and a megabyte of memory."""
    figures = [
        {"kind": "figure", "id": number, "cell": 0, "axes": [{}]}
        for number in range(wire.MAX_FIGURES + 2)
    ]
    records = read_records(left(tmp_path, *figures, FIT))

    assert (2, wire.MAX_FIGURES, 1) == (
        len(records.dropped), len(records.of(Figure)), len(records.of(Fit)),
    )  # fmt: skip
    assert records.unread


def test_records_beyond_the_cap_are_not_read_and_that_is_said(tmp_path: Path) -> None:
    """Twenty thousand records are more than a workshop makes."""
    note = {"kind": "note", "id": 2, "cell": 1, "what": "shell"}
    notes = [note] * (wire.MAX_RECORDS - 1)
    full = read_records(left(tmp_path, *notes, FIT))
    over = read_records(left(tmp_path, *notes, note, FIT, FIT))

    assert ((), False, 1) == (full.dropped, full.unread, len(full.of(Fit)))
    assert (("events.jsonl: 2 records at its end",), True) == (over.dropped, over.unread)
    assert (wire.MAX_RECORDS, 0) == (len(over.of(Note)), len(over.of(Fit)))


def test_a_file_over_the_cap_is_not_read(tmp_path: Path) -> None:
    """A hole of 64 MB behind an honest record: none of it is held in memory."""
    with (left(tmp_path, FIT) / wire.EVENTS).open("r+b") as file:
        file.truncate(wire.MAX_RECORDS_BYTES + 1)
    records = read_records(tmp_path)

    assert (1, True, 0) == (len(records.dropped), records.unread, len(records.of(Fit)))


def test_variables_over_the_cap_are_none(tmp_path: Path) -> None:
    """What a local fit hands over is read up to 25 MB."""
    (tmp_path / wire.VARIABLES).mkdir()
    ended = Ended("exited", 0, 1.0, None, None, 0, "")
    execution = Execution(read_records(tmp_path), ended, tmp_path)
    sizes = (wire.MAX_BLOB_BYTES, wire.MAX_BLOB_BYTES + 1)
    for size in sizes:
        with (tmp_path / wire.VARIABLES / f"{size}").open("wb") as file:
            file.truncate(size)
    found = [execution.variables(f"{size}") for size in sizes]

    assert (wire.MAX_BLOB_BYTES, None) == (len(found[0] or b""), found[1])


def test_a_measurement_of_too_many_classes_is_refused() -> None:
    """A trainer's answer passes a model, too."""
    answer = plain(measurement())
    Measurement.model_validate({**answer, "confusion": [[1]] * wire.MAX_CLASSES})

    with pytest.raises(ValidationError):
        Measurement.model_validate({**answer, "confusion": [[1]] * (wire.MAX_CLASSES + 1)})


def test_nothing_left_is_no_evidence(tmp_path: Path) -> None:
    """Missing files give no records and say so."""
    records = read_records(tmp_path)

    assert (2, (), ()) == (len(records.dropped), records.events, records.cells)
    assert not records.unread


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """Links, pipes and folders in a file's place are refused, without waiting for a writer."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(OSError, match=r".+"):
            read_regular(tmp_path / name, 100)
    with pytest.raises(OSError, match="at most 0"):
        read_regular(secret, 0)

    assert b"x" == read_regular(secret, 1)
