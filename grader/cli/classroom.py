"""The commands of whoever grades a class: grade, decide, mark, hand back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.base import (
    ANY,
    ATTENTION,
    FOLDER,
    GOOD,
    LANGUAGE,
    TRAIN_IN_KERNEL,
    dataset_of,
    main,
    open_assignment,
    spoken,
)


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
@click.option("--allow-reduced", is_flag=True, help="Take weaker walls where others cannot be had.")
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
    allow_reduced: bool,
    train_in_kernel: bool,
    as_json: bool,
) -> None:
    """Grade a class: a folder, or what Moodle, Canvas, Gradescope or nbgrader hand over.

    Again on the same --out folder, only what has changed.
    """
    from grader.batch.command import Asked, grade_folder

    assignment = open_assignment(folder)
    asked = Asked(
        source, out, spoken(language, assignment), workers, train_in_kernel, worksheet, roster,
        engine, scheduler, as_json, allow_reduced,
    )  # fmt: skip
    attention = grade_folder(asked, assignment, dataset_of(assignment))
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
    help="Where the files go; FOLDER/export/PLATFORM by default (dist for an assignment).",
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
        found = agreements(open_assignment(gradebook.assignment_folder), gradebook.results())
    click.echo("\n".join(lines(found)))


@main.command()
def keys() -> None:
    """Say which key signs this machine's reports; make one where there is none."""
    from grader.keyfile import key_file, own_key

    key = own_key() if key_file().exists() else None
    if key is None:
        from grader.signing import make_key

        key = make_key(key_file())
        click.echo(f"made {key_file()}; keep a copy of it, and give it to nobody")
    click.echo(f"{key_file()}  {key.id}\npublic key  {key.public}")


@main.command()
@click.argument("report", type=ANY)
@click.option("--key", "public", help="The public key; that of this machine's key by default.")
@click.option("--notebook", type=ANY, help="The notebook that the report should be about.")
@click.option("--class", "folder", type=FOLDER, help="The class's folder: is it the latest grade?")
def verify(report: Path, public: str | None, notebook: Path | None, folder: Path | None) -> None:
    """Say whether a report is as the key's owner signed it, and what it is about."""
    from grader.authentic import examine

    sound = examine(report, public, notebook, folder, click.echo)
    sys.exit(GOOD if sound else ATTENTION)
