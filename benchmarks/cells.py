"""The cells around the trainings: data, figures and predictions, each in several ways.

`$x`, `$y`, `$xt` and `$yt` stand for a student's names of the data, `$model` for the baseline's.
"""

from __future__ import annotations

from collections.abc import Mapping

LOAD = (
    "($x, $y), ($xt, $yt) = keras.datasets.fashion_mnist.load_data()\n",
    "fashion = keras.datasets.fashion_mnist\n($x, $y), ($xt, $yt) = fashion.load_data()\n",
    (
        "def cargar():\n    (a, b), (c, d) = tf.keras.datasets.fashion_mnist.load_data()\n"
        "    return a, b, c, d\n\n\n$x, $y, $xt, $yt = cargar()\n"
    ),
)
SCALE = (
    "$x = $x / 255.0\n$xt = $xt / 255.0\nprint($x.max(), $xt.max())\n",
    "$x, $xt = $x / 255.0, $xt / 255.0\n",
    '$x = $x.astype("float32") / 255\n$xt = $xt.astype("float32") / 255\n$x.min(), $x.max()\n',
    "def escalar(a):\n    return a / 255.0\n\n\n$x, $xt = escalar($x), escalar($xt)\n",
)
SHAPES = (
    "print($x.shape, $y.shape)\nprint($xt.shape, $yt.shape)\n",
    "for parte in ($x, $y, $xt, $yt):\n    print(parte.shape, parte.dtype)\n",
)
CLASS_INDEX = (
    "for i, nombre in enumerate(class_names):\n    print(i, nombre)\n",
    "print(dict(enumerate(class_names)))\n",
)
IMAGE_100 = (
    """for imagenes_, etiquetas_ in (($x, $y), ($xt, $yt)):
    plt.figure()
    plt.imshow(imagenes_[100])
    plt.colorbar()
    plt.title(f"Etiqueta {etiquetas_[100]}: {class_names[etiquetas_[100]]}")
    plt.show()
""",
    """fig, (izquierda, derecha) = plt.subplots(1, 2, figsize=(10, 4))
fig.colorbar(izquierda.imshow($x[100]), ax=izquierda)
izquierda.set_title(class_names[$y[100]])
fig.colorbar(derecha.imshow($xt[100]), ax=derecha)
derecha.set_title(class_names[$yt[100]])
plt.show()
""",
)
GRID = (
    """plt.figure(figsize=(10, 10))
for i in range(25):
    plt.subplot(5, 5, i + 1)
    plt.imshow($x[i], cmap="binary")
    plt.xticks([])
    plt.yticks([])
    plt.xlabel(class_names[$y[i]])
plt.show()
""",
    """fig, ejes = plt.subplots(5, 5, figsize=(9, 10))
for i, eje in enumerate(ejes.ravel()):
    eje.imshow($x[i], cmap="gray")
    eje.axis("off")
    eje.set_title(class_names[$y[i]])
plt.show()
""",
)
COMPARE = '''results = {}


def compare_splits(name, trained_model):
    """Evalúa el modelo en entrenamiento y en prueba, lo muestra y lo guarda."""
    train_loss, train_accuracy = trained_model.evaluate($x, $y, verbose=0)
    test_loss, test_accuracy = trained_model.evaluate($xt, $yt, verbose=0)
    results[name] = (train_accuracy, test_accuracy)
    print(f"{name}: {train_accuracy:.3f} {test_accuracy:.3f} {train_loss:.3f} {test_loss:.3f}")


def medir(m):
    return m.evaluate($x, $y, verbose=0)[1], m.evaluate($xt, $yt, verbose=0)[1]
'''
EVALUATE = (
    'test_loss, test_acc = $model.evaluate($xt, $yt, verbose=2)\nprint("Exactitud:", test_acc)\n',
    'resultado = $model.evaluate($xt, $yt)\nprint(f"{resultado[0]:.3f} {resultado[1]:.3f}")\n',
)
PREDICT = (
    "predictions = $model.predict($xt)\nprint(predictions.shape, predictions.sum(axis=1)[:5])\n",
    (
        "predictions = $model.predict($xt, verbose=0)\nprint(predictions.shape)\n"
        "print(np.allclose(predictions.sum(axis=1), 1))\n"
    ),
)
PREDICT_FIRST = (
    "print(predictions[0])\nprint(np.argmax(predictions[0]), $yt[0])\n",
    (
        "for nombre, p in zip(class_names, predictions[0]):\n    print(nombre, round(100 * p, 2))\n"
        'clase = predictions[0].argmax()\nprint("Clase:", clase, "etiqueta:", $yt[0])\n'
    ),
)
HELPERS = """def plot_image(axes, image, probabilities, true_label):
    predicha = np.argmax(probabilities)
    axes.imshow(image, cmap="binary")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(
        f"{class_names[predicha]} {100 * np.max(probabilities):.0f}% ({class_names[true_label]})",
        color="blue" if predicha == true_label else "red",
    )


def plot_value_array(axes, probabilities, true_label):
    barras = axes.bar(range(10), probabilities, color="#777777")
    axes.set_xticks(range(10))
    axes.set_yticks([])
    axes.set_ylim([0, 1])
    barras[np.argmax(probabilities)].set_color("red")
    barras[true_label].set_color("blue")


def figura(primera):
    fig, ejes = plt.subplots(5, 6, figsize=(12, 10))
    ejes = ejes.ravel()
    for k in range(15):
        i = primera + k
        plot_image(ejes[2 * k], $xt[i], predictions[i], $yt[i])
        plot_value_array(ejes[2 * k + 1], predictions[i], $yt[i])
    fig.tight_layout()
    plt.show()
"""
SINGLE = (
    (
        "una = np.expand_dims($xt[1], 0)\nprint(una.shape)\np = $model.predict(una)\n"
        "fig, eje = plt.subplots()\nplot_value_array(eje, p[0], $yt[1])\n"
        "eje.set_xticks(range(10), class_names, rotation=45)\nplt.show()\n"
    ),
    (
        "lote = $xt[1:2]\nprint($xt[1].shape, lote.shape)\np = $model.predict(lote, verbose=0)\n"
        "plot_value_array(plt.gca(), p[0], $yt[1])\n"
        "plt.xticks(range(10), class_names, rotation=60)\nplt.show()\n"
    ),
)
RESULTS = "for name, pair in results.items():\n    print(name, *pair, pair[0] - pair[1])\n"

# The cells of the template by their ids, each with the ways in which it may be filled in.
TASKS: Mapping[str, tuple[str, ...]] = {
    "t3-load": LOAD,
    "t3-class-index": CLASS_INDEX,
    "t3-shapes": SHAPES,
    "t3-image-100": IMAGE_100,
    "t3-scale": SCALE,
    "t3-grid": GRID,
    "t3-compare": (COMPARE,),
    "t3-evaluate": EVALUATE,
    "t3-predict": PREDICT,
    "t3-predict-first": PREDICT_FIRST,
    "t3-plot-helpers": (HELPERS,),
    "t3-grid-first": ("figura(0)\n",),
    "t3-grid-second": ("figura(15)\n",),
    "t3-single": SINGLE,
    "t3-results": (RESULTS,),
}
IMPORTS = ("t3-selfcheck", "t3-setup")
DATA = ("t3-load", "t3-classes", "t3-class-index", "t3-shapes", "t3-scale")
ANSWER = (
    "La exactitud en entrenamiento es mayor que en prueba, porque los pesos se ajustaron con esas "
    "imágenes y las de prueba son nuevas para la red; con más épocas crece la diferencia."
)
