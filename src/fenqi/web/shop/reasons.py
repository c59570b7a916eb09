"""The dictionary of reasons, for everybody: every code with its meaning, who can fix it and what can be done.

Public and complete: what a code means in general says nothing of any case. How openly each is told is said, too.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi import texts
from fenqi.cashier.disclosure import public_code
from fenqi.kernel.reason import CODES
from fenqi.texts import Audience, Locale, dictionary, published
from fenqi.web.page import Visit, Who, get


async def page(visit: Visit) -> Response:
    """GET /reasons: with script it can be filtered, without it has anchors."""
    return visit.render(
        "shop/reasons.html",
        groups=_groups(visit.locale),
        version=published.version(),
        count=len(CODES),
        route_label=lambda kind: texts.render_route(kind, None, None, visit.locale).label,
    )


@cache
def _groups(locale: Locale) -> list[tuple[str, list[dict[str, Any]]]]:
    """The codes by group in order of precedence, in one language."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for meta in CODES.values():
        found = dictionary.entry(meta)
        told = public_code(meta.code, Audience.BUYER)
        groups.setdefault(meta.group, []).append(
            {name: found[name] for name in ("code", "fixer", "disclosure", "twin", "layer", "remedies", "routes")}
            | {name: found[name][str(locale)] for name in ("title", "meaning", "buyer")}
            | {"is_told": told == meta.code}
        )
    return list(groups.items())


async def as_json(request: Request) -> Response:
    """GET /reasons.json: the same for programs, with its version."""
    return Response(
        published.as_json(), media_type="application/json", headers={"Cache-Control": "public, max-age=3600"}
    )


ROUTES = [get("/reasons", page, Who.ANYONE), Route("/reasons.json", as_json, methods=["GET"], include_in_schema=False)]
