"""What a harmful program is, and the few words that all of them may use.

Every program is bounded by itself, well above the limit that it attacks: with a wall taken away
(test_mutations.py) it does harm that can be seen, and none to the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# T tells a program what there is to attack outside; `call` is a system call by name, `libc_call` a
# function of the C library, both raise OSError. `every` tries several ways and ends with the error
# of the last one, or by itself ("done") when one of them got through.
PRELUDE = """
import ctypes, errno, json, os, signal, socket, sys, threading, time
T = json.loads(sys.argv[1])
MIB = 2**20
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def checked(result):
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

def call(name, *values):
    ctypes.set_errno(0)
    longs = [ctypes.c_long(v) if isinstance(v, int) else v for v in values]
    return checked(libc.syscall(ctypes.c_long(T["calls"][name]), *longs))

def libc_call(name, *values):
    ctypes.set_errno(0)
    return checked(getattr(libc, name)(*values))

def show(path):
    with open(path, "rb") as file:
        data = file.read(65536)
    print(path, data.decode(errors="replace"), flush=True)

def write(path, text="harm"):
    with open(path, "w") as file:
        file.write(text)
    print("wrote", path, flush=True)

def every(*ways):
    through, error = False, None
    for way in ways:
        try:
            print("got", way(), flush=True)
            through = True
        except (OSError, ImportError, ValueError) as met:
            error = met
    if not through:
        raise error

def heartbeat():
    while not os.path.exists("/job/stop"):
        with open("/job/heartbeat", "a") as file:
            file.write(".")
        time.sleep(0.01)
        if os.path.getsize("/job/heartbeat") > 1000:
            break

def wait_for(path):
    for _ in range(500):
        if os.path.exists(path):
            return
        time.sleep(0.005)
"""


@dataclass(frozen=True)
class Harm:
    """A program that tries to do harm, and how it must end.

    Attributes:
        name: what it does, in a few words; unique.
        threat: the line of the threat model.
        code: Python, after PRELUDE.
        expected: how it ends, as `ground.verdict` words it: the limit that ended it ("memory",
            "deadline", "disk"), the error that it could not get past ("EPERM"), a signal
            ("SIGSYS"), or "done": it came to its end, and what is asserted is that no harm was
            done. Several, with "|" between, where systems differ.
        ungrouped: the same where no control group can be had; empty: no difference.
        unheld: the reason why it does get through, so far; its test is an expected failure.
        unheld_ungrouped: the same where no control group can be had.
        first: code of a job that ran before, for what one job leaves to the next.
        limits: fields of `Limits` that differ from the ground's.
        machine: the only architecture that it is for.
        root_only: there is something to attack only where root drops to a user of its own.
    """

    name: str
    threat: str
    code: str
    expected: str
    ungrouped: str = ""
    unheld: str = ""
    unheld_ungrouped: str = ""
    first: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    machine: str = ""
    root_only: bool = False

    def unheld_here(self, grouped: bool) -> str:
        """Return the reason why it does get through on a machine like this."""
        return self.unheld or ("" if grouped else self.unheld_ungrouped)

    def ends(self, grouped: bool) -> set[str]:
        """Return the ways in which it may end."""
        text = self.expected if grouped or not self.ungrouped else self.ungrouped
        return {word.strip() for word in text.split("|")}
