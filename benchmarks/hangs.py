"""What benchmarks 13 and 14 run: cells that hang, attacks, and who computes beside them."""

from __future__ import annotations

HANGS = {
    "asleep": "import time; time.sleep(3600)",
    "busy, deaf to signals": """
import signal
for number in range(1, 64):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
""",
    "busy in C": "import re; re.match('(a|aa)+$', 'a' * 200 + 'b')",
    "waits for a lock that it holds": """
import threading
lock = threading.Lock()
lock.acquire(); lock.acquire()
""",
    "waits for a child that is never done": """
import os, time
if os.fork() == 0: time.sleep(3600)
os.wait()
""",
    "stops its own process": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "a daemon in a session of its own": """
import os, time
if os.fork() == 0:
    os.setsid()
    while True: pass
time.sleep(3600)
""",
    "opens a pipe that nobody writes": "import os; os.mkfifo('/job/fifo'); open('/job/fifo')",
}
"""A cell of each kind; nothing inside ends it."""

ATTACKS = {
    "two hundred processes that compute": """
import os
for _ in range(200):
    try:
        if os.fork() == 0:
            os.setsid()
            while True: pass
    except OSError: break
while True: pass
""",
    "memory to the limit, again and again": """
blocks = []
while True: blocks.append(bytearray(b"x" * 2**20))
""",
    "files to the limit, again and again": """
import os
data = os.urandom(2**20)
for number in range(1000):
    with open(f"/job/{number}", "wb") as file:
        file.write(data); file.flush(); os.fsync(file.fileno())
""",
    "threads that compute": """
import hashlib, threading
def work():
    while True: hashlib.sha256(bytes(2**22)).digest()
for _ in range(16): threading.Thread(target=work).start()
""",
}
"""Programs that take what there is; a limit ends some of them, and they are started again."""

BESIDE = """
import hashlib, sys
for line in sys.stdin:
    digest = b""
    for _ in range(20000): digest = hashlib.sha256(digest).digest()
    print(flush=True)
"""
"""Does a piece of work of some milliseconds for each line that it is given."""
