"""Forgery protection of forms: a token that only a page of ours, read with this browser's own cookies, can carry.

The token is an HMAC over the visitor cookie and the session cookie, so that signing in or out makes old forms invalid;
beside it the `Origin` header, when the browser sends one, must be ours.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request

from fenqi.kernel.refusal import Forbidden

FIELD = "csrf"
VISITOR_COOKIE = "fenqi_visitor"


def visitor_of(request: Request) -> str:
    """The visitor's random mark from the cookie, or a new one, which the answer must set."""
    known = request.cookies.get(VISITOR_COOKIE, "")
    return known if 20 <= len(known) <= 64 else secrets.token_urlsafe(24)


def token(key: bytes, visitor: str, session: str) -> str:
    """The token for a page shown to this visitor under this session (empty when nobody is signed in)."""
    return hmac.new(key, f"csrf\0{visitor}\0{session}".encode(), sha256).hexdigest()


def check(request: Request, key: bytes, session: str, given: str) -> None:
    """Refuse (Forbidden, FORM_FORGED) a form without the right token, or sent from another site's page."""
    origin = request.headers.get("origin")
    if origin is not None and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("FORM_FORGED", "the form was sent from another site")
    visitor = request.cookies.get(VISITOR_COOKIE, "")
    if not visitor or not hmac.compare_digest(token(key, visitor, session).encode(), given.encode()):
        raise Forbidden("FORM_FORGED", "the form is out of date or was not made by this site")
