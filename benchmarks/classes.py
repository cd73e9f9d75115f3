"""Classes of notebooks, the same ones every time.

Every notebook is the workshop's template filled in, and trains all four experiments unless the
table says otherwise. Nothing seeds Python, NumPy or TensorFlow, but for `nothing_shared`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import cells
from benchmarks.hands import (
    LOOP_ALL,
    LOOP_REST,
    WAYS,
    Hand,
    defined,
    hand,
    looped,
    measured,
    trained,
)
from benchmarks.models import FREE, RECIPE, Experiment
from benchmarks.notebooks import Notebook, filled, write

Change = Callable[[Experiment], Experiment]


@dataclass(frozen=True)
class Submission:
    """One student's notebook; `note` says what is special about it."""

    student: str
    notebook: Notebook
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """What one student of `differing` does in another way than the recipe."""

    experiment: str
    what: str
    change: Change
    fails: bool = False


def _change(**fields: object) -> Change:
    return lambda one: replace(one, **fields)  # type: ignore[arg-type]


SCHEDULE = "callbacks=[keras.callbacks.LearningRateScheduler(lambda epoca, tasa: tasa * 0.9)]"
STOPPING = (
    "validation_split=0.2, "
    'callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)]'
)
# Each differs in one experiment; two with a callback; two fail half-way, after `wide`.
DIFFERENCES = (
    Difference("baseline", "batch_size=64", _change(fit="batch_size=64"), fails=True),
    Difference("wide", "256 units instead of 500", _change(hidden=(256,)), fails=True),
    Difference("deep", "dropout of 0.2", _change(dropout=0.2)),
    Difference("baseline", "SGD", _change(optimizer="sgd")),
    Difference("longer", "validation_split=0.1", _change(fit="validation_split=0.1")),
    Difference("wide", "LearningRateScheduler", _change(fit=SCHEDULE)),
    Difference("longer", "EarlyStopping on a validation split", _change(fit=STOPPING)),
    Difference("deep", "tanh", _change(activation="tanh")),
)
# Each differs in all four experiments, and from each other.
WHOLLY: tuple[tuple[str, Change], ...] = (
    ("batch_size=64", _change(fit="batch_size=64")),
    ("batch_size=128", _change(fit="batch_size=128")),
    ("dropout of 0.2", _change(dropout=0.2)),
    ("dropout of 0.3", _change(dropout=0.3)),
    ("tanh", _change(activation="tanh")),
    ("RMSprop", _change(optimizer="rmsprop")),
    ("validation_split=0.1", _change(fit="validation_split=0.1")),
    (
        "half the units",
        lambda one: replace(one, hidden=tuple(units // 2 for units in one.hidden)),
    ),
)
# Batch size and TensorFlow seed of the submissions that share nothing.
APART = ((24, 7), (32, 11), (40, 42), (48, 123), (64, 2024), (96, 99))

BROKEN = """# Preparo las imágenes como vectores para los experimentos que faltan
vectores = $x.reshape(60000, 28 * 27)
"""


def same(count: int, quick: bool = False) -> list[Submission]:
    """Students who train the notebook's recipe in all four experiments, each in their own words."""
    hands = [hand(number, quick) for number in range(count)]
    return [
        Submission(f"estudiante-{number:02}", _notebook(own, RECIPE), own.way)
        for number, own in enumerate(hands, start=1)
    ]


def differing(count: int = len(DIFFERENCES), quick: bool = False) -> list[Submission]:
    """Students who each differ from the recipe in one experiment (`DIFFERENCES`)."""
    made = []
    for number, difference in enumerate(DIFFERENCES[:count]):
        experiments = [
            difference.change(one) if one.id == difference.experiment else one for one in RECIPE
        ]
        own = _free(number, quick)
        note = f"{difference.experiment}: {difference.what}"
        note += "; fails half-way" if difference.fails else ""
        notebook = _notebook(own, experiments, difference.fails)
        made.append(Submission(f"diferente-{number + 1:02}", notebook, note))
    return made


def wholly_different(count: int = len(WHOLLY), quick: bool = False) -> list[Submission]:
    """Students who differ from the recipe, and from each other, in every experiment."""
    return [
        Submission(
            f"distinto-{number + 1:02}",
            _notebook(_free(number, quick), [change(one) for one in RECIPE]),
            f"all four: {what}",
        )
        for number, (what, change) in enumerate(WHOLLY[:count])
    ]


def nothing_shared(count: int = len(APART), quick: bool = False) -> list[Submission]:
    """Students who share no training: batch sizes and TensorFlow seeds of their own."""
    made = []
    for number, (batch, seed) in enumerate(APART[:count]):
        own = replace(_free(number, quick), seed=f"tf.random.set_seed({seed})\n")
        experiments = [replace(one, fit=f"batch_size={batch}") for one in RECIPE]
        note = f"batch_size={batch}, seed {seed}"
        made.append(Submission(f"aparte-{number + 1:02}", _notebook(own, experiments), note))
    return made


def apart(quick: bool = False) -> Submission:
    """A student of `same` who evaluates each experiment in a cell of its own."""
    own = Hand(way=WAYS[0], apart=True, rows=2000 if quick else None)
    return Submission("estudiante-00", _notebook(own, _short(RECIPE, own)), WAYS[0])


def save(folder: Path, submissions: Iterable[Submission]) -> Path:
    """Write a class's notebooks into a folder; return it."""
    for one in submissions:
        write(folder / f"{one.student}.ipynb", one.notebook)
    return folder


def _free(number: int, quick: bool) -> Hand:
    """A hand whose way can say every experiment."""
    return replace(hand(100 + number, quick), way=list(FREE)[number % len(FREE)])


def _short(experiments: Sequence[Experiment], own: Hand) -> list[Experiment]:
    """One epoch each where only the scripts are tried."""
    return [replace(one, epochs=1) if own.rows else one for one in experiments]


def _notebook(own: Hand, experiments: Sequence[Experiment], fails: bool = False) -> Notebook:
    by_id = {one.id: one for one in _short(experiments, own)}
    sources = {
        identity: own.named(ways[own.cells % len(ways)], model=own.model(by_id["baseline"]))
        for identity, ways in cells.TASKS.items()
    }
    sources |= _trainings(own, by_id, fails)
    baseline = measured(own, own.model(by_id["baseline"]), '"Línea base"')
    sources["t3-evaluate"] += baseline
    order = ("wide", *(name for name in own.order if name != "wide")) if fails else own.order
    notebook = filled(sources, cells.ANSWER, order)
    if own.seed:
        setup = next(cell for cell in notebook["cells"] if cell["id"] == "t3-setup")
        setup["source"] = f"{setup['source']}\n\n{own.seed}".rstrip("\n")
    return notebook


def _trainings(own: Hand, by_id: dict[str, Experiment], fails: bool) -> dict[str, str]:
    """Return the cells that train, by their ids."""
    elsewhere = "# Está en la celda del ciclo, más arriba.\n"
    rest = {name: one for name, one in by_id.items() if name != "baseline"}
    if own.way in (LOOP_ALL, LOOP_REST):
        every = "for nombre, m in modelos.items():\n    " + measured(own, "m", "nombre").replace(
            "\n", "\n    "
        ).rstrip(" ")
        if own.way == LOOP_ALL:
            baseline = f'{own.model(by_id["baseline"])} = modelos["Línea base"]\n'
            first = defined(own) + looped(own, by_id) + baseline
            return {"t3-baseline": first, **dict.fromkeys(map("t3-{}".format, rest), elsewhere),
                    "t3-wide": every}  # fmt: skip
        model = own.model(by_id["baseline"])
        once = f"{model}, historia = entrenar(128, {by_id['baseline'].epochs})\n"
        return {"t3-baseline": defined(own) + once, "t3-wide": looped(own, rest),
                "t3-longer": every, "t3-deep": elsewhere}  # fmt: skip
    made = {"t3-baseline": defined(own) + trained(own, by_id["baseline"])}
    for name, one in rest.items():
        source = "vectores" if fails and name != "wide" else "$x"
        shown = measured(own, own.model(one), f'"{one.title}"')
        made[f"t3-{name}"] = trained(own, one, source) + ("" if own.apart else shown)
        if own.apart:
            made[f"t3-{name}+"] = shown
    if fails:
        made["t3-wide+"] = own.named(BROKEN)
    return made
