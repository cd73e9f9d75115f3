"""How the execution went: what stopped, each cell, what was flagged, where it ran."""

from __future__ import annotations

from dataclasses import dataclass

from grader.evidence import CellRun
from grader.findings import Flag
from grader.locale import T, Translator
from grader.report import words
from grader.report.text import clip
from grader.report.words import cell_line
from grader.result import Graded, State

CELL_ROWS = 300
MESSAGES = 12
"""Error messages shown in full, the first ones."""
MESSAGE = 2_000
FLAGS = 40
PROBLEMS = 6
ENVIRONMENT_ROWS = 40
VERSIONS = ("tensorflow", "keras")


@dataclass(frozen=True)
class CellView:
    """One line of the cell log."""

    number: int
    status: str
    word: str
    seconds: str
    line: str
    error: str
    message: str


def problems(graded: Graded, say: Translator) -> tuple[str, ...]:
    """Return why it could not be read or did not finish, and which cells stopped, in sentences."""
    said = [clip(say(graded.problem))] if graded.problem else []
    ended = graded.evidence.ended
    if graded.evidence.lost:
        said.append(
            say(T("The notebook ran, but it left no record of its run that could be read."))
        )
    elif ended != "finished" and graded.state is not State.UNREADABLE:
        reason = T("The run stopped early: {reason}.", reason=clip(ended, 200))
        said.append(say(words.ENDED.get(ended, reason)))
    if graded.evidence.dropped:
        unread = T(
            "Records of the run that could not be read, and therefore count for nothing: {count} "
            "({first}).",
            count=len(graded.evidence.dropped),
            first=clip(graded.evidence.dropped[0], 200),
        )
        said.append(say(unread))
    stopped = [cell for cell in graded.evidence.cells if cell.status not in ("ok", "not_run")]
    said += [_stopped(cell, graded, say) for cell in stopped[:PROBLEMS]]
    if len(stopped) > PROBLEMS:
        more = T(
            "Other cells that did not finish: {count}; see the cell log.",
            count=len(stopped) - PROBLEMS,
        )
        said.append(say(more))
    return tuple(said)


def cells(graded: Graded, say: Translator) -> tuple[CellView, ...]:
    """Return the log's first lines, the first error messages in full."""
    shown, messages = [], 0
    for number, cell in enumerate(graded.evidence.cells[:CELL_ROWS], start=1):
        long = "\n" in (cell.message or "").strip()
        message = cell.message if cell.message and long and messages < MESSAGES else ""
        messages += bool(message)
        shown.append(
            CellView(
                number=number,
                status=cell.status,
                word=say(words.CELL[cell.status]),
                seconds=say.number(_seconds(cell), 1),
                line=cell_line(graded, cell.index),
                error=_detail(cell) if cell.error else "",
                message=clip(message, MESSAGE),
            )
        )
    return tuple(shown)


def flags(graded: Graded, say: Translator) -> tuple[tuple[str, str], ...]:
    """Return each flag's name in neutral words, and its detail."""
    return tuple(_flag(flag, say) for flag in graded.flags[:FLAGS])


def environment(graded: Graded, say: Translator) -> tuple[tuple[str, str], ...]:
    """Return where it ran and the hashes of what was graded."""
    known = words.ENVIRONMENT
    rows = [
        (say(known[key]) if key in known else clip(key, 60), clip(value, 200))
        for key, value in list(graded.environment.items())[:ENVIRONMENT_ROWS]
        if value
    ]
    rows += [
        (say(T("SHA-256 of the notebook")), clip(graded.notebook.sha256, 100)),
        (say(T("Assignment")), graded.assignment.id),
        (say(T("SHA-256 of the assignment")), graded.assignment.sha256),
    ]
    return tuple(rows)


def other_versions(graded: Graded, say: Translator) -> str:
    """Return that this ran with other versions than the reference values were made with."""
    calibration = graded.assignment.calibration
    made = calibration.environment if calibration else {}
    names = [name for name in VERSIONS if made.get(name) and graded.environment.get(name)]
    other = [name for name in names if made[name] != graded.environment[name]]
    if not other:
        return ""
    here = [f"{words.ENVIRONMENT[name].template} {graded.environment[name]}" for name in other]
    there = [f"{words.ENVIRONMENT[name].template} {made[name]}" for name in other]
    return say(
        T(
            "This ran with {here}, and the reference values were made with {there}: accuracies "
            "may differ a little from those of another computer.",
            here=here,
            there=there,
        )
    )


def _flag(flag: Flag, say: Translator) -> tuple[str, str]:
    name = words.FLAGS.get(flag.kind)
    return (say(name) if name else clip(flag.kind, 80), clip(say(flag.detail)))


def _stopped(cell: CellRun, graded: Graded, say: Translator) -> str:
    name, seconds = graded.evidence.called(cell.index), round(_seconds(cell))
    sentences = {
        "error": T("An error ended {cell}: {detail}.", cell=name, detail=_detail(cell)),
        "timeout": T("The time limit ended {cell} after {seconds} s.", cell=name, seconds=seconds),
        "killed": T("After {seconds} s, {cell} was stopped.", cell=name, seconds=seconds),
    }
    return clip(say(sentences[cell.status]))


def _detail(cell: CellRun) -> str:
    """Return the error's name and the first line of its message."""
    message = clip((cell.message or "").strip().split("\n", 1)[0], 240).rstrip(". ")
    name = clip(cell.error or "", 120)
    return f"{name}: {message}" if name and message else name or message or "–"


def _seconds(cell: CellRun) -> float:
    return max(0.0, min(cell.seconds, 1e6))
