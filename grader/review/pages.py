"""What the marking pages show, as plain values for their templates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from markupsafe import Markup, escape

from grader.locale import T, Translator
from grader.report.text import clip, markdown
from grader.report.words import points_text
from grader.result import Mark
from grader.review.beside import Evidence
from grader.review.difference import difference
from grader.review.marking import Decision
from grader.review.sheets import Group, Sheets, Written
from grader.rubric.ideas import Suggestion
from grader.rubric.spec import Criterion, Question

MAX_SHOWN = 20_000  # characters of an answer
OTHERS = 4  # further texts of a group that are shown


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
    """A criterion with its levels, comments to choose from, ideas found and not found.

    Attributes:
        mixed: the members of the group have different levels; `differ`: different comments.
    """

    id: str
    title: str
    possible: str
    levels: tuple[LevelChoice, ...]
    comment: str
    comments: tuple[str, ...]
    ideas: tuple[tuple[str, bool], ...]
    mixed: bool
    differ: bool


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

    def group(
        self, group: Group, typed: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Any]:
        """A group's first answer with evidence and advice, and the form for all of them.

        Args:
            typed: comments by criterion that wait for a level.
        """
        first = group.members[0]
        question = self.sheets.questions[group.question]
        given = [self.sheets.marks(group.question, one.student.id) for one in group.members]
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
                self._criterion(group.question, given, one, advice.get(one.id), typed)
                for one in question.criteria
            ],
            "members": [
                self._member(group.question, one, own)
                for one, own in zip(group.members, given, strict=True)
            ],
            **self._others(group),
            "shown": _shown(given, question),
            "earlier": self._earlier(group.question, first),
            "seen": self.seen(group),
            "done": len(self.sheets.done(group.question)),
            "all": len(self.sheets.written[group.question]),
        }

    def _others(self, group: Group) -> dict[str, Any]:
        """The other texts of a group, each once, as they differ from the first one."""
        first = group.members[0]
        texts = {one.key: one.text for one in group.members if one.key != first.key}
        few = list(texts.values())[:OTHERS]
        return {
            "others": [difference(first.text, text) or clip(text, MAX_SHOWN) for text in few],
            "more_others": len(texts) - len(few),
        }

    def seen(self, group: Group) -> str:
        """Return what a form sends back so that nobody's marks are overwritten."""
        students = [one.student.id for one in group.members]
        return json.dumps(self.sheets.gradebook.marks.versions(group.question, students))

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
        question: str,
        given: Sequence[Mapping[str, Mark]],
        criterion: Criterion,
        suggestion: Suggestion | None,
        typed: Mapping[str, str],
    ) -> CriterionForm:
        chosen, comment, differ = _common(given, criterion)
        some = any(criterion.id in own for own in given)
        stated = suggestion.stated if suggestion else ()
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
            comment=typed.get(criterion.id, comment),
            comments=tuple(self.sheets.gradebook.marks.comments(question, criterion.id)[:6]),
            ideas=tuple(
                (idea.es if self.say.language == "es" else idea.en, idea.id in stated)
                for idea in criterion.key_ideas
            ),
            mixed=chosen is None and some,
            differ=differ,
        )

    def _member(self, question: str, one: Written, own: Mapping[str, Mark]) -> Member:
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
            "text": clip(passage, MAX_SHOWN),
            "difference": difference(passage, one.text),
            "points": points_text(sum(mark.points for mark in before), self.say),
            "who": before[-1].who,
        }


def _shown(given: Sequence[Mapping[str, Mark]], question: Question) -> str:
    """What the form has of each criterion; whatever comes back as it was decides nothing."""
    return json.dumps({one.id: _common(given, one)[:2] for one in question.criteria})


def _common(
    given: Sequence[Mapping[str, Mark]], criterion: Criterion
) -> tuple[int | None, str, bool]:
    """The points and the comment that all members have, and whether comments differ."""
    marks = [own.get(criterion.id) for own in given]
    points = {None if mark is None else mark.points for mark in marks}
    comments = {"" if mark is None else mark.comment for mark in marks}
    alike = len(comments) == 1
    return (
        points.pop() if len(points) == 1 else None,
        comments.pop() if alike else "",
        not alike,
    )


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
    if len(text) > MAX_SHOWN:
        parts.append(Markup("…"))
    return Markup("").join(parts)
