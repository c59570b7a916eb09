"""Problems: every refusal and every bad request as RFC 9457 `application/problem+json`, in one shape.

Bugs are not caught here: they crash the request and are logged at the edge.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fenqi.kernel.refusal import Refusal

_ENCODER = msgspec.json.Encoder()
_TITLES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Refused",
    429: "Too many requests",
    503: "Unavailable",
}


def problem_body(status: int, code: str, detail: str = "", **extra: Any) -> bytes:
    """One problem document: type, title, status, code, detail, and what else the refusal carries."""
    body = {
        **extra,
        "type": f"urn:fenqi:problem:{code.lower().replace('_', '-')}",
        "title": _TITLES.get(status, "Problem"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return _ENCODER.encode(body)


def problem(status: int, code: str, detail: str = "", headers: dict[str, str] | None = None, **extra: Any) -> Response:
    """A problem document as a response."""
    return Response(problem_body(status, code, detail, **extra), status, headers, "application/problem+json")


def refusal_problem_body(refusal: Refusal) -> bytes:
    """A refusal as a problem document."""
    return problem_body(refusal.status, refusal.code, refusal.detail, **refusal.extra)


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """The headers that go with a refusal: when to come again, how to sign in, which methods there are."""
    headers = {}
    if "retry_after_s" in refusal.extra:
        headers["Retry-After"] = str(refusal.extra["retry_after_s"])
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.status == 405:
        headers["Allow"] = refusal.extra["allow"]
    return headers


def install(app: FastAPI) -> None:
    """Answer refusals and malformed requests of the API as problems."""

    @app.exception_handler(Refusal)
    async def _refused(_request: Request, refusal: Refusal) -> Response:
        return Response(
            refusal_problem_body(refusal), refusal.status, refusal_headers(refusal), "application/problem+json"
        )

    @app.exception_handler(RequestValidationError)
    async def _malformed(_request: Request, error: RequestValidationError) -> Response:
        errors = [{"at": [str(p) for p in e["loc"]], "message": e["msg"]} for e in error.errors()]
        return problem(422, "REQUEST_MALFORMED", "the request does not have the form this call takes", errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> Response:
        code = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(
            error.status_code, "HTTP_ERROR"
        )
        return problem(error.status_code, code, str(error.detail), dict(error.headers or {}) or None)
