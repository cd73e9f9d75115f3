"""One submission through every stage, in order: read this first.

    intake → notebook → sandbox (kernel side ⇄ trainings) → records → measuring → evidence
           → sampling → checks → scoring → Graded → report

`gather` is everything that runs something; `conclude` is pure and can be said again at any time,
with a person's marks, from the same evidence.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from grader import __version__, scoring
from grader.assignment import Assignment
from grader.checks import judge
from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset
from grader.delegation import Memory, Service
from grader.delegation.memory import level as machine_level
from grader.evidence import (
    Evaluation,
    Evidence,
    Figure,
    Note,
    Prediction,
    Runtime,
    Seeded,
)
from grader.execution import Execution, execute
from grader.findings import Finding, Flag, Status
from grader.locale import Readable, T, Text
from grader.measuring import Measuring
from grader.notebook import Notebook, read_notebook, to_run
from grader.result import Answer, Graded, Mark, NotebookFile, State, Student
from grader.rubric.answers import find_answers
from grader.rubric.marks import with_marks
from grader.sampling import add_samples
from grader.sandbox import Level, WallsError, new_folder, open_sandbox
from grader.sandbox.disk import remove_tree
from grader.scoring import Late
from grader.similar import printed
from grader.trainer import Trainer, TrainerFault
from grader.unreadable import Unreadable
from grader.watching import Watching

TRIES = 3
TRAINER_S = 24 * 3600
TRAINER_SLOT = 200  # a sandbox that runs beside another needs a slot of its own


@dataclass(frozen=True)
class Override:
    """A person's points for one check, in hundredths; they always win.

    Attributes:
        saw: the points that the run gave by itself when the person decided.
    """

    check: str
    points: int
    because: str
    saw: int | None = None


@dataclass(frozen=True)
class Gathered:
    """All that running a submission brought: what `conclude` judges, and the gradebook keeps.

    Attributes:
        notebook: None when the file cannot be read; `problem` then says why.
        fault: the problem is ours: points stay pending.
        shown: fingerprints of the numbers that the file had stored (`similar.printed`).
        under: what it was run under (`run_key`); under another it would have to run again.
    """

    file: NotebookFile
    notebook: Notebook | None = None
    evidence: Evidence = field(default_factory=Evidence)
    environment: Mapping[str, str] = field(default_factory=dict)
    problem: Readable | None = None
    fault: bool = False
    under: str = ""
    shown: tuple[int, ...] = ()


def our_fault(problem: str) -> Text:
    """Return what a student reads where the grader failed."""
    return T(
        "The grader failed: {problem}. This is our fault and costs no points.", problem=problem
    )


def run_key(assignment: Assignment, level: Level, train_in_kernel: bool) -> str:
    """Return a name for all that a run depends on beside the notebook.

    Thresholds, points, texts and the rubric are no part of it: they judge what a run left.
    """
    spec = assignment.spec
    parts = [
        __version__, machine_level(), level.value, train_in_kernel, spec.seed,
        spec.dataset.model_dump_json(), spec.limits.model_dump_json(),
    ]  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def open_service(
    assignment: Assignment,
    dataset: Dataset,
    level: Level,
    slots: Sequence[int] = (TRAINER_SLOT,),
    memory: Memory | None = None,
) -> Service:
    """Return the trainings that any number of `Grading` share.

    Args:
        slots: of the sandboxes, one for each trainer that runs at the same time.
    """
    kept = memory or Memory()

    def open_trainer(number: int) -> Trainer:
        sandbox = open_sandbox(level, slots[number])
        return Trainer(sandbox, dataset, kept, TRAINER_S, assignment.spec.limits.request_s)

    return Service(kept, open_trainer, len(slots), dataset.sha256)


class Grading:
    """Grades submissions of one assignment, one after the other.

    Args:
        level: the walls around the kernel.
        service: the trainings.
        slot: number of this worker among those that run at the same time.
        train_in_kernel: nothing is delegated; everything is verified.
    """

    def __init__(
        self,
        assignment: Assignment,
        dataset: Dataset,
        level: Level,
        service: Service,
        slot: int = 0,
        train_in_kernel: bool = False,
    ) -> None:
        self.assignment, self.dataset, self.service = assignment, dataset, service
        self.sandbox = open_sandbox(level, slot)
        self.pristine = Pristine.open(dataset.rows)
        self.train_in_kernel = train_in_kernel
        self._template = template_of(assignment)

    def grade(
        self,
        data: bytes,
        name: str,
        student: Student,
        late: Late = scoring.UNKNOWN,
        overrides: tuple[Override, ...] = (),
    ) -> tuple[Gathered, Graded]:
        """Run one notebook through every stage."""
        gathered = self.gather(data, name)
        return gathered, self.conclude(gathered, student, late, overrides)

    def gather(self, data: bytes, name: str, watching: Watching | None = None) -> Gathered:
        """Read, run and measure a notebook: everything that costs time."""
        file = NotebookFile(name, hashlib.sha256(data).hexdigest())
        under = run_key(self.assignment, self.sandbox.level, self.train_in_kernel)
        try:
            notebook = read_notebook(data, name)
        except Unreadable as unreadable:
            return Gathered(
                file, environment=self._environment(None), problem=unreadable.text, under=under
            )
        problem = ""
        for left in reversed(range(TRIES)):
            try:
                evidence = self._run(notebook, watching, last=left == 0)
                environment = self._environment(evidence.runtime)
                shown = tuple(sorted(printed(data)))
                return Gathered(file, notebook, evidence, environment, under=under, shown=shown)
            except OSError:
                raise  # a full disk is nobody's submission
            except (WallsError, TrainerFault) as fault:
                problem = str(fault)
            except Exception as error:  # noqa: BLE001 - the border between students
                problem = f"{type(error).__name__}: {error}"[:400]
                break
        environment = self._environment(None)
        said = our_fault(problem)
        return Gathered(file, notebook, environment=environment, problem=said, fault=True)

    def conclude(
        self,
        gathered: Gathered,
        student: Student,
        late: Late = scoring.UNKNOWN,
        overrides: tuple[Override, ...] = (),
    ) -> Graded:
        """Judge what was gathered: pure, the same for the same input."""
        return conclude(self.assignment, self._template, gathered, student, late, overrides)

    def _run(self, notebook: Notebook, watching: Watching | None, last: bool) -> Evidence:
        folder = new_folder("run-")
        try:
            execution = execute(
                self.sandbox, to_run(notebook), self.assignment, self.dataset, folder,
                self.service, self.train_in_kernel, watching,
            )  # fmt: skip
            if execution.cut and not (last and (execution.records.cells or execution.lost)):
                raise WallsError(
                    f"the run was cut off: {execution.reason}. {execution.ended.stderr_tail[-300:]}"
                )
            runs = Measuring(self.service, self.assignment).runs(execution)
        finally:
            remove_tree(folder)
        evidence = self._evidence(notebook, execution, runs)
        return add_samples(self.service, self.assignment, evidence)

    def _evidence(self, notebook: Notebook, execution: Execution, runs: tuple) -> Evidence:  # type: ignore[type-arg]
        records = execution.records
        runtimes = records.of(Runtime)
        first, _ = self.pristine.splits[self.assignment.spec.dataset.test]
        return Evidence(
            cells=records.cells,
            runs=runs,
            evaluations=records.of(Evaluation),
            predictions=records.of(Prediction),
            figures=records.of(Figure),
            seeds=records.of(Seeded),
            notes=records.of(Note),
            runtime=runtimes[-1] if runtimes else None,
            sources=tuple(cell.source for cell in notebook.cells),
            ended=execution.reason,
            lost=execution.lost,
            dropped=records.dropped,
            unread=records.unread,
            refusals=execution.refusals,
            splits=dict(self.pristine.splits),
            labels=tuple(int(label) for label in self.pristine.labels(range(first, first + 64))),
        )

    def _environment(self, runtime: Runtime | None) -> dict[str, str]:
        return {
            "sandbox": self.sandbox.level.value,
            "grader": __version__,
            "python": platform.python_version(),
            "keras": runtime.keras if runtime else "",
            "tensorflow": runtime.tensorflow if runtime else "",
            "machine": f"{platform.system()} {platform.machine()}",
            "cpu": machine_level().rpartition(" · ")[2],
            "seed": str(self.assignment.spec.seed),
            "data_sha256": self.dataset.sha256,
        }


def conclude(
    assignment: Assignment,
    template: Notebook | None,
    gathered: Gathered,
    student: Student,
    late: Late = scoring.UNKNOWN,
    overrides: tuple[Override, ...] = (),
    marks: tuple[Mark, ...] = (),
) -> Graded:
    """Judge, mark and score what was gathered."""
    overrides = _that_count(assignment, overrides)
    graded = Graded(
        assignment=assignment,
        student=student,
        notebook=gathered.file,
        state=State.GRADED,
        score=scoring.score(assignment, (), (), late),
        environment=gathered.environment,
        problem=gathered.problem,
    )
    if gathered.notebook is None or gathered.fault:
        last = tuple(_by_hand(assignment, gathered, override) for override in overrides)
        none = [Answer(name, "missing", None, "") for name in assignment.rubric.questions]
        by_hand = tuple(one for one in with_marks(assignment, none, marks) if one.marks)
        score = scoring.score(assignment, last, by_hand, late)
        waits = State.GRADER_ERROR if gathered.fault else State.UNREADABLE
        state = waits if score.pending else State.GRADED  # a person decided everything
        return replace(graded, state=state, findings=last, answers=by_hand, score=score)
    verdict = judge(assignment, gathered.evidence)
    findings = tuple(
        _decided(_located(finding, gathered.notebook), overrides) for finding in verdict.findings
    )
    found = find_answers(gathered.notebook, template, assignment.rubric.questions)
    answers = with_marks(assignment, found, marks)
    undecided = scoring.person_decides(assignment, late)
    return replace(
        graded,
        state=State.NEEDS_REVIEW
        if undecided and _state(findings) is State.GRADED
        else _state(findings),
        score=scoring.score(assignment, findings, answers, late),
        findings=findings,
        flags=(*verdict.flags, *_disagreements(findings, overrides)),
        answers=answers,
        evidence=gathered.evidence,
        experiments=verdict.experiments,
        notices=(*gathered.notebook.notices, *([undecided] if undecided else [])),
    )


def _that_count(assignment: Assignment, overrides: tuple[Override, ...]) -> tuple[Override, ...]:
    """The latest mark of each check that there is, and no more than it is worth now."""
    possible = {check.name: check.possible for check in assignment.spec.checks}
    latest = {override.check: override for override in overrides if override.check in possible}
    return tuple(
        replace(override, points=min(override.points, possible[override.check]))
        for override in latest.values()
    )


def _by_hand(assignment: Assignment, gathered: Gathered, override: Override) -> Finding:
    """A person's points for a check of a submission that could not be judged."""
    check = assignment.check(override.check)
    unjudged = Finding(
        check=check.name,
        status=Status.NEEDS_REVIEW,
        basis=check.basis,
        earned=0,
        possible=check.possible,
        title=check.title.text,
        expected=check.title.text,
        observed=gathered.problem or check.title.text,
    )
    return unjudged.decided(override.points, override.because)


def _located(finding: Finding, notebook: Notebook) -> Finding:
    """Name the cell that the notebook sets aside for a check of which nothing was seen."""
    if finding.cell is not None or finding.status is not Status.NOT_ATTEMPTED:
        return finding
    meant = (cell for cell in notebook.cells if finding.check in cell.role.get("check", "").split())
    return replace(finding, cell=next((cell.index for cell in meant), None))


def _decided(finding: Finding, overrides: tuple[Override, ...]) -> Finding:
    for override in reversed(overrides):
        if override.check == finding.check:
            return finding.decided(override.points, override.because)
    return finding


def _disagreements(
    findings: tuple[Finding, ...], overrides: tuple[Override, ...]
) -> Iterator[Flag]:
    """Name the checks for which this run gives other points than when a person decided them."""
    last = {override.check: override for override in overrides}
    for finding in findings:
        override = last.get(finding.check)
        if override is not None and override.saw not in (None, finding.alone):
            said = T(
                "“{title}”: the notebook’s run gives {now:g} points now and gave {before:g} when a "
                "person decided on {points:g}. The person’s points count.",
                title=finding.title,
                now=(finding.alone or 0) / 100,
                before=override.saw / 100,
                points=override.points / 100,
            )
            yield Flag("mark_differs", said)


def _state(findings: tuple[Finding, ...]) -> State:
    statuses = {finding.status for finding in findings}
    if Status.GRADER_ERROR in statuses:
        return State.GRADER_ERROR
    return State.NEEDS_REVIEW if Status.NEEDS_REVIEW in statuses else State.GRADED


def template_of(assignment: Assignment) -> Notebook | None:
    """Return the notebook that students got, to tell their answers from its text."""
    path = assignment.folder / assignment.spec.notebook
    with suppress(OSError, Unreadable):
        return read_notebook(path.read_bytes(), path.name)
    return None
