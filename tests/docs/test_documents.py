"""What the documents say is true, and what must not be in the tree is not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import grader

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)


def own_files() -> list[Path]:
    """Every file that is or will be committed; outside a repository, every file but hidden ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        files = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    else:
        files = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in files if path.is_file()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    """A relative link in a document names a file that exists."""
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    broken = [
        link
        for link in links
        if "://" not in link
        and not link.startswith("mailto:")
        and not (path.parent / link).exists()
    ]

    assert [] == broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_in_documents_exist(path):
    """A document that names `make something` names a target of the Makefile."""
    named = set(re.findall(r"`(?:\$ )?make ([a-z-]+)", path.read_text(encoding="utf-8")))

    assert named <= set(TARGETS)


def test_every_make_target_is_explained():
    """CONTRIBUTING.md tells what each target does, and each takes at most five lines."""
    explained = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = re.split(r"^[a-z][a-z-]*:", MAKEFILE, flags=re.MULTILINE)[1:]

    assert [] == [target for target in TARGETS if f"make {target}" not in explained]
    assert all(recipe.count("\n\t") <= 5 for recipe in recipes)


def test_the_version_is_the_same_everywhere():
    """pyproject.toml, the package and the newest changelog entry agree on the version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = re.findall(
        r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert project["version"] == grader.__version__ == entries[0]


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/adr/*.md")), ids=lambda path: path.name)
def test_a_decision_fits_a_page(path):
    """A decision has context, decision and consequences, is numbered as its file, and is short."""
    text = path.read_text(encoding="utf-8")

    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) <= 500


def test_contributing_is_short():
    """Somebody who wants to help has at most 150 lines to read."""
    assert (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").count("\n") <= 150


def test_the_lock_file_names_no_place():
    """requirements.lock pins by hash and holds no address and no machine's path."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "make lock" in text.splitlines()[1]
    assert "://" not in text
    assert "file:" not in text
    assert "--hash=sha256:" in text


def test_no_file_names_a_registry():
    """No committed file names the host of a package registry or how to choose one."""
    forbidden = re.compile(
        "|".join(
            ["py" + r"pi\.org", "pythonhosted" + r"\.org", "index" + "-url =", "find" + "-links ="]
        )
    )
    naming = []
    for path in own_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if forbidden.search(text):
            naming.append(str(path.relative_to(ROOT)))

    assert [] == naming


def test_automatic_checks_run_the_test_suite():
    """.ci/run can be executed and hands everything to `make test`."""
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "exec make test < /dev/null"
