"""Run reference/solution.ipynb behind the walls and keep its outputs in the file.

Usage: python -m scripts.execute_reference   (then `grader assignment release assignment`)
"""

from __future__ import annotations

import json
from pathlib import Path

from grader.dataset.store import open_dataset
from grader.grading import Grading
from grader.loading import default_folder, load_assignment
from grader.notebook import to_run
from grader.report.executed import executed_notebook
from grader.result import Student, result_json
from grader.sandbox import Level

SOLUTION = Path(__file__).parent.parent / "reference" / "solution.ipynb"


def main() -> None:
    """Run, print what it earns, write the outputs beside the untouched sources and metadata."""
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    with Grading(assignment, dataset, Level.STANDARD) as grading:
        gathered, graded = grading.grade(
            SOLUTION.read_bytes(), SOLUTION.name, Student("reference", "Reference")
        )
    assert gathered.notebook is not None
    executed = executed_notebook(to_run(gathered.notebook), gathered.evidence.cells)["cells"]
    document = json.loads(SOLUTION.read_text(encoding="utf-8"))
    for cell, run in zip(document["cells"], executed, strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = run["outputs"], run["execution_count"]
    SOLUTION.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result_json(graded, "en")["points"]))


if __name__ == "__main__":
    main()
