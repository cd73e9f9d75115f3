"""An assignment's folder → one checked `Assignment`: the files, and that they fit each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from grader.assignment import Assignment, Spec
from grader.checks.kinds import problems
from grader.rubric.spec import Rubric
from grader.specfile import SpecError, nearest, parse
from grader.thresholds import Calibration


def load_assignment(folder: Path) -> Assignment:
    """Read an assignment's folder.

    Raises:
        SpecError: a file is missing, is not TOML or JSON, or says something that cannot be.
    """
    spec = parse(folder / "assignment.toml", Spec)
    rubric = parse(folder / "rubric.toml", Rubric)
    calibration_path = calibration_file(folder)
    calibration = parse(calibration_path, Calibration) if calibration_path.exists() else None
    digest = hashlib.sha256()
    for path in (folder / "assignment.toml", folder / "rubric.toml", calibration_path):
        digest.update(path.read_bytes() if path.exists() else b"")
    wrong = [f"{folder / 'assignment.toml'}: {problem}" for problem in problems(spec)]
    wrong += [f"{folder / 'rubric.toml'}: {problem}" for problem in _strangers(rubric, spec)]
    if wrong:
        raise SpecError("\n".join(wrong))
    return Assignment(
        folder=folder, spec=spec, rubric=rubric, calibration=calibration, sha256=digest.hexdigest()
    )


def _strangers(rubric: Rubric, spec: Spec) -> Iterator[str]:
    """Yield a line for each experiment that a question names and the assignment does not have."""
    experiments = [experiment.id for experiment in spec.experiments]
    for name, question in rubric.questions.items():
        for wanted in question.experiments:
            if wanted not in experiments:
                close = nearest(wanted, experiments)
                yield f"questions.{name}.experiments: {wanted!r} is no experiment{close}"


def files_of(assignment: Assignment) -> dict[str, bytes]:
    """Return what another machine needs of an assignment's folder: `load_assignment` reads it."""
    paths = {
        "calibration.json": calibration_file(assignment.folder),
        **{
            name: assignment.folder / name
            for name in ("assignment.toml", "rubric.toml", assignment.spec.notebook)
        },
    }
    return {name: path.read_bytes() for name, path in paths.items() if path.exists()}


def calibration_file(folder: Path) -> Path:
    """Return where a calibration is: beside its assignment when packed, else in reference/."""
    packed = folder / "calibration.json"
    return packed if packed.exists() else folder.parent / "reference" / "calibration.json"


def default_folder() -> Path:
    """Return the assignment this installation came with: packed, or the checkout's."""
    here = Path(__file__).parent
    packed = sorted((here / "assignments").glob("*/assignment.toml"))
    return packed[0].parent if packed else here.parent / "assignment"
