"""nbgrader and otter-grader, from the registry, in an environment of the benchmark's own.

The environment sees the project's TensorFlow through a `.pth` file, so that everybody trains with
the same build; what nbgrader and otter-grader bring themselves comes before it.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from benchmarks.classes import Submission
from benchmarks.notebooks import Notebook, code, template, write
from benchmarks.processes import Usage, run
from grader.dataset.store import open_dataset
from grader.loading import default_folder, load_assignment

PACKAGES = ("nbgrader", "otter-grader")
COURSE, NOTEBOOK = "taller3", "taller3.ipynb"
NBGRADER = "nbgrader autograde taller3 --student=… --ExecutePreprocessor.timeout=-1"
OTTER = "otter run -a autograder.zip …"
TEST = "assert 1 + 1 == 2\n"
MARKS = {
    "cell_type": "code", "grade": True, "grade_id": "arithmetic", "locked": True, "points": 1,
    "schema_version": 3, "solution": False, "task": False,
}  # fmt: skip
OTTER_TEST = """OK_FORMAT = True

test = {
    "name": "arithmetic",
    "points": 1,
    "suites": [
        {
            "cases": [{"code": ">>> 1 + 1\\n2", "hidden": False, "locked": False}],
            "scored": True,
            "setup": "",
            "teardown": "",
            "type": "doctest",
        }
    ],
}
"""
Say = Callable[[str], None]


class Others:
    """Runs other graders on notebooks.

    Args:
        work: a folder that may stay from one run to the next; the environment then stays, too.
    """

    def __init__(self, work: Path, say: Say) -> None:
        self.work, self.say = work, say
        self.venv, self.course, self.otter_folder = work / "venv", work / "course", work / "otter"
        self._ready = False

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages; install them first where they are missing."""
        self._prepare()
        return self.installed()

    def installed(self) -> dict[str, str]:
        """Return the versions of the packages, none where there is no environment yet."""
        if not self._script("otter").exists():
            return {}
        script = (
            "import json, sys; from importlib.metadata import version; "
            "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
        )
        command = [str(self._python), "-c", script, *PACKAGES]
        found: dict[str, str] = json.loads(subprocess.check_output(command))
        return found

    def nbgrader(self, submission: Submission) -> Usage:
        """Run `nbgrader autograde` on one submission."""
        self._prepare()
        student = submission.student
        handed = _with_test(submission.notebook)
        write(self.course / "submitted" / student / COURSE / NOTEBOOK, handed)
        command = [self._script("nbgrader"), "autograde", COURSE, f"--student={student}", "--force"]
        command += ["--ExecutePreprocessor.timeout=-1"]
        used = run(command, self._environment(), self.course, self.course / "nbgrader.log")
        graded = self.course / "autograded" / student / COURSE / NOTEBOOK
        _all_ran(json.loads(graded.read_text(encoding="utf-8")), student)
        return used

    def otter(self, submission: Submission) -> Usage:
        """Run `otter run`, which needs no container, on one submission."""
        self._prepare()
        write(self.otter_folder / NOTEBOOK, submission.notebook)
        command = [self._script("otter"), "run", "--no-logo", "-a", "autograder.zip", NOTEBOOK]
        log = self.otter_folder / "otter.log"
        return run(command, self._environment(), self.otter_folder, log)

    @property
    def _python(self) -> Path:
        return self.venv / "bin" / "python"

    def _script(self, name: str) -> Path:
        return self.venv / "bin" / name

    def _environment(self) -> dict[str, str]:
        """Nothing of the user's own: kernels, settings and the dataset are the benchmark's."""
        return {
            "PATH": f"{self.venv / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "JUPYTER_DATA_DIR": str(self.work / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(self.work / "jupyter-config"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(self.work / "ipython"),
            "KERAS_HOME": str(keras_home(self.work)),
        }

    def _prepare(self) -> None:
        if self._ready:
            return
        if not self._script("nbgrader").exists() or not self._script("otter").exists():
            self._install()
        (self.venv_packages / "project-tensorflow.pth").write_text(
            sysconfig.get_path("purelib") + "\n", encoding="utf-8"
        )
        self._make_course()
        self._make_autograder()
        self._ready = True

    @property
    def venv_packages(self) -> Path:
        """The folder of the environment's own packages."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.venv / "lib" / version / "site-packages"

    def _install(self) -> None:
        self.say(f"installing {' and '.join(PACKAGES)} in an environment of their own")
        self.work.mkdir(parents=True, exist_ok=True)
        log = self.work / "install.log"
        run([sys.executable, "-m", "venv", "--clear", self.venv], log=log)
        pip = [self._python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, *PACKAGES], log=log)

    def _make_course(self) -> None:
        write(self.course / "source" / COURSE / NOTEBOOK, _with_test(template()))
        (self.course / "nbgrader_config.py").write_text("", encoding="utf-8")
        command = [self._script("nbgrader"), "generate_assignment", COURSE, "--force"]
        run(command, self._environment(), self.course, self.course / "nbgrader.log")

    def _make_autograder(self) -> None:
        tests = self.otter_folder / "tests"
        tests.mkdir(parents=True, exist_ok=True)
        (tests / "arithmetic.py").write_text(OTTER_TEST, encoding="utf-8")
        command = [self._script("otter"), "generate", "-t", "tests", "-o", "autograder.zip"]
        run(command, self._environment(), self.otter_folder, self.otter_folder / "otter.log")


def keras_home(work: Path) -> Path:
    """Return a folder in which Keras finds the dataset without a network."""
    assignment = load_assignment(default_folder())
    home = work / "keras"
    link = home / "datasets" / assignment.spec.dataset.keras_folder
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(open_dataset(assignment.spec.dataset.spec).keras)
    return home


def _with_test(notebook: Notebook) -> Notebook:
    """Return a notebook with one autograded cell at its end, which nbgrader needs."""
    made = copy.deepcopy(notebook)
    made["cells"].append({**code("arithmetic", TEST), "metadata": {"nbgrader": MARKS}})
    return made


def _all_ran(notebook: Notebook, student: str) -> None:
    """Make sure that what was timed is a whole execution.

    Raises:
        RuntimeError: a cell failed or was not run.
    """
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
            continue
        failed = [one["ename"] for one in cell["outputs"] if one["output_type"] == "error"]
        if failed or cell["execution_count"] is None:
            raise RuntimeError(f"{student}: cell {cell['id']} did not run well: {failed}")
