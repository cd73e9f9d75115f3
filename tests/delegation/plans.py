"""A small plan and a state, as plain data; nothing is trained to make them."""

from __future__ import annotations

from grader.recipes import Data, Labels, Node, Part, Plan, Recipe, State, Training

RECIPE = Recipe(
    input_shape=[28, 28],
    nodes=[
        Node(op="Flatten", inputs=[-1]),
        Node(op="Dense", config={"units": 10, "activation": "softmax"}, inputs=[0]),
    ],
)
DATA = Data(
    recognised=True,
    count=1000,
    rows=[[0, 1000]],
    table=[value / 255 for value in range(256)],
    row_shape=[28, 28],
    labels=Labels(kind="sparse", classes=10, mismatched=0),
)
TRAINING = Training(
    optimizer=Part(name="Adam", settings={"learning_rate": 0.001}),
    loss=Part(name="SparseCategoricalCrossentropy"),
    metrics=[Part(name="Accuracy")],
    batch_size=32,
    draws=[Part(name="GlorotUniform", settings={"seed": 1}), Part(name="Zeros")],
)
PLAN = Plan(recipe=RECIPE, data=DATA, training=TRAINING)
STATE = State(weights="a" * 64, optimizer="b" * 64, learning_rate=0.001)
