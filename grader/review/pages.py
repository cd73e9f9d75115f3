"""What the marking pages show, as plain values for their templates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from grader.assignment import Criterion
from grader.locale import Translator
from grader.report.text import markdown
from grader.report.words import points_text
from grader.result import Mark
from grader.review.sheets import Group, Sheets, Written
from grader.rubric.ideas import Suggestion
from grader.rubric.measured import contradictions, rows

MAX_SHOWN = 20_000  # characters of an answer


@dataclass(frozen=True)
class LevelChoice:
    """A level as a button: its key, and whether it is given or suggested."""

    key: int
    value: int
    points: str
    label: str
    description: str
    given: bool
    suggested: bool


@dataclass(frozen=True)
class CriterionForm:
    """A criterion with its levels, comments to choose from, ideas found and not found."""

    id: str
    title: str
    possible: str
    levels: tuple[LevelChoice, ...]
    comment: str
    comments: tuple[str, ...]
    ideas: tuple[tuple[str, bool], ...]
    mixed: bool


@dataclass(frozen=True)
class Member:
    """One answer of a group: whose it is (hidden at first), and its marks."""

    id: str
    name: str
    done: bool
    points: str
    changed: bool


class Pages:
    """Builds the templates' values in one language."""

    def __init__(self, sheets: Sheets, language: str) -> None:
        self.sheets = sheets
        self.say = Translator(language)

    def overview(self) -> dict[str, Any]:
        """Each question with its prompt, how many groups it has and how far marking is."""
        questions = []
        for number, (name, done, of) in enumerate(self.sheets.progress(), start=1):
            question = self.sheets.questions[name]
            questions.append(
                {
                    "name": name,
                    "number": number,
                    "prompt": markdown(self.say(question.prompt.text), 600),
                    "done": done,
                    "of": of,
                    "groups": len(self.sheets.groups(name)),
                }
            )
        return {"questions": questions}

    def group(self, group: Group, number: int | None, of: int | None) -> dict[str, Any]:
        """A group's first answer with evidence and advice, and the form for all of them."""
        first = group.members[0]
        question = self.sheets.questions[group.question]
        marks = self.sheets.marks(group.question)
        advice = self.sheets.advice(group.question, first.text)
        versions = {
            one.student.id: self.sheets.gradebook.marks.version(one.student.id, group.question)
            for one in group.members
        }
        measured = rows(first.runs, question.experiments)
        model = question.model_answer
        return {
            "question": group.question,
            "place": list(self.sheets.questions).index(group.question) + 1,
            "number": number,
            "of": of,
            "prompt": markdown(self.say(question.prompt.text), 3_000),
            "model": markdown(self.say(model.text), 5_000) if model else None,
            "text": markdown(first.text, MAX_SHOWN),
            "marked_text": highlighted(first.text, advice.values()),
            "status": first.answer["status"],
            "sure": first.answer["sure"],
            "measured": [self._row(row) for row in measured],
            "notes": [self.say(note) for note in contradictions(first.text, measured)],
            "criteria": [
                self._criterion(group, one, marks, advice.get(one.id)) for one in question.criteria
            ],
            "members": [self._member(group.question, one, marks) for one in group.members],
            "earlier": self._earlier(group.question, first),
            "seen": json.dumps(versions),
        }

    def _row(self, row: Any) -> dict[str, str]:
        values = {
            key: "–" if value is None else self.say.number(value, 3)
            for key, value in (
                ("train", row.train_accuracy), ("test", row.test_accuracy), ("gap", row.gap),
            )
        }  # fmt: skip
        return {"experiment": row.experiment, **values}

    def _criterion(
        self,
        group: Group,
        criterion: Criterion,
        marks: Mapping[str, Mapping[str, Mark]],
        suggestion: Suggestion | None,
    ) -> CriterionForm:
        given = [marks[one.student.id].get(criterion.id) for one in group.members]
        points = {None if mark is None else mark.points for mark in given}
        chosen = points.pop() if len(points) == 1 else None
        stated = suggestion.stated if suggestion else ()
        written = [mark.comment for mark in given if mark is not None and mark.comment]
        return CriterionForm(
            id=criterion.id,
            title=self.say(criterion.title.text),
            possible=points_text(criterion.possible, self.say),
            levels=tuple(
                LevelChoice(
                    key=key,
                    value=round(level.points * 100),
                    points=points_text(round(level.points * 100), self.say),
                    label=self.say(level.label.text),
                    description=self.say(level.description.text),
                    given=chosen == round(level.points * 100),
                    suggested=suggestion is not None and suggestion.level == level,
                )
                for key, level in enumerate(criterion.levels, start=1)
            ),
            comment=written[0] if written else "",
            comments=tuple(self.sheets.gradebook.marks.comments(group.question, criterion.id)[:6]),
            ideas=tuple(
                (idea.es if self.say.language == "es" else idea.en, idea.id in stated)
                for idea in criterion.key_ideas
            ),
            mixed=chosen is None and any(mark is not None for mark in given),
        )

    def _member(
        self, question: str, one: Written, marks: Mapping[str, Mapping[str, Mark]]
    ) -> Member:
        own = marks[one.student.id]
        return Member(
            id=one.student.id,
            name=one.student.name,
            done=self.sheets.is_done(question, own),
            points=points_text(sum(mark.points for mark in own.values()), self.say) if own else "–",
            changed=bool(self._earlier(question, one)),
        )

    def _earlier(self, question: str, one: Written) -> dict[str, Any] | None:
        """The text that was marked before this one, and the points that it got."""
        given = self.sheets.gradebook.marks.of(one.student.id)
        before = [mark for mark in given if mark.question == question and mark.answer != one.key]
        if not before:
            return None
        return {
            "text": self.sheets.gradebook.marks.passage(before[-1].answer)[:MAX_SHOWN],
            "points": points_text(sum(mark.points for mark in before), self.say),
            "who": before[-1].who,
        }


def highlighted(text: str, advice: Iterable[Suggestion]) -> Markup:
    """Return an answer as plain text, with the words of its ideas marked."""
    spans = sorted(
        {
            (start, end)
            for suggestion in advice
            for mention in suggestion.mentions
            if mention.states
            for start, end in mention.words
        }
    )
    parts: list[Markup] = []
    place = 0
    for start, end in spans:
        if start < place or end > MAX_SHOWN:
            continue
        parts.append(escape(text[place:start]))
        parts.append(Markup("<mark>{}</mark>").format(text[start:end]))
        place = end
    parts.append(escape(text[place:MAX_SHOWN]))
    return Markup("").join(parts)
