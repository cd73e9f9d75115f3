"""Inside Gradescope's image: one submission → results.json.

The script `run_autograder` calls it as `python -m grader.export.autograder.run ROOT`. It grades as
`grader check` does, at the best level of walls that the container offers. Whatever goes wrong, what
is written is valid and holds no zero that nobody gave.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.checking import check_submission
from grader.dataset.store import open_dataset
from grader.export import gradescope
from grader.intake import work_of
from grader.loading import load_assignment
from grader.locale import LANGUAGES, T, Translator
from grader.result import SELF_CHECK, result_json
from grader.writing import write_whole


def main(root: Path) -> None:
    """Grade the submission below `root` and write its results.json there, whole or not at all.

    Raises:
        OSError: the disk is full or read-only; what `run_autograder` put there stands.
    """
    plain = graded(root)
    path = root / "results" / "results.json"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, f"{json.dumps(plain, ensure_ascii=False, indent=1)}\n".encode())


def graded(root: Path) -> dict[str, Any]:
    """Return results.json for the submission below `root`; a fault of ours is said in it.

    The traceback of a fault is printed, where instructors read it and students do not.
    """
    language = LANGUAGES[0]
    try:
        assignment = load_assignment(root / "source" / "assignment")
        language = assignment.spec.language
        return _graded(root / "submission", assignment)
    except Exception:  # noqa: BLE001 - the border: the process's, and its student is not to blame
        traceback.print_exc()
        return gradescope.failed(language)


def _graded(folder: Path, assignment: Assignment) -> dict[str, Any]:
    language = assignment.spec.language
    say = Translator(language)
    intake = work_of(SELF_CHECK, folder, assignment.spec.notebook)
    for ignored in intake.ignored:
        print(f"{ignored.shown}: {say(ignored.reason)}")
    if not intake.submissions:
        nothing = T("There is no notebook (.ipynb) in your submission; submit it again with one.")
        return gradescope.ungraded([nothing], language, "missing")
    (submission,) = intake.submissions
    dataset = open_dataset(assignment.spec.dataset.spec, notify=print)
    _, judged = check_submission(submission, assignment, dataset, language, print)
    print(dict(judged.environment))
    plain = gradescope.results(result_json(judged, language), language)
    others = [one.shown for one in intake.ignored if one.shown.lower().endswith(".ipynb")]
    if others:
        taken = T(
            "Of your notebooks {name} was taken, and not {names}.",
            name=submission.name, names=", ".join(others),
        )  # fmt: skip
        plain["output"] += f"\n{say(taken)}"
    return plain


if __name__ == "__main__":
    main(Path(sys.argv[1]))
