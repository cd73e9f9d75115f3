"""The one thing to try first when a model fell short, from what is known of its training."""

from __future__ import annotations

from grader.assignment import Experiment
from grader.checks.judging import epochs
from grader.checks.outline import rescaling
from grader.checks.scaling import scaling_of
from grader.evidence import Run
from grader.locale import Readable, T

USUAL_RATES = (0.0003, 0.003)  # of adam, around Keras's 0.001
LARGE_BATCH = 512
FEW = 0.75  # of the training images; a validation split of 0.2 leaves more


def of_low_accuracy(run: Run, experiment: Experiment, images: int) -> Readable | None:
    """Return what most likely kept the accuracy low; None where nothing is out of the ordinary.

    Args:
        images: how many the training split has.
    """
    fit = run.fit
    if fit.data.labels is not None and fit.data.labels.mismatched:
        return T(
            "Some labels do not belong to their images ({count}): give fit the images and the "
            "labels in the same order.",
            count=fit.data.labels.mismatched,
        )
    scaling = scaling_of(fit.data, rescaling(fit.recipe))
    if scaling is not None and scaling.share < 1:
        return scaling.hint or T(
            "This model was trained on images that do not go from 0 to 1: divide them by 255.0, "
            "once, before fit."
        )
    if run.epochs < experiment.epochs:
        return T(
            "This model was trained for {done}: train it for {asked}, so that it has more time "
            "to learn.",
            done=epochs(run.epochs),
            asked=epochs(experiment.epochs),
        )
    return _few_images(run, images) or _unusual_steps(run)


def of_large_gap(run: Run, experiment: Experiment, images: int) -> Readable | None:
    """Return what most likely made the difference large; None where nothing stands out."""
    if run.epochs > experiment.epochs:
        return T(
            "This model was trained for {done} instead of {asked}, and every extra epoch makes "
            "the difference grow: make a new model and call fit only once, with {asked}.",
            done=epochs(run.epochs),
            asked=epochs(experiment.epochs),
        )
    return _few_images(run, images)


def _few_images(run: Run, images: int) -> Readable | None:
    count = run.fit.data.count
    if not run.fit.data.recognised or count >= FEW * images:
        return None
    return T(
        "You gave fit {count} of the {images} training images, and a model learns a small set by "
        "heart: give it all of them.",
        count=count,
        images=images,
    )


def _unusual_steps(run: Run) -> Readable | None:
    optimizer = run.fit.compiled.optimizer if run.fit.compiled else None
    adam = optimizer is not None and optimizer.name == "adam"
    rate = optimizer.settings.get("learning_rate") if optimizer and adam else None
    if isinstance(rate, float) and not USUAL_RATES[0] <= rate <= USUAL_RATES[1]:
        return T(
            'Your learning rate (learning_rate) is {rate:.4g}: write optimizer="adam", which '
            "uses {usual:.3f}.",
            rate=rate,
            usual=0.001,
        )
    if (run.fit.batch_size or 0) > LARGE_BATCH:
        return T(
            "With batches of {size} images each epoch has few steps, so the model learns little "
            "in it: leave batch_size out of fit.",
            size=run.fit.batch_size,
        )
    return None
