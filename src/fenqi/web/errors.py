"""Errors as pages: unknown addresses and wrong methods outside the API, and the one for our own mistakes."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.web.page import finish, open_visit, refused

_log = logging.getLogger(__name__)
_API = ("/v1/", "/openapi.json", "/hooks/")


def install(app: FastAPI) -> None:
    """Answer what no page answers with a page, for whatever is not the API's, and bugs too (they are logged first)."""
    inner: Any = app.exception_handlers.get(HTTPException)

    async def unanswered(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if request.url.path.startswith(_API) and inner is not None:
            response: Response = await inner(request, error)
            return response
        visit = await open_visit(request)
        code = {405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "NOT_FOUND")
        no = NotFound(code, "no such page")
        no.status = error.status_code
        return finish(visit, refused(visit, no))

    async def broken(request: Request, error: Exception) -> Response:
        _log.error("a request broke", exc_info=error)
        if request.url.path.startswith(_API):
            return Response(status_code=500)
        visit = await open_visit(request)
        no = Refusal("INTERNAL", "our mistake")
        no.status = 500
        return finish(visit, refused(visit, no))

    app.add_exception_handler(HTTPException, unanswered)
    app.add_exception_handler(Exception, broken)
