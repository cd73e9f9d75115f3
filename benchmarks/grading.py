"""Benchmarks 1 and 2: whole classes from a cold memory, beside nbgrader and otter-grader.

nbgrader and otter-grader run one submission after the other, so they are timed one at a time and
the figure is the mean; the grader is timed over the whole class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks import classes, ours
from benchmarks.bench import Bench, mean_wall, spread
from benchmarks.classes import Submission
from benchmarks.others import NBGRADER, OTTER
from benchmarks.processes import Usage
from benchmarks.report import Section, seconds, table, times
from grader.batch.machine import default_kernels, default_workers

CLASS = "1 · A class of 30"
WHOLLY = "1b · A class of 30, 8 of whom differ throughout"
ALONE = "2 · No two alike"
CLASS_FOLDER = "class"
SAME, EIGHT, TIMED = 22, 8, 3
TARGET, TARGET_ALONE = 20, 3
HEAD = ("class", "wall", "per submission", "nbgrader, one submission", "ratio", "target")


def the_class(bench: Bench) -> tuple[list[Submission], list[Submission]]:
    """Return the students with the notebook's recipe, and those with one difference."""
    return (
        classes.same(bench.count(SAME, 2), bench.quick),
        classes.differing(bench.count(EIGHT, 1), bench.quick),
    )


def class_of_30(bench: Bench) -> Section:
    """Grade 22 students with the recipe and 8 with one difference."""
    same, differing = the_class(bench)
    timed = spread(same, bench.count(TIMED, 1))
    before = _nbgrader(bench, timed[0])  # a machine's pace changes: some before, some after
    done = graded(bench, CLASS_FOLDER, [*same, *differing])
    theirs = [before, *(_nbgrader(bench, one) for one in timed[1:])]
    name = f"{len(same)} alike, {len(differing)} with one difference"
    said = (
        "`grader grade` of the whole class from an empty memory, with this machine's default of "
        f"{_slots()}; `{NBGRADER}` on {len(timed)} of the {len(same)}, one submission at a time "
        "because nbgrader runs them one after the other, the mean."
    )
    text = [
        said,
        table(HEAD, [_row(name, done, theirs, TARGET)]),
        _epochs((name,), (done,)),
        _walls(bench, timed, theirs, None),
        _list("How the alike ones write:", same),
        _list("The students with one difference:", differing),
    ]
    return Section(CLASS, "\n\n".join(text))


def wholly_different(bench: Bench) -> Section:
    """Grade the 22 with the recipe and 8 who differ in every experiment."""
    same, _ = the_class(bench)
    wholly = classes.wholly_different(bench.count(EIGHT, 1), bench.quick)
    done = graded(bench, "class-wholly-different", [*same, *wholly])
    timed = spread(same, 1)
    theirs = [_nbgrader(bench, one) for one in timed]
    otter = _otter(bench, timed[0])
    name = f"{len(same)} alike, {len(wholly)} different throughout"
    said = f"As benchmark 1, with {_slots()}; nbgrader and otter on one of the {len(same)}."
    text = [
        said,
        table(HEAD, [_row(name, done, theirs, None)]),
        _epochs((name,), (done,)),
        _walls(bench, timed, theirs, otter),
        _list("The students who differ throughout:", wholly),
    ]
    return Section(WHOLLY, "\n\n".join(text))


def no_two_alike(bench: Bench) -> Section:
    """Grade six submissions that share no training."""
    alone = classes.nothing_shared(bench.count(len(classes.APART), 2), bench.quick)
    done = graded(bench, "alone", alone)
    # Batch sizes 32 and 64: their mean number of steps is a little below that of all six, which
    # is to nbgrader's advantage.
    timed = alone[1:2] if bench.quick else [alone[1], alone[4]]
    theirs = [_nbgrader(bench, one) for one in timed]
    name = f"{len(alone)} that share nothing"
    said = (
        f"{len(alone)} submissions with batch sizes and TensorFlow seeds of their own, from an "
        f"empty memory, with {_slots()}; nbgrader on {len(timed)} of them, one at a time, the "
        "mean. Within each notebook the 20-epoch training begins with the ten epochs of the "
        "baseline, which are trained once."
    )
    text = [
        said,
        table(HEAD, [_row(name, done, theirs, TARGET_ALONE)]),
        _epochs((name,), (done,)),
        _walls(bench, timed, theirs, None),
        _list("The submissions:", alone),
    ]
    return Section(ALONE, "\n\n".join(text))


class Done:
    """One class, graded.

    Attributes:
        asked, trained: epochs that the notebooks trained, and those that trainers did.
    """

    def __init__(self, usage: Usage, count: int, out: Path, memory: Path) -> None:
        self.usage, self.count = usage, count
        self.asked, self.trained = ours.epochs_asked(out), ours.epochs_trained(memory)

    @property
    def each_s(self) -> float:
        """Wall seconds per submission."""
        return self.usage.wall_s / self.count


def graded(bench: Bench, name: str, submissions: Sequence[Submission]) -> Done:
    """Grade a class from a cold memory; its folders stay for the re-grade."""
    folder = bench.folder(name)
    notebooks, out, memory = folder / "notebooks", folder / "out", folder / "memory"
    ours.fresh(notebooks, out, memory)
    classes.save(notebooks, submissions)
    bench.say(f"{name}: {len(submissions)} submissions, the memory is empty")
    usage = ours.grade(notebooks, out, memory)
    done = Done(usage, len(submissions), out, memory)
    bench.say(
        f"{name}: {usage.wall_s:.0f} s, {done.each_s:.1f} s per submission, "
        f"{done.trained} epochs trained of {done.asked}"
    )
    return done


def _nbgrader(bench: Bench, submission: Submission) -> Usage:
    bench.say(f"nbgrader: {submission.student} ({submission.note})")
    usage = bench.others.nbgrader(submission)
    bench.say(f"nbgrader: {submission.student}, {usage.wall_s:.0f} s")
    return usage


def _otter(bench: Bench, submission: Submission) -> Usage:
    bench.say(f"otter: {submission.student} ({submission.note})")
    usage = bench.others.otter(submission)
    bench.say(f"otter: {submission.student}, {usage.wall_s:.0f} s")
    return usage


def _row(name: str, done: Done, theirs: Sequence[Usage], target: int | None) -> list[str]:
    mean = mean_wall(theirs)
    return [
        name, seconds(done.usage.wall_s, 0), seconds(done.each_s), seconds(mean, 0),
        times(mean / done.each_s), "reported" if target is None else f"≥ {target}×",
    ]  # fmt: skip


def _epochs(names: Sequence[str], done: Sequence[Done]) -> str:
    rows = [(name, one.asked, one.trained) for name, one in zip(names, done, strict=True)]
    trained = "epochs trained, further seeds near a threshold included"
    return table(("class", "epochs in the notebooks", trained), rows)


def _walls(
    bench: Bench, timed: Sequence[Submission], theirs: Sequence[Usage], otter: Usage | None
) -> str:
    versions = bench.others.versions()
    program = f"nbgrader {versions['nbgrader']}"
    rows = [_of(program, one, usage) for one, usage in zip(timed, theirs, strict=True)]
    if otter is not None:
        program = f"otter-grader {versions['otter-grader']} (`{OTTER}`)"
        rows.append(_of(program, timed[0], otter))
    return table(("program", "submission", "wall", "CPU", "largest process"), rows)


def _of(program: str, submission: Submission, usage: Usage) -> list[str]:
    return [
        program, f"{submission.student} ({submission.note})", seconds(usage.wall_s),
        seconds(usage.cpu_s), f"{usage.peak_mb:,.0f} MiB",
    ]  # fmt: skip


def _list(title: str, submissions: Sequence[Submission]) -> str:
    return "\n".join([title, "", *(f"- {one.student}: {one.note}" for one in submissions)])


def _slots() -> str:
    workers = default_workers()
    return f"{workers} trainers and {default_kernels()} notebooks at the same time"
