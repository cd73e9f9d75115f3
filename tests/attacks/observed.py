"""The page that says what can be forged among observed points, written from the corpus.

`python -m tests.attacks.observed` writes it; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from grader.loading import default_folder, load_assignment
from tests.attacks.corpus import CORPUS

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "observed.md"
HEAD = """\
# What can be forged

Points whose basis is *measured* rest on what the controller saw and a trainer did.
The attack corpus (`tests/attacks/`, `make attack`) has {count} notebooks that try to get more of them than an honest notebook gets.
{measured}

Points whose basis is *observed* rest on the word of the student's own kernel.
Whoever controls that kernel can say anything, so they are worth {points:g} of the {of:g} automatic points at most, and the report marks them.
What it takes, by the attacks of the corpus that do it:

| check | points | what it takes |
|---|---|---|
"""
TAIL = """
Each of these needs a notebook that does something which no honest notebook does, and that stands in the notebook for everybody to read.
Most take more than doing what was asked for.
"""
NONE = "None does."
SOME = "These do, and their tests are expected to fail until that is mended:"


def page() -> str:
    """Return the page as the corpus says it."""
    spec = load_assignment(default_folder()).spec
    holes = [f"- {attack.name}: {attack.hole}." for attack in CORPUS if attack.hole]
    rows = []
    points = 0
    for check in spec.checks:
        if check.basis != "observed":
            continue
        ways = dict.fromkeys(attack.takes for attack in CORPUS if check.name in attack.forges)
        points += check.possible
        said = "; ".join(way for way in ways if way) or "not forged by any attack of the corpus"
        rows.append(f"| `{check.name}` | {check.possible / 100:g} | {said} |\n")
    head = HEAD.format(
        count=len(CORPUS),
        points=points / 100,
        of=spec.automatic_points,
        measured="\n".join([SOME, "", *holes]) if holes else NONE,
    )
    return head + "".join(rows) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
