"""`python -m benchmarks [1 1b 2 … 15 regrade] [--quick]`: runs the chosen ones, or all.

Each writes its section of `benchmarks/RESULTS.md` when it has ended; sections that were not chosen
stay as they are. With `--quick` the counts are tiny and the file is another one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import again, grading, hostile, limit, live, marking, overhead, rendering, whole
from benchmarks.bench import Bench
from benchmarks.others import Others
from benchmarks.report import Results, Section

BENCHMARKS: Mapping[str, tuple[str, Callable[[Bench], Section]]] = {
    "1": (grading.CLASS, grading.class_of_30),
    "1b": (grading.WHOLLY, grading.wholly_different),
    "2": (grading.ALONE, grading.no_two_alike),
    "3": (again.STUDENT, again.one_student),
    "4": (overhead.OVERHEAD, overhead.overhead),
    "5": (limit.LIMIT, limit.limit),
    "6": (live.LIVE, live.live),
    "7": (rendering.RENDERING, rendering.rendering),
    "8": (whole.THROUGHPUT, whole.throughput),
    "9": (whole.JOURNAL, whole.journal),
    "10": (whole.CLUSTER, whole.cluster),
    "11": (marking.MARKING, marking.marking),
    "12": (hostile.SETUP, hostile.setup),
    "13": (hostile.DEADLINE, hostile.deadline),
    "14": (hostile.NEIGHBOUR, hostile.neighbour),
    "15": (hostile.SOAK, hostile.soak),
    "regrade": (again.REGRADE, again.regrade),
}
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    asked = _arguments()
    chosen = [name for name in BENCHMARKS if name in asked.which] or list(BENCHMARKS)
    say = partial(print, flush=True)
    others = Others(asked.work / "others", say)
    bench = Bench(asked.work, asked.quick, say, others)
    bench.work.mkdir(parents=True, exist_ok=True)
    path = asked.work / "RESULTS-quick.md" if asked.quick else RESULTS
    results = Results(path, _command(asked), [title for title, _ in BENCHMARKS.values()])
    failed = []
    for name in chosen:
        title, run = BENCHMARKS[name]
        say(f"── {title}")
        began = time.monotonic()
        try:
            section = run(bench)
            results.put(section, others.installed())
            say(f"\n{section.text}\n")
        except Exception:  # noqa: BLE001 - the border: the next benchmark can still be measured
            traceback.print_exc()
            failed.append(name)
        say(f"── {title}: {(time.monotonic() - began) / 60:.1f} min")
    say(f"Results are in {path.name}." + (f" These failed: {', '.join(failed)}." if failed else ""))
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="tiny counts, to try the scripts")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "grader-benchmarks",
        help="where classes, memories and the other graders' environment go",
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.which if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; choose from {[*BENCHMARKS]}")
    return asked


def _command(asked: argparse.Namespace) -> str:
    return " ".join(["python -m benchmarks", *asked.which, *(["--quick"] * asked.quick)])


if __name__ == "__main__":
    sys.exit(main())
