"""A running `grader review`, and how browsers and other programs ask it."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from grader.gradebook import Gradebook
from grader.review.guard import Secrets
from grader.review.sheets import blind_order


@dataclass(frozen=True)
class Served:
    """A running `grader review`."""

    folder: Path
    start: str
    port: int
    process: subprocess.Popen[str]

    def form(self) -> str:
        """What every form of these pages carries."""
        return Secrets(self.token).form

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def token(self) -> str:
        return self.start.partition("token=")[2]

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(
        self, path: str, cookie: str | None = None, form: dict[str, str] | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], str]:  # fmt: skip
        """Ask as any program could."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        own = Secrets(cookie).cookie if cookie else ""
        sent = {**({"Cookie": f"grader-review-{self.port}={own}"} if cookie else {}), **headers}
        body = None if form is None else urlencode(form)
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if body is None else "POST", path, body, sent)
        answer = connection.getresponse()
        said = dict(answer.getheaders())
        text = answer.read().decode()
        connection.close()
        return answer.status, {name.lower(): value for name, value in said.items()}, text

    def student(self, student: str) -> str:
        """Where a student's page is; nobody's id stands in an address."""
        with Gradebook(self.folder) as book:
            number = blind_order(book.standings()).index(student) + 1
        return self.at(f"/student/{number}")

    def answer(self, student: str, question: str) -> str:
        """Where the page of one answer is."""
        return f"{self.student(student)}/{question}"

    def marked(self) -> dict[str, int]:
        """How many criteria of each student are marked."""
        with Gradebook(self.folder) as book:
            return {student: len(marks) for student, marks in book.marks.all().items()}


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "grader", "review", str(folder), "--marker", "Eva"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        start = process.stdout.readline().split()[1]
        port = int(start.split(":")[2].split("/")[0])
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        served = Served(folder, start, port, process)
        try:
            yield served
        finally:
            served.stop()


@contextmanager
def opened(browser: Any, served: Served, **how: Any) -> Iterator[Any]:
    """A page of a browser that came by the start address."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **how})
    page = context.new_page()
    page.goto(served.start)
    yield page
    context.close()
