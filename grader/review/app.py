"""The marking pages' addresses: each request reads the gradebook, and a form adds to it.

/                      what is left to mark          /q/QUESTION            the next group
/q/QUESTION/N          a group, from 1               /student/N/QUESTION    one answer
/students              everybody, by number          /student/N             answers and findings
/student/N/check/NAME  decide a finding              /undo                  take an action back
/done                  what to export                /marker                who marks
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from grader.gradebook import MarksChanged
from grader.locale import Translator
from grader.report.pages import page_template, template_folder
from grader.report.text import visible
from grader.review.beside import Evidence
from grader.review.guard import Guard, Secrets
from grader.review.marking import BadForm, Decision, read_form
from grader.review.pages import Pages
from grader.review.rendering import Rendering
from grader.review.sheets import Group, Sheets
from grader.review.students import StudentPages

MAX_NAME = 60
MARKER, HAND = "grader-marker", "grader-hand"


@dataclass(frozen=True)
class Moves:
    """Where an answer's page leads: to the one before, the next one, and on when it is marked."""

    before: str | None
    next: str | None
    on: str


class Review:
    """One class's marking pages.

    Args:
        who: the marker's name where a browser has not said another one.
        hosts: the names and port by which the server may be called.
    """

    def __init__(
        self, sheets: Sheets, rendering: Rendering, evidence: Evidence, who: str,
        hosts: Sequence[str],
    ) -> None:  # fmt: skip
        self.sheets, self.rendering, self.who = sheets, rendering, who
        say = Translator(evidence.say.language)
        self.language = say.language
        self.secrets = Secrets()
        self.pages, self.people = Pages(sheets, evidence, say), StudentPages(sheets, say)
        self.app = Starlette(
            routes=[
                Route("/", self.overview),
                Route("/q/{question}", self.next_group),
                Route("/q/{question}/{number:int}", self.group, methods=["GET", "POST"]),
                Route("/students", self.students),
                Route("/student/{number:int}", self.student),
                Route("/student/{number:int}/{question}", self.single, methods=["GET", "POST"]),
                Route("/student/{number:int}/check/{check}", self.decide, methods=["POST"]),
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
        question = await self._question(request)
        return RedirectResponse(self._waiting(question, after=0), 303)

    async def group(self, request: Request) -> Response:
        """Read a group, or mark it."""
        question, number = await self._question(request), int(request.path_params["number"])
        groups = self.sheets.groups(question)
        if not 1 <= number <= len(groups):
            raise HTTPException(404)
        place = f"/q/{question}/"
        moves = Moves(
            f"{place}{number - 1}" if number > 1 else None,
            f"{place}{number + 1}" if number < len(groups) else None,
            place.rstrip("/"),
        )
        context = {"number": number, "of": len(groups), "student": None}
        if request.method == "POST":
            marked = await self._mark(request, groups[number - 1], moves, context)
            return marked or RedirectResponse(self._waiting(question, after=number), 303)
        return self._answer(request, groups[number - 1], moves, context)

    async def students(self, request: Request) -> Response:
        """Everybody by number, those who need a person first."""
        named = {"named": request.query_params.get("names") == "1"}
        return self._page(request, "students.html", {**self.people.everybody(), **named})

    async def student(self, request: Request) -> Response:
        """One student's answers and findings."""
        return self._page(request, "student.html", self.people.one(self._student(request)))

    async def single(self, request: Request) -> Response:
        """Read one answer, or mark it alone."""
        student, question = self._student(request), str(request.path_params["question"])
        written = self.sheets.written.get(question, {}).get(student)
        if written is None:
            raise HTTPException(404)
        group = Group(question, (written,))
        number = self.sheets.number(student)
        context = {"number": None, "of": None, "student": number}
        moves = self._around(student, question)
        if request.method == "POST":
            marked = await self._mark(request, group, moves, context)
            return marked or RedirectResponse(moves.on, 303)
        return self._answer(request, group, moves, context)

    async def decide(self, request: Request) -> Response:
        """Keep a person's points for a finding."""
        student, check = self._student(request), str(request.path_params["check"])
        if check not in {one.name for one in self.sheets.assignment.spec.checks}:
            raise HTTPException(404)
        form = await self._form(request)
        back = f"/student/{self.sheets.number(student)}"
        try:
            self.people.decide(self._who(request), student, check, form)
        except BadForm as bad:
            context = {"said": bad.text, "back": back}
            return self._page(request, "problem.html", context, status=400)
        self._render([student])
        return RedirectResponse(back, 303)

    async def undo(self, request: Request) -> Response:
        """Take the marker's last action back, and show what it had marked."""
        form = await self._form(request)
        hand, who = self._hand(request), self._who(request)
        whose = [
            (student, question)
            for student, question in self.sheets.gradebook.marks.undo(who, hand)
            if student in self.sheets.people and question in self.sheets.questions
        ]
        self._render(student for student, _ in whose)
        if not whose:
            return RedirectResponse("/", 303)
        student, question = whose[0]
        self.sheets.undid(question)
        if form.get("from", "").startswith("/student/"):
            return RedirectResponse(f"/student/{self.sheets.number(student)}/{question}", 303)
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
                "folder": shlex.quote(str(self.sheets.gradebook.path.parent)),
            },
        )  # fmt: skip

    def _answer(
        self, request: Request, group: Group, moves: Moves, context: Mapping[str, Any]
    ) -> Response:
        shown = {**self.pages.group(group), **context, "moves": moves, "kept": "", "open": ()}
        return self._page(request, "answer.html", shown)

    async def _mark(
        self, request: Request, group: Group, moves: Moves, context: Mapping[str, Any]
    ) -> Response | None:
        """Keep what a form decided.

        Returns:
            A page where it could not be kept; what an autosave shows; None where a person pressed
            the button and the next answer can come.
        """
        form = await self._form(request)
        question = self.sheets.questions[group.question]
        try:
            decision = read_form(group.question, question, group.members, form)
            self._keep(request, group, decision)
        except BadForm as bad:
            said = {"said": bad.text, "back": request.url.path}
            return self._page(request, "problem.html", said, status=400)
        except MarksChanged:
            both = {"yours": decision, "back": request.url.path}
            shown = {**self.pages.group(group), **context, **both}
            return self._page(request, "conflict.html", shown, status=409)
        kept = {
            "seen": self.pages.seen(group),
            "kept": self.pages.now(),
            "open": self.pages.without_level(question, decision),
        }
        if form.get("autosave"):
            return self._page(request, "kept.html", kept)
        if not kept["open"]:
            return None
        shown = {**self.pages.group(group, decision.comments), **context, "moves": moves, **kept}
        return self._page(request, "answer.html", shown)

    def _keep(self, request: Request, group: Group, decision: Decision) -> None:
        """Add what is new of a decision; what stands already is not said twice."""
        given = self.sheets.given(group.question)
        new = list(decision.marks(group.question, group.members, given))
        if new:
            passages = {one.key: one.text for one in group.members}
            who, hand = self._who(request), self._hand(request)
            marks = self.sheets.gradebook.marks
            self.sheets.gave(marks.add(who, new, decision.seen, passages, hand))
            self._render(student for student, _ in new)

    def _render(self, students: Iterable[str]) -> None:
        self.rendering.ask(self.sheets.people[student] for student in dict.fromkeys(students))

    async def _form(self, request: Request) -> Mapping[str, str]:
        async with request.form(max_files=0, max_fields=200) as form:
            said = {key: value for key, value in form.items() if isinstance(value, str)}
        if not self.secrets.sent(said.get("form")):
            raise HTTPException(403, "this form is not of this page; open it again")
        return said

    def _waiting(self, question: str, after: int) -> str:
        """Return where the next group with something open is, after one; then from the top."""
        groups, done = self.sheets.groups(question), self.sheets.done(question)
        for number in (*range(after + 1, len(groups) + 1), *range(1, after + 1)):
            members = groups[number - 1].members
            if not all(one.student.id in done for one in members):
                return f"/q/{question}/{number}"
        return "/"

    def _around(self, student: str, question: str) -> Moves:
        """Return the answers before and after one in the order by student."""
        number = self.sheets.number(student)
        asked = [name for name in self.sheets.questions if student in self.sheets.written[name]]
        place = asked.index(question)
        here = f"/student/{number}"
        following = f"{here}/{asked[place + 1]}" if place + 1 < len(asked) else None
        return Moves(
            f"{here}/{asked[place - 1]}" if place else here,
            following or here,
            following or here,
        )

    def _place(self, student: str, question: str) -> str:
        for number, group in enumerate(self.sheets.groups(question), start=1):
            if any(one.student.id == student for one in group.members):
                return f"/q/{question}/{number}"
        return "/"

    async def _question(self, request: Request) -> str:
        """Return the question of an address, once its answers are grouped."""
        question = str(request.path_params["question"])
        if question not in self.sheets.questions:
            raise HTTPException(404)
        with suppress(BrokenProcessPool):  # then `groups` finds equal words only
            await asyncio.wrap_future(self.sheets.compared(question))
        return question

    def _student(self, request: Request) -> str:
        number = int(request.path_params["number"])
        if not 1 <= number <= len(self.sheets.students):
            raise HTTPException(404)
        return self.sheets.students[number - 1]

    def _hand(self, request: Request) -> str:
        """Return whose browser it is: two people may have one name, and undo their own marks."""
        return request.cookies.get(HAND, "")

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
        common = {
            "form": self.secrets.form,
            "who": self._who(request),
            "path": request.url.path,
            "unwritten": self.rendering.problem,
        }
        said = context.get("said")
        more = {} if said is None else {"said": self.people.say(said)}
        answer = HTMLResponse(visible(template.render({**common, **context, **more})), status)
        if HAND not in request.cookies:
            answer.set_cookie(HAND, secrets.token_hex(8), httponly=True, samesite="strict")
        if status != 200:  # an autosave's answer then takes the whole page (htmx)
            answer.headers["HX-Retarget"] = "body"
            answer.headers["HX-Reswap"] = "innerHTML"
        return answer
