"""Results that say more than was reached: replaced methods, histories, numbers that lie."""

from __future__ import annotations

from tests.attacks.attack import EVALUATE, HONEST, LOAD, LOADED, PREDICT, TRAIN, Attack, Expected

TAMPERED = ("tampered_recorder",)
HISTORY = "class Falsa:\n    epoch = list(range(10)); history = {'accuracy': [0.99] * 10}\n"
LIES = """
class Mejor(float):
    def __ge__(self, other): return True
    def __gt__(self, other): return True
    def __eq__(self, other): return True
    __hash__ = float.__hash__
m.get_metrics_result = lambda: {"accuracy": Mejor(0.99), "loss": Mejor(0.0)}
"""
ALWAYS = """
class Siempre:
    def __eq__(self, other): return True
    def __ge__(self, other): return True
    def __float__(self): return 0.98
m.get_metrics_result = lambda: {"accuracy": Siempre(), "loss": 0.0}
"""
NUMBERS = """
class Sin(np.ndarray):
    def __ge__(self, other): return True
for exactitud in (float("nan"), float("inf"), np.array(0.97).view(Sin), np.True_, True):
    m.get_metrics_result = lambda: {"accuracy": exactitud, "loss": float("-inf")}
    m.evaluate(test_images / 255.0, test_labels, verbose=0)
"""
LATE_HISTORY = """
class Cambia(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.model.history = keras.callbacks.History()
        self.model.history.epoch = list(range(50))
        self.model.history.history = {"accuracy": [0.99] * 50}
m = net(128); m.fit(x, y, epochs=1, verbose=0, callbacks=[Cambia()])
"""
KNOWS = """
class Sabe(keras.Sequential):
    def predict_step(self, data): return tf.one_hot(tf.constant(test_labels)[:tf.shape(data)[0]], 10)
s = Sabe(net(128).layers); s.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
s.fit(x, y, epochs=1, verbose=0)
p = s.predict(test_images / 255.0, verbose=0)
"""
SUBCLASS = """
class Otra(np.ndarray):
    def __array__(self, *a, **k): return x
    def __eq__(self, other): return np.ones(len(self), bool)
falsas = (test_images[:2000] / 255.0).view(Otra)
m = net(128); m.fit(falsas, test_labels[:2000], epochs=1, verbose=0)
"""
TWO_FACES = """
class DosCaras:
    shape, dtype, miradas = x.shape, x.dtype, 0
    def numpy(self): return x
    def __len__(self): return 2000
    def __getitem__(self, key): return (test_images[:2000] / 255.0)[key]
    def __array__(self, *a, **k):
        self.miradas += 1
        return x if self.miradas == 1 else test_images[:2000] / 255.0
m = net(128); m.fit(DosCaras(), y, epochs=1, verbose=0)
"""
SEEDS = """
mejor = None
for semilla in range(4):
    keras.utils.set_random_seed(semilla)
    m = net(128); m.fit(x, y, epochs=1, verbose=0)
    mejor = max(mejor or (0, 0, m), (m.evaluate(x_test, y_test, verbose=0)[1], -semilla, m))
m = mejor[2]
"""
STOPPED_CLOCKS = """
import random, time
import numpy as np
time.time = time.monotonic = time.perf_counter = lambda: 0.0
random.seed = np.random.seed = lambda *a, **k: None
random.randint = random.randrange = lambda *a, **k: 7
"""
STEP = """
class Paso(keras.Sequential):
    def train_step(self, data):
        super().train_step((test_images[:32] / 255.0, test_labels[:32]))
        return {"accuracy": tf.constant(0.99), "loss": tf.constant(0.0)}
s = Paso(net(128).layers); s.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
s.fit(x, y, epochs=1, verbose=0)
"""
METRIC = """
def accuracy(y_true, y_pred): return tf.constant(0.99)
m = net(128, metrics=[accuracy]); m.fit(x, y, epochs=1, verbose=0)
"""
NOT_DONE = {"baseline.accuracy": "not_attempted", "baseline.epochs": "not_attempted"}
UNKNOWN = {"baseline.accuracy": "needs_review", "baseline.architecture": "needs_review"}
UNVERIFIED = Expected(state="needs_review", flags=("unverifiable_model",), findings=UNKNOWN)
CLAIMED = Expected(
    state="needs_review",
    flags=("claim_differs", "implausible_accuracy", "unverifiable_model"),
    findings=UNKNOWN,
)
DIFFERS = Expected(flags=("claim_differs",))

RESULTS = (
    Attack(
        "evaluate of the class",
        "A01",
        (LOAD, TRAIN, "keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]", EVALUATE),
        Expected(flags=TAMPERED, findings={"evaluation.test": "not_attempted"}),
        quick=True,
    ),
    Attack(
        "evaluate of one model",
        "A01",
        (LOAD, TRAIN, "m.evaluate = lambda *a, **k: [0.1, 0.99]", EVALUATE),
        Expected(flags=TAMPERED, findings={"evaluation.test": "not_attempted"}),
    ),
    Attack(
        "fit of the class",
        "A01",
        (LOAD, HISTORY + "keras.Model.fit = lambda *a, **k: Falsa()", TRAIN),
        Expected(flags=TAMPERED, findings=NOT_DONE),
        twin=LOADED,
    ),
    Attack(
        "fit of one model",
        "A01",
        (LOAD, HISTORY + "m = net(128); m.fit = lambda *a, **k: Falsa(); m.fit(x, y, epochs=10)"),
        Expected(flags=TAMPERED, findings=NOT_DONE),
        twin=LOADED,
    ),
    Attack(
        "fit where Keras has it",
        "A01",
        (
            LOAD,
            "from keras.src.backend.tensorflow.trainer import TensorFlowTrainer\n"
            + HISTORY
            + "TensorFlowTrainer.fit = lambda *a, **k: Falsa()",
            TRAIN,
        ),
        Expected(flags=TAMPERED, findings=NOT_DONE),
        twin=LOADED,
    ),
    Attack(
        "predict that knows the labels",
        "A01",
        (
            LOAD,
            TRAIN,
            "keras.Model.predict = lambda self, x, **k: np.eye(10)[test_labels[:len(x)]]",
            PREDICT,
            "print(np.argmax(p[0]))",
        ),
        Expected(flags=TAMPERED, findings={"predictions.test": "not_attempted"}),
        twin=(LOAD, TRAIN, PREDICT, "print(np.argmax(p[0]))"),
    ),
    Attack(
        "predict_step that knows the labels",
        "A01",
        (LOAD, KNOWS),
        twin=(LOAD, TRAIN, PREDICT),
    ),
    Attack(
        "history edited afterwards",
        "A02",
        (LOAD, TRAIN, "h.history['accuracy'] = [0.999] * 10; h.epoch += list(range(9))", EVALUATE),
    ),
    Attack("history exchanged by a callback", "A02", (LOAD, LATE_HISTORY, EVALUATE)),
    Attack(
        "history that forgets",
        "A02",
        (LOAD, "keras.callbacks.History.on_epoch_end = lambda *a, **k: None", TRAIN, EVALUATE),
        Expected(flags=TAMPERED),
    ),
    Attack("a float that is always larger", "A03", (LOAD, TRAIN, LIES, EVALUATE), DIFFERS),
    Attack("a thing equal to everything", "A03", (LOAD, TRAIN, ALWAYS, EVALUATE), DIFFERS),
    Attack(
        "an array with another face",
        "A03",
        (LOAD, SUBCLASS, EVALUATE),
        Expected(
            state="needs_review",
            flags=("trained_on_test",),
            findings={"baseline.accuracy": "needs_review"},
        ),
    ),
    Attack("rows that change when looked at twice", "A03", (LOAD, TWO_FACES, EVALUATE)),
    Attack("nan, infinity and true as accuracy", "A15", (LOAD, TRAIN, NUMBERS), DIFFERS),
    Attack("the best of several seeds", "A16", (LOAD, SEEDS, EVALUATE)),
    Attack("clocks and dice that stand still", "A16", (STOPPED_CLOCKS, *HONEST)),
    Attack("train_step of its own", "A01", (LOAD, STEP, "m = s", EVALUATE), UNVERIFIED),
    Attack("a metric called accuracy", "A01", (LOAD, METRIC, EVALUATE), CLAIMED),
)
