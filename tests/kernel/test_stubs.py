"""What a notebook written for Colab, or with the self-check in it, finds in the kernel."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

STUBS = Path(__file__).parents[2] / "grader" / "kernel" / "stubs"


def run(program: str, home: str = "/nowhere") -> str:
    """Run a program in an isolated interpreter with the stubs first on its path."""
    start = f"import sys\nsys.path.insert(0, {str(STUBS)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", start + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", "IPYTHONDIR": home},
        timeout=60,
        check=False,
    )
    assert "" == done.stderr
    return done.stdout


def test_google_stays_a_namespace() -> None:
    """The stub lies beside TensorFlow's `google.protobuf`, whichever is imported first."""
    program = (
        "import {}\nimport {}\nprint(google.protobuf.__version__ != '', google.colab.__name__)"
    )

    for first, second in (("google.colab", "google.protobuf"), ("google.protobuf", "google.colab")):
        assert "True google.colab\n" == run(program.format(first, second))
    assert not (STUBS / "google" / "__init__.py").exists()


def test_the_path_may_be_changed_after_google_was_imported() -> None:
    """The kernel's launcher puts the stubs on the path late; the namespace still finds them."""
    printed = run(
        """
        stubs = sys.path.pop(0)
        import google.protobuf
        sys.path.insert(0, stubs)
        from google.colab import drive
        print(drive.mount("/content/drive"))
        """
    )

    assert "Aquí no hay Google Drive; sigo sin él.\nNone\n" == printed


def test_what_colab_notebooks_call_goes_on() -> None:
    """Each call says kindly what is not there, or nothing, and none raises."""
    printed = run(
        """
        from google.colab import auth, drive, files, output, runtime, widgets
        from google.colab.data_table import DataTable
        from google.colab.patches import cv2_imshow
        import google.colab
        print(drive.mount("/content/drive", force_remount=True), files.upload())
        print(files.download("modelo.keras"), auth.authenticate_user())
        drive.flush_and_unmount()
        output.clear(wait=True)
        output.enable_custom_widget_manager()
        with output.use_tags("a"), widgets.TabBar(["uno"]).output_to(0):
            print(DataTable([1, 2]))
        runtime.unassign()
        cv2_imshow(None)
        """
    )

    assert [
        "Aquí no hay Google Drive; sigo sin él.",
        "Aquí no se pueden subir archivos; sigo sin ellos.",
        "None {}",
        "Aquí no se descargan archivos; sigo sin hacerlo.",
        "Aquí no hace falta iniciar sesión en Google; sigo sin hacerlo.",
        "None None",
        "[1, 2]",
        "Aquí no se muestra esta imagen; usa plt.imshow para verla.",
    ] == printed.splitlines()


def test_secrets_raise_a_clear_error() -> None:
    """A secret cannot be made up: asking for one says why there is none."""
    printed = run(
        """
        from google.colab import userdata
        try:
            userdata.get("KAGGLE_KEY")
        except userdata.SecretNotFoundError as error:
            print(error)
        """
    )

    assert printed.startswith("El secreto 'KAGGLE_KEY' no existe aquí")


def test_the_stubs_need_the_standard_library_only() -> None:
    """The stubs import even where no package is installed."""
    printed = run(
        """
        sys.path[:] = [path for path in sys.path if "site-packages" not in path]
        import google.colab, grader
        print(grader.check("baseline", 3))
        """
    )

    assert "None\n" == printed


def test_the_self_check_has_no_effect(tmp_path: Path) -> None:
    """`%load_ext grader` works, `%check` prints nothing, and a `%%check` cell's own code runs."""
    printed = run(
        """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.history_manager.enabled = False
        cells = ["%load_ext grader", "%check", "%check baseline", "%%check baseline\\na = 2\\na",
                 "get_ipython().run_line_magic('load_ext', 'grader')", "%%check\\nb = a + 1"]
        print([shell.run_cell(cell).success for cell in cells], shell.user_ns["b"])
        print(shell.run_cell("%%check\\nno_such_name").success)
        """,
        home=str(tmp_path),
    )
    lines = printed.splitlines()

    assert "[True, True, True, True, True, True] 3" in lines
    assert "NameError" in printed
    assert "False" == lines[-1]
