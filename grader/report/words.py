"""The report's vocabulary: what each status, section, flag and reason is called."""

from __future__ import annotations

from collections.abc import Mapping

from grader import wire
from grader.findings import Status
from grader.locale import T, Text, Translator
from grader.report.text import clip
from grader.result import Graded, State

DECIMALS = 4
"""Of an accuracy: 10,000 images have that many, and thresholds too."""
LINE = 72
"""Characters of a cell's first line."""

STATUS: Mapping[Status, Text] = {
    Status.PASSED: T("Passed"),
    Status.PARTIAL: T("Partial"),
    Status.FAILED: T("Not met"),
    Status.NOT_ATTEMPTED: T("Not attempted"),
    Status.SKIPPED: T("Not checked"),
    Status.NEEDS_REVIEW: T("Needs review"),
    Status.GRADER_ERROR: T("Grader fault"),
}
ICON: Mapping[Status, str] = {
    Status.PASSED: "✔",
    Status.PARTIAL: "◐",
    Status.FAILED: "✘",
    Status.NOT_ATTEMPTED: "○",
    Status.SKIPPED: "◌",
    Status.NEEDS_REVIEW: "?",
    Status.GRADER_ERROR: "⚠",
}
MEANING: Mapping[Status, Text] = {
    Status.NEEDS_REVIEW: T("A person must look at it; until then its points are pending."),
    Status.GRADER_ERROR: T("The fault is the grader's, not yours: it does not cost you points."),
}

STATE: Mapping[State, Text] = {
    State.GRADED: T("Graded"),
    State.NEEDS_REVIEW: T("A person must review it"),
    State.UNREADABLE: T("It could not be read"),
    State.GRADER_ERROR: T("The grader failed"),
}

SECTIONS: Mapping[str, Text] = {
    "data": T("Data"),
    "evaluation": T("Evaluation"),
    "predictions": T("Predictions"),
}
"""Sections that are no experiment; experiments bring their own titles."""

BASIS: Mapping[str, Text] = {"measured": T("measured"), "observed": T("observed")}

CELL: Mapping[str, Text] = {
    "ok": T("finished"),
    "error": T("error"),
    "timeout": T("time limit"),
    "killed": T("stopped"),
    "not_run": T("not run"),
}

ENDED: Mapping[str, Text] = {
    "deadline": T("The notebook reached its time limit, so the remaining cells were not run."),
    "memory": T("The notebook reached its memory limit, so the remaining cells were not run."),
    "disk": T("The notebook filled its disk space, so the remaining cells were not run."),
    "killed": T("The notebook's process was stopped, so the remaining cells were not run."),
    wire.KILLED: T("The notebook's process was stopped, so the remaining cells were not run."),
    "the kernel died": T(
        "The notebook's process ended unexpectedly, so the remaining cells were not run."
    ),
    "a cell did not stop when it was interrupted": T(
        "A cell did not stop when it was interrupted, so the remaining cells were not run."
    ),
}
"""Why a run stopped before its end, by the word that the driver or the walls left."""

FLAGS: Mapping[str, Text] = {
    "trained_on_test": T("There were test images among those used for training"),
    "pretrained": T("The model was already trained when its first training began"),
    "implausible_accuracy": T("The accuracy lies outside of what this training usually reaches"),
    "claim_differs": T("A number shown by the notebook is not the one that was measured"),
    "unverifiable_model": T("The model could not be rebuilt to verify its training"),
    "tampered_recorder": T("The notebook replaced a part of Keras"),
    "mark_differs": T("A later run gives other points than it gave when a person decided"),
}

TRAINED_BY: Mapping[str, Text] = {
    "trainer": T("the grader itself"),
    "kernel (verified)": T("the notebook; the training was verified"),
    "kernel (unverified)": T("the notebook; the training was not verified"),
}

ENVIRONMENT: Mapping[str, Text] = {
    "sandbox": T("Sandbox level"),
    "grader": T("Grader"),
    "keras": T("Keras"),
    "tensorflow": T("TensorFlow"),
    "python": T("Python"),
    "machine": T("Machine"),
    "data_sha256": T("SHA-256 of the dataset"),
    "cpu": T("Processor features"),
    "seed": T("Seed"),
}


def points_text(hundredths: int, say: Translator) -> str:
    """Return points without needless decimals: `6`, `6,5`, `6,25`."""
    decimals = 0 if hundredths % 100 == 0 else 1 if hundredths % 10 == 0 else 2
    return say.number(hundredths / 100, decimals)


def cell_line(graded: Graded, cell: int | None) -> str:
    """Return the first line of a cell, by which people know it."""
    return clip(graded.evidence.first_line(cell), LINE)
