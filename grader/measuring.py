"""Asks the trainer what each recorded fit's model really does. Variables stay bytes here.

Until delegation and verification exist (design.md, *The recorder and the trainer*) the variables
come from the kernel: the trainer measures what was handed over, and `trained_by` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from grader.assignment import Assignment
from grader.evidence import Fit, Measurement, Run, Start, to_json
from grader.execution import Execution
from grader.trainer import Refused, Trainer

MAX_MEASURED = 60


def measure_runs(trainer: Trainer, execution: Execution, assignment: Assignment) -> tuple[Run, ...]:
    """Return one `Run` for each recorded fit, measured where that is possible.

    Raises:
        TrainerFault: the trainer failed; ours, never the student's.
    """
    fits = execution.records.of(Fit)
    runs: dict[int, Run] = {}
    for place, fit in enumerate(fits):
        reason = _unmeasurable(fit)
        if reason is None and place < len(fits) - MAX_MEASURED:
            reason = f"only the last {MAX_MEASURED} trainings of a notebook are measured"
        if reason is None:
            runs[fit.id] = _measured(
                trainer, execution, assignment, fit, _known_start(fit, list(runs.values()))
            )
        else:
            runs[fit.id] = _run(fit, unmeasured=reason)
    return tuple(runs.values())


def _measured(
    trainer: Trainer, execution: Execution, assignment: Assignment, fit: Fit, start: Start | None
) -> Run:
    before = None if start is not None else execution.variables(fit.before)
    after = execution.variables(fit.after)
    if after is None:
        return _run(fit, start=start, unmeasured="the variables were not handed over")
    assert fit.recipe is not None
    request = {
        "op": "measure",
        "recipe": to_json(fit.recipe),
        "table": fit.data.table,
        "row_shape": fit.data.row_shape,
        "rows": fit.data.rows,
        "test": assignment.spec.dataset.test,
        "from_logits": bool(
            fit.compiled and fit.compiled.loss and fit.compiled.loss.settings.get("from_logits")
        ),
        "before": before is not None,
        "after": True,
    }
    try:
        answer = trainer.ask(request, [blob for blob in (before, after) if blob is not None])
        measured = Measurement.model_validate(answer["measured"])
        if "start" in answer:
            start = Start.model_validate(answer["start"])
    except Refused as refused:
        return _run(fit, unmeasured=str(refused))
    except (ValidationError, KeyError) as error:
        return _run(fit, unmeasured=f"the trainer's answer does not fit: {error}"[:300], fault=True)
    return _run(fit, start=start, measured=measured)


def _run(fit: Fit, **known: Any) -> Run:
    return Run(
        fit=fit,
        epochs=fit.epochs_before + fit.epochs_run,
        trained_by="kernel (unverified)",
        **known,
    )


def _known_start(fit: Fit, earlier: Sequence[Run]) -> Start | None:
    """A fit that goes on where the last one of its chain ended starts as that one was measured."""
    for run in reversed(earlier):
        if run.fit.chain == fit.chain:
            if fit.given or run.measured is None or run.fit.data.table != fit.data.table:
                return None
            return Start(test_accuracy=run.measured.test_accuracy, test_loss=run.measured.test_loss)
    return None


def _unmeasurable(fit: Fit) -> str | None:
    if fit.recipe is None:
        return fit.reason or "the model could not be read"
    if not fit.recipe.buildable:
        custom = next((node.op for node in fit.recipe.nodes if node.custom), "nothing")
        return f"the model holds {custom}, which only the notebook itself can build"
    if not fit.data.recognised or fit.data.row_shape is None or fit.data.rows is None:
        return fit.data.reason or "the training rows were not recognised"
    if fit.epochs_run == 0:
        return "no epoch was completed"
    return None
