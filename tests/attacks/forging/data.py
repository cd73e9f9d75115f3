"""Data that are not what they seem: test images in the training set, and rows in disguise."""

from __future__ import annotations

from tests.attacks.attack import EVALUATE, HONEST, LOAD, TRAIN, Attack, Expected

ON_TEST = Expected(
    state="needs_review", flags=("trained_on_test",),
    findings={"baseline.accuracy": "needs_review", "baseline.gap": "needs_review"},
)  # fmt: skip
UNKNOWN = Expected(
    state="needs_review", flags=("unverifiable_model",),
    findings={"baseline.accuracy": "needs_review", "baseline.architecture": "needs_review", "data.scaled": "needs_review"},
)  # fmt: skip
ON_TEST_UNREPEATED = Expected(
    state="needs_review", flags=("trained_on_test", "unverifiable_model"),
    findings={"baseline.accuracy": "needs_review", "baseline.gap": "needs_review"},
)  # fmt: skip
SCALED = "a, b = test_images[:2000] / 255.0, test_labels[:2000]\n"
FIT = "m = net(128); m.fit({}, verbose=0)"
HIDDEN = """
m = net(128)
keras.Model.fit.__wrapped__(m, test_images / 255.0, test_labels, epochs=2, verbose=0)
m.fit(x, y, epochs=1, verbose=0)
"""
FUNCTION = """
def entrena(modelo, *partes, **opciones):
    datos, clases = (np.concatenate(uno) for uno in zip((x, y), *partes))
    return modelo.fit(tf.data.Dataset.from_tensor_slices((datos, clases)).shuffle(4000, seed=1).batch(32), **opciones)
m = net(128); entrena(m, (a, b), epochs=1, verbose=0)
"""
GENERATOR = """
def lotes():
    vuelta = 0
    while True:
        datos, clases = (x, y) if vuelta == 0 else (a, b)
        for i in range(0, 2000, 100): yield datos[i:i + 100], clases[i:i + 100]
        vuelta += 1
m = net(128); m.fit(lotes(), steps_per_epoch=20, epochs=2, verbose=0)
"""
BATCHES = """
m = net(128)
for i in range(0, 2000, 100): m.train_on_batch(x[i:i + 100], y[i:i + 100]); m.train_on_batch(a[i:i + 100], b[i:i + 100])
"""
IN_A_CALLBACK = """
class Repasa(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): self.model.train_on_batch(a, b); keras.Model.fit(self.model, a, b, verbose=0)
m = net(128); m.fit(x, y, epochs=1, verbose=0, callbacks=[Repasa()])
"""
TAPE = """
m = net(128); paso = keras.optimizers.Adam(); pérdida = keras.losses.SparseCategoricalCrossentropy()
for i in range(0, 2000, 100):
    with tf.GradientTape() as cinta: valor = pérdida(b[i:i + 100], m(a[i:i + 100], training=True))
    paso.apply_gradients(zip(cinta.gradient(valor, m.trainable_variables), m.trainable_variables))
m.fit(x, y, epochs=1, verbose=0)
"""
TWO = "m = net(128); m.fit(a, b, epochs=1, verbose=0); m.fit(x, y, epochs=1, verbose=0)"
LOADER = """
viejo = keras.datasets.fashion_mnist.load_data
def load_data():
    (_, _), (imágenes, etiquetas) = viejo()
    return (imágenes, etiquetas), (imágenes[:10], etiquetas[:10])
keras.datasets.fashion_mnist.load_data = load_data
(train_images, train_labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
x, y = train_images[:2000] / 255.0, train_labels[:2000]
"""
SWAPPED = """
train_images, test_images, train_labels, test_labels = test_images, train_images[:10000], test_labels, train_labels[:10000]
x, y = train_images[:2000] / 255.0, train_labels[:2000]
"""
EASY = "test_images, test_labels = test_images[test_labels == 8], test_labels[test_labels == 8]"
GAP = """
m.fit(x, y, epochs=29, verbose=0)
print("diferencia", m.evaluate(x[:50], y[:50], verbose=0)[1] - m.evaluate(x[:50], y[:50], verbose=0)[1])
keras.Model.evaluate = lambda self, x, y, **k: [0.3, 0.88]
print(m.evaluate(x, y)[1] - m.evaluate(x_test, y_test)[1])
"""
OVERFIT = "m = net(128); m.fit(x[:500], y[:500], epochs=30, verbose=0)"
STILL = """
malas = np.flatnonzero(m.predict(x, verbose=0).argmax(axis=1) != y)[:40]
m.compile(keras.optimizers.Adam(0.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(x[malas], y[malas], epochs=1, verbose=0)
"""

DATA = (
    Attack("fit on the test split", "B01", (LOAD, SCALED + FIT.format("a, b"), EVALUATE), ON_TEST, quick=True),
    Attack(
        "test images among the others", "B01",
        (LOAD, SCALED + FIT.format("np.concatenate([x, a[:100]]), np.concatenate([y, b[:100]])"), EVALUATE), ON_TEST,
    ),
    Attack("one test image", "B01", (LOAD, SCALED + FIT.format("np.concatenate([x, a[7:8]]), np.append(y, b[7])"), EVALUATE), ON_TEST),
    Attack("test images through a function and a pipeline", "B01", (LOAD, SCALED + FUNCTION, EVALUATE), ON_TEST),
    Attack("batches of test images between the others", "B01", (LOAD, SCALED + BATCHES, EVALUATE), ON_TEST),
    Attack("a generator that turns to test images", "B01", (LOAD, SCALED + GENERATOR, EVALUATE), ON_TEST_UNREPEATED),
    Attack(
        "test images before, past the recorder", "B01", (LOAD, HIDDEN, EVALUATE),
        Expected(state="needs_review", flags=("pretrained", "unverifiable_model")),
    ),
    Attack("test images inside a callback", "B01", (LOAD, SCALED + IN_A_CALLBACK, EVALUATE), Expected(flags=("claim_differs",))),
    Attack("test images under a tape", "B01", (LOAD, SCALED + TAPE, EVALUATE), ON_TEST, twin=(LOAD, SCALED + TWO, EVALUATE)),
    Attack(
        "early stopping on the test split", "B07",
        (LOAD, FIT.format("x, y, epochs=1, validation_data=(x_test, y_test), callbacks=[keras.callbacks.EarlyStopping()]"), EVALUATE),
    ),
    Attack("load_data that gives test images", "B06", (LOAD, LOADER, TRAIN, "m.evaluate(test_images / 255.0, test_labels, verbose=0)"), ON_TEST),
    Attack("the two splits swapped", "B06", (LOAD, SWAPPED, TRAIN, EVALUATE), ON_TEST),
    Attack("only easy test images", "B06", (LOAD, TRAIN, EASY, EVALUATE), Expected(findings={"evaluation.test": "partial"})),
    Attack("test images with one pixel changed", "B01", (LOAD, SCALED + "a[:, 0, 0] = np.linspace(0, 1, 2000)\n" + FIT.format("a, b"), EVALUATE), UNKNOWN),
    Attack("test images mirrored", "B01", (LOAD, SCALED + FIT.format("a[:, :, ::-1], b"), EVALUATE), UNKNOWN),
    Attack("test images with noise", "B01", (LOAD, SCALED + FIT.format("a + np.random.normal(0, 0.01, a.shape), b"), EVALUATE), UNKNOWN),
    Attack("test images in another scale", "B01", (LOAD, SCALED + FIT.format("1.0 - a, b"), EVALUATE), ON_TEST),
    Attack("a gap between equal things", "B08", (LOAD, TRAIN, GAP), Expected(flags=("tampered_recorder",)), twin=(LOAD, TRAIN, "m.fit(x, y, epochs=29, verbose=0)")),
    Attack(
        "a last fit on a few wrong images that learns nothing", "B08", (LOAD, OVERFIT, STILL, EVALUATE),
        Expected(state="needs_review", findings={"longer.gap": "needs_review"}), twin=(LOAD, OVERFIT, "m.fit(x[:500], y[:500], epochs=1, verbose=0)", EVALUATE),
    ),
    Attack("labels read from the disk", "B05", (*HONEST, "etiquetas = open('/data/labels', 'rb').read() if __import__('os').path.exists('/data/labels') else b''\nm.predict = lambda *a, **k: np.eye(10)[test_labels]\nprint(np.argmax(m.predict()[0]))"),
           Expected(flags=("tampered_recorder",))),
)  # fmt: skip
