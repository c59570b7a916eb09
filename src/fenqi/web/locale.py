"""The language of a page: the reader's choice in a cookie, else what the browser asks for, else Chinese.

The switch in the head is a plain link to `/locale/<language>`, which sets the cookie and goes back to the page.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fenqi.texts import Locale, negotiate

COOKIE = "fenqi_locale"
_YEAR_S = 365 * 86_400


def locale_of(request: Request) -> Locale:
    """The language to answer this request in."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in (Locale.ZH_CN, Locale.EN):
        return Locale(chosen)
    return negotiate(request.headers.get("accept-language", ""))


def local_path(target: str, otherwise: str = "/") -> str:
    """`target` when it is a path on this site, `otherwise` for anything that would lead elsewhere."""
    parts = urlsplit(target)
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_local and "\n" not in target and "\r" not in target else otherwise


def switch_path(request: Request, locale: Locale) -> str:
    """The link that shows the present page in the other language."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/locale/{locale.other}?next={quote(here if request.method == 'GET' else '/', safe='/')}"


async def switch(request: Request) -> Response:
    """GET /locale/{language}: remember the choice, go back."""
    response = RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
    chosen = request.path_params["language"]
    if chosen in (Locale.ZH_CN, Locale.EN):
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="lax")
    return response
