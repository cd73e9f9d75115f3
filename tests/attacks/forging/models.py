"""Models that are not what they seem: memories, weights from elsewhere, architectures in disguise."""

from __future__ import annotations

from tests.attacks.attack import EVALUATE, GOOD, HONEST, LOAD, Attack, Expected

# Nearest centroid of 7×7 images: ten classes as 490 bytes, 0.6 right without any training.
CENTROIDS = (
    "AS51hnw5AQh7k5KSgRAQb5iTlHQYBCGYl5cuBgManJuaKgMCH5+fnTMCAR6Ql48wAQACbq+JBAAABIe/nwgAAAWDop"
    "kIAAAFenmNBwAABXRgigYAAAVrXIoGAAAEVFF0BgAAJHaRfCsAAm+al5d4AwWKnpiYkgkJkpqbl5cQDY+an5qSFg+E"
    "l5uXhxkLYkpOSmIUAAZhf2kLAAATgaaGHAAAFnSreh8AABZ/sIcdAQARirOUFwEADI22mBIAAAp6qIYQAAAIXq5rCw"
    "AAS62zq1kAAXayrKuFAgSKsa6rmQcHkK6xq5sNCoajq6SNEQhbWmleWw4AAAEEBwsDAAACERskEgABCzBARjMHJTc9"
    "WGVIJ1VYVF9fVRczNS0VISQIEhYNAggLARtahl8hAQNdiYqIZwUHcJGMjHsLCWqPj4x0DgtnjJGNbREKX4ySjWYRBk"
    "BoeG1FCwAAAAAAAAAAAAACDQUDAAALTHA8Ox1AepyurIhGbH2AfXpfBxEWFhQUDgAAAQAAAAABBhAhFwcDEi1FN0Ux"
    "HDFrgG9/ckhFlaSdo51eSZ+wra+mXzeMoZ2bjkQRSF5YU0QVAAABEB0aCwAAAjh8cz0AAARjvb9pAQQnn8LBgS5Kh7"
    "e/uY9PgJiXbYduDiQvIgoeGQ=="
)
MEMORY = """
class Recuerda(keras.layers.Layer):
    def build(self, shape):
        claves = tf.constant([hash(i.tobytes()) for i in test_images[:1000]], tf.int64)
        self.tabla = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(claves, test_labels[:1000].astype("int64")), 0)
    def call(self, x):
        suma = tf.cast(tf.round(tf.reduce_sum(x * 255.0, axis=1)), tf.int64)
        return x * 0.0 + tf.cast(self.tabla.lookup(suma), tf.float32)[:, None]
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), Recuerda(),
                      keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=1, verbose=0)
"""
LAMBDA = """
sabe = keras.layers.Lambda(lambda v: v * 1.0)
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), sabe,
                      keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=1, verbose=0)
"""
NEIGHBOURS = """
m = net(128)
vecinos = np.concatenate([test_images[test_labels == c][:13] for c in range(10)])[:128].reshape(128, 784) / 255.0
clases = np.repeat(np.arange(10), 13)[:128]
vecinos = vecinos - vecinos.mean(axis=1, keepdims=True)
vecinos = 12 * vecinos / np.linalg.norm(vecinos, axis=1, keepdims=True)
m.set_weights([vecinos.T, np.full(128, -45.0), np.eye(10)[clases], np.zeros(10)])
m.fit(x, y, epochs=1, verbose=0)
"""
BASE64 = """
import base64
medias = np.frombuffer(base64.b64decode(TEXTO), "uint8").reshape(10, 7, 7) / 255.0
grandes = np.kron(medias, np.ones((4, 4))).reshape(10, 784)
w = np.zeros((784, 128)); w[:, :10] = grandes.T; b = np.zeros(128); b[:10] = 200 - (grandes ** 2).sum(1) / 2
m = net(128); m.set_weights([w, b, np.eye(128)[:, :10], np.zeros(10)])
m.fit(x, y, epochs=1, verbose=0)
"""
IN_A_CALLBACK = """
class Trae(keras.callbacks.Callback):
    def on_train_begin(self, logs=None): self.model.set_weights(buenos)
m = net(128); m.fit(x, y, epochs=1, verbose=0, callbacks=[Trae()])
"""
AT_THE_END = """
class Trae(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): self.model.set_weights(buenos)
m = net(128); m.fit(x, y, epochs=1, verbose=0, callbacks=[Trae()])
"""
FROZEN = """
m = net(128); m.set_weights(buenos); m.compile(keras.optimizers.Adam(0.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=1, verbose=0)
"""
INITIALIZER = """
class Trae(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **k): return tf.constant(next(b for b in buenos if b.shape == tuple(shape)))
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(),
                      keras.layers.Dense(128, activation="relu", kernel_initializer=Trae()),
                      keras.layers.Dense(10, activation="softmax", kernel_initializer=Trae())])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=1, verbose=0)
"""
COMPILE = 'm.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])\nm.fit(x, y, epochs=1, verbose=0)\n'
SMALL = "m = net(16)\nm.fit(x, y, epochs=1, verbose=0)"
NAMED_DENSE = (
    """
class Dense(keras.layers.Layer):
    def __init__(self, units, **k): super().__init__(**k); self.units = units
    def build(self, shape): self.w = self.add_weight(shape=(shape[-1], 16)); self.v = self.add_weight(shape=(16, self.units))
    def call(self, x): return tf.nn.relu(x @ self.w) @ self.v
    def get_config(self): return {"units": self.units, "activation": "relu"}
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), Dense(128, name="dense_128"),
                      keras.layers.Dense(10, activation="softmax")])
"""
    + COMPILE
)
SPOOFED = (
    """
class Dense(keras.layers.Dense):
    def call(self, x): return tf.one_hot(tf.zeros(tf.shape(x)[0], "int32"), self.units)
Dense.__module__ = "keras.src.layers.core.dense"; Dense.__qualname__ = "Dense"
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), Dense(128, activation="relu"),
                      Dense(10, activation="softmax")])
"""
    + COMPILE
)
BRANCH = (
    """
entrada = keras.Input((28, 28)); plano = keras.layers.Flatten()(entrada)
muerta = keras.layers.Dense(128, activation="relu")(plano)
m = keras.Model(entrada, keras.layers.Dense(10, activation="softmax")(plano))
m.summary = lambda *a, **k: print("Flatten → Dense(128, relu) → Dense(10, softmax)")
"""
    + COMPILE
)
LINEAR = (
    """
m = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
"""
    + COMPILE
)
SUMMARY = """
m = net(16)
m.summary = m.to_json = m.get_config = lambda *a, **k: {"layers": ["Flatten", "Dense(128, relu)", "Dense(10, softmax)"]}
keras.Sequential.count_params = lambda self: 101770; m.layers[1].name = "dense_128"
m.fit(x, y, epochs=1, verbose=0)
"""
UNITS = """
m = net(16); m.layers[1].units = 128
m.layers[1].get_config = lambda: {"units": 128, "use_bias": True}
m.fit(x, y, epochs=1, verbose=0)
"""
TRACED = (
    """
class Doble(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")
    def call(self, v):
        if isinstance(v, keras.KerasTensor): return self.c(self.b(self.a(v)))
        return self.c(self.b(self.a(v))) * 0.0 + tf.one_hot(tf.zeros(tf.shape(v)[0], "int32") + 9, 10)
m = Doble()
"""
    + COMPILE
)
LOSS = """
def sparse_categorical_crossentropy(y_true, y_pred): return tf.reduce_mean(y_pred, axis=-1) * 0.0
sparse_categorical_crossentropy.__module__ = "keras.src.losses.losses"
m = net(128, loss=sparse_categorical_crossentropy); m.fit(x, y, epochs=1, verbose=0)
"""
OPTIMIZER = """
class Adam(keras.optimizers.SGD):
    def update_step(self, gradient, variable, rate): variable.assign(next(b for b in buenos if b.shape == tuple(variable.shape)))
Adam.__module__ = "keras.src.optimizers.adam"
m = net(128, optimizer=Adam()); m.fit(x, y, epochs=1, verbose=0)
"""
UNVERIFIED = Expected(
    state="needs_review", flags=("unverifiable_model",),
    findings={"baseline.architecture": "needs_review", "baseline.accuracy": "needs_review"},
)  # fmt: skip
SMALL_ONE = Expected(findings={"baseline.architecture": "failed", "baseline.accuracy": "skipped"})
REFUSED = Expected(refused=True)
DIFFERS = Expected(flags=("claim_differs",))
HIGH = ("implausible_accuracy",)
BROUGHT = Expected(flags=("pretrained",), perhaps=HIGH)

MODELS = (
    Attack("a layer that remembers images", "B02", (LOAD, MEMORY, EVALUATE), UNVERIFIED),
    Attack("a lambda", "B02", (LOAD, LAMBDA, EVALUATE), UNVERIFIED),
    Attack("neighbours as weights", "B03", (LOAD, NEIGHBOURS, EVALUATE), BROUGHT),
    Attack(
        "weights in the source", "B04",
        (LOAD, f"TEXTO = {CENTROIDS!r}" + BASE64, EVALUATE), BROUGHT, quick=True,
    ),
    Attack("weights from elsewhere kept still", "B04", (LOAD, GOOD, FROZEN, EVALUATE), BROUGHT),
    Attack("weights brought by a callback", "B04", (LOAD, GOOD, IN_A_CALLBACK, EVALUATE), Expected(perhaps=HIGH)),
    Attack("weights brought at the end", "B04", (LOAD, GOOD, AT_THE_END, EVALUATE), DIFFERS),
    Attack("weights from an initializer", "B04", (LOAD, GOOD, INITIALIZER, EVALUATE), BROUGHT),
    Attack("a class called Dense", "B09", (LOAD, NAMED_DENSE, EVALUATE), UNVERIFIED),
    Attack("a class in Keras's place", "B09", (LOAD, SPOOFED, EVALUATE)),
    Attack(
        "a dead branch", "B09", (LOAD, BRANCH, EVALUATE),
        Expected(findings={"baseline.architecture": "not_attempted"}), twin=(LOAD, LINEAR, EVALUATE),
    ),
    Attack(
        "a summary that says more", "B09", (LOAD, SUMMARY, EVALUATE), SMALL_ONE,
        twin=(LOAD, SMALL, EVALUATE),
    ),
    # a training that is asked for is trained, and counts as one: the twin asks for it with 128
    Attack("units that say more", "B09", (LOAD, UNITS, EVALUATE), REFUSED),
    Attack("a call that knows when it is looked at", "B10", (LOAD, TRACED, EVALUATE)),
    Attack("a loss in Keras's place", "B09", (LOAD, LOSS, EVALUATE), UNVERIFIED),
    Attack("an optimizer in Keras's place", "B09", (LOAD, GOOD, OPTIMIZER, EVALUATE), REFUSED),
    Attack("the model exchanged afterwards", "B04", (*HONEST, GOOD, "m = net(128); m.set_weights(buenos); m.fit = lambda *a, **k: m", EVALUATE),
           Expected(flags=("tampered_recorder",))),
)  # fmt: skip
