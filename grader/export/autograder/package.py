"""The autograder's ZIP: two scripts, the assignment as students may read it, and ourselves.

Our source travels, not a wheel: it runs from where Gradescope unpacks it, and what it needs is
installed as requirements.lock pins it. Nothing in the image is worth stealing: student code may
run there without walls, so model answers, key ideas, solution and samples stay behind.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

from grader.assignment import Assignment
from grader.export import gradescope
from grader.export.marks import ExportError
from grader.loading import calibration_file
from grader.locale import T
from grader.release import stage_package, student_rubric

SCRIPTS = ("setup.sh", "run_autograder")
FAILED = "failed.json"
LOCK = "requirements.lock"
EPOCH = (1980, 1, 1, 0, 0, 0)
UNIX = 3  # without it the permissions of a member mean nothing


def autograder(assignment: Assignment) -> bytes:
    """Return the ZIP that Gradescope builds its image from; the same one for the same input.

    Raises:
        ExportError: this is no checkout, so nothing says which versions to install.
    """
    with tempfile.TemporaryDirectory(prefix="grader-autograder-") as folder:
        stage = Path(folder)
        _stage_scripts(stage, assignment.spec.language)
        _stage_assignment(stage / "assignment", assignment)
        stage_package(stage / "grader")
        return _zipped(stage)


def _stage_scripts(stage: Path, language: str) -> None:
    lock = Path(__file__).parents[3] / LOCK
    if not lock.exists():
        raise ExportError(
            T("{path}: there is no such file; call it in the project's checkout", path=str(lock))
        )
    shutil.copyfile(lock, stage / LOCK)
    for name in SCRIPTS:
        script = Path(__file__).with_name(name).read_bytes()
        (stage / name).write_bytes(script.replace(b"\r\n", b"\n"))
    failed = json.dumps(gradescope.failed(language), ensure_ascii=False, indent=1) + "\n"
    (stage / FAILED).write_text(failed, encoding="utf-8")


def _stage_assignment(folder: Path, assignment: Assignment) -> None:
    folder.mkdir()
    rubric = student_rubric(assignment.rubric)
    (folder / "rubric.toml").write_text(rubric, encoding="utf-8")
    given = [assignment.folder / name for name in ("assignment.toml", assignment.spec.notebook)]
    for path in (*given, calibration_file(assignment.folder)):
        if path.exists():
            shutil.copyfile(path, folder / path.name)


def _zipped(stage: Path) -> bytes:
    packed = io.BytesIO()
    files = {path.relative_to(stage).as_posix(): path for path in stage.rglob("*")}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(files.items()):
            if path.is_file():
                member = zipfile.ZipInfo(name, EPOCH)
                member.create_system = UNIX
                member.external_attr = (0o100755 if name in SCRIPTS else 0o100644) << 16
                archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
