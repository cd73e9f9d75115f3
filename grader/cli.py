"""The commands. No logic: each reads its arguments, calls one function and says how it ended.

Imports of ours stand inside the commands, so that `grader --help` answers at once.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.dataset.store import Dataset
    from grader.result import Graded

FOLDER = click.Path(path_type=Path, file_okay=False)
ANY = click.Path(path_type=Path)
LANGUAGE = click.Choice(["es", "en"])
TRAIN_IN_KERNEL = "Train as plain Keras would, and verify afterwards; slower, the same grades."
GOOD, ATTENTION, UNUSABLE, OURS = 0, 1, 2, 3


class Commands(click.Group):
    """Errors are one line; a traceback only with `--debug`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; turn our own errors into one line and the exit code of design.md."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("grader: interrupted; start it again to go on", err=True)
            ctx.exit(OURS)
        except Exception as error:  # noqa: BLE001 - the border: the process's, one line on screen
            if ctx.params.get("debug"):
                traceback.print_exc()
            click.echo(f"grader: {_one_line(error, ctx.obj)}", err=True)
            ctx.exit(UNUSABLE if type(error).__name__ in USER_ERRORS else OURS)


USER_ERRORS = (
    "SpecError",
    "IntakeError",
    "GradebookError",
    "ExportError",
    "ReleaseError",
    "Unreadable",
    "UsageProblem",
)


@click.group(cls=Commands)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="grader")
def main(debug: bool) -> None:
    """Grades Keras notebooks: runs them behind walls, measures their models, explains every
    point.
    """


@main.command()
@click.argument("notebook", type=ANY)
@click.option("--assignment", "folder", type=FOLDER, help="The assignment's folder.")
@click.option(
    "--out",
    type=FOLDER,
    default=Path("grader-report"),
    show_default=True,
    help="Where the report goes.",
)
@click.option(
    "--lang", "language", type=LANGUAGE, help="Language of the report; the assignment's by default."
)
@click.option("--train-in-kernel", is_flag=True, help=TRAIN_IN_KERNEL)
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the table.")
def check(
    notebook: Path,
    folder: Path | None,
    out: Path,
    language: str | None,
    train_in_kernel: bool,
    as_json: bool,
) -> None:
    """Check one notebook of your own: run it, print the table, write the report."""
    from grader.checking import check_notebook
    from grader.report.terminal import print_json, print_table

    assignment = _assignment(folder)
    language = _spoken(language, assignment)
    graded = check_notebook(
        notebook,
        assignment,
        _dataset(assignment),
        out,
        language,
        lambda line: click.echo(line, err=True),
        train_in_kernel,
    )
    print_json(graded, language) if as_json else print_table(graded, language, out / "report.html")
    sys.exit(_exit_of_check(graded))


@main.command()
@click.argument("source", type=ANY)
@click.option("--out", type=FOLDER, required=True, help="The class's folder.")
@click.option("--assignment", "folder", type=FOLDER, help="The assignment's folder.")
@click.option(
    "--lang",
    "language",
    type=LANGUAGE,
    help="Language of the reports; the assignment's by default.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Trainers at the same time.")
@click.option("--worksheet", type=ANY, help="Moodle's grading worksheet: names and times.")
@click.option("--roster", type=ANY, help="A CSV table of the class: names and times.")
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where notebooks run: on this machine, or on a Dask cluster.",
)
@click.option("--scheduler", help="The cluster's address, or the file in which it stands.")
@click.option("--train-in-kernel", is_flag=True, help=TRAIN_IN_KERNEL)
@click.option("--json", "as_json", is_flag=True, help="Print progress as JSON lines.")
def grade(
    source: Path,
    out: Path,
    folder: Path | None,
    language: str | None,
    workers: int | None,
    worksheet: Path | None,
    roster: Path | None,
    engine: str,
    scheduler: str | None,
    train_in_kernel: bool,
    as_json: bool,
) -> None:
    """Grade a class: a folder, or what Moodle, Canvas, Gradescope or nbgrader hand over.

    Again on the same --out folder, only what has changed.
    """
    from grader.batch.command import Asked, grade_folder

    assignment = _assignment(folder)
    asked = Asked(
        source, out, _spoken(language, assignment), workers, train_in_kernel, worksheet, roster,
        engine, scheduler, as_json,
    )  # fmt: skip
    attention = grade_folder(asked, assignment, _dataset(assignment))
    sys.exit(ATTENTION if attention else GOOD)


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("student")
@click.argument("check_name", metavar="CHECK")
@click.argument("points", type=float)
@click.option("--because", required=True, help="Why; the student reads it.")
def override(folder: Path, student: str, check_name: str, points: float, because: str) -> None:
    """Give a check a person's points, which always win."""
    from grader.batch.override import override as apply

    click.echo(apply(folder, student, check_name, points, because))


@main.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--to",
    "platform",
    type=click.Choice(["moodle", "canvas", "gradescope", "gradescope-autograder", "csv"]),
    required=True,
)
@click.option("--worksheet", type=ANY, help="Moodle's worksheet, or Canvas's exported gradebook.")
@click.option("--column", help="Canvas's column, where the assignment's title does not name it.")
@click.option(
    "--out",
    type=FOLDER,
    help="Where the files go; FOLDER/export by default (dist for an assignment).",
)
@click.option(
    "--provisional", is_flag=True, help="Fill in the lowest grade where something still waits."
)
def export(
    folder: Path,
    platform: str,
    worksheet: Path | None,
    column: str | None,
    out: Path | None,
    provisional: bool,
) -> None:
    """Write the files that a course platform takes back, or the autograder that it runs itself.

    FOLDER is a class's; for gradescope-autograder an assignment's will do.
    """
    from grader.export import export as write

    write(folder, platform, out, worksheet, column, provisional, click.echo)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--to", type=ANY, help="The copy; a name with date and time in FOLDER by default.")
def backup(folder: Path, to: Path | None) -> None:
    """Copy a class's gradebook; it may be in use."""
    from grader.gradebook.copies import backup as copy

    click.echo(copy(folder, to))


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("copy", type=ANY)
def restore(folder: Path, copy: Path) -> None:
    """Put a copy in the gradebook's place; what stood there is kept beside it."""
    from grader.batch.lock import locked
    from grader.gradebook.copies import restore as put_back

    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        click.echo(put_back(folder, copy))


@main.command()
@click.argument("folder", type=FOLDER, required=False)
@click.option("--seeds", type=click.IntRange(1, 1000), help="Trainings of each architecture.")
@click.option(
    "--variant-seeds", type=click.IntRange(1, 1000), help="Trainings of each honest variant."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Trainers at the same time.",
)
@click.option(
    "--out", type=ANY, help="The calibration file; reference/calibration.json by default."
)
def calibrate(
    folder: Path | None,
    seeds: int | None,
    variant_seeds: int | None,
    workers: int,
    out: Path | None,
) -> None:
    """Train every experiment over many seeds; goes on where it was stopped."""
    from grader.calibrate import calibrate as run
    from grader.loading import calibration_file
    from grader.report.bands import draw_bands

    assignment = _assignment(folder)
    plan, target = assignment.spec.calibration, out or calibration_file(assignment.folder)
    run(
        assignment, _dataset(assignment), target, seeds or plan.seeds,
        plan.variant_seeds if variant_seeds is None else variant_seeds, workers, click.echo,
    )  # fmt: skip
    click.echo(draw_bands(target))


@main.command()
@click.option("--from", "source", type=FOLDER, help="A folder to look in first.")
@click.option("--assignment", "folder", type=FOLDER, help="The assignment's folder.")
def data(source: Path | None, folder: Path | None) -> None:
    """Find or fetch the dataset, and verify it."""
    from grader.dataset.store import open_dataset

    found = open_dataset(_assignment(folder).spec.dataset.spec, source, click.echo)
    click.echo(f"{found.folder}  SHA-256 {found.sha256}")


@main.command()
def doctor() -> None:
    """Say what this machine can do: TensorFlow, dataset, walls, memory, workers."""
    from grader.doctor import examine

    sys.exit(GOOD if examine(_assignment(None), click.echo) else OURS)


@main.group()
def memory() -> None:
    """The trainers' memory: what was trained once is not trained again."""


@memory.command()
def show() -> None:
    """Say where it is and what it holds."""
    from grader.delegation.memory import Memory, level

    kept = Memory()
    size = kept.size()
    click.echo(
        f"{kept.folder}: {size.answers} answers, {size.states} states, "
        f"{size.size_bytes / 2**20:.0f} MiB of at most {kept.most_bytes / 2**20:.0f}\n"
        f"answers are for {level()}"
    )


@memory.command()
@click.confirmation_option(prompt="Forget every remembered training?")
def clear() -> None:
    """Forget everything; it is trained again when it is asked for."""
    from grader.delegation.memory import Memory

    Memory().clear()
    click.echo("the memory is empty")


@memory.command()
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Which part of the remembered epochs to train once more.",
)
def verify(share: float) -> None:
    """Train a share of what is remembered once more, and compare byte for byte."""
    from grader.batch.command import audit_memory

    found = audit_memory(_assignment(None), _dataset(_assignment(None)), share, click.echo)
    click.echo(
        f"{found.checked} of {found.remembered} remembered epochs trained again: "
        f"{len(found.different)} different, {found.gone} without their start"
    )
    sys.exit(OURS if found.different else GOOD)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="A free one by default.")
@click.option("--marker", help="Your name beside your marks; your user's by default.")
def review(folder: Path, port: int, marker: str | None) -> None:
    """Open the pages on which a class's written answers are marked."""
    try:
        from grader.review.command import review as serve
    except ImportError as error:
        said = f"review: {error.name} is not installed; install grader[instructor]"
        raise click.UsageError(said) from error

    serve(folder, port, marker, click.echo)


@main.group()
def rubric() -> None:
    """Work on the marks of written answers."""


@rubric.command()
@click.argument("folder", type=FOLDER)
def agreement(folder: Path) -> None:
    """Say how suggestions agree with the marks that people gave in a class."""
    from grader.gradebook import Gradebook
    from grader.rubric.agreement import agreements, lines

    with Gradebook(folder) as gradebook:
        found = agreements(_assignment(gradebook.assignment_folder), gradebook.results())
    click.echo("\n".join(lines(found)))


@main.group()
def assignment() -> None:
    """Work on an assignment's folder."""


@assignment.command()
@click.argument("folder", type=FOLDER)
def validate(folder: Path) -> None:
    """Check assignment.toml, rubric.toml and calibration.json."""
    loaded = _assignment(folder)
    click.echo(
        f"{folder}: {len(loaded.spec.checks)} checks, {loaded.automatic / 100:g} points; "
        f"{len(loaded.rubric.questions)} questions, "
        f"{(loaded.total - loaded.automatic) / 100:g} points"
    )


@assignment.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("dist"),
    show_default=True,
    help="Where the student package goes.",
)
def release(folder: Path, out: Path) -> None:
    """Write the students' notebook and build the student package."""
    from grader.release import build_student_package, write_release

    click.echo(write_release(folder))
    click.echo(build_student_package(folder, out))


def _assignment(folder: Path | None) -> Assignment:
    from grader.loading import default_folder, load_assignment

    return load_assignment(folder or default_folder())


def _dataset(assignment: Assignment) -> Dataset:
    from grader.dataset.store import open_dataset

    return open_dataset(
        assignment.spec.dataset.spec, notify=lambda line: click.echo(line, err=True)
    )


def _exit_of_check(graded: Graded) -> int:
    from grader.findings import Status
    from grader.result import State

    if graded.state is State.UNREADABLE:
        return UNUSABLE
    if graded.state is State.GRADER_ERROR:
        return OURS
    return (
        GOOD if all(finding.status is Status.PASSED for finding in graded.findings) else ATTENTION
    )


def _spoken(language: str | None, assignment: Assignment) -> str:
    """Return the language to speak, and remember it for an error's line."""
    spoken = language or assignment.spec.language
    click.get_current_context().find_root().obj = spoken
    return spoken


def _one_line(error: Exception, language: str | None) -> str:
    text = getattr(error, "text", None)
    if text is not None and language is not None:
        from grader.locale import Translator

        return " ".join(Translator(language)(text).split())
    return " ".join(str(error).split()) or type(error).__name__
