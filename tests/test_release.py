"""Students get what the solved notebook says, and nothing of how it is solved."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.loading import load_assignment
from grader.release import MARKS, build_student_package, release_notebook, student_rubric
from grader.rubric.spec import Rubric
from grader.specfile import SpecError

ROOT = Path(__file__).parents[1]
ASSIGNMENT = ROOT / "assignment"
SOLUTION = ROOT / "reference" / "solution.ipynb"
CODE, MARKDOWN = MARKS["code"], MARKS["markdown"]
SHORTEST_SECRET = 30
"""Lines and sentences below this length say too little to be a leak."""


def solved() -> NotebookNode:
    return nbformat.read(SOLUTION, as_version=4)


def written(folder: Path, *cells: NotebookNode) -> Path:
    """Write a solved notebook of these cells, with names c0, c1, …"""
    for index, cell in enumerate(cells):
        cell["id"] = f"c{index}"
    kernel = {"name": "python3", "display_name": "Python 3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    path = folder / "solution.ipynb"
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def code(*lines: str) -> NotebookNode:
    return new_code_cell("\n".join(lines))


def solution_lines() -> set[str]:
    """Return the solution's code lines that say something and that no text or hint gives."""
    inside: set[str] = set()
    outside = "".join(check.hint.es for check in load_assignment(ASSIGNMENT).spec.checks)
    for cell in solved().cells:
        marks = MARKS[cell.cell_type]
        pattern = rf"{re.escape(marks.begin)}(.*?){re.escape(marks.end)}"
        if cell.cell_type == "code":
            for region in re.findall(pattern, cell.source, re.DOTALL):
                inside.update(line.strip() for line in region.split("\n"))
        outside += re.sub(pattern, "", cell.source, flags=re.DOTALL)
    return {line for line in inside if len(line) >= SHORTEST_SECRET and line not in outside}


def rubric() -> Rubric:
    return Rubric.model_validate(tomllib.loads((ASSIGNMENT / "rubric.toml").read_text("utf-8")))


def rubric_secrets() -> set[str]:
    """Return every sentence of the model answers and every key idea, in both languages."""
    secrets: set[str] = set()
    for question in rubric().questions.values():
        answer = question.model_answer
        if answer:
            for text in (answer.es, answer.en):
                secrets.update(part.strip() for part in re.split(r"[.:;\n]", text))
        ideas = [idea for criterion in question.criteria for idea in criterion.key_ideas]
        secrets.update(text for idea in ideas for text in (idea.es, idea.en))
    return {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_student_package(ASSIGNMENT, tmp_path_factory.mktemp("dist"))


def contents(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_committed_notebook_is_the_release_of_the_solution() -> None:
    """The committed notebook equals the release of the solved one, byte for byte."""
    name = tomllib.loads((ASSIGNMENT / "assignment.toml").read_text("utf-8"))["notebook"]

    expected = nbformat.writes(release_notebook(SOLUTION)) + "\n"

    assert expected == (ASSIGNMENT / name).read_text("utf-8")


def test_released_notebook_is_valid_and_keeps_identifiers_and_metadata() -> None:
    """Identifiers are unique; they and our metadata are those of the solved notebook."""
    released = release_notebook(SOLUTION)
    identifiers = [cell.id for cell in released.cells]

    nbformat.validate(released)
    assert len(set(identifiers)) == len(identifiers)
    assert [cell.id for cell in solved().cells] == identifiers
    assert [cell.metadata.grader for cell in solved().cells] == [
        cell.metadata.grader for cell in released.cells
    ]


def test_identifiers_do_not_change() -> None:
    """The cells that answers are found by have the identifiers that handed-in notebooks have."""
    found = {cell.id for cell in release_notebook(SOLUTION).cells}

    assert {"t3-q1", "t3-q2", "t3-q3", "t3-q4", "t3-q5"} <= found
    assert {"t3-baseline", "t3-wide", "t3-longer", "t3-deep"} <= found


def test_every_cell_to_complete_has_a_visible_marker() -> None:
    """Colab may drop identifiers, so each cell to complete says in its text what it is."""
    roles = {"task", "experiment", "answer"}
    cells = [c for c in release_notebook(SOLUTION).cells if c.metadata.grader.role in roles]
    first_lines = [cell.source.split("\n")[0] for cell in cells]

    assert all("✏️" in line for line in first_lines)
    assert len(set(first_lines)) == len(first_lines)


def test_outputs_and_traces_of_a_run_are_removed(tmp_path: Path) -> None:
    """A solution that was run releases the same notebook as one that was not."""
    clean = written(tmp_path, code("print(1)"))
    expected = nbformat.writes(release_notebook(clean))
    notebook = nbformat.read(clean, as_version=4)
    notebook.metadata.language_info.version = "3.11.9"
    notebook.metadata.widgets = {}
    cell = notebook.cells[0]
    cell.execution_count = 3
    cell.metadata.execution = {"iopub.execute_input": "2025-01-01T00:00:00Z"}
    cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nbformat.write(notebook, clean)

    assert expected == nbformat.writes(release_notebook(clean))


def test_placeholder_keeps_the_indentation(tmp_path: Path) -> None:
    """A solution inside a function leaves a placeholder inside that function."""
    cell = code(
        "def f():", '    """Uno."""', f"    {CODE.begin}", "    return 1", f"    {CODE.end}"
    )

    [released] = release_notebook(written(tmp_path, cell)).cells

    assert f'def f():\n    """Uno."""\n    {CODE.placeholder}' == released.source


def test_two_solutions_in_one_cell_are_both_cleared(tmp_path: Path) -> None:
    """What stands between two solutions stays."""
    cell = code(CODE.begin, "a = 1", CODE.end, "b = 2", CODE.begin, "c = 3", CODE.end)

    [released] = release_notebook(written(tmp_path, cell)).cells

    assert f"{CODE.placeholder}\nb = 2\n{CODE.placeholder}" == released.source


def test_markdown_solution_becomes_the_answer_placeholder(tmp_path: Path) -> None:
    """A model answer leaves the line that invites to answer."""
    cell = new_markdown_cell(f"Título\n{MARKDOWN.begin}\nPorque sí.\n{MARKDOWN.end}")

    [released] = release_notebook(written(tmp_path, cell)).cells

    assert f"Título\n{MARKDOWN.placeholder}" == released.source


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([CODE.begin, "a = 1"], "line 1: the solution that begins here has no end"),
        (["a = 1", CODE.end], "line 2: a solution ends that did not begin"),
        ([CODE.begin, CODE.begin, CODE.end], "line 2: a solution begins inside the one of line 1"),
        (["### INICIO DE LA SOLUCION", "a = 1"], "is no mark"),
        ([f"a = 1  {CODE.begin}"], "is no mark"),
    ],
)
def test_wrong_marks_are_refused(tmp_path: Path, lines: list[str], reason: str) -> None:
    """An unbalanced or misspelt mark is refused, and the message names the cell."""
    path = written(tmp_path, code("1"), code(*lines))

    with pytest.raises(SpecError, match=f"cell c1.*{re.escape(reason)}"):
        release_notebook(path)


def test_cell_to_complete_without_a_solution_is_refused(tmp_path: Path) -> None:
    """A task whose solution nobody marked would be given away whole."""
    cell = code("a = 1")
    cell.metadata["grader"] = {"role": "task"}

    with pytest.raises(SpecError, match="cell c0: has the role 'task' but marks no solution"):
        release_notebook(written(tmp_path, cell))


def test_student_rubric_says_the_same_without_answers() -> None:
    """Prompts, criteria and levels survive; model answers and key ideas do not."""
    full = rubric()

    student = Rubric.model_validate(tomllib.loads(student_rubric(full)))

    assert list(full.questions) == list(student.questions)
    for mine, theirs in zip(full.questions.values(), student.questions.values(), strict=True):
        assert (mine.prompt, mine.points) == (theirs.prompt, theirs.points)
        assert [c.levels for c in mine.criteria] == [c.levels for c in theirs.criteria]
        assert theirs.model_answer is None
        assert not any(criterion.key_ideas for criterion in theirs.criteria)


def test_wheel_has_engine_notebook_spec_and_calibration(wheel: Path) -> None:
    """The student package has all that a self-check needs, and its assignment loads."""
    names = set(contents(wheel))
    assignment = load_assignment(ASSIGNMENT)
    folder = f"grader/assignments/{assignment.id}"
    data = {"assignment.toml", "rubric.toml", assignment.spec.notebook}
    if assignment.calibration:
        data.add("calibration.json")

    assert {"grader/cli/base.py", "grader/grading.py"} <= names
    assert any(name.startswith("grader/templates/") for name in names)
    assert {f"{folder}/{name}" for name in data} == {n for n in names if n.startswith(folder)}


def test_packed_assignment_loads(wheel: Path, tmp_path: Path) -> None:
    """What students install is a valid assignment with the same checks."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    mine = load_assignment(ASSIGNMENT)

    theirs = load_assignment(tmp_path / "grader" / "assignments" / mine.id)

    assert mine.spec == theirs.spec


def test_nothing_of_the_solution_is_in_the_wheel(wheel: Path) -> None:
    """No line of the solution, sentence of a model answer or key idea, and no sample."""
    secrets = solution_lines() | rubric_secrets()

    leaks = [
        (name, secret)
        for name, text in contents(wheel).items()
        for secret in secrets
        if secret in text or json.dumps(secret, ensure_ascii=False)[1:-1] in text
    ]

    assert len(secrets) > 100
    assert [] == leaks
    assert not any("sample" in name or "solution.ipynb" in name for name in contents(wheel))
