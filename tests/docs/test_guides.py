"""The commands of the guides, run one after the other where their reader would type them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.gradebook import Gradebook
from grader.result import Student
from tests.review.a_class import ASSIGNMENT, a_class, hand_in, with_text
from tests.review.serving import serving

ROOT = Path(__file__).parents[2]
GUIDES = [
    "docs/tutorial/self-check.es.md",
    "docs/how-to/student.es.md",
    "docs/how-to/instructor.es.md",
]
BLOCK = re.compile(r"^```(console|ipython)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Run elsewhere: by scripts/try_student.sh, tests/live/test_lab.py, .ci/run; the last takes hours.
ELSEWHERE = (
    "python -m venv",
    "source ",
    "pip install",
    "jupyter lab",
    "make ",
    ".venv/bin/grader calibrate",
)
SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for source in sys.argv[1:]:
    shell.run_cell(source, store_history=True).raise_error()
"""
LONG = (pytest.mark.tf, pytest.mark.sandbox, pytest.mark.long, pytest.mark.timeout(1800))
MARKERS = ROOT / "docs" / "how-to" / "marker.es.md"
SAID = re.compile(r"^open (http://127\.0\.0\.1:\d+/\?token=\S+)$")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the guides speak of; the notebook is one that trains the baseline only."""
    notebook = ROOT / "assignment" / "samples" / "gina-onehot.ipynb"
    for folder in ("assignment", "reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "entregas").mkdir()
    shutil.copy(notebook, tmp_path / "entregas" / "ana.ipynb")
    shutil.copy(notebook, tmp_path / "taller3.ipynb")
    shutil.copy(ROOT / "tests/export/golden/moodle-es.before.csv", tmp_path / "hoja.csv")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.mark.parametrize("guide", [pytest.param(guide, marks=LONG) for guide in GUIDES])
def test_the_commands_of_a_guide_do_what_it_says(guide: str, desk: Path) -> None:
    """None ends in an error; 1 is said where a submission waits for a person or lacks points."""
    blocks = BLOCK.findall((ROOT / guide).read_text(encoding="utf-8"))
    lines = [
        line.removeprefix("$ ")
        for kind, block in blocks
        if kind == "console"
        for line in block.splitlines()
        if line.startswith("$ ") and not line.removeprefix("$ ").startswith(ELSEWHERE)
    ]
    cells = [block for kind, block in blocks if kind == "ipython"]
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"

    environment = {**os.environ, "PATH": path, "GRADER_KEY": str(desk / "key.pem")}

    commands = [shlex.split(line) for line in lines]
    if cells:
        commands.append(["python", "-c", SHELL, *cells])
    failed = []
    for command in commands:
        done = subprocess.run(command, cwd=desk, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            failed.append((command, done.returncode, done.stdout[-500:], done.stderr[-2000:]))

    assert lines
    assert [] == failed


def test_the_markers_guide_says_what_the_pages_do(tmp_path: Path) -> None:
    """Its commands run, the words it names are on the pages, and its keys are those of `?`."""
    guide = MARKERS.read_text(encoding="utf-8")
    (review,) = (block for kind, block in BLOCK.findall(guide) if kind == "console")
    command, opened, ends = review.splitlines()
    assert ("$ grader review clase", True) == (command, bool(SAID.match(opened.replace("…", "x"))))
    folder = a_class(tmp_path / "clase", 3)
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        hand_in(book, Student("eva", "Eva"), {}, data=with_text("La red memoriza."))
    with serving(folder) as served:
        assert ends == served.process.stdout.readline().rstrip()  # type: ignore[union-attr]
        paths = ("/", "/q/q1/1", "/students", "/students?names=1", "/student/1", "/done")
        eva = served.answer("eva", "q1").removeprefix(served.at(""))
        pages = "".join(served.ask(path, served.token)[2] for path in (*paths, eva))
    said = CliRunner().invoke(main, ["rubric", "agreement", str(tmp_path / "clase")])

    assert 0 == said.exit_code and "`grader rubric agreement clase`" in guide
    named = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", guide)
    assert len(named) >= 4 and [] == [words for words in named if words not in pages]
    table = guide.partition("## Teclas")[2].partition("\n\nTodo")[0]
    keys = set(re.findall(r"`([^`]+)`", table)) - {"Escape"}
    assert keys == set(re.findall(r"<kbd>([^<]+)</kbd>", pages)) - {"2", "3", "4"} | {"9"}
