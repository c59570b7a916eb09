"""The machinery of pages: routes, the visit that a handler gets, rendering, refusals as pages, headers.

A page is one file with its handlers and its `ROUTES`; a handler takes a `Visit` and answers with `visit.render(...)`
or `visit.redirect(...)` (Post/Redirect/Get). How to add one: docs/howto/add-a-page.md.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device
from fenqi.kernel.by import By
from fenqi.kernel.ids import id_for, new_id, parse_id
from fenqi.kernel.refusal import Forbidden, NotFound, Refusal
from fenqi.texts import Locale, refusal
from fenqi.web import csrf, session
from fenqi.web.form import Form, read_form
from fenqi.web.locale import local_path, locale_of, switch_path
from fenqi.web.template import environment
from fenqi.web.upload import Sent, read_upload

_log = logging.getLogger(__name__)
_YEAR_S = 365 * 86_400

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Who(StrEnum):
    """Who may open a page."""

    ANYONE = "anyone"
    CONSUMER = "consumer"
    STAFF = "staff"


class Said(NamedTuple):
    """A refusal in the reader's words."""

    title: str
    sentence: str


@dataclass(slots=True)
class Visit:
    """One request as a page sees it: who asks, in which language, with which form; and the ways to answer."""

    request: Request
    context: Context
    locale: Locale
    visitor: str
    consumer: session.Consumer | None = None
    staff: session.Staff | None = None
    form: Form = field(default_factory=lambda: Form([]))
    files: list[Sent] = field(default_factory=list)
    """What was sent along, on pages that take files."""
    cookies: list[session.Cookie] = field(default_factory=list)

    @property
    def consumer_id(self) -> UUID:
        """The signed-in consumer's id; only in pages for consumers."""
        assert self.consumer is not None
        return self.consumer.consumer_id

    @property
    def session_token(self) -> str:
        """The token of the session in use, or ""."""
        signed_in = self.staff if is_console(self.request) else self.consumer
        return signed_in.token if signed_in is not None else ""

    def by(self, why: str) -> By:
        """Who does something from this page now, and why."""
        actor = self.staff.member.actor if self.staff is not None else f"consumer:{self.consumer_id}"
        return By(actor, why, self.context.now())

    def id(self, name: str) -> UUID:
        """The id in the path; what is none is not found."""
        found = parse_id(self.request.path_params[name])
        if found is None:
            raise NotFound("NOT_FOUND", f"no {name} {self.request.path_params[name]!r}")
        return found

    def key(self, name: str, verb: str) -> UUID:
        """The id that the form's idempotency key stands for: this consumer's own, whatever the form says."""
        return id_for(self.consumer_id, verb, str(self.form.id(name)))

    def query(self, name: str, most: int = 100) -> str:
        """A query parameter, trimmed and cut to `most` characters, or ""."""
        return self.request.query_params.get(name, "").replace("\0", "").strip()[:most]

    @property
    def address(self) -> str:
        """Where the request comes from, for throttling."""
        return self.request.client.host if self.request.client is not None else "unknown"

    @property
    def device(self) -> str:
        """What the browser calls itself."""
        return self.request.headers.get("user-agent", "")[:200]

    @property
    def declared(self) -> Device:
        """The device for risk: the browser, by its cookie. In the demo whoever you are sits at their own usual one."""
        return USUAL if self.context.settings.demo else Device(self.visitor)

    def error(self, no: Refusal | None) -> Said | None:
        """A refusal in words, for the page on which it is to be put right."""
        return None if no is None else Said(*refusal(no.code, self.locale, no.extra))

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page from its template and values."""
        return HTMLResponse(environment(self.locale).get_template(template).render(**self._frame(), **values), status)

    def redirect(self, path: str, **query: str) -> Response:
        """Answer a form: go to `path` on this site."""
        target = local_path(path)
        if query:
            target += ("&" if "?" in target else "?") + urlencode(query)
        return RedirectResponse(target, 303)

    def back(self, otherwise: str = "/") -> str:
        """The page that the form says it came from."""
        return local_path(self.form.text("back"), otherwise)

    def _frame(self) -> dict[str, Any]:
        """What every template has at hand."""
        return {
            "visit": self,
            "locale": self.locale,
            "path": self.request.url.path,
            "switch_path": switch_path(self.request, self.locale),
            "csrf": csrf.token(self.context.settings.secret, self.visitor, self.session_token),
            "new_key": new_id,
            "notice": self.query("notice", 40),
            "demo": self.context.settings.demo,
            "now": self.context.now(),
        }


Handler = Callable[[Visit], Awaitable[Response]]


def get(path: str, handler: Handler, who: Who = Who.ANYONE) -> Route:
    """A page that is looked at."""
    return Route(path, _endpoint(handler, who), methods=["GET"], include_in_schema=False)


def post(path: str, handler: Handler, who: Who = Who.CONSUMER, *, takes_files: bool = False) -> Route:
    """A form's target: the token is checked before the handler runs."""
    return Route(path, _endpoint(handler, who, takes_files), methods=["POST"], include_in_schema=False)


def is_console(request: Request) -> bool:
    """Whether the request is for the staff's side."""
    return request.url.path == "/console" or request.url.path.startswith("/console/")


def _endpoint(handler: Handler, who: Who, takes_files: bool = False) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = await open_visit(request)
        try:
            response = _turned_away(visit, who) or await _answer(visit, handler, takes_files)
        except Refusal as no:
            response = refused(visit, no)
        return finish(visit, response)

    return endpoint


async def open_visit(request: Request) -> Visit:
    """The visit of a request, with whoever its cookies say is signed in."""
    context: Context = request.app.state.context
    visit = Visit(request, context, locale_of(request), csrf.visitor_of(request))
    if is_console(request):
        visit.staff = await session.staff_of(context, request)
    else:
        visit.consumer = await session.consumer_of(context, request)
    return visit


async def _answer(visit: Visit, handler: Handler, takes_files: bool) -> Response:
    if visit.request.method == "POST":
        if takes_files:
            visit.form, visit.files = await read_upload(visit.request)
        else:
            visit.form = await read_form(visit.request)
        csrf.check(visit.request, visit.context.settings.secret, visit.session_token, visit.form.text(csrf.FIELD))
    return await handler(visit)


def _turned_away(visit: Visit, who: Who) -> Response | None:
    if who is Who.CONSUMER and visit.consumer is None:
        return visit.redirect(f"/sign-in?next={quote(_return_path(visit), safe='')}")
    if who is Who.STAFF and visit.staff is None:
        return visit.redirect(f"/console/sign-in?next={quote(_return_path(visit), safe='')}")
    return None


def _return_path(visit: Visit) -> str:
    """Where to go after signing in: this page, or the one that a form was on."""
    url = visit.request.url
    if visit.request.method == "GET":
        return url.path + (f"?{url.query}" if url.query else "")
    referer = visit.request.headers.get("referer", "")
    origin = f"{url.scheme}://{url.netloc}"
    return local_path(referer.removeprefix(origin)) if referer.startswith(origin + "/") else "/"


def refused(visit: Visit, no: Refusal) -> Response:
    """A refusal as a page: what can't be done, and the way on."""
    title, sentence = refusal(no.code, visit.locale, no.extra)
    if isinstance(no, Forbidden) and no.code == "FORM_FORGED":
        _log.warning("a form without the right token for %s", visit.request.url.path)
    template = "console/error.html" if is_console(visit.request) else "shop/error.html"
    return visit.render(template, no.status, title=title, sentence=sentence, code=no.code, http_status=no.status)


def finish(visit: Visit, response: Response) -> Response:
    """The answer with its headers, and the cookies that this visit set."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    secure = visit.context.settings.secure_cookies
    if visit.request.cookies.get(csrf.VISITOR_COOKIE) != visit.visitor:
        visit.cookies.append(session.Cookie(csrf.VISITOR_COOKIE, visit.visitor, _YEAR_S))
    for cookie in visit.cookies:
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.max_age_s,
            path=cookie.path,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
    return response
