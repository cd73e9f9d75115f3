"""Findings as a reader sees them: by section, and the few that are worth most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grader.findings import Finding, Status
from grader.locale import Readable, Translator
from grader.report import words
from grader.report.text import clip
from grader.report.words import cell_line, points_text
from grader.result import Graded

FIRST = 3
TO_GAIN = (Status.PARTIAL, Status.FAILED, Status.NOT_ATTEMPTED)


@dataclass(frozen=True)
class FindingView:
    """One finding.

    Attributes:
        number, line: of the cell to look at.
        gain, unlocks: points, written where there are any.
        repeats: the finding before it expected and saw the same.
    """

    check: str
    section: str
    status: Status
    icon: str
    word: str
    meaning: str
    title: str
    earned: str
    possible: str
    basis: str
    expected: str
    observed: str
    number: int | None
    line: str
    hint: str
    remark: str
    overridden: str
    gain: str = ""
    unlocks: str = ""
    repeats: bool = False


@dataclass(frozen=True)
class Section:
    """Findings that belong together, with their points."""

    id: str
    title: str
    earned: str
    possible: str
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class Count:
    """How many findings have one status."""

    status: Status
    icon: str
    word: str
    number: int


def counts(graded: Graded, say: Translator) -> tuple[Count, ...]:
    """Return how many findings there are of each status that occurs."""
    found = [finding.status for finding in graded.findings]
    return tuple(
        Count(status, words.ICON[status], say(words.STATUS[status]), found.count(status))
        for status in Status
        if status in found
    )


def first(graded: Graded, say: Translator) -> tuple[FindingView, ...]:
    """Return the findings with most to gain, counting what was not checked because of them."""
    worth = [
        (group[0].possible - group[0].earned, _unlocked(group, graded), group[0])
        for group in _together(graded)
    ]
    worth = [entry for entry in worth if entry[0] + entry[1] > 0]
    worth.sort(key=lambda entry: -(entry[0] + entry[1]))
    return tuple(
        _finding(
            finding,
            graded,
            say,
            gain=points_text(own, say),
            unlocks=points_text(more, say) if more else "",
        )
        for own, more, finding in worth[:FIRST]
    )


def sections(graded: Graded, say: Translator) -> tuple[Section, ...]:
    """Return the findings by section: the data, each experiment, then the others."""
    experiments = [experiment.id for experiment in graded.assignment.spec.experiments]
    found = list(dict.fromkeys(section_of(finding) for finding in graded.findings))
    order = [name for name in ("data", *experiments) if name in found]
    order += [name for name in found if name not in order]
    return tuple(_section(name, graded, say) for name in order)


def section_of(finding: Finding) -> str:
    """Return the first part of a check's name."""
    return finding.check.split(".")[0]


def _section(name: str, graded: Graded, say: Translator) -> Section:
    mine = [finding for finding in graded.findings if section_of(finding) == name]
    return Section(
        id=name,
        title=_title(name, graded, say),
        earned=points_text(sum(finding.earned for finding in mine), say),
        possible=points_text(sum(finding.possible for finding in mine), say),
        findings=tuple(_told(mine, graded, say)),
    )


def _told(findings: Sequence[Finding], graded: Graded, say: Translator) -> Iterator[FindingView]:
    """The five checks of a training that is not there say the same: once is enough."""
    before = ("", "")
    for finding in findings:
        view = _finding(finding, graded, say)
        said = view.expected, view.observed
        yield replace(view, repeats=said == before and not view.overridden)
        before = said


def _title(name: str, graded: Graded, say: Translator) -> str:
    titles: dict[str, Readable] = {e.id: e.title.text for e in graded.assignment.spec.experiments}
    title = titles.get(name) or words.SECTIONS.get(name)
    return clip(say(title) if title else name.replace("_", " ").capitalize())


def _finding(
    finding: Finding, graded: Graded, say: Translator, gain: str = "", unlocks: str = ""
) -> FindingView:
    meaning = words.MEANING.get(finding.status)
    return FindingView(
        check=finding.check,
        section=_title(section_of(finding), graded, say),
        status=finding.status,
        icon=words.ICON[finding.status],
        word=say(words.STATUS[finding.status]),
        meaning=say(meaning) if meaning else "",
        title=clip(say(finding.title)),
        earned=points_text(finding.earned, say),
        possible=points_text(finding.possible, say),
        basis=say(words.BASIS[finding.basis]),
        expected=clip(say(finding.expected)),
        observed=clip(say(finding.observed)),
        number=graded.evidence.number(finding.cell),
        line=cell_line(graded, finding.cell),
        hint=clip(say(finding.hint)) if finding.hint else "",
        remark=clip(say(finding.remark)) if finding.remark else "",
        overridden=clip(finding.overridden or "", 400),
        gain=gain,
        unlocks=unlocks,
    )


def _together(graded: Graded) -> list[list[Finding]]:
    """Findings with points to gain; the checks of one thing that was not tried are one step."""
    groups: dict[object, list[Finding]] = {}
    for finding in graded.findings:
        if finding.status in TO_GAIN:
            alone = finding.status is not Status.NOT_ATTEMPTED
            key = finding.check if alone else (section_of(finding), repr(finding.observed))
            groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _unlocked(group: Sequence[Finding], graded: Graded) -> int:
    """Points of the group's other checks, and of skipped ones that need the first."""
    finding, others = group[0], group[1:]
    needs = {check.name: check.needs for check in graded.assignment.spec.checks}
    skipped = [other for other in graded.findings if other.status is Status.SKIPPED]
    behind = {finding.check}
    for _ in skipped:
        behind |= {
            other.check for other in skipped if behind.intersection(needs.get(other.check, ()))
        }
    needing = [other for other in skipped if other.check in behind]
    return sum(other.possible for other in (*others, *needing))
