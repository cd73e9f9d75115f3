"""Every type, constraint, entry and cap at the borders is needed: less one, something gets through.

The tables go to benchmarks/borders.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from pydantic.errors import PydanticUserError

from grader import wire
from grader.recipes import Record
from tests.attacks.borders import caps, schema
from tests.attacks.borders.aims import AIMED
from tests.attacks.borders.honest import EXAMPLES

TABLE = Path(__file__).parents[2] / "benchmarks" / "borders.md"
HEAD = """# The borders that data cross, one knob less at a time

Written by `tests/attacks/test_borders.py` (`make test-long`), which finds the knobs in the source.
[mutations.md](mutations.md) does the same to the walls.
"""
SCHEMA = """
## Fields of records and requests

Each line is a type, a constraint or a word of the models that all data from inside the walls must
pass, and what passed when it was taken away (or, for a word, what honest record no longer did).

| knob | got through |
|---|---|
"""
LISTS = """
## Entries of the allow-lists

Each line is a class or a setting that a trainer may rebuild, and the object of Keras's own that
no longer came back from the kernel's side and the trainer's as it was.

| knob | did not come back |
|---|---|
"""
CAPS = """
## Caps

Each line is a place that holds something against a cap, and the test that failed when it did not.

| knob | test |
|---|---|
"""
QUICK = 12
"""Knobs of the schema in `make test`: every so many-th."""


def keep(head: str, lines: Iterable[str]) -> None:
    """Write one section of the table; the others stay."""
    text = TABLE.read_text(encoding="utf-8") if TABLE.is_file() else HEAD
    title = head.strip().partition("\n")[0]
    before, found, after = text.partition(f"\n{title}\n")
    rest = after.partition("\n## ")
    more = f"\n## {rest[2]}" if found and rest[1] else ""
    TABLE.write_text(f"{before}{head}{chr(10).join(lines)}\n{more}", encoding="utf-8")


@pytest.fixture(scope="module")
def whole() -> schema.Border:
    """The models as they are."""
    return schema.Border()


@pytest.fixture(scope="module")
def refused(whole: schema.Border) -> list[schema.Changed]:
    """All that the models as they are do not let pass."""
    return [one for one in schema.changes() if not whole.passes(one.sort, one.data)]


def through(knob: schema.Knob, refused: list[schema.Changed]) -> str:
    """What passes without this knob, or which honest record does not; empty: it changes nothing."""
    try:
        less = schema.Border(knob)
    except PydanticUserError as error:
        return f"the kinds cannot be told apart any more ({error.code})"
    if knob.what.startswith("the word"):
        for sort, records in EXAMPLES.items():
            for record in records:
                if not less.passes(sort, record):
                    return f"an honest {record.get('kind', record.get('op'))} no longer"
    for one in sorted(refused, key=lambda one: not one.names(knob.owner)):
        if less.passes(one.sort, one.data):
            return str(one)
    return ""


def test_honest_records_pass(whole: schema.Border) -> None:
    """What the knobs are tried with is honest where nothing was changed in it."""
    stopped = [
        (sort, record)
        for sort, records in EXAMPLES.items()
        for record in records
        if not whole.passes(sort, record)
    ]

    assert [] == stopped


def test_every_field_is_found_and_has_a_value_in_an_honest_record() -> None:
    """A field that is in no example would be tried with nothing."""
    seen = {step for one in schema.changes() for step in one.path}
    fields = {knob.owner for knob in schema.all_knobs() if knob.what == "its type"}
    models = [one for one in Record.__subclasses__() if one.__module__ in schema.MODULES]

    assert {f"{one.__name__}.{name}" for one in models for name in one.model_fields} == fields
    assert set() == {field for field in fields if field.partition(".")[2] not in seen}


def test_some_parts_of_the_schema_are_needed(refused: list[schema.Changed]) -> None:
    """A share of the knobs, quickly."""
    knobs = schema.all_knobs()[::QUICK]

    assert [] == [knob.name for knob in knobs if not through(knob, refused)]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_part_of_the_schema_is_needed(
    refused: list[schema.Changed], record_property: Callable[[str, object], None]
) -> None:
    """Each type, constraint and word holds something back that nothing else does."""
    rows = {knob.name: through(knob, refused) for knob in schema.all_knobs()}
    spared = [name for name, how in rows.items() if not how]
    lines = [f"| `{name}` | {how} |" for name, how in rows.items() if how]
    keep(SCHEMA, lines)
    record_property("parts of the schema that are needed", f"{len(lines)} of {len(rows)}")

    assert [] == spared


def lost_without_each_entry(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """For each entry of the allow-lists what is not rebuilt without it; empty: all is."""
    from tests.attacks.borders import lists

    rows = {}
    for entry in lists.all_entries():
        honest = entry.honest()
        assert entry.comes_back(honest), f"{entry}: it does not come back with the entry either"
        with monkeypatch.context() as patch:
            patch.setattr(wire, entry.table, entry.without())
            rows[str(entry)] = "" if entry.comes_back(honest) else entry.shown(honest)
    return rows


@pytest.mark.tf
def test_every_entry_of_the_allow_lists_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less one class or setting, an honest object of Keras's own is not rebuilt any more."""
    rows = lost_without_each_entry(monkeypatch)

    assert len(rows) > 200
    assert [] == [name for name, lost in rows.items() if not lost]


@pytest.mark.long
@pytest.mark.tf
def test_the_table_of_the_allow_lists(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """The same, written down."""
    rows = lost_without_each_entry(monkeypatch)
    lines = [f"| `{name}` | `{lost}` |" for name, lost in rows.items() if lost]
    keep(LISTS, lines)
    record_property("entries of the allow-lists that are needed", f"{len(lines)} of {len(rows)}")

    assert len(lines) == len(rows)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> caps.Copy:
    """The project, to be changed elsewhere."""
    return caps.Copy(tmp_path_factory.mktemp("copy"))


def test_every_cap_has_a_test() -> None:
    """No use of a cap is in no table, and no line of the table is of a cap that is gone."""
    assert sorted(str(use) for use in caps.all_uses()) == sorted(AIMED)


def test_a_cap_that_is_gone_is_seen(copy: caps.Copy) -> None:
    """One of them, quickly: its test passes in the copy, and fails without it."""
    use = next(use for use in caps.all_uses() if str(use) == "records.py: MAX_FIGURES")

    assert "" == copy.fails(AIMED[str(use)])
    assert AIMED[str(use)] == copy.fails_without(use, AIMED[str(use)])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_cap_is_needed(
    copy: caps.Copy, record_property: Callable[[str, object], None]
) -> None:
    """Each place that holds something against a cap has a test that fails when it does not."""
    for tests in sorted(set(AIMED.values())):
        assert "" == copy.fails(tests), tests
    rows = {str(use): copy.fails_without(use, AIMED[str(use)]) for use in caps.all_uses()}
    spared = [name for name, how in rows.items() if not how]
    keep(CAPS, [f"| `{name}` | `{how}` |" for name, how in rows.items() if how])
    record_property("caps that are needed", f"{len(rows) - len(spared)} of {len(rows)}")

    assert [] == spared
