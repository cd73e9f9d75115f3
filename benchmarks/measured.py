"""`python -m benchmarks.measured FILE grade …`: the grader, and what its controller alone took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from grader.cli import main

if __name__ == "__main__":
    file, *words = sys.argv[1:]
    began = time.monotonic()
    try:
        main(words, prog_name="grader")
    finally:
        own = resource.getrusage(resource.RUSAGE_SELF)
        taken = {
            "wall_s": time.monotonic() - began,
            "cpu_s": own.ru_utime + own.ru_stime,
            "peak_mb": own.ru_maxrss / 1024,
        }
        Path(file).write_text(json.dumps(taken), encoding="utf-8")
