"""Which trainings deserve another seed: those that miss full points by less than chance explains.

Two more seeds run where a run that serves an experiment misses the accuracy or the gap by less than
the calibrated spread; the median of the three then decides, and can only raise points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from grader.assignment import Assignment
from grader.checks.experiments import Trainings
from grader.delegation import Service
from grader.evidence import Evidence, Run
from grader.measuring import Measuring

SEEDS = 2


def wanted(assignment: Assignment, evidence: Evidence) -> Iterator[int]:
    """Yield the ids of the runs that need samples and have none."""
    trainings = Trainings(assignment, evidence)
    runs = {run.id: run for run in evidence.runs}
    chosen = trainings.choose().runs
    for experiment in assignment.spec.experiments:
        serving = chosen[experiment.id]
        if serving is None or assignment.calibration is None:
            continue
        run = runs[serving.id]
        limits = assignment.calibration.thresholds(trainings.match(run, experiment).name)
        if limits is None or run.measured is None or run.samples or not _repeatable(run):
            continue
        short = limits.accuracy_full - run.measured.test_accuracy
        over = run.measured.gap - limits.gap_limit
        if 0 < short < limits.accuracy_spread or 0 < over < limits.gap_spread:
            yield run.id


def add_samples(service: Service, assignment: Assignment, evidence: Evidence) -> Evidence:
    """Return the evidence with the samples that are missing.

    Raises:
        TrainerFault: the trainer failed; ours.
    """
    missing = set(wanted(assignment, evidence))
    if not missing:
        return evidence
    measuring = Measuring(service, assignment)
    runs = tuple(
        replace(run, samples=measuring.sample(evidence.runs, run, SEEDS))
        if run.id in missing
        else run
        for run in evidence.runs
    )
    return replace(evidence, runs=runs)


def _repeatable(run: Run) -> bool:
    return run.fit.plan is not None and run.trained
