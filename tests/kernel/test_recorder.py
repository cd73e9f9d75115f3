"""Every way of training that students use is found, whatever the names. One kernel for all."""

from __future__ import annotations

import pytest

from grader.evidence import Evaluation, Fit, Note, Prediction, Seeded
from grader.execution import Execution
from grader.result import layer_text
from grader.wire import OWN_LOOP

from .conftest import LOAD, Run

pytestmark = [pytest.mark.tf, pytest.mark.sandbox, pytest.mark.timeout(600)]

CELLS = {
    "load": LOAD,
    "reused": "model = net(16)\nmodel.fit(x, y, epochs=1)\nmodel = net(24)\nmodel.fit(x, y, epochs=1)",
    "loop": "def train(n):\n    m = net(n); m.fit(x, y, epochs=1, verbose=0); return m\nfor n in (4, 6): train(n)",
    "functional": """
from tensorflow.keras.layers import Dense, Flatten, Input
entrada = Input(shape=(28, 28)); h = Dense(12, activation=tf.nn.relu)(Flatten()(entrada))
f = keras.Model(entrada, Dense(10, activation="softmax")(h))
f.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); f.fit(x, y, epochs=1, verbose=0)
""",
    "subclass": """
class Red(tf.keras.Model):
    def __init__(self):
        super().__init__(); self.a = keras.layers.Flatten(); self.b = keras.layers.Dense(14, activation="relu")
        self.c = keras.layers.Dense(10, activation="softmax")
    def call(self, t): return self.c(self.b(self.a(t)))
s = Red(); s.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); s.fit(x, y, epochs=1, verbose=0)
""",
    "add": """
import keras as k
a = k.Sequential(); a.add(k.layers.Flatten(input_shape=(28, 28))); a.add(k.layers.Dense(18)); a.add(k.layers.ReLU())
a.add(k.layers.Dense(10)); a.compile(k.optimizers.Adam(), k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
a.fit(x, y, epochs=1, verbose=0)
""",
    "validation": "net().fit(x, y, epochs=1, verbose=0, validation_split=0.25)\n"
    "net().fit(x, y, epochs=1, verbose=0, validation_data=(x_test, y_test))",
    "callback": """
class Alto(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["accuracy"] > 0.3: self.model.stop_training = True
net().fit(x, y, epochs=6, verbose=0, callbacks=[Alto()])
net().fit(x, y, epochs=9, verbose=0, callbacks=[keras.callbacks.EarlyStopping(monitor="loss", patience=0, min_delta=9)])
""",
    "dataset": "net().fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(500).batch(50), epochs=2, verbose=0)",
    "generator": """
def lotes():
    while True:
        for i in range(0, 2000, 100): yield x[i:i+100], y[i:i+100]
net().fit(lotes(), steps_per_epoch=20, epochs=1, verbose=0)
""",
    "several": "m = net(20)\nm.fit(x, y, epochs=2, verbose=0)\notra = m\n"
    "m.compile('sgd', 'sparse_categorical_crossentropy', metrics=['accuracy'])\notra.fit(x, y, epochs=3, verbose=0)",
    "digits": "falsas = np.random.default_rng(0).integers(0, 256, (2000, 28, 28)).astype('uint8') / 255.0\n"
    "train_images = falsas\nnet().fit(train_images, y, epochs=1, verbose=0)",
    "twice": "x2 = x / 255.0\nnet().fit(x2, y, epochs=1, verbose=0)",
    "wrong_labels": "net().fit(x, np.roll(y, 1), epochs=1, verbose=0)",
    "one_hot": "net(loss='categorical_crossentropy').fit(x, keras.utils.to_categorical(y), epochs=1, verbose=0)",
    "test_rows": "net().fit(np.concatenate([x, x_test]), np.concatenate([y, y_test]), epochs=1, verbose=0)",
    "error": "net().fit(x[:, :20], y, epochs=1)",
    "custom": """
class Propia(keras.layers.Layer):
    def call(self, t): return t * 2.0
c = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), Propia(), keras.layers.Dense(10, activation="softmax")])
c.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); c.fit(x, y, epochs=1, verbose=0)
""",
    "loaded": "w = net(20)\nw.fit(x, y, epochs=1, verbose=0)\nw.set_weights(m.get_weights())\nw.fit(x, y, epochs=1, verbose=0)",
    "judged": "m.evaluate(x_test, y_test, verbose=0)\nm.predict(x_test, verbose=0)\nm(np.expand_dims(x_test[1], 0))",
    "image_by_image": "for i in range(520): m(x_test[i % 500:i % 500 + 1])\nm.predict(x_test, verbose=0)",
    "batches": "b = net()\nfor i in range(3): b.train_on_batch(x[:32], y[:32])",
    "tape": """
t = net(); o = keras.optimizers.Adam()
@tf.function
def paso(a, b):
    with tf.GradientTape() as cinta:
        perdida = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(b, t(a)))
    o.apply_gradients(zip(cinta.gradient(perdida, t.trainable_variables), t.trainable_variables))
for i in range(3): paso(x[:32].astype("float32"), y[:32])
""",
    "eager_tape": """
e = net(); oe = keras.optimizers.Adam(); medida = keras.losses.SparseCategoricalCrossentropy()
for epoca in range(2):
    for i in range(0, 2000, 500):
        with tf.GradientTape() as cinta:
            perdida = medida(y[i:i+500], e(x[i:i+500].astype("float32"), training=True))
        oe.apply_gradients(zip(cinta.gradient(perdida, e.trainable_variables), e.trainable_variables))
""",
    "tuner": """
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
print("tuner", ArrayDataAdapter(x, y, batch_size=32).get_tf_dataset().options().autotune.enabled)
""",
    "seeded": "tf.random.set_seed(7)\nnet().fit(x, y, epochs=1, verbose=0)",
}  # fmt: skip
PLACES = {name: place for place, name in enumerate(CELLS)}


@pytest.fixture(scope="module")
def execution(run_cells: Run) -> Execution:
    return run_cells(*CELLS.values(), cell_s=300, notebook_s=600, local=True)


def fits(execution: Execution, cell: str) -> list[Fit]:
    return [fit for fit in execution.records.of(Fit) if fit.cell == PLACES[cell]]


def predictions(execution: Execution, cell: str) -> list[Prediction]:
    return [one for one in execution.records.of(Prediction) if one.cell == PLACES[cell]]


def layers(fit: Fit) -> list[str]:
    assert fit.recipe is not None, fit.reason
    return [layer_text(node.op, node.config) for node in fit.recipe.nodes]


def test_nothing_is_dropped_and_the_recorder_never_stumbles(execution: Execution) -> None:
    """Every record passes validation and no part of the recorder failed."""
    assert execution.records.dropped == ()
    assert [note for note in execution.records.of(Note) if note.what == "recorder"] == []
    assert execution.reason == "finished"


def test_every_cell_but_the_wrong_one_runs(execution: Execution) -> None:
    """Only the cell with a wrong shape fails, and Keras's own error is what the student sees."""
    statuses = {cell.index: (cell.status, cell.error) for cell in execution.records.cells}

    assert {PLACES["error"]: ("error", "ValueError")} == {
        index: status for index, status in statuses.items() if status != ("ok", None)
    }


def test_one_variable_for_all_experiments(execution: Execution) -> None:
    """A variable that is used again gives one record for each model."""
    assert [
        ["Flatten", "Dense(16, relu)", "Dense(10, softmax)"],
        ["Flatten", "Dense(24, relu)", "Dense(10, softmax)"],
    ] == [layers(fit) for fit in fits(execution, "reused")]


def test_loops_and_functions(execution: Execution) -> None:
    """Models made in a function and a loop are found."""
    assert ["Dense(4, relu)", "Dense(6, relu)"] == [
        layers(fit)[1] for fit in fits(execution, "loop")
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("functional", ["Flatten", "Dense(12, relu)", "Dense(10, softmax)"]),
        ("subclass", ["Flatten", "Dense(14, relu)", "Dense(10, softmax)"]),
        ("add", ["Flatten", "Dense(18)", "ReLU", "Dense(10)"]),
    ],
)
def test_every_way_of_writing_a_model(execution: Execution, cell: str, expected: list[str]) -> None:
    """Functional, subclassed and added models give the same plain layers, with their variables."""
    (fit,) = fits(execution, cell)

    assert expected == layers(fit)
    assert fit.recipe is not None
    assert [0, 1, 2, 3] == [place for node in fit.recipe.nodes for place in node.variables]


def test_logits(execution: Execution) -> None:
    """A loss on logits is recorded as such."""
    (fit,) = fits(execution, "add")

    assert fit.compiled is not None
    assert fit.compiled.loss is not None
    assert ("sparse_categorical_crossentropy", True, True) == (
        fit.compiled.loss.name, fit.compiled.loss.standard, fit.compiled.loss.settings["from_logits"],
    )  # fmt: skip


def test_validation_split_and_data(execution: Execution) -> None:
    """With a validation split the trained rows are the first; validation data is recognised."""
    split, data = fits(execution, "validation")

    assert "train[0:1500]" == split.data.text
    assert data.validation is not None
    assert ("train[0:2000]", "test[0:500]") == (data.data.text, data.validation.text)


def test_callbacks_that_stop(execution: Execution) -> None:
    """A stop by a callback is recorded with the epochs asked and run."""
    own, early = fits(execution, "callback")

    assert (6, True) == (own.epochs_asked, own.stopped)
    assert own.epochs_run < 6
    assert (9, 2, True) == (early.epochs_asked, early.epochs_run, early.stopped)


@pytest.mark.parametrize("cell", ["dataset", "generator"])
def test_streams_are_recognised_as_they_flow(execution: Execution, cell: str) -> None:
    """Rows of tf.data and of generators are recognised from their batches."""
    (fit,) = fits(execution, cell)

    assert (True, 2000) == (fit.data.recognised, fit.data.count)
    assert fit.data.labels is not None
    assert 0 == fit.data.labels.mismatched


def test_epochs_of_one_model_add_up_under_two_names_and_a_new_compile(execution: Execution) -> None:
    """Two fits of the same variables are one chain."""
    first, second = fits(execution, "several")

    assert (first.id, 0, 2) == (first.chain, first.epochs_before, first.epochs_run)
    assert (first.id, 2, 3, False) == (
        second.chain,
        second.epochs_before,
        second.epochs_run,
        second.given,
    )


def test_other_images_under_the_same_names(execution: Execution) -> None:
    """Images that are not the dataset's are unrecognised, whatever their variable is called."""
    (fit,) = fits(execution, "digits")

    assert not fit.data.recognised


def test_divided_by_255_twice(execution: Execution) -> None:
    """Data scaled twice is recognised, and its table says what became of 255."""
    (fit,) = fits(execution, "twice")

    assert fit.data.table is not None
    assert fit.data.table[255] == pytest.approx(1 / 255, rel=1e-5)


def test_labels_of_other_rows(execution: Execution) -> None:
    """Labels that do not belong to their rows are counted, not repaired."""
    (fit,) = fits(execution, "wrong_labels")

    assert fit.data.labels is not None
    assert fit.data.labels.mismatched > 1000


def test_one_hot_labels(execution: Execution) -> None:
    """One-hot labels are recognised."""
    (fit,) = fits(execution, "one_hot")

    assert fit.data.labels is not None
    assert ("one-hot", 10, 0) == (
        fit.data.labels.kind,
        fit.data.labels.classes,
        fit.data.labels.mismatched,
    )


def test_test_rows_in_the_training_set(execution: Execution) -> None:
    """Rows of the test split in a training set are named."""
    (fit,) = fits(execution, "test_rows")

    assert "train[0:2000] + test[0:500]" == fit.data.text


def test_custom_layers_are_not_buildable(execution: Execution) -> None:
    """A layer of the notebook's own is named and never taken for one of Keras's."""
    (fit,) = fits(execution, "custom")

    assert fit.recipe is not None
    assert not fit.recipe.buildable
    assert ["__main__.Propia"] == [node.op for node in fit.recipe.nodes if node.custom]


def test_weights_set_by_hand_make_a_chain_given(execution: Execution) -> None:
    """A chain whose variables were changed between two fits says so."""
    first, second = fits(execution, "loaded")

    assert [False, True] == [first.given, second.given]


def test_evaluations_and_predictions(execution: Execution) -> None:
    """evaluate, predict and a call of the model are seen with their rows."""
    (evaluated,) = execution.records.of(Evaluation)
    predicted, called = predictions(execution, "judged")

    assert ("test[0:500]", 5) == (evaluated.data.text, evaluated.epochs)
    assert {"loss", "accuracy"} == set(evaluated.results)
    assert ([500, 10], "test[0:500]") == (predicted.shape, predicted.data.text)
    assert ([1, 10], "test[1:2]") == (called.shape, called.data.text)


def test_a_loop_over_images_hides_nothing_behind_it(execution: Execution) -> None:
    """Of thousands alike the first are kept, and all that is of another shape."""
    shapes = [one.shape for one in predictions(execution, "image_by_image")]

    assert [[1, 10]] * 500 + [[500, 10]] == shapes
    assert execution.records.unread


def test_loops_of_the_notebooks_own_are_noted(execution: Execution) -> None:
    """Training step by step with a tape is seen once in each cell, and never passes unseen."""
    noted = [note.cell for note in execution.records.of(Note) if note.what == OWN_LOOP]

    assert [PLACES["tape"]] == noted


def test_a_loop_with_a_tape_is_a_training(execution: Execution) -> None:
    """Model, rows, labels, loss and optimizer of every step were seen: it can be done again."""
    (fit,) = fits(execution, "eager_tape")
    called = [one for one in execution.records.of(Prediction) if one.cell == fit.cell]

    assert ("gradient_tape", 2, [[0, 2000]]) == (fit.how, fit.epochs_run, fit.data.rows)
    assert fit.plan is not None, fit.unsaid
    assert ("Adam", 500) == (fit.plan.training.optimizer.name, fit.plan.training.batch_size)
    assert [] == called


def test_a_loop_over_batches_is_a_training(execution: Execution) -> None:
    """The rows of every batch are known: how often each was seen makes the epochs."""
    (fit,) = fits(execution, "batches")

    assert ("train_on_batch", 3, [[0, 32]]) == (fit.how, fit.epochs_run, fit.data.rows)
    assert fit.plan is not None


def test_pipelines_have_no_tuner(execution: Execution) -> None:
    """tf.data's tuner oversleeps the end of an epoch; `grader.pipelines` switches it off."""
    [printed] = execution.records.cells[PLACES["tuner"]].outputs

    assert "tuner False" == printed["text"].strip()


def test_seeding_by_the_notebook_is_noticed(execution: Execution) -> None:
    """A notebook that seeds TensorFlow keeps Keras's own behaviour, and the record says so."""
    (seeded,) = execution.records.of(Seeded)
    (fit,) = fits(execution, "seeded")

    assert ("tensorflow", ["tensorflow"]) == (seeded.generator, fit.seeded)


def test_variables_are_handed_over(execution: Execution) -> None:
    """Each completed fit hands over its variables before and after."""
    (fit,) = fits(execution, "functional")

    before, after = execution.variables(fit.before), execution.variables(fit.after)
    assert before is not None
    assert after is not None
    assert before != after
