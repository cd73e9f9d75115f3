"""Run reference/solution.ipynb as `grader check` does and keep its outputs in the file.

Usage: python -m scripts.execute_reference   (then `grader assignment release assignment`)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from grader.checking import check_notebook
from grader.dataset.store import open_dataset
from grader.loading import default_folder, load_assignment
from grader.result import result_json

SOLUTION = Path(__file__).parent.parent / "reference" / "solution.ipynb"


def main() -> None:
    """Run, print what it earns, write the outputs beside the untouched sources and metadata."""
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    with tempfile.TemporaryDirectory() as folder:
        graded = check_notebook(SOLUTION, assignment, dataset, Path(folder), "en", print)
        executed = json.loads((Path(folder) / "executed.ipynb").read_text(encoding="utf-8"))
    document = json.loads(SOLUTION.read_text(encoding="utf-8"))
    for cell, run in zip(document["cells"], executed["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = run["outputs"], run["execution_count"]
    SOLUTION.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result_json(graded, "en")["points"]))


if __name__ == "__main__":
    main()
