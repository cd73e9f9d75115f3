"""Every knob of the walls is needed: with one taken away, an attack gets through.

The table goes to benchmarks/mutations.md.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.sandbox import Level, WallsError, cgroup, open_sandbox
from tests.attacks.aims import HELD, SPARE, aims
from tests.attacks.ground import Ground
from tests.attacks.harm import CORPUS
from tests.attacks.knobs import NO_CAPABILITIES, ROOTS_CHAIN, Knob, all_knobs
from tests.attacks.promises import PROMISES

pytestmark = pytest.mark.sandbox

TABLE = Path(__file__).parents[2] / "benchmarks" / "mutations.md"
BY_NAME = {harm.name: harm for harm in CORPUS}
HEAD = """# The walls, one knob less at a time

Written by `tests/attacks/test_mutations.py` (`make test-long`).
Each line is an argument, a limit or a rule of the walls that was taken away,
and the attack of the corpus that then got through or ended in another way than it must.
A promise is something that must hold without being an attack.
"Held by" says what else holds; the attack is then the one that got through with both gone.

| knob | attack | how it got through | held by |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """What one knob's absence let through."""

    knob: str
    attack: str
    how: str
    held_by: str = ""

    def __str__(self) -> str:
        return f"| `{self.knob}` | {self.attack} | {self.how} | {self.held_by} |"


class Yard:
    """The grounds with and without control groups."""

    def __init__(self, folder: Path, undo: ExitStack) -> None:
        self._grounds = {}
        for grouped in (True, False):
            (folder / str(grouped)).mkdir()
            with pytest.MonkeyPatch.context() as patch:
                if not grouped:
                    patch.setattr(cgroup, "make_group", lambda limits: None)
                self._grounds[grouped] = undo.enter_context(Ground(folder / str(grouped)))
        self.grouped = self._grounds[True].grouped
        self.knobs = all_knobs(self._grounds[True])
        for ground in self._grounds.values():
            for promise in PROMISES.values():
                assert "" == promise(ground)

    def through(self, attack: str, *knobs: Knob) -> str:
        """Return how an attack gets through without these knobs; empty: it does not."""
        ground = self._grounds[all(knob.grouped for knob in knobs)]
        with pytest.MonkeyPatch.context() as patch:
            if not all(knob.grouped for knob in knobs):
                patch.setattr(cgroup, "make_group", lambda limits: None)
            for knob in knobs:
                knob.take_away(patch)
            if attack in PROMISES:
                return PROMISES[attack](ground)
            harm = BY_NAME[attack]
            if ground.suits(harm) or harm.unheld_here(ground.grouped):
                return ""
            return ground.attack(harm).got_through(harm, ground.grouped)

    def row(self, knob: Knob) -> Row | None:
        """Return what the absence of a knob lets through, None when nothing is."""
        other, with_both = HELD.get(knob.name, ("", ""))
        first = aims(knob.name) or ((with_both,) if other in self.knobs else ())
        for attack in first or (*BY_NAME, *PROMISES):
            if how := self.through(attack, knob):
                return self._checked(Row(knob.name, attack, how), knob)
        if other in self.knobs and (how := self.through(with_both, knob, self.knobs[other])):
            alone = self.through(with_both, self.knobs[other])
            assert alone != how, f"{with_both}: {knob.name} makes no difference to {other}"
            return self._checked(Row(knob.name, with_both, how, f"`{other}`"), knob)
        return None

    def _checked(self, row: Row, knob: Knob) -> Row:
        """Return the row once the same attack was held back again with every knob in place."""
        whole = dataclasses.replace(knob, take_away=lambda patch: None)
        assert "" == self.through(row.attack, whole), f"{row.attack} gets through anyhow"
        return row


def _counted(rows: list[Row]) -> str:
    held = sum(bool(row.held_by) for row in rows)
    promised = sum(row.attack in PROMISES and not row.held_by for row in rows)
    return (
        f"{len(rows) - held - promised} by an attack, {promised} by a promise, "
        f"{held} together with what else holds"
    )


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    """The grounds, in a folder that everybody can reach."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the standard walls need Linux")
    try:
        open_sandbox(Level.STANDARD)
    except WallsError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory(prefix="ground-") as name, ExitStack() as undo:
        Path(name).chmod(0o755)
        yield Yard(Path(name), undo)


def test_missing_walls_are_seen(yard: Yard) -> None:
    """A few of them, quickly: each watcher sees what the wall in front of it held back."""
    seen = {
        "inner: --unshare-all, net": "reached a connection at the loopback",
        "start: no descriptor but the named ones": "read a secret",
        "packages: ours are left out": "read a secret",
        "watch: nameless files on the disk": "done instead of disk",
        "inner: --remount-ro /": "done instead of EROFS",
    }

    rows = {name: yard.row(yard.knobs[name]) for name in seen}

    assert seen == {name: row and row.how for name, row in rows.items()}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_knob_is_needed(yard: Yard, record_property: Callable[[str, object], None]) -> None:
    """One hundred percent: no argument, limit or rule is there that no attack asks for."""
    rows, spared = [], []
    for knob in yard.knobs.values():
        # Two are no knobs of ours, only something that holds; some are for other systems.
        if knob.name in {NO_CAPABILITIES, ROOTS_CHAIN, *SPARE}:
            continue
        row = yard.row(knob)
        print(row or f"| `{knob.name}` | NOTHING |", flush=True)
        rows += [row] if row else []
        spared += [] if row else [knob.name]
    killed = f"{len(rows)} of {len(rows) + len(spared)} knobs are needed: {_counted(rows)}"
    spare = "".join(f"`{knob}` is for {why}.\n" for knob, why in SPARE.items())
    table = "\n".join(map(str, rows))
    TABLE.write_text(f"{HEAD}{table}\n\n{killed}.\n{spare}", encoding="utf-8")
    record_property("knobs that an attack needs", killed)

    assert [] == spared
