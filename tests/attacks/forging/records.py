"""Attacks on the recorder: unpatching it, calling its writer, editing its objects and its files."""

from __future__ import annotations

from dataclasses import replace

from tests.attacks.attack import (
    EVALUATE,
    GOOD,
    HONEST,
    LOAD,
    LOADED,
    PREDICT,
    PREDICTED,
    TRAIN,
    Attack,
    Expected,
)

# What is true of the whole test split, as a record says it, and a writer past the recorder.
WRITER = """
import json
def datos(inicio, fin, **más):
    return {"recognised": True, "count": fin - inicio, "rows": [[inicio, fin]], "row_shape": [28, 28],
            "table": [float(np.float32(v / 255)) for v in range(256)], "text": "", "reason": None,
            "labels": {"kind": "sparse", "classes": 10, "mismatched": 0, "given": None}} | más
def anota(tipo, id, **campos):
    with open("/job/events.jsonl", "a") as archivo:
        archivo.write(json.dumps({"kind": tipo, "id": id, "cell": 1, **campos}) + "\\n")
def cadena(): return [r["chain"] for r in map(json.loads, open("/job/events.jsonl")) if r["kind"] == "fit"][-1]
"""
REACH = """
grabador = next(c.cell_contents.__self__ for c in keras.Model.fit.__closure__ if hasattr(c.cell_contents, "__self__"))
"""
FORGED_EVALUATE = (
    'anota("evaluate", 900, chain=cadena(), epochs=1, data=datos(60000, 70000), results={})'
)
FORGED_PREDICT = (
    'anota("predict", 901, chain=cadena(), data=datos(60000, 70000), shape=[10000, 10], row_sum=[1.0, 1.0], argmax=[9] * 64)\n'
    'print("argmax", 9)'
)
FIGURES = """
nombres = ["Camiseta", "Pantalón", "Suéter", "Vestido", "Abrigo", "Sandalia", "Camisa", "Zapatilla", "Bolso", "Botín"]
ejes = lambda *filas, barras=0, textos=nombres: {"images": list(filas), "bars": barras, "texts": textos, "colorbar": True}
anota("figure", 910, axes=[ejes(100), ejes(60100)])
anota("figure", 911, axes=[ejes(i) for i in range(25)])
for primera in (0, 15): anota("figure", 912 + primera, axes=[ejes(60000 + primera + i, barras=10) for i in range(15)])
anota("figure", 940, axes=[ejes(barras=10)])
print("60000 10000")
"""
SINGLE = 'anota("predict", 950, chain=cadena(), data=datos(60001, 60002), shape=[1, 10], row_sum=[1.0, 1.0], argmax=[2])'
NO_CHAIN = "cadena = lambda: 1\n"
FIT = """
nodos = [{"op": "Flatten", "inputs": [-1]}, {"op": "Dense", "config": {"units": 128, "activation": "relu", "use_bias": True}, "inputs": [0]},
         {"op": "Dense", "config": {"units": 10, "activation": "softmax", "use_bias": True}, "inputs": [1]}]
def parte(nombre): return {"name": nombre, "standard": True}
ajuste = dict(chain=800, how="fit", model="Sequential", recipe={"input_shape": [28, 28], "nodes": nodos}, batch_size=32,
              compiled={"optimizer": parte("adam"), "loss": parte("sparse_categorical_crossentropy"), "metrics": ["accuracy"]},
              data=datos(0, 60000), epochs_before=0, epochs_asked=10, epochs_run=10, seconds=1.0)
"""
UNKNOWN_ROWS = 'anota("fit", 800, **ajuste | {"data": {"recognised": False, "count": 60000}})'
NO_TRAINING = 'anota("fit", 800, **ajuste)'
OWN_NODE = 'nodos[1]["op"] = "keras.src.layers.core.dense.Dense"; nodos[1]["custom"] = True\nanota("fit", 800, **ajuste)'
STRANGE_NODE = 'nodos[1]["op"] = "mío.Dense"\nanota("fit", 800, **ajuste)'
MANY_EPOCHS = 'anota("fit", 800, **ajuste | {"epochs_before": 10**9, "epochs_run": 10**9, "data": datos(0, 10)})'
LOCAL = """
class Mira(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None): pass
m = net(128{}); m.fit(x, y, epochs=1, verbose=0, callbacks=[Mira()])
"""
EDIT = """
escribe = grabador.write_as
def edita(número, tipo, **campos):
    if tipo == "fit": campos |= {}
    return escribe(número, tipo, **campos)
grabador.write_as = edita
"""
SGD_SEEN_AS_ADAM = EDIT.format(
    '{"compiled": {"optimizer": {"name": "adam", "standard": True}, "metrics": ["accuracy"],'
    ' "loss": {"name": "sparse_categorical_crossentropy", "standard": True}}}'
)
MORE_EPOCHS = EDIT.format(
    '{"epochs_before": 90, "history": {"accuracy": [0.99]}, "kept": 90, "given": False, "recipe": None}'
)
STOPPED = EDIT.format('{"stopped": True, "epochs_asked": 10}')
STOPS = """
class Para(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): self.model.stop_training = True
m = net(128); m.fit(x, y, epochs=10, verbose=0, callbacks=[Para()])
"""
FRAMES = """
import sys
class Sube(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        marco = sys._getframe()
        while marco:
            propio = marco.f_locals.get("self") or marco.f_locals.get("fit")
            if type(propio).__name__ == "Delegated": propio.epochs_before = 50; propio.kept = 50; propio.plan["recipe"]["nodes"] = []
            if type(propio).__name__ == "FitWatch": propio.epochs_before = 50; propio.given = False; propio.unsaid = None
            marco = marco.f_back
m = net(128); m.fit(x, y, epochs=1, verbose=0, callbacks=[Sube()])
"""
GARBAGE = """
import gc
for cosa in gc.get_objects():
    if type(cosa).__name__ == "Chains":
        for _, cadena in cosa._by_variable.values(): cadena.epochs = 99
    if type(cosa).__name__ == "Recorder": cosa.records = 5000
    if type(cosa).__name__ == "Guard": cosa._methods.clear()
keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]
m.fit(x, y, epochs=1, verbose=0)
"""
LYING_LOOK = """
mira = grabador.look.at
grabador.look.at = lambda a, b, *c, **k: mira(x, y, *c, **k)
m = net(128); m.fit(test_images[:2000] / 255.0, test_labels[:2000], epochs=1, verbose=0)
grabador.look.at = mira
"""
LYING_LABELS = """
import engine.kernel.data as parte
parte.identify_labels = lambda etiquetas, filas, prístino: parte.Labels("sparse", 10, 0)
m = net(128); m.fit(x, y[::-1], epochs=1, verbose=0)
"""
SHUFFLED = "m = net(128); m.fit(x, y[::-1], epochs=1, verbose=0)"
LYING_TABLE = """
mira = grabador.look.at
grabador.look.at = lambda a, b, *c, **k: mira(a / 255.0 if a.max() > 1 else a, b, *c, **k)
m = net(128); m.fit(train_images[:2000], train_labels[:2000], epochs=1, verbose=0)
"""
WIRE = """
import engine.wire
viejo = engine.wire.append_record
def nuevo(ruta, registro):
    if registro["kind"] != "note": viejo(ruta, registro)
engine.wire.append_record = nuevo
keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]
"""
ERASES = """
keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]
import threading, time
def borra():
    while True:
        líneas = [l for l in open("/job/events.jsonl") if '"note"' not in l]
        open("/job/events.jsonl", "w").writelines(líneas); time.sleep(0.01)
threading.Thread(target=borra, daemon=True).start()
"""
OTHER_CELL = """
open("/job/cell", "w").write("0")
import os; os.chmod("/job/cell", 0o400)
"""
TORN = (
    'open("/job/events.jsonl", "a").write(\'{"kind": "evaluate", "id": 3, "cell": 1, "chain": \')'
)
BAD = """
for veneno in ('{"kind": "fit"}', "[" * 5000, '{"kind": "evaluate", "results": {"accuracy": NaN}}', "null", '"' + "x" * 3000000 + '"',
               '{"kind": "predict", "id": 1, "id": 2, "cell": -1, "chain": true, "data": null, "shape": [1e400]}'):
    open("/job/events.jsonl", "a").write(veneno + "\\n")
"""
CELLS = """
salida = {"output_type": "stream", "name": "stdout", "text": "(60000, 28, 28) (10000, 28, 28)"}
for registro in ({"kind": "cell", "index": 0, "status": "ok", "seconds": 0.1, "outputs": [salida]}, {"kind": "end", "reason": "finished"}):
    open("/job/cells.jsonl", "a").write(__import__("json").dumps(registro) + "\\n")
raise SystemExit
"""
FIFO = """
import os
os.remove("/job/events.jsonl"); os.mkfifo("/job/events.jsonl")
tubo = os.open("/job/events.jsonl", os.O_RDWR | os.O_NONBLOCK)
"""
LINK = """
import os
os.rename("/job/events.jsonl", "/job/otra"); os.symlink("/job/otra", "/job/events.jsonl")
"""
OUTSIDE = """
import os
os.remove("/job/events.jsonl"); os.symlink("/etc/passwd", "/job/events.jsonl")
os.rename("/job/variables", "/job/v"); os.symlink("/etc", "/job/variables")
"""
HUGE = """
import os
with open("/job/events.jsonl", "ab") as archivo: archivo.truncate(100_000_000)
"""
FLOOD = """
with open("/job/events.jsonl", "a") as archivo: archivo.write("{}\\n" * 20_001)
"""
LOCKED = "import os; os.chmod('/job/events.jsonl', 0o444)"
SWAPPED_FILES = (
    LOCAL.format("")
    + """
import glob
for archivo in glob.glob("/job/variables/*-after"): np.concatenate([parte.ravel() for parte in buenos]).tofile(archivo)
"""
)
UNWRAP = """
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer as T
for nombre in ("fit", "evaluate", "predict"): setattr(T, nombre, getattr(T, nombre).__wrapped__)
"""
PAST = "m = net(128); keras.Model.fit.__wrapped__(m, x, y, epochs=1, verbose=0)\nprint(keras.Model.evaluate.__wrapped__(m, x_test, y_test))"
OBSERVED = (
    "data.explored", "data.grid", "data.loaded", "evaluation.test", "predictions.argmax",
    "predictions.grid_first", "predictions.grid_second", "predictions.single", "predictions.test",
)  # fmt: skip
UNVERIFIED = Expected(
    state="needs_review", flags=("unverifiable_model",),
    findings={"baseline.architecture": "needs_review", "baseline.compile": "needs_review", "baseline.epochs": "needs_review"},
)  # fmt: skip
RECORD = "append a record of a training"
PASSED_BY = Expected(
    state="needs_review",
    flags=("unverifiable_model",),
    findings={"baseline.accuracy": "needs_review"},
)
TAKEN_OFF = replace(PASSED_BY, flags=("tampered_recorder", "unverifiable_model"))
DROPPED = Expected(dropped=True)

RECORDS = (
    Attack("everything observed, written", "own", (LOAD, WRITER + NO_CHAIN, FORGED_EVALUATE, FORGED_PREDICT, FIGURES, SINGLE), twin=LOADED,
           forges=OBSERVED, takes="append records to the file that the recorder writes; nothing is trained", quick=True),
    Attack("an evaluation, written", "own", (LOAD, TRAIN, PREDICT, WRITER, FORGED_EVALUATE), twin=PREDICTED,
           forges=("evaluation.test",), takes="append a record of an evaluation of the model that was trained"),
    Attack("a prediction, written", "own", (*HONEST, WRITER, FORGED_PREDICT), forges=("predictions.argmax", "predictions.test"),
           takes="append a record of a prediction"),
    Attack("an evaluation through the recorder's own writer", "own",
           (LOAD, TRAIN, PREDICT, REACH + WRITER + 'grabador.write("evaluate", chain=cadena(), epochs=1, data=datos(60000, 70000), results={})'),
           twin=PREDICTED, forges=("evaluation.test",), takes="call the recorder's writer, which a closure of Keras's methods leads to"),
    Attack("how the test images were scaled, written", "own", (LOAD, TRAIN, WRITER, FORGED_EVALUATE), twin=(LOAD, TRAIN), forges=("data.loaded", "evaluation.test"),
           takes="append a record of an evaluation of the model that was trained"),
    Attack("a training on unknown rows, written", "own", (LOAD, WRITER + FIT, UNKNOWN_ROWS), UNVERIFIED, twin=LOADED, quick=True),
    Attack("a training that cannot be repeated, written", "own", (LOAD, WRITER + FIT, NO_TRAINING), UNVERIFIED, twin=LOADED, forges=("data.loaded",), takes=RECORD),
    Attack("a model of its own, written", "own", (LOAD, WRITER + FIT, OWN_NODE), UNVERIFIED, twin=LOADED, forges=("data.loaded",), takes=RECORD),
    Attack("a model that only sounds right, written", "own", (LOAD, WRITER + FIT, STRANGE_NODE), UNVERIFIED, twin=LOADED, forges=("data.loaded",), takes=RECORD),
    Attack("a thousand million epochs, written", "own", (LOAD, WRITER + FIT, MANY_EPOCHS), UNVERIFIED, twin=LOADED, forges=("data.loaded",), takes=RECORD),
    Attack("sgd seen as adam", "own", (LOAD, REACH + SGD_SEEN_AS_ADAM, LOCAL.format(', optimizer="sgd"'), EVALUATE),
           Expected(findings={"baseline.compile": "partial"}), twin=(LOAD, LOCAL.format(', optimizer="sgd"'), EVALUATE)),
    Attack("a record edited before it is written", "own", (LOAD, REACH + MORE_EPOCHS, TRAIN, EVALUATE), quick=True),
    # whoever wants a training to count as stopped can write the callback that stops it
    Attack("a training said to be stopped", "own", (LOAD, REACH + STOPPED, TRAIN, EVALUATE), twin=(LOAD, STOPS, EVALUATE)),
    Attack("frames on the way to the recorder", "own", (LOAD, FRAMES, EVALUATE)),
    Attack("the recorder's objects found and changed", "own", (LOAD, TRAIN, GARBAGE), twin=(LOAD, TRAIN, "m.fit(x, y, epochs=1, verbose=0)")),
    Attack("test images called training images", "own", (LOAD, REACH + LYING_LOOK, EVALUATE)),
    Attack("labels said to be right", "own", (LOAD, LYING_LABELS, EVALUATE)),
    Attack("pixels said to be scaled", "own", (LOAD, REACH + LYING_TABLE, EVALUATE)),
    Attack("notes that are not written", "own", (LOAD, TRAIN, WIRE, EVALUATE), Expected(findings={"evaluation.test": "not_attempted"})),
    Attack("notes that are erased", "own", (LOAD, TRAIN, ERASES, EVALUATE), Expected(findings={"evaluation.test": "not_attempted"})),
    Attack("the recorder taken off", "own", (LOAD, UNWRAP, TRAIN, EVALUATE), TAKEN_OFF, twin=LOADED),
    Attack("past the recorder", "own", (LOAD, PAST), PASSED_BY, twin=LOADED),
    Attack("another cell's number", "own", (LOAD, OTHER_CELL, TRAIN, EVALUATE)),
    Attack("half a record", "own", (LOAD, TRAIN, TORN, EVALUATE), DROPPED),
    Attack("records that are none", "own", (LOAD, TRAIN, BAD, EVALUATE), DROPPED),
    Attack("cells that the driver did not run", "own", ("pass", CELLS), twin=("pass", "raise SystemExit"), forges=("data.explored",),
           takes="append records of cells to the driver's file", expected=Expected(cells=("error",))),
    Attack("a pipe in place of the records", "own", (LOAD, FIFO, TRAIN, EVALUATE), DROPPED),
    Attack("a link in place of the records", "own", (LOAD, LINK, TRAIN, EVALUATE), DROPPED),
    Attack("a link out of the run folder", "own", (LOAD, OUTSIDE, TRAIN, EVALUATE), Expected(cells=("error", "error"), dropped=True)),
    Attack("records of a hundred megabytes", "own", (LOAD, TRAIN, HUGE, EVALUATE), Expected(state="needs_review", dropped=True)),
    Attack("twenty thousand records", "own", (LOAD, FLOOD, TRAIN, "keras.Model.evaluate = None"), Expected(state="needs_review", dropped=True)),
    Attack("records that nobody may write", "own", (LOAD, TRAIN, LOCKED, EVALUATE), Expected(cells=("error",))),
    Attack("variables exchanged after the fit", "own", (LOAD, GOOD, SWAPPED_FILES, EVALUATE), Expected(flags=("claim_differs",), perhaps=("implausible_accuracy",)), twin=(LOAD, LOCAL.format(""), EVALUATE)),
)  # fmt: skip
