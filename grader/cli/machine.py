"""The commands that look after a machine: its dataset, its walls, its remembered trainings."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.base import FOLDER, GOOD, OURS, dataset_of, main, open_assignment


@main.command()
@click.option("--from", "source", type=FOLDER, help="A folder to look in first.")
@click.option("--assignment", "folder", type=FOLDER, help="The assignment's folder.")
def data(source: Path | None, folder: Path | None) -> None:
    """Find or fetch the dataset, and verify it."""
    from grader.dataset.store import open_dataset

    found = open_dataset(open_assignment(folder).spec.dataset.spec, source, click.echo)
    click.echo(f"{found.folder}  SHA-256 {found.sha256}")


@main.command()
def doctor() -> None:
    """Say what this machine can do: Python, TensorFlow, Keras, dataset, walls, workers."""
    from grader.doctor import examine

    sys.exit(GOOD if examine(open_assignment(None), click.echo) else OURS)


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

    found = audit_memory(
        open_assignment(None), dataset_of(open_assignment(None)), share, click.echo
    )
    click.echo(
        f"{found.checked} of {found.remembered} remembered epochs trained again: "
        f"{len(found.different)} different, {found.gone} without their start"
    )
    sys.exit(OURS if found.different else GOOD)
