"""`grader review`: opens a class's marking pages on this machine, until Ctrl-C."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import uvicorn

from grader.batch.desk import Desk
from grader.batch.lock import locked
from grader.batch.rescoring import Scorers
from grader.dataset.store import open_dataset
from grader.gradebook import Gradebook
from grader.loading import load_assignment
from grader.locale import Translator
from grader.review.app import Review
from grader.review.beside import Evidence
from grader.review.rendering import Rendering
from grader.review.sheets import Sheets

HOST = "127.0.0.1"


class Unwritten(Exception):
    """Marks are kept whose reports are not written; one line."""


def review(folder: Path, port: int, who: str | None, say: Callable[[str], None]) -> None:
    """Serve the marking pages of a class; return after Ctrl-C, when all files are written.

    Args:
        port: 0 takes a free one.
        who: the marker's name; the user's by default.

    Raises:
        GradebookError: there is no gradebook.
        Occupied: the class is being graded, or marked by another server.
        Unwritten: a student's files could not be written.
    """
    with ExitStack() as stack:
        gradebook = stack.enter_context(Gradebook(folder))
        stack.enter_context(locked(folder))
        assignment = load_assignment(gradebook.assignment_folder)
        dataset = open_dataset(assignment.spec.dataset.spec)
        desk = Desk(assignment, dataset, gradebook, folder, gradebook.language)
        pool = stack.enter_context(Scorers(desk))
        sheets = Sheets(assignment, gradebook)
        sheets.compare(pool.submit)
        rendering = Rendering(folder, assignment, dataset, pool)
        rendering.ask(desk.stale())  # an earlier server may have been killed before it wrote them
        evidence = Evidence(
            assignment, gradebook, dataset, Translator(gradebook.language), desk.template
        )
        # by its name: only then asyncio sends a page's last piece without waiting (TCP_NODELAY)
        listening = stack.enter_context(socket.socket(proto=socket.IPPROTO_TCP))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()  # who opens the address at once waits until the server is there
        number = listening.getsockname()[1]
        hosts = [f"{HOST}:{number}", f"localhost:{number}"]
        pages = Review(sheets, rendering, evidence, who or getpass.getuser(), hosts)
        say(f"open http://{HOST}:{number}/?token={pages.secrets.token}")
        say("Ctrl-C ends it; what you have marked is kept with every key")
        config = uvicorn.Config(pages.app, log_level="warning", lifespan="off")
        with suppress(KeyboardInterrupt):  # uvicorn ends, and then raises it once more
            uvicorn.Server(config).run(sockets=[listening])
        if rendering.left:
            say(f"writing the reports of {rendering.left} students; they can also be written later")
        rendering.finish()
        from grader.batch.page import write_class  # draws: matplotlib takes half a second

        write_class(folder, assignment, gradebook, gradebook.language)
        if rendering.problem:
            raise Unwritten(
                f"a report could not be written ({rendering.problem}); the marks are kept, and "
                "`grader review` or `grader grade` on this folder tries again"
            )
