"""What students get: the notebook without its solutions, and the package for the self-check.

The solution, model answers, key ideas and samples stay behind. Nothing here runs a notebook.
"""

# mypy: untyped-calls-exclude="nbconvert,nbformat"

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from grader.assignment import Assignment
from grader.loading import calibration_file, load_assignment
from grader.report.pages import template_folder
from grader.rubric.spec import Rubric
from grader.specfile import SpecError


class Marks(NamedTuple):
    """How one kind of cell marks a solution, and what stands there on release."""

    begin: str
    end: str
    placeholder: str


MARKS = {
    "code": Marks(
        "### INICIO DE LA SOLUCIÓN",
        "### FIN DE LA SOLUCIÓN",
        "# Escribe aquí tu código",
    ),
    "markdown": Marks(
        "<!-- inicio de la solución -->",
        "<!-- fin de la solución -->",
        "_Escribe aquí tu respuesta._",
    ),
}
LOOKS_LIKE_A_MARK = re.compile(r"\b(inicio|fin) de la soluci[oó]n\b", re.IGNORECASE)
ROLES_TO_COMPLETE = frozenset({"task", "answer", "experiment"})

RUBRIC_FOR_STUDENTS: Any = {
    "prompt": True,
    "points": True,
    "experiments": True,
    "criteria": {"__all__": {"id", "title", "levels"}},
}
PROJECT_FOR_STUDENTS = (
    "name",
    "version",
    "description",
    "license",
    "requires-python",
    "dependencies",
    "scripts",
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "assignments", "templates")


class ClearSolutions(Preprocessor):
    """Puts a placeholder where a solution is marked; identifiers and metadata stay."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear one cell.

        Raises:
            SpecError: marks are unbalanced or misspelt, or a cell to complete has none.
        """
        name = cell.get("id", f"number {index}")
        marks = MARKS.get(cell.cell_type)
        lines = cell.source.split("\n")
        released = list(_without_solutions(name, lines, marks)) if marks else lines
        role = cell.metadata.get("grader", {}).get("role")
        if role in ROLES_TO_COMPLETE and released == lines:
            raise SpecError(f"cell {name}: has the role {role!r} but marks no solution")
        cell.source = "\n".join(released)
        return cell, resources


class ClearRuns(Preprocessor):
    """Removes all that running a notebook leaves in its cells, wherever it was run."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clear one cell's outputs, its number and all metadata but ours."""
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
        grader = cell.metadata.get("grader")
        cell.metadata = NotebookNode(grader=grader) if grader else NotebookNode()
        return cell, resources


# nbconvert's constructors carry no annotations.
STEPS: tuple[Preprocessor, ...] = (ClearSolutions(), ClearRuns())  # type: ignore[no-untyped-call]


def release_notebook(solution: Path) -> NotebookNode:
    """Return the notebook that students get from the solved one.

    Raises:
        SpecError: a cell's marks are wrong; the message names the cell.
    """
    notebook: NotebookNode = nbformat.read(solution, as_version=4)
    try:
        for step in STEPS:
            notebook, _ = step.preprocess(notebook, {})
    except SpecError as error:
        raise SpecError(f"{solution}: {error}") from error
    notebook.metadata = NotebookNode(
        kernelspec=notebook.metadata.kernelspec,
        language_info=NotebookNode(name=notebook.metadata.language_info.name),
    )
    return notebook


def write_release(assignment_dir: Path) -> Path:
    """Write the students' notebook into the assignment's folder and return its path."""
    assignment = load_assignment(assignment_dir)
    path = assignment_dir / assignment.spec.notebook
    nbformat.write(release_notebook(solution_file(assignment_dir)), path)
    return path


def solution_file(assignment_dir: Path) -> Path:
    """Return where an assignment's solved notebook is."""
    return assignment_dir.parent / "reference" / "solution.ipynb"


def build_student_package(assignment_dir: Path, out: Path) -> Path:
    """Build the wheel that students install for the self-check and return its path.

    Raises:
        SpecError: the assignment is wrong, this is no checkout, or the build failed.
    """
    assignment = load_assignment(assignment_dir)
    with tempfile.TemporaryDirectory(prefix="grader-release-") as folder:
        stage = Path(folder)
        _stage_engine(stage)
        _stage_assignment(stage / "grader" / "assignments" / assignment.id, assignment)
        built = _build_wheel(stage)
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(built, out))


def stage_package(folder: Path) -> None:
    """Copy our package with its templates, and without an assignment, to a new folder."""
    shutil.copytree(Path(__file__).parent, folder, ignore=LEFT_OUT)
    shutil.copytree(template_folder(), folder / "templates")


def student_rubric(rubric: Rubric) -> str:
    """Return rubric.toml with what students may read: prompts, criteria and levels."""
    questions = {
        name: question.model_dump(include=RUBRIC_FOR_STUDENTS)
        for name, question in rubric.questions.items()
    }
    return _toml({"questions": questions})


def _without_solutions(name: str, lines: list[str], marks: Marks) -> Iterator[str]:
    begun = 0
    for number, line in enumerate(lines, start=1):
        mark = line.strip()
        if mark == marks.begin:
            if begun:
                raise SpecError(
                    f"cell {name}, line {number}: a solution begins inside the one of line {begun}"
                )
            begun = number
            yield line.removesuffix(line.lstrip()) + marks.placeholder
        elif mark == marks.end:
            if not begun:
                raise SpecError(f"cell {name}, line {number}: a solution ends that did not begin")
            begun = 0
        elif LOOKS_LIKE_A_MARK.search(line):
            raise SpecError(
                f"cell {name}, line {number}: {mark!r} is no mark; "
                f"write {marks.begin!r} or {marks.end!r} on a line of its own"
            )
        elif not begun:
            yield line
    if begun:
        raise SpecError(f"cell {name}, line {begun}: the solution that begins here has no end")


def _stage_engine(stage: Path) -> None:
    package = Path(__file__).parent
    pyproject = package.parent / "pyproject.toml"
    if not pyproject.exists():
        raise SpecError(f"{pyproject}: there is no such file; build from the project's checkout")
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    student = {
        "build-system": {"requires": ["hatchling"], "build-backend": "hatchling.build"},
        "project": {key: project[key] for key in PROJECT_FOR_STUDENTS},
        "tool": {"hatch": {"build": {"targets": {"wheel": {"packages": ["grader"]}}}}},
    }
    (stage / "pyproject.toml").write_text(_toml(student), encoding="utf-8")
    stage_package(stage / "grader")


def _stage_assignment(folder: Path, assignment: Assignment) -> None:
    folder.mkdir(parents=True)
    notebook = release_notebook(solution_file(assignment.folder))
    nbformat.write(notebook, folder / assignment.spec.notebook)
    rubric = student_rubric(assignment.rubric)
    (folder / "rubric.toml").write_text(rubric, encoding="utf-8")
    shutil.copy(assignment.folder / "assignment.toml", folder)
    if assignment.calibration:
        shutil.copy(calibration_file(assignment.folder), folder)


def _build_wheel(stage: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    done = subprocess.run(build, cwd=stage, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        raise SpecError(f"the student package was not built: {reason}")
    [wheel] = (stage / "dist").glob("*.whl")
    return wheel


def _toml(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Write strings, numbers, lists of them, tables and arrays of tables."""
    lines: list[str] = []
    tables: list[str] = []
    for key, value in table.items():
        inner = (*path, key)
        if isinstance(value, Mapping):
            tables.append(f"\n[{'.'.join(inner)}]\n{_toml(value, inner)}")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            tables.extend(f"\n[[{'.'.join(inner)}]]\n{_toml(row, inner)}" for row in value)
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines + tables)
