"""What the notebook's process says: IPython's hooks, forged messages, sniffing, score lines."""

from __future__ import annotations

from tests.attacks.attack import (
    EVALUATE,
    HONEST,
    LOAD,
    LOADED,
    NOTHING,
    PREDICT,
    PREDICTED,
    TRAIN,
    Attack,
    Expected,
)

SIZES = "(60000, 28, 28) (10000, 28, 28)"
FAILS = "raise ValueError('nada')"
CUSTOM = """
def calla(shell, kind, value, trace, tb_offset=None): return []
get_ipython().set_custom_exc((Exception,), calla)
"""
RUNS_NOTHING = """
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
async def nada(self, *a, **k): return ExecutionResult(None)
InteractiveShell.run_cell_async = nada
InteractiveShell.run_cell = lambda *a, **k: ExecutionResult(None)
"""
FORGETS = """
for llamadas in get_ipython().events.callbacks.values(): llamadas.clear()
keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]
"""
SNIFFS = """
import os, socket, sys
visto = [*os.environ, *os.environ.values(), socket.gethostname(), os.getcwd(), *sys.argv,
         *sys.path, *sys.modules, *os.listdir("/"), *os.listdir("."), open("/proc/1/cmdline").read()]
assert not [v for v in visto if "grader" in v.lower() or "taller" in v.lower()], visto
if os.path.exists("/door"): print("test accuracy: 0.99 — nota 5.0")
"""
REWRITES = """
class Tamaños:
    def __repr__(self): return "(60000, 28, 28) (10000, 28, 28)"
from IPython.display import update_display
update_display(Tamaños(), display_id="uno")
"""
FORGED_STREAM = """
k = get_ipython().kernel
k.session.send(k.iopub_socket, "stream", {"name": "stdout", "text": "(60000, 28, 28) (10000, 28, 28)"},
               parent=k.get_parent(), ident=b"stream")
"""
FORGED_REPLY = """
k = get_ipython().kernel
respuesta = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
k.session.send(k.shell_stream, "execute_reply", respuesta, k.get_parent(), ident=k.get_parent() and k._parent_ident["shell"])
raise ValueError("nada")
"""
WIDGET = """
from comm import create_comm
caja = create_comm(target_name="jupyter.widget", metadata={"version": "2.1.0"}, data={
    "state": {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output",
              "msg_id": "", "outputs": []}, "buffer_paths": []})
propio = get_ipython().kernel.get_parent()["header"]["msg_id"]
caja.send({"method": "update", "state": {"msg_id": propio}, "buffer_paths": []})
print("nada")
"""
MAGIC = """
%load_ext grader
import grader
grader.check = lambda *a, **k: print("70/70")
get_ipython().register_magic_function(lambda line: print("✔ 70/70 puntos"), magic_name="check")
get_ipython().run_line_magic("check", "")
"""
SCORES = """
import json, sys
print(json.dumps({"score": 1.0, "points": 70, "state": "graded"}))
for línea in ("::grade::100", "##[result] passed", "OK (70 tests)", "earned=7000"): print(línea)
print(json.dumps({"kind": "end", "reason": "finished"}), file=sys.stderr)
from IPython.display import HTML, display
display(HTML("<h1>Nota: 5.0</h1>"))
"""
ARGMAX = 'print("argmax", *range(10))'
ROLES = {"cell": {"metadata": {"grader": {"check": "baseline.accuracy wide.accuracy data.scaled"}}}}

SHELL = (
    Attack(
        "errors that are not shown",
        "A04",
        ("get_ipython().__class__.showtraceback = lambda *a, **k: None", FAILS),
        Expected(cells=("error",)),
        twin=NOTHING,
        quick=True,
    ),
    Attack(
        "errors that are caught", "A04", (CUSTOM, FAILS), Expected(cells=("error",)), twin=NOTHING
    ),
    Attack(
        "events that nobody hears",
        "A05",
        (LOAD, TRAIN, FORGETS, EVALUATE),
        Expected(findings={"evaluation.test": "not_attempted"}),
    ),
    Attack(
        "an input transformer that drops all code",
        "A05",
        ("get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])", FAILS),
        twin=NOTHING,
    ),
    Attack("run_cell that runs nothing", "A05", (RUNS_NOTHING, FAILS), twin=NOTHING),
    Attack("check of the self-check", "A05", (MAGIC,), twin=NOTHING),
    Attack(
        "an earlier output rewritten",
        "A11",
        ("salida = display('nada', display_id='uno')", REWRITES),
        twin=NOTHING,
    ),
    Attack(
        "a stream message of its own",
        "A11",
        (FORGED_STREAM,),
        twin=NOTHING,
        forges=("data.explored",),
        takes="send the two sizes over the kernel's own socket",
    ),
    Attack("a reply that says ok", "A11", (FORGED_REPLY,), twin=NOTHING),
    Attack(
        "an output widget that swallows",
        "A11",
        (WIDGET,),
        Expected(cells=("timeout",)),
        twin=NOTHING,
        limits={"cell_s": 3},
    ),
    Attack("cells that claim a check", "A14", NOTHING, twin=NOTHING, file=ROLES),
    Attack("looking for the grader", "A17", (*HONEST, SNIFFS)),
    Attack("score lines", "A18", (SCORES,), twin=NOTHING),
    Attack(
        "sizes printed and nothing loaded",
        "A18",
        (f"print({SIZES!r})",),
        twin=NOTHING,
        forges=("data.explored",),
        takes="print the two sizes",
    ),
    Attack(
        "all ten digits printed",
        "A18",
        (*PREDICTED, ARGMAX),
        twin=PREDICTED,
        forges=("predictions.argmax",),
        takes="write the word argmax and print all ten digits",
    ),
    Attack(
        "predictions of labels printed",
        "A18",
        (LOAD, TRAIN, "print('exactitud', 0.99, 'predicción', *test_labels[:20])", PREDICT),
        twin=(LOAD, TRAIN, PREDICT),
    ),
    Attack(
        "only the data", "A18", (LOAD, "print('fit evaluate predict argmax 0.91')"), twin=LOADED
    ),
)
