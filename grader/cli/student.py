"""The command of whoever writes a notebook."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.base import (
    ANY,
    ATTENTION,
    FOLDER,
    GOOD,
    LANGUAGE,
    OURS,
    TRAIN_IN_KERNEL,
    UNUSABLE,
    dataset_of,
    main,
    open_assignment,
    spoken,
)

if TYPE_CHECKING:
    from grader.result import Graded


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

    assignment = open_assignment(folder)
    language = spoken(language, assignment)
    graded = check_notebook(
        notebook,
        assignment,
        dataset_of(assignment),
        out,
        language,
        lambda line: click.echo(line, err=True),
        train_in_kernel,
    )
    print_json(graded, language) if as_json else print_table(graded, language, out / "report.html")
    sys.exit(_exit_of_check(graded))


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
