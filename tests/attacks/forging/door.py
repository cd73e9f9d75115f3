"""Attacks on the trainer's door: requests of the notebook's own, lies about states and rows."""

from __future__ import annotations

from tests.attacks.attack import EVALUATE, GOOD, HONEST, LOAD, TRAIN, Attack, Expected
from tests.attacks.forging.records import REACH

# The plan and the start of a model, as the recorder asks for them; the fit itself is refused.
PLAN = (
    REACH
    + """
pide, visto = grabador.line.ask, []
def guarda(mensaje, bloques=()):
    visto.append(mensaje); raise __import__("engine.kernel.line").kernel.line.Lost("no")
grabador.line.ask = guarda
n = net(128); keras.Model.fit(n, x, y, epochs=0, verbose=0); grabador.line.ask = pide
plan, inicio = visto[0]["plan"], visto[0]["state"]
def abre(estado=inicio, antes=0, **cambios):
    return pide({"op": "open", "plan": {**plan, **cambios}, "state": estado, "before": antes, "validation": None})[0]["fit"]
def entrena(ajuste, estado, épocas=1):
    for _ in range(épocas): estado = pide({"op": "epoch", "fit": ajuste, "state": estado, "validate_after": False})[0]["state"]
    return estado
def filas(*tramos, **más): return {**plan["data"], "rows": list(map(list, tramos)), "count": sum(b - a for a, b in tramos), **más}
def falla(**mensaje):
    try: return pide(mensaje)
    except Exception as error: print(type(error).__name__, error)
"""
)
TAKES = """
def toma(estado, modelo):
    pesos = np.frombuffer(pide({"op": "fetch", "names": [estado["weights"], estado["optimizer"]]})[1][0], "float32")
    partes = np.split(pesos, np.cumsum([784 * 128, 128, 1280]))
    modelo.set_weights([p.reshape(v.shape) for p, v in zip(partes, modelo.weights)])
"""
ASKS = "pide({'op': 'close', 'fit': (uno := abre()), 'weights': entrena(uno, inicio)['weights']})"
FIRST_ON_TEST = (
    TAKES
    + """
m = net(128); toma(entrena(abre(data=filas((60000, 70000))), inicio, 6), m)
m.fit(x, y, epochs=1, verbose=0)
"""
)
LOST = """
import json
prueba = abre(data=filas((60000, 70000))); estado = entrena(prueba, inicio, 6)
bueno = abre(estado, 6); entrena(bueno, estado)
hecho = {"kind": "fit", "cell": 1, "how": "fit", "model": "Sequential", "compiled": None, "batch_size": 32, "recipe": plan["recipe"],
         "data": plan["data"], "training": plan["training"], "epochs_before": 0, "epochs_asked": 1, "epochs_run": 1, "seconds": 1.0}
for id, ajuste, perdido in ((0, prueba, "lost"), (5, bueno, None)):
    open("/job/events.jsonl", "a").write(json.dumps({**hecho, "id": id, "chain": id, "delegated": ajuste, "local": perdido}) + "\\n")
"""
LATER_NUMBER = """
prueba = abre(data=filas((60000, 70000))); estado = entrena(prueba, inicio, 6)
bueno = abre(estado, 6); entrena(bueno, estado)
import json
hecho = {"kind": "fit", "cell": 1, "how": "fit", "model": "Sequential", "recipe": None, "compiled": None, "batch_size": 32,
         "data": {"recognised": False, "count": 0}, "epochs_before": 0, "epochs_asked": 1, "epochs_run": 1, "seconds": 1.0}
for id, ajuste in ((900_000_000, prueba), (5, bueno)):
    open("/job/events.jsonl", "a").write(json.dumps({**hecho, "id": id, "chain": id, "delegated": ajuste}) + "\\n")
"""
ROWS = """
for trozos in ([[60000, 70000], [5, 5]], [[70000, 60000]], [[-1, 5]], [[0, 10**9]], [[69999, 70001]], [[0, 1, 2]], "AAAA", None, []):
    falla(op="open", plan={**plan, "data": {**plan["data"], "rows": trozos}}, state=inicio, before=0)
falla(op="epoch", fit=0, state=inicio)
"""
COUNT = "uno = abre(data=filas((0, 32), count=60000, text='train[0:60000]')); entrena(uno, inicio)"
FEW = "m = net(128); m.fit(x[:32], y[:32], epochs=1, verbose=0)"
BROKEN = """
import socket, struct
for basura in (b"GET / HTTP/1.1\\r\\n\\r\\n", struct.pack(">I", 2**32 - 1), struct.pack(">I", 2) + b"[]", struct.pack(">I", 9) + b'{"op":NaN', b"\\0" * 7):
    línea = socket.socket(socket.AF_UNIX); línea.connect("/door/door"); línea.sendall(basura)
    línea.shutdown(socket.SHUT_WR); assert línea.recv(100) == b""
"""
MALFORMED = """
for mensaje in ({"op": "grade", "points": 70}, {"op": "open"}, {"op": "epoch", "fit": -1}, {"op": "epoch", "fit": 99, "state": inicio},
                {"op": "close", "fit": 99, "weights": "f" * 64}, {"op": "measure", "weights": "f" * 64}, {"op": "fetch", "names": ["../../x"]},
                {"op": "open", "plan": plan, "state": {**inicio, "learning_rate": "inf"}, "before": True}, {"op": []}, {}):
    falla(**mensaje)
"""
NOT_FINITE = """
import struct, socket, json
línea = socket.socket(socket.AF_UNIX); línea.connect("/door/door")
cuerpo = json.dumps({"op": "open", "plan": plan, "state": {**inicio, "learning_rate": float("nan")}, "before": 0, "blobs": []}).encode()
línea.sendall(struct.pack(">I", len(cuerpo)) + cuerpo); assert b"refused" in línea.recv(1000)
uno = abre({**inicio, "learning_rate": 1e300}); falla(op="epoch", fit=uno, state={**inicio, "learning_rate": 1e300})
"""
FOREIGN = """
ajena = {**inicio, "weights": "c" * 64}
uno = abre(ajena, 10); falla(op="epoch", fit=uno, state=ajena)
falla(op="fetch", names=[ajena["weights"]]); falla(op="evaluate", fit=uno, weights=ajena["weights"], validation={"data": plan["data"], "batch_size": 32})
falla(op="close", fit=uno, weights=ajena["weights"])
"""
BRINGS = """
pesos = np.concatenate([parte.ravel() for parte in buenos]).tobytes()
import hashlib
mía = {**inicio, "weights": hashlib.sha256(pesos).hexdigest()}
pide({"op": "put"}, [pesos]); uno = abre(mía, 10); entrena(uno, mía)
"""
WASHED = (
    BRINGS
    + """
dos = abre(); lavada = entrena(uno, mía); entrena(dos, {**lavada, "optimizer": inicio["optimizer"]})
tres = abre({**lavada, "optimizer": inicio["optimizer"]}, 1); entrena(tres, {**lavada, "optimizer": inicio["optimizer"]})
"""
)
OTHER_PLAN = """
uno = abre(); lejos = entrena(uno, inicio)
otra = {**plan, "recipe": {**plan["recipe"], "nodes": [*plan["recipe"]["nodes"][:1], {**plan["recipe"]["nodes"][1], "op": "Recuerda"}]}}
falla(op="open", plan=otra, state=lejos, before=1)
falla(op="open", plan={**plan, "recipe": {**plan["recipe"], "nodes": [{**nodo, "custom": True} for nodo in plan["recipe"]["nodes"]]}}, state=lejos, before=1)
"""
BEFORE = "uno = abre(antes=1000); entrena(uno, inicio)"
SAME_START = """
uno = abre(); lejos = [entrena(uno, inicio) for _ in range(2)]
pide({"op": "close", "fit": uno, "weights": lejos[0]["weights"]})
"""
BACK = """
class Vuelve(keras.callbacks.Callback):
    def on_train_begin(self, logs=None): self.inicio = self.model.get_weights()
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0: self.model.set_weights(self.inicio)
m = net(128); m.fit(x, y, epochs=2, verbose=0, callbacks=[Vuelve()])
"""
SILENT = (
    REACH
    + """
pide, vistos = grabador.line.ask, []
def calla(mensaje, bloques=()):
    if mensaje["op"] == "close": return {}, []
    if mensaje["op"] == "open": mensaje = {**mensaje, "before": 500}
    respuesta = pide(mensaje, bloques)
    if "metrics" in respuesta[0]: respuesta[0]["metrics"] = [respuesta[0]["metrics"][0]] * len(respuesta[0]["metrics"])
    return respuesta
grabador.line.ask = calla
"""
)
LOSES = (
    REACH
    + """
from engine.kernel.line import Lost
pide = grabador.line.ask
def pierde(mensaje, bloques=()):
    if mensaje["op"] != "open": raise Lost("the trainer was lost (nobody)")
    return pide(mensaje, bloques)
grabador.line.ask = pierde
"""
)
HIDDEN = Expected(
    state="needs_review", flags=("trained_on_test",), findings={"baseline.accuracy": "needs_review"}
)
ON_TEST = """
m = net(128); m.fit(test_images / 255.0, test_labels, epochs=6, verbose=0)
m.fit(x, y, epochs=1, verbose=0)
"""
ZERO = (LOAD, "n = net(128); n.fit(x, y, epochs=0, verbose=0)")
THREE = "m = net(128); m.fit(x, y, epochs=3, verbose=0)"
FAST = "m = net(128, optimizer=keras.optimizers.Adam(1e30)); m.fit(x, y, epochs=1, verbose=0)"
REFUSED = Expected(refused=True)
DIVERGED = Expected(state="needs_review", flags=("unverifiable_model",), refused=True)

DOOR = (
    # a training that is asked for is trained, and counts as one
    Attack("a training asked for directly", "own", (LOAD, PLAN + ASKS), twin=(LOAD, TRAIN), quick=True),
    Attack("broken frames", "own", (*HONEST, BROKEN)),
    Attack("requests that are none", "own", (LOAD, PLAN, MALFORMED), REFUSED, twin=ZERO),
    Attack("numbers that are none", "own", (LOAD, PLAN, NOT_FINITE), DIVERGED, twin=(LOAD, FAST)),
    Attack("the state of another run", "own", (LOAD, PLAN, FOREIGN), REFUSED, twin=ZERO),
    Attack("weights sent to the door", "B04", (LOAD, GOOD, PLAN, BRINGS), Expected(flags=("pretrained",), perhaps=("implausible_accuracy",)), twin=(LOAD, TRAIN)),
    Attack("weights sent to the door and washed", "B04", (LOAD, GOOD, PLAN, WASHED), Expected(flags=("pretrained",), perhaps=("implausible_accuracy",)), twin=(LOAD, THREE)),
    Attack("a first training on test images, without a record", "B01", (LOAD, PLAN, FIRST_ON_TEST), HIDDEN, twin=(LOAD, ON_TEST)),
    Attack("a first training on test images, said to be lost", "B01", (LOAD, PLAN, LOST), HIDDEN, twin=(LOAD, ON_TEST)),
    Attack("a first training on test images, with a later number", "B01", (LOAD, PLAN, LATER_NUMBER), HIDDEN, twin=(LOAD, ON_TEST)),
    Attack("rows that are none", "own", (LOAD, PLAN, ROWS), REFUSED, twin=ZERO),
    Attack("more rows than there are", "own", (LOAD, PLAN, COUNT), twin=(LOAD, FEW)),
    Attack("a recipe that was not trained", "own", (LOAD, PLAN, OTHER_PLAN), REFUSED, twin=(LOAD, TRAIN)),
    Attack("a thousand epochs before", "own", (LOAD, PLAN, BEFORE), twin=(LOAD, TRAIN)),
    Attack("two epochs from the same start", "own", (LOAD, PLAN, SAME_START), twin=(LOAD, BACK)),
    Attack("a line that changes what is said", "own", (LOAD, SILENT, TRAIN, EVALUATE), Expected(flags=("claim_differs",))),
    Attack("a line that loses the answers", "own", (LOAD, LOSES, TRAIN, EVALUATE)),
)  # fmt: skip
