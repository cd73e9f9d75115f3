"""Files: shadow modules, start-up files, what is stored in the notebook, results in the folder."""

from __future__ import annotations

from tests.attacks.attack import HONEST, LOAD, NOTHING, TRAIN, Attack, Expected

PASS = "pass"
FAKE_KERAS = '''
open("keras.py", "w").write("""
__version__ = "3.15.1"
class Model:
    def fit(self, *a, **k): return self
    def evaluate(self, *a, **k): return [0.1, 0.99]
""")
import sys; sys.path.insert(0, "")
import keras
print(keras.Model().fit(epochs=10).evaluate())
'''
SHADOWS = """
código = "import json; open('/job/cells.jsonl', 'a').write('{\\"kind\\": \\"end\\", \\"reason\\": \\"finished\\"}')"
for nombre in ("json", "nbformat", "numpy", "pydantic", "wire", "engine", "zmq", "traitlets"):
    open(f"{nombre}.py", "w").write(código)
"""
STARTUP = """
import os, pathlib
código = "import keras; keras.Model.evaluate = lambda *a, **k: [0.1, 0.99]"
inicio = pathlib.Path.home() / ".ipython" / "profile_default" / "startup"
inicio.mkdir(parents=True, exist_ok=True)
(inicio / "00.py").write_text(código)
(inicio.parent / "ipython_config.py").write_text("c.InteractiveShellApp.exec_lines = ['x = 1']")
pathlib.Path("arranque.py").write_text(código); os.environ["PYTHONSTARTUP"] = "/job/arranque.py"
os._exit(0)
"""
SITE = """
import pathlib, site, subprocess, sys
código = "open('/job/events.jsonl', 'a').write('{}')"
for carpeta in {*site.getsitepackages(), site.getusersitepackages(), "/job", "/tmp"}:
    for nombre in ("sitecustomize.py", "usercustomize.py", "malo.pth"):
        try: pathlib.Path(carpeta).mkdir(parents=True, exist_ok=True); (pathlib.Path(carpeta) / nombre).write_text(código)
        except OSError as error: print(carpeta, error.strerror)
assert not any((pathlib.Path(c) / "malo.pth").exists() for c in site.getsitepackages())
"""
OWN_CODE = """
import pathlib
abiertos = []
for lugar in map(pathlib.Path, ("/k", "/data", "/door", "/venv/lib")):
    for ruta in (lugar / "nuevo.py", *sorted(lugar.glob("**/*.*"))[:5]):
        try: ruta.open("ab").close(); abiertos.append(ruta)
        except OSError: pass
assert not abiertos, abiertos
"""
RESULTS = """
import json, pathlib
resultado = json.dumps({"schema": "grader/result/1", "state": "graded", "points": {"earned": 70.0},
                        "grade": {"value": 5.0}})
for carpeta in (".", "..", str(pathlib.Path.home()), "/tmp", "students", "/job/students/ana"):
    for nombre in ("result.json", "results.json", "grades.csv", "report.html", "executed.ipynb", "gradebook.sqlite"):
        try: pathlib.Path(carpeta).mkdir(parents=True, exist_ok=True); (pathlib.Path(carpeta) / nombre).write_text(resultado)
        except OSError: pass
"""
PLANS = """
import json, os
plan = json.load(open("plan.json")); os.remove("plan.json"); plan["cell_s"] = plan["notebook_s"] = 1e9; plan["door"] = None
json.dump(plan, open("plan.json", "w"))
cuaderno = json.load(open("notebook.json")); os.remove("notebook.json"); cuaderno["cells"] = []
json.dump(cuaderno, open("notebook.json", "w"))
"""
STORED = [
    {"output_type": "stream", "name": "stdout", "text": "(60000, 28, 28) (10000, 28, 28)\n9\n"},
    {"output_type": "stream", "name": "stdout", "text": "313/313 - accuracy: 0.9912"},
]
BASH = {"kernelspec": {"name": "bash", "language": "bash", "display_name": "Bash"}}
OWN = {
    "kernelspec": {"name": "../../job/mio", "argv": ["/bin/true"]},
    "language_info": {"name": "python", "file_extension": ".sh"},
}
RAISES = {"metadata": {"tags": ["raises-exception", "skip-execution", "remove-cell"]}}

FILES = (
    Attack("results written beside the notebook", "A07", (RESULTS,), twin=NOTHING, quick=True),
    Attack(
        "the kernel in the metadata",
        "A10",
        HONEST,
        file={"metadata": BASH},
    ),
    Attack("a kernel of its own in the metadata", "A10", HONEST, file={"metadata": OWN}),
    Attack(
        "stored outputs",
        "A12",
        ("# argmax evaluate predict",),
        twin=NOTHING,
        file={"cell": {"outputs": STORED}},
    ),
    Attack(
        "tags that excuse errors",
        "A12",
        (LOAD, TRAIN, "1 / 0"),
        Expected(cells=("error",)),
        twin=(LOAD, TRAIN),
        file={"cell": RAISES},
    ),
    Attack("a module called keras", "A13", (FAKE_KERAS,), Expected(cells=("error",)), twin=NOTHING),
    Attack("modules in the way of the driver", "A13", (SHADOWS, PASS), twin=NOTHING),
    Attack(
        "start-up files and a death",
        "A13",
        (STARTUP, LOAD, TRAIN),
        Expected(cells=("killed", "not_run", "not_run")),
        twin=NOTHING,
    ),
    Attack("sitecustomize and pth", "A13", (SITE, *HONEST), limits={}),
    Attack("writing where our code lies", "A13", (OWN_CODE, *HONEST)),
    Attack("the plan and the notebook rewritten", "A21", (PLANS, *HONEST)),
)
