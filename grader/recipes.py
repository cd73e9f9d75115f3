"""Models, data and trainings as plain data: what a training depends on, validated.

A `Plan` is everything but the state from which an epoch starts. The kernel side asks for trainings
in this form, records local fits in it, and the trainer rebuilds from it; so it is hostile until it
has passed these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from grader import wire

Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Short = Annotated[str, Field(max_length=300)]
Scalar = bool | int | Finite | Short | None
Settings = dict[Short, Scalar | Annotated[list[Scalar], Field(max_length=64)]]
Pair = Annotated[list[int | Finite], Field(min_length=2, max_length=2)]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Record(BaseModel):
    """Strict, frozen, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Node(Record):
    """One operation of a model.

    Attributes:
        op: a name of `wire.LAYERS`, or the class path of what is not one (`custom` is then true).
        config: the settings that `wire.LAYERS` lists for it.
        inputs: indices of the nodes it reads; -1 is the model's input.
        variables: positions in `model.variables` of the operation's own, in its own order.
    """

    op: Short
    custom: bool = False
    config: Settings = {}
    inputs: Annotated[list[Annotated[int, Field(ge=-1, le=wire.MAX_LAYERS)]], Field(max_length=16)]
    variables: Annotated[list[Annotated[int, Field(ge=0, le=500)]], Field(max_length=16)] = []


class Recipe(Record):
    """A model as plain data: operations in the order in which they run, and who reads whom.

    Attributes:
        input_shape: of one row, without the batch axis.
        nodes: in topological order; the last is the model's output.
    """

    input_shape: Annotated[list[Count], Field(max_length=4)]
    nodes: Annotated[list[Node], Field(max_length=wire.MAX_LAYERS)]

    @property
    def buildable(self) -> bool:
        """Whether every operation is on the allow-list."""
        return bool(self.nodes) and not any(node.custom for node in self.nodes)


class Labels(Record):
    """How labels were written, and how many do not belong to their rows.

    Attributes:
        given: where some do not, all of them: base64 of one byte a row.
    """

    kind: Literal["sparse", "one-hot"]
    classes: Count
    mismatched: Count
    given: Annotated[str, Field(max_length=300_000)] | None = None


class Data(Record):
    """Which rows of the dataset an array holds.

    Attributes:
        recognised: whether every row was found; then `rows`, `row_shape` and `table` say which.
        count: number of rows.
        rows: compact row numbers (`dataset.identity.rows_of` reads them).
        table: what each of the 256 pixel values became, None where not seen.
        text: `train[0:60000]`, for people.
        reason: why rows were not recognised.
    """

    recognised: bool
    count: Count
    rows: (
        Annotated[
            list[Annotated[list[Count], Field(min_length=2, max_length=2)]], Field(max_length=256)
        ]
        | Annotated[str, Field(max_length=600_000)]
        | None
    ) = None
    table: Annotated[list[Finite | None], Field(min_length=256, max_length=256)] | None = None
    row_shape: Annotated[list[Count], Field(max_length=4)] | None = None
    labels: Labels | None = None
    text: Short = ""
    reason: Short | None = None

    @property
    def trainable(self) -> bool:
        """Whether rows, pixel values and labels are all known."""
        return (
            self.recognised
            and self.rows is not None
            and self.table is not None
            and self.row_shape is not None
            and self.labels is not None
            and (self.labels.mismatched == 0 or self.labels.given is not None)
        )


class Part(Record):
    """An optimizer, schedule, loss, metric or initializer of Keras's own, by its class's name."""

    name: Short
    settings: Settings = {}
    schedule: Part | None = None


class Training(Record):
    """How a model is trained: what changes a step, beside the recipe and the data.

    Attributes:
        order: places of the trained variables, in node order, as the optimizer has them; None
            where the two orders are the same.
        class_weight: pairs of class and weight.
        draws: how each weight starts, in node order; None for one that cannot be said.
        tensorflow_seed: the seed that the notebook set; None: a fresh order in every epoch.
    """

    order: Annotated[list[Count], Field(max_length=500)] | None = None
    optimizer: Part
    loss: Part
    metrics: Annotated[list[Part], Field(max_length=20)]
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    shuffle: bool = True
    class_weight: Annotated[list[Pair], Field(max_length=1000)] | None = None
    draws: Annotated[list[Part | None], Field(max_length=500)]
    tensorflow_seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None

    @property
    def from_logits(self) -> bool:
        """Whether the loss applies softmax itself."""
        return self.loss.settings.get("from_logits") is True


class Plan(Record):
    """All that an epoch depends on but the state it starts from and its seed."""

    recipe: Recipe
    data: Data
    training: Training

    @property
    def normal(self) -> Plan:
        """The same training in the form that all ways of writing it share, to the last bit.

        An activation in a layer of its own goes into the layer before, and settings that only say
        what Keras does anyway are left out.
        """
        training = self.training
        parts = {
            "optimizer": training.optimizer.model_copy(
                update={"settings": _unusual(training.optimizer.settings)}
            ),
            "loss": training.loss.model_copy(update={"settings": _unusual(training.loss.settings)}),
        }
        return self.model_copy(
            update={
                "recipe": self.recipe.model_copy(update={"nodes": _folded(self.recipe.nodes)}),
                "training": training.model_copy(update=parts),
            }
        )


USUAL: Settings = {"from_logits": False, "ignore_class": None, "label_smoothing": 0.0, "axis": -1}
PLAIN_RELU: Settings = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}


def _unusual(settings: Settings) -> Settings:
    return {
        name: value for name, value in settings.items() if name not in USUAL or value != USUAL[name]
    }


def _folded(nodes: list[Node]) -> list[Node]:
    """Put activations that follow a bare layer into it; who read them reads the layer."""
    readers = [source for node in nodes for source in node.inputs]
    kept: list[Node] = []
    places: dict[int, int] = {-1: -1}
    if any(source >= number for number, node in enumerate(nodes) for source in node.inputs):
        return nodes  # in no order; the trainer will say so
    for number, node in enumerate(nodes):
        activation = _activation(node)
        source = node.inputs[0] if len(node.inputs) == 1 else -1
        before = kept[places[source]] if source >= 0 else None
        alone = readers.count(source) == 1
        bare = before is not None and before.op in ("Dense", "Conv2D")
        if activation and bare and alone and before.config.get("activation") == "linear":  # type: ignore[union-attr]
            config = {**before.config, "activation": activation}  # type: ignore[union-attr]
            kept[places[source]] = before.model_copy(update={"config": config})  # type: ignore[union-attr]
            places[number] = places[source]
            continue
        inputs = [places[one] for one in node.inputs]
        kept.append(node.model_copy(update={"inputs": inputs}))
        places[number] = len(kept) - 1
    return kept


def _activation(node: Node) -> str | None:
    """The activation that a node applies and nothing else, None for all other nodes."""
    if node.op == "Activation":
        return str(node.config.get("activation"))
    plain_relu = all(node.config.get(name, usual) == usual for name, usual in PLAIN_RELU.items())
    return "relu" if node.op == "ReLU" and plain_relu else None


Generators = Annotated[
    list[Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(max_length=4)]],
    Field(max_length=100),
]


class State(Record):
    """Where a training stands: names of bytes (SHA-256), and what is small.

    Attributes:
        weights, optimizer: see `training/states.py`.
        seeds: the layers' own random generators, in node order.
        learning_rate: None where a schedule sets it.
    """

    weights: Hash
    optimizer: Hash
    seeds: Generators = []
    learning_rate: Finite | None = None


class Validation(Record):
    """Rows that are evaluated after an epoch."""

    data: Data
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]


def plain(record: BaseModel) -> dict[str, Any]:
    """Return a record as plain JSON values."""
    return record.model_dump(mode="json")
