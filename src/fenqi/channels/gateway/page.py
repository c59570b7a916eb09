"""How the gateways' pages are made: the reader's language, the templates with its texts bound in, the one style sheet.

No script, nothing from elsewhere: the content security policy says so to the browser.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fenqi.channels.gateway.house import beijing
from fenqi.channels.gateway.words import WORDS, Language, say

_COOKIE = "gateway_language"
_STYLE = Path(__file__).parent / "static" / "gateway.css"
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}


def language_of(request: Request) -> Language:
    """?lang=zh or en, else what was chosen last, else what the browser asks for first, else Chinese."""
    for said in (request.query_params.get("lang"), request.cookies.get(_COOKIE)):
        if said in ("zh", "en"):
            return "zh" if said == "zh" else "en"
    for part in request.headers.get("accept-language", "").lower().split(","):
        if part.strip().startswith(("zh", "en")):
            return "zh" if part.strip().startswith("zh") else "en"
    return "zh"


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page in the reader's language."""
    language = language_of(request)
    other = "en" if language == "zh" else "zh"
    switch = "?" + urlencode({**request.query_params, "lang": other})
    html = _environment(language).get_template(template).render(lang=language, switch=switch, other=other, **values)
    response = HTMLResponse(html, status, headers=_HEADERS)
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(_COOKIE, language, max_age=31_536_000, httponly=True, samesite="lax")
    return response


def yuan(amount_minor: int, currency: str = "CNY") -> str:
    """An amount as people read it: ¥1,234.50."""
    sign, (whole, fen) = "-" if amount_minor < 0 else "", divmod(abs(amount_minor), 100)
    return f"{sign}{'¥' if currency == 'CNY' else currency + ' '}{whole:,}.{fen:02d}"


def moment(at: datetime) -> str:
    """An instant in Beijing's time, to the second."""
    return beijing(at, "%Y-%m-%d %H:%M:%S")


def own(thing: Any, name: str, language: Language) -> str:
    """The field of a thing that is kept as `name_zh` and `name_en` (or `zh` and `en` for an empty name)."""
    text: str = getattr(thing, f"{name}_{language}" if name else language)
    return text


@cache
def style_mark() -> str:
    """A mark of the style sheet's content, so that it may be cached for ever."""
    return hashlib.sha256(_STYLE.read_bytes()).hexdigest()[:10]


@cache
def _environment(language: Language) -> Environment:
    env = Environment(
        loader=PackageLoader("fenqi.channels.gateway"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    env.filters.update(yuan=yuan, moment=moment, own=lambda thing, name="": own(thing, name, language))
    env.globals.update(t=partial(say, language=language), style=style_mark(), has=lambda key: key in WORDS)
    return env


async def _style(request: Request) -> Response:
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(_STYLE.read_bytes(), media_type="text/css", headers=headers)


def routes() -> list[Route]:
    """The style sheet."""
    return [Route("/gateway.css", _style)]


def form_of(raw: Mapping[str, Any]) -> dict[str, str]:
    """A posted form's text fields."""
    return {name: value.strip() for name, value in raw.items() if isinstance(value, str)}
