"""Benchmark 11: marking the written answers of a large class, in a real browser."""

from __future__ import annotations

import http.client
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.report import Section, seconds, table
from benchmarks.whole import seed_of
from grader.gradebook import Gradebook
from grader.loading import default_folder, load_assignment
from grader.result import Student
from grader.review.guard import Secrets
from grader.rubric.grouping import groups

MARKING = "11 · Marking the written answers of two thousand students"
NEXT_TARGET_MS, GROUPS_TARGET_S, FIRST_TARGET_S = 100, 20, 2
STUDENTS, TEXTS, PRESSES = 2_000, 100, 100
LANGUAGE = "es"


def marking(bench: Bench) -> Section:
    """Open the marking pages of a class and mark group after group with one key each."""
    folder = bench.folder("marking")
    count = bench.count(STUDENTS, 60)
    bench.say(f"a gradebook of {count:,}")
    written = _fill(folder, count, bench.count(TEXTS, 10))
    began = time.monotonic()
    found = groups(written["q1"])
    grouping_s = time.monotonic() - began
    first_s = statistics.median(_first_page(folder / "out") for _ in range(3))
    bench.say(f"first page after {first_s:.2f} s; marking")
    pressed_ms = sorted(_pressed(folder / "out", bench.count(PRESSES, 5)))
    rows = [
        ("`grader review` until the first page is read", seconds(first_s, 2),
         f"≤ {FIRST_TARGET_S} s"),
        (f"{count:,} answers to one question grouped ({len(found)} groups)",
         seconds(grouping_s, 1), f"≤ {GROUPS_TARGET_S} s"),
        (f"from a key to the next answer on the screen, median of {len(pressed_ms)}",
         f"{statistics.median(pressed_ms):.0f} ms", ""),
        ("the same, 95 of 100", f"{_at(pressed_ms, 0.95):.0f} ms", f"≤ {NEXT_TARGET_MS} ms"),
        ("the slowest", f"{pressed_ms[-1]:.0f} ms", ""),
    ]  # fmt: skip
    said = (
        f"{count:,} students with five answers each, near-identical ones among them; Chromium on "
        "the same machine takes what is suggested with one key for a whole group, question by "
        "question, while another process writes the reports of those who were marked."
    )
    return Section(MARKING, f"{said}\n\n{table(('what', 'figure', 'target'), rows)}")


def _fill(folder: Path, count: int, texts: int) -> dict[str, list[str]]:
    """Write a gradebook from the evidence of one real run; return the answers by question."""
    entry = seed_of(folder)
    out, chosen, assignment = folder / "out", random.Random(11), load_assignment(default_folder())
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    pools = {
        name: [_text(question.model_answer.text.es, chosen) for _ in range(texts)]
        for name, question in assignment.rubric.questions.items()
        if question.model_answer is not None
    }
    written: dict[str, list[str]] = {name: [] for name in pools}
    with Gradebook(out, assignment, LANGUAGE) as gradebook:
        for number in range(count):
            student = Student(f"alumna-{number:05}", f"Alumna {number:05}")
            answers: list[dict[str, Any]] = []
            for one in entry.result["answers"]:
                text = _variant(chosen.choice(pools[one["question"]]), chosen)
                written[one["question"]].append(text)
                found = {"status": "found", "found_by": "marker", "sure": True, "text": text}
                answers.append({**one, **found})
            whose = {"student": {"id": student.id, "name": student.name}}
            gradebook.add(student, entry.gathered, {**entry.result, **whose, "answers": answers})
    return written


def _text(model: str, chosen: random.Random) -> str:
    """A few sentences of a full answer, in an order of their own, some words left out."""
    sentences = re.split(r"(?<=[.?])\s+", model.strip())
    few = chosen.sample(sentences, min(len(sentences), chosen.randint(2, 4)))
    return " ".join(word for word in " ".join(few).split() if chosen.random() > 0.15)


def _variant(text: str, chosen: random.Random) -> str:
    """The same with a word less, or with a slip."""
    words = text.split()
    place = chosen.randrange(len(words))
    words[place] = "" if chosen.random() < 0.5 else words[place][:-1]
    return " ".join(filter(None, words))


@contextmanager
def _serving(out: Path) -> Iterator[str]:
    """A running `grader review`; yields the address that it says."""
    command = [sys.executable, "-m", "grader", "review", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.kill()  # what waits to be written is not what is measured


def _first_page(out: Path) -> float:
    """Seconds from the command to the last byte of the page that lists the questions."""
    began = time.monotonic()
    with _serving(out) as start:
        port, token = int(start.split(":")[2].split("/")[0]), start.partition("token=")[2]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        cookie = f"grader-review-{port}={Secrets(token).cookie}"
        connection.request("GET", "/", headers={"Cookie": cookie})
        answer = connection.getresponse()
        said = answer.read()
        taken = time.monotonic() - began
    if answer.status != 200 or b"/q/q1" not in said:
        raise RuntimeError(f"no first page: {said[:300]!r}")
    return taken


def _pressed(out: Path, presses: int) -> list[float]:
    """Milliseconds from each press of a key until the next answer's page has settled."""
    from playwright.sync_api import sync_playwright

    with _serving(out) as start, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(start)
        taken: list[float] = []
        for question in load_assignment(default_folder()).rubric.questions:
            page.goto(f"{start.partition('?')[0]}q/{question}", timeout=120_000)
            for _ in range(presses):
                if f"/q/{question}/" not in page.url:
                    break
                taken.append(page.evaluate(SETTLED))
        browser.close()
    return taken


SETTLED = """() => new Promise((resolve) => {
  const began = performance.now();
  document.addEventListener("htmx:afterSettle", () => requestAnimationFrame(() =>
    requestAnimationFrame(() => resolve(performance.now() - began))), { once: true });
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
})"""


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]
