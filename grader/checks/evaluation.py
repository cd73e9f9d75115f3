"""Was a trained model evaluated on the whole test split, scaled as its training images were?"""

from __future__ import annotations

from grader import reasons
from grader.checks.judging import Case, Outcome, graded
from grader.checks.outline import rescaling
from grader.checks.rows import read_rows
from grader.checks.scaling import Scaling, scaling_of
from grader.checks.settings import Nothing
from grader.evidence import Evaluation
from grader.findings import Status
from grader.locale import T


def evaluated_test(case: Case) -> Outcome:
    """`evaluate` was called with all test images on a model of one of the experiments.

    How the notebook scaled its test images is its own kernel's word, as is the call itself; so this
    observed check judges it, and no measured one does.
    """
    Nothing.model_validate(case.check.settings)
    size = case.test[1] - case.test[0]
    expected = T(
        "evaluate is called with all {size} test images, scaled like the training images, on a "
        "model that you trained.",
        size=size,
    )
    calls = case.evidence.evaluations
    if not calls:
        return Outcome(Status.NOT_ATTEMPTED, expected, T("I saw no call to evaluate."))
    chains = {run.fit.chain for run in case.used_runs}
    best = max(calls, key=lambda call: (_share(case, call, chains), -call.id))
    share = _share(case, best, chains)
    if share >= 1:
        said = T("You evaluated with all the test images.")
        return graded(case.check.possible, 1, expected=expected, observed=said, cell=best.cell)
    rows = read_rows(best.data)
    unknown = next((call for call in calls if read_rows(call.data) is None), None)
    if share == 0 and unknown is not None:
        said = T(
            "The data given to evaluate could not be recognised ({reason}), so a person looks at "
            "them.",
            reason=reasons.said(unknown.data.reason),
        )
        return Outcome(Status.NEEDS_REVIEW, expected, said, cell=unknown.cell)
    other = _scaled_otherwise(case, best) if share else None
    if other is not None:
        said = T(
            "You evaluated with test images that were scaled in another way than the training "
            "images: {seen}",
            seen=other.text,
        )
        hint = T(
            "Scale the test images in the same way as the training images, once, before "
            "evaluate and predict."
        )
        return graded(
            case.check.possible, share, expected=expected, observed=said, hint=hint, cell=best.cell
        )
    count = rows.count(case.test) if rows else 0
    if share and rows and rows.covers(case.test):
        said = T(
            "You evaluated with all the test images, but together with other images or with a "
            "model that is not in any experiment."
        )
    elif share:
        said = T("You evaluated with {count} of the {size} test images.", count=count, size=size)
    else:
        said = T("You called evaluate, but with no test images.")
    return graded(case.check.possible, share, expected=expected, observed=said, cell=best.cell)


def _share(case: Case, call: Evaluation, chains: set[int]) -> float:
    """1 for all test rows of a used model; 0.5 for some, otherwise scaled or another model's."""
    rows = read_rows(call.data)
    if rows is None or not rows.count(case.test):
        return 0.0
    others = rows.count((0, 2**31)) > rows.count(case.test)
    whole = rows.covers(case.test) and not others and call.chain in chains
    return 1.0 if whole and _scaled_otherwise(case, call) is None else 0.5


def _scaled_otherwise(case: Case, call: Evaluation) -> Scaling | None:
    """How images were scaled that a model got otherwise than in its last training before."""
    before = [
        run
        for run in case.evidence.runs
        if run.fit.chain == call.chain and run.epochs and run.id < call.id
    ]
    if not before:
        return None
    layer = rescaling(before[-1].fit.recipe)
    trained, given = scaling_of(before[-1].fit.data, layer), scaling_of(call.data, layer)
    return None if trained is None or given is None or given.like(trained) else given
