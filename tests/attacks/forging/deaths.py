"""Dying at the right moment, and leaving somebody behind who writes later."""

from __future__ import annotations

from tests.attacks.attack import EVALUATE, HONEST, LOAD, NOTHING, TRAIN, Attack, Expected
from tests.attacks.forging.records import WRITER

KILLED = Expected(cells=("killed", "not_run"))
IN_A_FIT = """
import os
class Muere(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None): os._exit(0)
m = net(128); m.fit(x, y, epochs=10, verbose=0, callbacks=[Muere()])
"""
AFTER_A_FIT = TRAIN + "\n__import__('os')._exit(0)"
CHILD = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    os.system("(while true; do echo '{}' >> /job/events.jsonl; sleep 0.05; done) &")
    time.sleep(3600)
"""
ELSEWHERE = "import os\nos.remove('/job/cells.jsonl'); os.symlink('/job/otra', '/job/cells.jsonl')"
NO_FILE = """
import os, signal
for name in ("cells.jsonl", "cell"): os.remove("/job/" + name)
os.kill(os.getppid(), signal.SIGKILL)
"""
CHILD_KERNEL = """
import os
if os.fork() == 0: raise SystemExit
"""
WRITES_LATER = (
    WRITER
    + """
import os, threading, time
def escribe():
    while True:
        anota("evaluate", 900, chain=2, epochs=1, data=datos(60000, 70000), results={"accuracy": 0.99}); time.sleep(0.05)
if os.fork() == 0:
    os.setsid(); escribe()
threading.Thread(target=escribe, daemon=True).start()
"""
)
DRIVER = """
import json, os
salida = {"output_type": "stream", "name": "stdout", "text": "(60000, 28, 28) (10000, 28, 28)"}
with open("/job/cells.jsonl", "a") as archivo:
    for registro in ({"kind": "cell", "index": 0, "status": "ok", "seconds": 0.1, "outputs": [salida]}, {"kind": "end", "reason": "finished"}):
        archivo.write(json.dumps(registro) + "\\n")
os.kill(os.getppid(), 9)
"""
STOPS_DRIVER = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"
AT_EXIT = """
import atexit
atexit.register(lambda: open("/job/events.jsonl", "a").write('{"kind": "end"}'))
__import__("sys").exit(0)
"""
LOOPS = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
"""

DEATHS = (
    Attack("death in the middle of a fit", "A08", (LOAD, IN_A_FIT, EVALUATE), KILLED, twin=(LOAD, TRAIN), quick=True),
    Attack("death after a fit", "A08", (LOAD, AFTER_A_FIT, EVALUATE), KILLED, twin=(LOAD, TRAIN)),
    Attack("sys.exit and atexit", "A08", (AT_EXIT, "pass"), Expected(cells=("error",)), twin=NOTHING),
    Attack("the driver killed, its file complete", "A08", ("pass", DRIVER), Expected(), twin=("pass", "pass"), forges=("data.explored",),
           takes="write the driver's file and kill the driver"),
    Attack("a cell that never ends", "A08", ("pass", LOOPS, "pass"), Expected(cells=("timeout", "not_run")), twin=NOTHING, limits={"cell_s": 3}),
    Attack("a child that writes later", "A07", (LOAD, CHILD, TRAIN, EVALUATE), Expected(dropped=True)),
    Attack("the driver's file elsewhere", "A07", (ELSEWHERE,), Expected(state="needs_review", dropped=True), twin=NOTHING, quick=True),
    Attack("no file, no driver", "A08", (NO_FILE, "pass"), Expected(state="needs_review", dropped=True), twin=NOTHING),
    Attack("a child that is a second kernel", "own", (LOAD, CHILD_KERNEL, TRAIN, EVALUATE)),
    Attack("records in a race", "A07", (*HONEST, WRITES_LATER, "__import__('time').sleep(0.3)"), Expected(flags=("claim_differs",))),
)  # fmt: skip
