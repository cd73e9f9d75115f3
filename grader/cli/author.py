"""The commands of whoever writes an assignment: validate, calibrate, release."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.base import ANY, FOLDER, dataset_of, main, open_assignment


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
@click.option("--out", type=ANY, help="The calibration file; that of the assignment by default.")
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

    assignment = open_assignment(folder)
    plan, target = assignment.spec.calibration, out or calibration_file(assignment.folder)
    run(
        assignment, dataset_of(assignment), target, seeds or plan.seeds,
        plan.variant_seeds if variant_seeds is None else variant_seeds, workers, click.echo,
    )  # fmt: skip
    click.echo(draw_bands(target))


@main.group()
def assignment() -> None:
    """Work on an assignment's folder."""


@assignment.command()
@click.argument("folder", type=FOLDER)
def validate(folder: Path) -> None:
    """Check assignment.toml, rubric.toml and calibration.json."""
    loaded = open_assignment(folder)
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
