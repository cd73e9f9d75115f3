"""The marking pages' addresses: each request reads the gradebook, and a form adds to it.

/                      what is left to mark          /q/QUESTION            the next group
/q/QUESTION/N          a group, from 1               /s/STUDENT/QUESTION    one answer
/undo                  take the last action back     /done                  what to export
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from grader.gradebook import MarksChanged
from grader.report.pages import page_template, template_folder
from grader.review.guard import Guard, Secrets
from grader.review.marking import BadForm, read_form
from grader.review.pages import Pages
from grader.review.rendering import Rendering
from grader.review.sheets import Group, Sheets, Written

MAX_NAME = 60
MARKER = "grader-marker"


class Review:
    """One class's marking pages.

    Args:
        who: the marker's name where a browser has not said another one.
        hosts: the names and port by which the server may be called.
    """

    def __init__(
        self, sheets: Sheets, rendering: Rendering, language: str, who: str, hosts: Sequence[str]
    ) -> None:
        self.sheets, self.rendering = sheets, rendering
        self.language, self.who = language, who
        self.secrets = Secrets()
        self.pages = Pages(sheets, language)
        self.app = Starlette(
            routes=[
                Route("/", self.overview),
                Route("/q/{question}", self.next_group),
                Route("/q/{question}/{number:int}", self.group, methods=["GET", "POST"]),
                Route("/s/{student}/{question}", self.single, methods=["GET", "POST"]),
                Route("/undo", self.undo, methods=["POST"]),
                Route("/marker", self.marker, methods=["POST"]),
                Route("/done", self.done),
                Mount("/static", StaticFiles(directory=template_folder() / "review" / "static")),
            ],
            middleware=[Middleware(Guard, secret=self.secrets, hosts=frozenset(hosts))],
        )

    async def overview(self, request: Request) -> Response:
        """What is left to mark, question by question."""
        return self._page(request, "overview.html", self.pages.overview())

    async def next_group(self, request: Request) -> Response:
        """The first group of a question that waits; the overview when none does."""
        question = self._question(request)
        number = self._waiting(question, after=0)
        return RedirectResponse(f"/q/{question}/{number}" if number else "/", 303)

    async def group(self, request: Request) -> Response:
        """Read a group, or mark it."""
        question, number = self._question(request), int(request.path_params["number"])
        groups = self.sheets.groups(question)
        if not 1 <= number <= len(groups):
            raise HTTPException(404)
        group = groups[number - 1]
        if request.method == "POST":
            done = await self._mark(request, group)
            following = self._waiting(question, after=number)
            to = f"/q/{question}/{following}" if following else "/"
            return done or RedirectResponse(to, 303)
        return self._page(request, "answer.html", self.pages.group(group, number, len(groups)))

    async def single(self, request: Request) -> Response:
        """Read one answer, or mark it alone."""
        question = self._question(request)
        written = self.sheets.written[question].get(request.path_params["student"])
        if written is None:
            raise HTTPException(404)
        group = Group(question, (written,))
        if request.method == "POST":
            return await self._mark(request, group) or RedirectResponse(request.url.path, 303)
        return self._page(request, "answer.html", self.pages.group(group, None, None))

    async def undo(self, request: Request) -> Response:
        """Take the marker's last action back, and show what it had marked."""
        await self._form(request)
        whose = self.sheets.gradebook.marks.undo(self._who(request))
        self.rendering.ask(student for student, _ in whose)
        if not whose:
            return RedirectResponse("/", 303)
        student, question = whose[0]
        return RedirectResponse(self._place(student, question), 303)

    async def marker(self, request: Request) -> Response:
        """Remember who marks in this browser."""
        form = await self._form(request)
        answer = RedirectResponse("/", 303)
        name = form.get("name", "").strip()[:MAX_NAME]
        answer.set_cookie(MARKER, name.encode().hex(), httponly=True, samesite="strict")
        return answer

    async def done(self, request: Request) -> Response:
        """What is written, and which commands export it."""
        return self._page(
            request, "done.html",
            {
                **self.pages.overview(), "left": self.rendering.left,
                "problem": self.rendering.problem, "folder": str(self.sheets.gradebook.path.parent),
            },
        )  # fmt: skip

    async def _mark(self, request: Request, group: Group) -> Response | None:
        """Keep what a form decided; return a page only where it could not be kept."""
        form = await self._form(request)
        question = self.sheets.questions[group.question]
        try:
            decision = read_form(group.question, question, group.members, form)
            if decision.points:
                self.sheets.gradebook.marks.add(
                    self._who(request), decision.marks(group.question, group.members),
                    decision.seen, {one.key: one.text for one in group.members},
                )  # fmt: skip
                self.rendering.ask(one.student.id for one in group.members)
        except BadForm as bad:
            return self._page(request, "problem.html", {"problem": str(bad)}, status=400)
        except MarksChanged:
            shown = self.pages.group(group, None, None)
            context = {**shown, "yours": decision, "back": request.url.path}
            return self._page(request, "conflict.html", context, status=409)
        return None

    async def _form(self, request: Request) -> Mapping[str, str]:
        async with request.form(max_files=0, max_fields=200) as form:
            said = {key: value for key, value in form.items() if isinstance(value, str)}
        if not self.secrets.sent(said.get("form")):
            raise HTTPException(403, "this form is not of this page; open it again")
        return said

    def _waiting(self, question: str, after: int) -> int | None:
        """Return the number of the next group with something open, after one; then from the top."""
        groups, marks = self.sheets.groups(question), self.sheets.marks(question)
        waiting = [
            number
            for number, group in enumerate(groups, start=1)
            if not all(self._done(question, one, marks) for one in group.members)
        ]
        later = [number for number in waiting if number > after]
        return next(iter([*later, *waiting]), None)

    def _done(self, question: str, one: Written, marks: Mapping[str, Any]) -> bool:
        return self.sheets.is_done(question, marks[one.student.id])

    def _place(self, student: str, question: str) -> str:
        for number, group in enumerate(self.sheets.groups(question), start=1):
            if any(one.student.id == student for one in group.members):
                return f"/q/{question}/{number}"
        return "/"

    def _question(self, request: Request) -> str:
        question = str(request.path_params["question"])
        if question not in self.sheets.questions:
            raise HTTPException(404)
        return question

    def _who(self, request: Request) -> str:
        try:
            said = bytes.fromhex(request.cookies.get(MARKER, "")).decode()
        except ValueError:
            said = ""
        return said or self.who

    def _page(
        self, request: Request, name: str, context: Mapping[str, Any], status: int = 200
    ) -> Response:
        template = page_template(self.language, f"review/{name}")
        common = {"form": self.secrets.form, "who": self._who(request), "path": request.url.path}
        return HTMLResponse(template.render(**common, **context), status)
