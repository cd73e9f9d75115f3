"""`python -m benchmarks.measured FILE grade …`: the grader, and where its processor time went.

A sandbox is killed with everything in it, and what a killed process's children took is in nobody's
account; so the time behind walls is what the sandboxes' own supervisor measured.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from grader.cli import main
from grader.sandbox.jobs import Ended
from grader.sandbox.running import Running

until_end = Running._until_end
behind_walls: list[Ended] = []


def counted(running: Running) -> Ended:
    """Keep what a job took."""
    ended = until_end(running)
    behind_walls.append(ended)
    return ended


if __name__ == "__main__":
    file, *words = sys.argv[1:]
    setattr(Running, until_end.__name__, counted)
    try:
        main(words, prog_name="grader")
    finally:
        own = resource.getrusage(resource.RUSAGE_SELF)
        taken = {
            "cpu_s": own.ru_utime + own.ru_stime,
            "peak_mb": own.ru_maxrss / 1024,
            "walls_s": sum(ended.cpu_s or 0.0 for ended in behind_walls),
        }
        Path(file).write_text(json.dumps(taken), encoding="utf-8")
