"""Benchmark 7: one report, from a judged submission to HTML."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.bench import Bench
from benchmarks.grading import CLASS_FOLDER, graded, the_class
from benchmarks.report import Section, table

RENDERING = "7 · A report"
TIMES, TARGET_MS, TARGET_KB = 5, 300, 2000
# Renders the first report of a process, then those of ten others; prints milliseconds and bytes.
SCRIPT = """
import json, sys, time
from pathlib import Path
from grader.dataset.identity import Pristine
from grader.dataset.store import open_dataset
from grader.gradebook import Gradebook
from grader.grading import conclude, template_of
from grader.loading import default_folder, load_assignment
from grader.report.html import render_report
assignment = load_assignment(default_folder())
pristine = Pristine.open(open_dataset(assignment.spec.dataset.spec).rows)
with Gradebook(Path(sys.argv[1])) as gradebook:
    entries = gradebook.entries()[:11]
times, sizes = [], []
for entry in entries:
    one = conclude(assignment, template_of(assignment), entry.gathered, entry.student)
    began = time.perf_counter()
    page = render_report(one, "es", lambda row: pristine.images([row])[0])
    times.append(1000 * (time.perf_counter() - began))
    sizes.append(len(page.encode()))
print(json.dumps({"times": times, "sizes": sizes}))
"""


def rendering(bench: Bench) -> Section:
    """Render reports of the class of benchmark 1 in processes of their own."""
    folder = bench.folder(CLASS_FOLDER)
    if not (folder / "out" / "gradebook.sqlite").exists():
        same, differing = the_class(bench)
        graded(bench, CLASS_FOLDER, [*same, *differing])
    runs = [_run(str(folder / "out")) for _ in range(bench.count(TIMES, 1))]
    cold = statistics.median(run["times"][0] for run in runs)
    warm = statistics.median(time for run in runs for time in run["times"][1:])
    largest = max(size for run in runs for size in run["sizes"])
    rows = [
        ("the first report of a process", f"{cold:.0f} ms", f"≤ {TARGET_MS} ms"),
        ("another student's, in the same process", f"{warm:.0f} ms", f"≤ {TARGET_MS} ms"),
        ("the largest file", f"{largest / 1000:,.0f} kB", f"≤ {TARGET_KB:,} kB"),
    ]
    said = (
        "The whole page with its figures and pictures, from the judged submission to the text; "
        f"imports are not in it. Medians of {len(runs)} processes; students of benchmark 1, most "
        "of whom share trainings and so figures."
    )
    return Section(RENDERING, f"{said}\n\n{table(('what', 'how much', 'target'), rows)}")


def _run(out: str) -> dict[str, Any]:
    command = [sys.executable, "-c", SCRIPT, out]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
