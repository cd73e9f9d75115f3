"""Answers that were written and labelled without a look at the rubric's phrases, and the figures.

Each line of `labelled.jsonl` has a question, a kind (good, half, short, wrong, contradiction,
offtopic, copied_prompt, keyword_salad, misspelt, english, ai_style), the text, the ideas that it
states by its labeller's judgement (`doubtful` ones count neither way), and a level (0 is the best)
for each criterion. One person wrote and labelled them; phrases were adjusted on the half that
`is_for_adjusting` names, and never on the other.

`python -m tests.rubric.labelled` prints precision and recall of each idea.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.loading import default_folder, load_assignment
from grader.rubric.ideas import suggest

FILE = Path(__file__).with_name("labelled.jsonl")
QUESTIONS = load_assignment(default_folder()).rubric.questions


@dataclass
class Figures:
    """Counts by idea (`q1.data_used.unseen`), and how many levels' names suggestions are off."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    off: Counter[int] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Part of the ideas that were found which the labeller found too."""
        return self.right.total() / (self.right.total() + self.wrong.total())

    @property
    def recall(self) -> float:
        """Part of the labeller's ideas that were found."""
        return self.right.total() / (self.right.total() + self.unseen.total())


def labelled() -> list[dict[str, Any]]:
    """Return all labelled answers."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def is_for_adjusting(one: dict[str, Any]) -> bool:
    """Whether phrases may be adjusted by this answer."""
    return int(hashlib.sha256(one["id"].encode()).hexdigest(), 16) % 2 == 0


def measured(answers: Iterable[dict[str, Any]]) -> Figures:
    """Compare suggestions with the labels."""
    figures = Figures()
    for one in answers:
        for criterion in QUESTIONS[one["question"]].criteria:
            found = suggest(criterion, one["text"])
            assert found is not None
            for name in (f"{criterion.id}.{idea.id}" for idea in criterion.key_ideas):
                if name in one["doubtful"]:
                    continue
                meant, said = name in one["ideas"], name.split(".")[1] in found.stated
                kinds = {(True, True): figures.right, (False, True): figures.wrong,
                         (True, False): figures.unseen}  # fmt: skip
                kinds.get((meant, said), Counter())[f"{one['question']}.{name}"] += 1
            levels = list(criterion.levels)
            figures.off[abs(levels.index(found.level) - one["levels"][criterion.id])] += 1
    return figures


def lines(figures: Figures) -> Iterator[str]:
    """Yield a line for each idea, and one for all."""
    for name in sorted(figures.right | figures.wrong | figures.unseen):
        right, wrong, unseen = (
            counts[name] for counts in (figures.right, figures.wrong, figures.unseen)
        )
        found, meant = right + wrong, right + unseen
        yield (
            f"{name:42} {meant:3} meant  "
            f"precision {right / found if found else float('nan'):.2f}  "
            f"recall {right / meant if meant else float('nan'):.2f}"
        )
    all_levels = figures.off.total()
    yield (
        f"all: precision {figures.precision:.2f}, recall {figures.recall:.2f}; level exact "
        f"{figures.off[0] / all_levels:.2f}, within one "
        f"{(figures.off[0] + figures.off[1]) / all_levels:.2f}"
    )


if __name__ == "__main__":
    for title, chosen in (("for adjusting", True), ("held out", False)):
        print(
            title,
            *lines(measured(a for a in labelled() if is_for_adjusting(a) is chosen)),
            sep="\n",
        )
