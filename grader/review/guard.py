"""Who may ask: this machine, with the token of the start page, from a page of ours.

A page of another site in the same browser can reach 127.0.0.1; it knows neither the token nor the
forms' own one, and the cookie does not travel with its requests (OWASP, Cross-Site Request Forgery
Prevention; DNS rebinding is what the check of `Host` is for).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Secrets:
    """Of one start of the server.

    Attributes:
        token: what the address of the start page carries.
        cookie: what a browser carries that came by that address.
        form: what every form of ours carries.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def form(self) -> str:
        return self._derived(b"form")

    @property
    def cookie(self) -> str:
        """What a browser carries: other servers on this machine get it too, and it opens less."""
        return self._derived(b"cookie")

    def _derived(self, use: bytes) -> str:
        return hmac.new(self.token.encode(), use, hashlib.sha256).hexdigest()

    def knows(self, said: str | None) -> bool:
        """Whether this is the token."""
        return said is not None and hmac.compare_digest(said.encode(), self.token.encode())

    def came_in(self, said: str | None) -> bool:
        """Whether a browser came by the start address."""
        return said is not None and hmac.compare_digest(said.encode(), self.cookie.encode())

    def sent(self, said: object) -> bool:
        """Whether a form of ours was sent."""
        return isinstance(said, str) and hmac.compare_digest(said.encode(), self.form.encode())


class Guard(BaseHTTPMiddleware):
    """Lets through what may ask, and says on every answer what a page of ours may do.

    Args:
        hosts: the names and port by which this server may be called.
    """

    def __init__(self, app: ASGIApp, secret: Secrets, hosts: frozenset[str]) -> None:
        super().__init__(app)
        self._secret, self._hosts = secret, hosts
        port = next(iter(hosts)).rpartition(":")[2]
        self._cookie = f"grader-review-{port}"  # cookies do not know ports; two classes may be open

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer a request, or refuse it."""
        response = self._refusal(request) or await call_next(request)
        response.headers.update(HEADERS)
        return response

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self._hosts:
            return PlainTextResponse("this server answers on 127.0.0.1 only", 421)
        origin = request.headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return PlainTextResponse("asked from another page; open the start page again", 403)
        if request.url.path == "/" and self._secret.knows(request.query_params.get("token")):
            welcome = RedirectResponse("/", 303)
            welcome.set_cookie(self._cookie, self._secret.cookie, httponly=True, samesite="strict")
            return welcome
        if not self._secret.came_in(request.cookies.get(self._cookie)):
            said = "open the address that `grader review` printed; it carries the token"
            return PlainTextResponse(said, 403, {"HX-Retarget": "body", "HX-Reswap": "innerHTML"})
        return None
