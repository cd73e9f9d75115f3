"""Shapes of `fit` that must come out the same, delegated or not: code cells, by name."""

from __future__ import annotations

PRELUDE = """
import hashlib, random, numpy as np, tensorflow as tf, keras
from keras import layers
(x_all, y_all), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, y = x_all[:3000] / 255.0, y_all[:3000]
xt, yt = x_test[:500] / 255.0, y_test[:500]
one_hot = keras.utils.to_categorical(y, 10)

def net(*hidden, last="softmax"):
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), *hidden, layers.Dense(10, activation=last)])

def plain(optimizer="adam", loss="sparse_categorical_crossentropy", units=16, **more):
    m = net(layers.Dense(units, activation="relu"))
    m.compile(optimizer, loss, metrics=["accuracy"], **more)
    return m

def digest(arrays):
    value = hashlib.sha256()
    for one in arrays:
        value.update(np.ascontiguousarray(np.asarray(one)).tobytes())
    return value.hexdigest()[:16]

def show(m, h=None, evaluate=True):
    eager = __import__("tensorflow.python.eager.context", fromlist=["x"]).context()
    said = {
        "variables": digest([v.numpy() for v in m.variables]),
        "optimizer": digest([v.numpy() for v in m.optimizer.variables]),
        "metrics": digest([v.numpy() for v in m.metrics_variables]),
        "names": m.metrics_names,
        "history": h and {k: [float(v).hex() for v in vs] for k, vs in h.history.items()},
        "epochs": h and [h.epoch, sorted(h.params.items())],
        "iterations": int(m.optimizer.iterations.numpy()),
        "rate": float(m.optimizer.learning_rate.numpy()) if hasattr(m.optimizer.learning_rate, "numpy") else None,
        "stop": m.stop_training,
        "random": digest([str(random.getstate()), *np.random.get_state()[1:2]]),
        "eager": str(eager._rng.getstate() if eager._rng else None)[:2000],
        "predictions": digest([m.predict(xt[:100], verbose=0)]),
        "evaluated": [float(v).hex() for v in np.atleast_1d(m.evaluate(xt, yt if m.output_shape[-1] == 10 and "sparse" in str(m.loss).lower() else keras.utils.to_categorical(yt, 10), verbose=0))] if evaluate else None,
        "next": [float(tf.random.uniform(())), float(keras.random.uniform(())), random.random(), float(np.random.rand())],
    }
    print("SHOW", repr(said))
"""

SHAPES = {
    "plain": "m = plain(); h = m.fit(x, y, epochs=3, verbose=0); show(m, h)",
    "unbuilt": """
m = keras.Sequential([layers.Flatten(), layers.Dense(16, "relu"), layers.Dense(10, "softmax")])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "dropout": """
m = net(layers.Dense(16, "relu"), layers.Dropout(0.3))
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=3, verbose=0); show(m, h)""",
    "batch normalisation": """
m = net(layers.Dense(16), layers.BatchNormalization(), layers.ReLU())
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "validation split": """
m = net(layers.Dense(16, "relu"), layers.Dropout(0.2), layers.BatchNormalization())
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, validation_split=0.2, verbose=0); show(m, h)""",
    "validation data": "m = plain(); h = m.fit(x, y, epochs=2, validation_data=(xt, yt), validation_batch_size=64, verbose=0); show(m, h)",
    "validation every second": "m = plain(); h = m.fit(x, y, epochs=4, validation_data=(xt, yt), validation_freq=2, verbose=0); show(m, h)",
    "two fits": "m = plain(); m.fit(x, y, epochs=2, verbose=0); h = m.fit(x, y, epochs=2, validation_split=0.1, verbose=0); show(m, h)",
    "compiled again": """
m = plain(); m.fit(x, y, epochs=2, verbose=0)
m.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "initial epoch": "m = plain(); h = m.fit(x, y, epochs=5, initial_epoch=3, verbose=0); show(m, h)",
    "early stopping": """
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=0, min_delta=0.2, restore_best_weights=True)
m = plain(keras.optimizers.Adam(0.01)); h = m.fit(x, y, epochs=6, validation_split=0.2, callbacks=[stop], verbose=0); show(m, h); print(stop.best, stop.stopped_epoch, stop.wait)""",
    "early stopping, dropout, then on": """
stop = keras.callbacks.EarlyStopping(monitor="loss", patience=0, min_delta=0.3, restore_best_weights=True)
m = net(layers.Dense(16, "relu"), layers.Dropout(0.3)); m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=6, callbacks=[stop], verbose=0); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "reduce on plateau": """
m = plain(); h = m.fit(x, y, epochs=4, callbacks=[keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=9.0, factor=0.3)], verbose=0); show(m, h)""",
    "scheduler": "m = plain(); h = m.fit(x, y, epochs=3, callbacks=[keras.callbacks.LearningRateScheduler(lambda e, r: r * 0.5)], verbose=0); show(m, h)",
    "own callback": """
class Own(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        w = self.model.get_weights(); w[1] = w[1] + 0.01; self.model.set_weights(w)
        if epoch == 2: self.model.stop_training = True
m = plain(); h = m.fit(x, y, epochs=5, callbacks=[Own()], verbose=0); show(m, h)""",
    "callback that evaluates": """
class Look(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(self.model.evaluate(xt, yt, verbose=0), self.model.predict(xt[:5], verbose=0).sum())
m = plain(); h = m.fit(x, y, epochs=2, validation_split=0.1, callbacks=[Look()], verbose=0); show(m, h)""",
    "checkpoint": """
import tempfile, os
path = os.path.join(tempfile.mkdtemp(), "best.weights.h5")
m = plain(); h = m.fit(x, y, epochs=3, callbacks=[keras.callbacks.ModelCheckpoint(path, save_weights_only=True, save_best_only=True, monitor="val_accuracy")], validation_split=0.1, verbose=0)
m.load_weights(path); show(m, h)""",
    "one-hot": """
m = plain(loss="categorical_crossentropy"); h = m.fit(x, one_hot, epochs=2, verbose=0); show(m, h)""",
    "sgd": "m = plain(keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)",
    "rmsprop, batch 100": "m = plain('rmsprop'); h = m.fit(x, y, epochs=2, batch_size=100, verbose=0); show(m, h)",
    "nadam": "m = plain('nadam'); m.fit(x, y, epochs=1, verbose=0); h = m.fit(x, y, epochs=1, verbose=0); show(m, h)",
    "decaying rate": "m = plain(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 50, 0.9))); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)",
    "logits": """
m = net(layers.Dense(16, "relu"), last=None)
m.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "activations apart": """
m = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(16), layers.Activation("relu"), layers.Dense(12), layers.ReLU(), layers.Dense(10), layers.Activation("softmax")])
m.compile("adam", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "softmax layer": """
m = net(layers.Dense(16, "relu"), last=None); m.add(layers.Softmax())
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "class weight": "m = plain(); h = m.fit(x, y, epochs=2, class_weight={i: 1.0 + i for i in range(10)}, verbose=0); show(m, h)",
    "raw pixels": "m = plain(); h = m.fit(x_all[:3000], y, epochs=2, verbose=0); show(m, h)",
    "float32, shuffled, batch 77": """
order = np.random.RandomState(3).permutation(3000); xs, ys = x.astype("float32")[order], y[order]
m = plain(); h = m.fit(xs, ys, epochs=2, batch_size=77, verbose=0); show(m, h)""",
    "tensors": "m = plain(); h = m.fit(tf.constant(x, tf.float32), tf.constant(y), epochs=2, verbose=0); show(m, h)",
    "in order, column of labels": "m = plain(); h = m.fit(x, y.astype('int32').reshape(-1, 1), epochs=2, shuffle=False, verbose=0); show(m, h)",
    "two branches": """
i = keras.Input((28, 28)); f = layers.Flatten()(i)
o = layers.Dense(10, "softmax")(layers.Concatenate()([layers.Dense(12, "relu")(f), layers.Dense(8, "tanh")(f)]))
m = keras.Model(i, o); m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "regularised": """
m = net(layers.Dense(16, "relu", kernel_regularizer=keras.regularizers.L2(0.01)))
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h)""",
    "subclass": """
class Red(keras.Model):
    def __init__(self):
        super().__init__(); self.salida = layers.Dense(10, activation="softmax"); self.plana = layers.Flatten(); self.oculta = layers.Dense(16, activation="relu")
    def call(self, t):
        return self.salida(self.oculta(self.plana(t)))
m = Red(); m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x, y, epochs=2, verbose=0); show(m, h, evaluate=False)""",
    "wrong labels": "m = plain(); h = m.fit(x, np.roll(y, 7), epochs=2, verbose=0); show(m, h)",
    "convolution": """
m = keras.Sequential([keras.Input((28, 28)), layers.Reshape((28, 28, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10, "softmax")])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]); h = m.fit(x[:1000], y[:1000], epochs=2, verbose=0); show(m, h)""",
    "all rows in one batch": "m = plain(); h = m.fit(x_all / 255.0, y_all, epochs=2, batch_size=60000, verbose=0); show(m, h)",
    "all rows, batch 4096": "m = plain(); h = m.fit(x_all / 255.0, y_all, epochs=2, batch_size=4096, verbose=0); show(m, h)",
    "progress": "m = plain(); h = m.fit(x, y, epochs=2, validation_split=0.1); show(m, h)",
}  # fmt: skip
LARGE = {
    "three of 500, all rows": """
m = net(*[layers.Dense(500, "relu") for _ in range(3)]); m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
h = m.fit(x_all / 255.0, y_all, epochs=2, verbose=0); show(m, h)""",
    "128, all rows, ten and ten": """
m = plain(units=128); m.fit(x_all / 255.0, y_all, epochs=3, verbose=0); h = m.fit(x_all / 255.0, y_all, epochs=2, verbose=0); show(m, h)""",
}  # fmt: skip
