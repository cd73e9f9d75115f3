"""Why data were not recognised, or a model not rebuilt or measured: in the reader's language.

Kernel and trainer leave these reasons in English, as plain strings of a record. Each of their fixed
sentences has a pattern here (a test walks through the code that writes them); what a library said
is quoted as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

from grader.locale import Readable, T, Text

REASONS: Mapping[str, Text] = {
    # rows
    r"there are no rows": T("there are no images in it"),
    r"there are too many rows": T("there are more images than the grader can read"),
    r"not an array of numbers.*": T("it is not an array of numbers"),
    r"no batch was seen": T("no batch of it was seen"),
    r"these rows are not the dataset's, or .*|the training rows were not recognised": T(
        "they are not images of the dataset, or their pixels were changed in different ways"
    ),
    r"labels do not belong to their rows": T("its labels do not belong to its images"),
    r"batches were scaled differently": T("its batches were not all scaled in the same way"),
    r"its labels or its settings are not known in full|the model or its rows are not known in full"
    r"|the (?:rows|labels) were not recognised": T(
        "the grader does not know its images, labels or settings in full"
    ),
    r"streams are not looked into here": T(
        "the self-check in the notebook does not look into streams of data; grader check does"
    ),
    r"LookupError: the dataset is not ready": T(
        "the dataset was not ready yet; run that cell again in a moment"
    ),
    # models
    r"the model could not be read|the output is not the last operation"
    r"|a value does not come from the model's input|the model's call cannot be traced.*"
    r"|the model's input shape is not known, or it has several inputs"
    r"|the model is built by its first step|the variables were not handed over": T(
        "its layers cannot be followed one by one"
    ),
    r"the model has several inputs or outputs": T("the model has several inputs or outputs"),
    r"the model is too (?:deep|large)|the model has more than \d+ operations": T(
        "the model is larger than the grader can rebuild"
    ),
    r"the model has no variables": T("the model has nothing to train"),
    r"the model holds (?P<layer>.+), which only the notebook itself can build": T(
        "it holds {layer}, which only the notebook itself can build"
    ),
    r"the model has parts of its own|the model has its own (?P<_>\w+)"
    r"|\w+: a function of the notebook's own": T(
        "it has functions or layers of its own, which only the notebook itself can run"
    ),
    r"(?P<layer>\w+) (?:computes in \w+|has a \w+|has settings of its own"
    r"|has its channels first)": T(
        "the layer {layer} has settings that the grader cannot reproduce"
    ),
    r"some layers are frozen|some of the model's variables are not trained": T(
        "some of its layers do not learn (trainable=False)"
    ),
    # compile and fit
    r"there is no optimizer|compile left no trace": T("it was not compiled"),
    r"(?P<name>\w+) is not on the allow-list"
    r"|\w+: ['\"]?(?P<name2>[^'\"]+)['\"]? is not on the allow-list": T(
        "it uses {name}, which the grader does not know"
    ),
    r"the (?P<setting>\w+) of (?P<name>\w+) is not plain": T(
        "the setting {setting} of {name} is no plain number or word"
    ),
    r"the optimizer's (?P<setting>\w+) is set": T(
        "the optimizer has the setting {setting}, which the grader cannot reproduce"
    ),
    r"some variables have no weight decay|there are loss weights|there are weighted metrics"
    r"|the metrics are no list|the loss has a reduction of its own"
    r"|metrics: 'Accuracy' compares labels with outputs": T(
        "it was compiled with settings that the grader cannot reproduce"
    ),
    r"fit was given (?P<setting>\w+)": T(
        "fit was given {setting}, which the grader cannot reproduce"
    ),
    r"shuffle is .*|the batch size is no whole number|class_weight is no table of numbers": T(
        "fit was given settings that the grader cannot reproduce"
    ),
    r"a callback looks at every batch": T("one of its callbacks looks at every batch"),
    # measuring
    r"no epoch was completed": T("no epoch was completed"),
    r"only the last (?P<count>\d+) trainings of a notebook are measured": T(
        "only the last {count} trainings of a notebook are measured"
    ),
    r"(?:its training takes|all trainings together take) more than (?P<seconds>\d+) s": T(
        "training it again would take more than {seconds} seconds"
    ),
    r"a batch of \d+ rows is too large for this model.*"
    r"|\d+ rows in batches of \d+ take this model too long": T(
        "with this batch size the model takes more memory or time than the grader gives it"
    ),
    r"the weights are not finite numbers: the training diverged": T(
        "the loss grew without limit, so the weights are no longer numbers (nan)"
    ),
}


def said(reason: str | None) -> Readable:
    """Return a reason as the end of a sentence; one that is not ours is quoted."""
    if not reason:
        return T("the reason is not known")
    for pattern, text in REASONS.items():
        found = re.fullmatch(pattern, reason, re.DOTALL)
        if found:
            values = {key.rstrip("2"): value for key, value in found.groupdict().items() if value}
            if _names(text.template) <= values.keys():
                return Text(text.template, values)
    return T("its program answered “{reason}”", reason=reason)


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
