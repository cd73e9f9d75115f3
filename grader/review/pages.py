"""What the marking pages show, as plain values for their templates."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from grader.assignment import Criterion, Question
from grader.locale import T, Translator
from grader.report.text import markdown
from grader.report.words import points_text
from grader.result import Mark
from grader.review.beside import Evidence
from grader.review.difference import difference
from grader.review.marking import Decision
from grader.review.sheets import Group, Sheets, Written
from grader.rubric.ideas import Suggestion

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

    number: int
    id: str
    name: str
    points: str
    changed: bool


class Pages:
    """Builds the values of the pages by question in one language."""

    def __init__(self, sheets: Sheets, evidence: Evidence, say: Translator) -> None:
        self.sheets, self.evidence, self.say = sheets, evidence, say

    def overview(self) -> dict[str, Any]:
        """Each question with its prompt, how many groups it has and how far marking is."""
        questions = []
        for number, (name, written) in enumerate(self.sheets.written.items(), start=1):
            question, compared = self.sheets.questions[name], self.sheets.compared(name).done()
            questions.append(
                {
                    "name": name,
                    "number": number,
                    "prompt": markdown(self.say(question.prompt.text), 600),
                    "done": len(self.sheets.done(name)),
                    "of": len(written),
                    "groups": len(self.sheets.groups(name)) if compared else None,
                }
            )
        return {"questions": questions}

    def group(self, group: Group) -> dict[str, Any]:
        """A group's first answer with evidence and advice, and the form for all of them."""
        first = group.members[0]
        question = self.sheets.questions[group.question]
        advice = self.sheets.advice(group.question, first.text)
        model = question.model_answer
        return {
            "question": group.question,
            "place": list(self.sheets.questions).index(group.question) + 1,
            "prompt": markdown(self.say(question.prompt.text), 3_000),
            "model": markdown(self.say(model.text), 5_000) if model else None,
            "text": markdown(first.text, MAX_SHOWN),
            "marked_text": highlighted(first.text, advice.values()),
            "status": first.answer["status"],
            "sure": first.answer["sure"],
            "beside": self.evidence.of(question, first),
            "criteria": [
                self._criterion(group, one, advice.get(one.id)) for one in question.criteria
            ],
            "members": [self._member(group.question, one) for one in group.members],
            "earlier": self._earlier(group.question, first),
            "seen": self.seen(group),
            "done": len(self.sheets.done(group.question)),
            "all": len(self.sheets.written[group.question]),
        }

    def seen(self, group: Group) -> str:
        """Return what a form sends back so that nobody's marks are overwritten."""
        version = self.sheets.gradebook.marks.version
        return json.dumps(
            {one.student.id: version(one.student.id, group.question) for one in group.members}
        )

    def now(self) -> str:
        """Return what an autosave says."""
        return self.say(T("Kept at {time}.", time=datetime.now().strftime("%H:%M:%S")))

    def without_level(self, question: Question, decision: Decision) -> list[str]:
        """Return the criteria that have a comment and no level yet, so that nothing is kept."""
        return [
            self.say(criterion.title.text)
            for criterion in question.criteria
            if decision.comments[criterion.id] and criterion.id not in decision.points
        ]

    def _criterion(
        self,
        group: Group,
        criterion: Criterion,
        suggestion: Suggestion | None,
    ) -> CriterionForm:
        given = [
            self.sheets.marks(group.question, one.student.id).get(criterion.id)
            for one in group.members
        ]
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

    def _member(self, question: str, one: Written) -> Member:
        own = self.sheets.marks(question, one.student.id)
        return Member(
            number=self.sheets.number(one.student.id),
            id=one.student.id,
            name=one.student.name,
            points=points_text(sum(mark.points for mark in own.values()), self.say) if own else "–",
            changed=bool(self._before(question, one)),
        )

    def _before(self, question: str, one: Written) -> list[Mark]:
        """The marks of another text of an answer."""
        given = self.sheets.given(question).get(one.student.id, {})
        return [mark for mark in given.values() if mark.answer != one.key]

    def _earlier(self, question: str, one: Written) -> dict[str, Any] | None:
        """The text that was marked before this one, and the points that it got."""
        before = self._before(question, one)
        if not before:
            return None
        passage = self.sheets.gradebook.marks.passage(before[-1].answer)
        return {
            "text": passage[:MAX_SHOWN],
            "difference": difference(passage, one.text),
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
