"""Benchmarks 12 to 15: what the walls cost, how soon they strike, who suffers and what stays."""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat

from benchmarks import ours
from benchmarks.bench import Bench
from benchmarks.hangs import ATTACKS, BESIDE, HANGS
from benchmarks.report import Section, seconds, table
from grader.dataset.store import open_dataset
from grader.grading import Grading, open_service
from grader.loading import default_folder, load_assignment
from grader.report.files import write_files
from grader.result import Student
from grader.sandbox import Job, Level, Limits, Mount, Running, Sandbox
from grader.sandbox.cgroup import PREFIX
from grader.sandbox.ownership import FIRST_ID, SLOTS
from grader.sandbox.slots import free_slots

SETUP = "12 · Putting up a sandbox"
DEADLINE = "13 · From the deadline to the verdict"
NEIGHBOUR = "14 · The neighbour of an attack"
SOAK = "15 · Five hundred quick submissions"
SETUP_TARGET_MS, DEADLINE_TARGET_S, SLOWDOWN_TARGET, GROWTH_TARGET = 100, 2, 0.15, 0.05
AT_THE_SAME_TIME = 4
WALL_S = 12  # of a run that hangs; its cell begins long before
SPELL_S = 5.0
ROUNDS = 5


def setup(bench: Bench) -> Section:
    """Start Python behind the walls and without them, by turns, until it says its first word."""
    folder, count = bench.folder("setup"), bench.count(200, 5)
    code = "import os; os.write(1, b'x')"
    walled, bare = [], []
    with free_slots(1) as (slot,):
        sandbox = Sandbox(Level.STANDARD, slot)
        for _ in range(count):
            began = time.monotonic()
            with _started(sandbox, code, folder) as running:
                walled.append(_first_word_s(running.process, began))
            began = time.monotonic()
            command = [sys.executable, "-I", "-c", code]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                bare.append(_first_word_s(process, began))
    rows = [
        (name, *(f"{1000 * _quantile(taken, share):.0f} ms" for share in (0.5, 0.95)))
        for name, taken in (("behind the standard walls", walled), ("without walls", bare))
    ]
    added_ms = 1000 * (_quantile(walled, 0.95) - statistics.median(bare))
    said = f"From the call to the first byte that Python writes, {count} times each, by turns."
    after = (
        f"At p95 the walls add {added_ms:.0f} ms to what Python takes in the middle (target ≤ "
        f"{SETUP_TARGET_MS} ms)."
    )
    return Section(SETUP, f"{said}\n\n{table(('', 'middle', 'p95'), rows)}\n\n{after}")


def deadline(bench: Bench) -> Section:
    """Grade notebooks that hang; measure from the moment of the deadline to the written report."""
    folder, count = bench.folder("deadline"), bench.count(20, 1)
    late: dict[str, list[float]] = {name: [] for name in HANGS}
    asked = [name for _ in range(count) for name in HANGS]
    assignment = load_assignment(default_folder())
    dataset = open_dataset(assignment.spec.dataset.spec)
    with (
        # as many trainers, which nobody asks: each lets one more notebook compute
        free_slots(2 * AT_THE_SAME_TIME) as slots,
        open_service(assignment, dataset, Level.STANDARD, slots[AT_THE_SAME_TIME:]) as service,
        patch("grader.execution.MARGIN_S", WALL_S - assignment.spec.limits.notebook_s),
    ):
        free = [
            Grading(assignment, dataset, Level.STANDARD, service, slot)
            for slot in slots[:AT_THE_SAME_TIME]
        ]

        def hang(name: str) -> None:
            grading = free.pop()
            grading.sandbox = watched = _Watched(Level.STANDARD, grading.sandbox.slot)
            left, graded = grading.grade(
                _notebook("pass", HANGS[name]), "x.ipynb", Student("x", "X")
            )
            write_files(folder / str(watched.slot), left, graded, "es", dataset)
            assert watched.last is not None
            late[name].append(time.monotonic() - watched.last._deadline)
            free.append(grading)
            if graded.evidence.ended != "deadline" or not graded.evidence.cells:
                raise RuntimeError(f"{name}: it was ended by {graded.evidence.ended}, or not begun")

        with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
            list(pool.map(hang, asked))
    rows = [(name, seconds(_quantile(late[name], 0.95), 2)) for name in HANGS]
    everything = [one for each in late.values() for one in each]
    said = (
        f"Notebooks graded for real whose cell hangs, {count} of each kind, {AT_THE_SAME_TIME} at "
        "the same time, ended by the deadline that is kept outside: until everything of them is "
        "dead, the notebook is judged, and its report is written."
    )
    after = (
        f"Of all {len(everything)}: {seconds(statistics.median(everything), 2)} in the middle, "
        f"{seconds(_quantile(everything, 0.95), 2)} at p95 (target ≤ {DEADLINE_TARGET_S} s)."
    )
    return Section(DEADLINE, f"{said}\n\n{table(('how it hangs', 'p95'), rows)}\n\n{after}")


def neighbour(bench: Bench) -> Section:
    """Let a job compute alone and beside each attack, by turns; compare what it gets done."""
    folder, spell_s = bench.folder("neighbour"), SPELL_S if not bench.quick else 0.5
    shares: dict[str, list[float]] = {name: [] for name in ATTACKS}
    with free_slots(2) as (slot, other):
        beside, attacker = Sandbox(Level.STANDARD, slot), Sandbox(Level.STANDARD, other)
        with _started(beside, BESIDE, folder / "own", asked=True) as running:
            _done_in(running.process, spell_s)
            for _ in range(bench.count(ROUNDS, 1)):
                for name, code in ATTACKS.items():
                    alone = _done_in(running.process, spell_s)
                    with _again_and_again(attacker, code, folder / "attack"):
                        time.sleep(1)
                        attacked = _done_in(running.process, spell_s)
                    shares[name].append(attacked / alone)
    rows = [(name, f"{100 * (1 - statistics.median(got)):.0f} %") for name, got in shares.items()]
    said = (
        f"A job that computes in one process, alone and beside an attack in another sandbox, by "
        f"turns, {bench.count(ROUNDS, 1)} spells of {spell_s:g} s each; the median."
    )
    after = f"Target: ≤ {100 * SLOWDOWN_TARGET:.0f} %."
    return Section(NEIGHBOUR, f"{said}\n\n{table(('beside', 'slower by'), rows)}\n\n{after}")


def soak(bench: Bench) -> Section:
    """Grade hundreds of quick notebooks with one controller; look at its memory and what stays."""
    folder, count = bench.folder("soak"), bench.count(500, 8)
    source, out, temporary = folder / "class", folder / "out", folder / "tmp"
    ours.fresh(source, out, temporary)
    for number in range(count):
        (source / f"alumna-{number:04}.ipynb").write_bytes(_notebook(f"print({number})"))
    before = _of_sandboxes()
    words = [*ours.GRADER, "grade", str(source), "--out", str(out), "--json"]
    memory = {"TMPDIR": str(temporary), "GRADER_MEMORY": str(folder / "memory")}
    sizes = []
    with subprocess.Popen(
        words, env={**os.environ, **memory}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "finished":
                sizes.append(_resident_mb(process.pid))
    if process.returncode not in ours.ATTENTION or len(sizes) != count:
        raise RuntimeError(f"{len(sizes)} of {count} finished, exit code {process.returncode}")
    early = statistics.median(sizes[count // 10 : count // 5])
    late = statistics.median(sizes[-count // 10 :])
    stayed = {kind: sorted(left - before[kind]) for kind, left in _of_sandboxes().items()}
    stayed["files and folders"] = [path.name for path in temporary.iterdir()]
    rows = [
        ("controller’s memory after a tenth of them", f"{early:.1f} MiB", ""),
        ("and at the end", f"{late:.1f} MiB", ""),
        ("growth", f"{100 * (late / early - 1):+.1f} %", f"≤ {100 * GROWTH_TARGET:.0f} %"),
        *((f"{kind} that stayed", len(left), "0") for kind, left in stayed.items()),
    ]
    said = f"`grader grade` of {count} notebooks of one line each, with one controller."
    return Section(SOAK, f"{said}\n\n{table(('what', 'figure', 'target'), rows)}")


class _Watched(Sandbox):
    """Keeps the last job that it started."""

    last: Running | None = None

    def start(self, job: Job, **streams: Any) -> Running:
        self.last = super().start(job, **streams)
        return self.last


def _started(sandbox: Sandbox, code: str, folder: Path, asked: bool = False) -> Running:
    folder.mkdir(parents=True, exist_ok=True)
    limits = Limits(wall_s=3600, memory_mb=512, disk_mb=256)
    job = Job(["-I", "-c", code], (Mount(folder, "/job", writable=True),), limits)
    stdin = subprocess.PIPE if asked else subprocess.DEVNULL
    return sandbox.start(job, stdin=stdin, stdout=subprocess.PIPE)


def _first_word_s(process: subprocess.Popen[bytes], began: float) -> float:
    assert process.stdout is not None
    if process.stdout.read(1) != b"x":
        raise RuntimeError("a job ended without a word")
    return time.monotonic() - began


def _done_in(process: subprocess.Popen[bytes], spell_s: float) -> int:
    """Ask for one piece of work after the other; return how many were done in a spell."""
    assert process.stdin is not None and process.stdout is not None
    done, end = 0, time.monotonic() + spell_s
    while time.monotonic() < end:
        process.stdin.write(b"\n")
        process.stdin.flush()
        select.select([process.stdout], [], [])
        if not process.stdout.readline():
            raise RuntimeError("the neighbour of an attack died")
        done += 1
    return done


@contextmanager
def _again_and_again(sandbox: Sandbox, code: str, folder: Path) -> Iterator[None]:
    """Attack, and again whenever a limit ended it."""
    stop: list[bool] = []
    running: list[Running] = []

    def attack() -> None:
        while not stop:
            ours.fresh(folder)
            with _started(sandbox, code, folder) as job:
                running.append(job)
                job.wait()

    with ThreadPoolExecutor(1) as pool:
        attacking = pool.submit(attack)
        try:
            yield
        finally:
            stop.append(True)
            while not attacking.done():
                for job in running[-1:]:
                    job.kill()
                time.sleep(0.01)
        attacking.result()


def _notebook(*cells: str) -> bytes:
    new: Any = nbformat.v4
    text: str = nbformat.writes(new.new_notebook(cells=[new.new_code_cell(one) for one in cells]))  # type: ignore[no-untyped-call]
    return text.encode()


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _of_sandboxes() -> dict[str, set[str]]:
    """Processes of sandboxes' users, their control groups, and what is mounted."""
    return {
        "processes": set(_sandbox_processes()),
        "control groups": {str(path) for path in Path("/sys/fs/cgroup").rglob(f"{PREFIX}*-*")},
        "mounts": {
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
        },
    }


def _sandbox_processes() -> Iterator[str]:
    for path in Path("/proc").iterdir():
        with suppress(OSError):
            if path.name.isdigit() and FIRST_ID <= path.stat().st_uid < FIRST_ID + SLOTS:
                yield path.name
