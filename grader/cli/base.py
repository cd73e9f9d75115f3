"""What all commands share: their group, whose errors are one line, and their usual arguments."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.dataset.store import Dataset

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
    "SignatureError",
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


def open_assignment(folder: Path | None) -> Assignment:
    """Return the assignment in a folder, or the one that comes with the grader."""
    from grader.loading import default_folder, load_assignment

    return load_assignment(folder or default_folder())


def dataset_of(assignment: Assignment) -> Dataset:
    """Return an assignment's dataset; what is fetched is said on stderr."""
    from grader.dataset.store import open_dataset

    return open_dataset(
        assignment.spec.dataset.spec, notify=lambda line: click.echo(line, err=True)
    )


def spoken(language: str | None, assignment: Assignment) -> str:
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
