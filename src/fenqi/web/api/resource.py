"""API routes: a typed body in, a typed answer out, described in the OpenAPI by the very types that are decoded.

One idiom for hot and cold routes alike: msgspec decodes the body into the struct that the flow takes, and encodes the
struct that it returns, so that a field lives in one place (docs/decisions/0010-msgspec-routes.md).
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi.flows.context import Context
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.texts import Locale, negotiate
from fenqi.web import api as web_api
from fenqi.web.api.actor import Actor, authenticate
from fenqi.web.api.problem import problem, refusal_problem

MAX_BODY_BYTES = 256 * 1024
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty body."""


@dataclass(slots=True)
class Call:
    """One request as a handler sees it: who asks, the decoded body, the path's values and the key."""

    context: Context
    actor: Actor
    body: Any
    path: dict[str, str]
    query: dict[str, str]
    key: str | None = None
    raw: bytes = b""
    address: str = ""
    locale: Locale = Locale.ZH_CN

    def id(self, name: str) -> UUID:
        """The path's id of this name; what is no id is not found."""
        found = parse_id(self.path[name])
        if found is None:
            raise NotFound("NOT_FOUND", f"no {name} {self.path[name]!r}")
        return found


class Answered(msgspec.Struct, frozen=True):
    """An answer with a status or headers of its own."""

    body: Any
    status: int = 200
    headers: dict[str, str] = {}


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class Resource:
    """One operation of the API: its route, its types and its words for the OpenAPI."""

    method: str
    path: str
    handler: Handler
    body: type[Any] | None
    answer: Any
    who: tuple[str, ...]
    keyed: bool
    max_body_bytes: int
    problems: tuple[int, ...] = field(default=())
    query: tuple[str, ...] = ()


RESOURCES: list[Resource] = []


def resource(
    method: str,
    path: str,
    *,
    body: type[Any] | None = None,
    answer: Any = None,
    who: tuple[str, ...] = ("consumer",),
    keyed: bool = False,
    max_body_bytes: int = MAX_BODY_BYTES,
    problems: tuple[int, ...] = (),
    query: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare an operation. `who` names the kinds of actor that may call it; empty: anyone. `keyed` requires an
    `Idempotency-Key` header."""

    def declare(handler: Handler) -> Handler:
        RESOURCES.append(
            Resource(method, path, handler, body, answer, who, keyed, max_body_bytes, problems, query),
        )
        return handler

    return declare


def load() -> None:
    """Import every file of the API, so that its resources are declared."""
    for module in pkgutil.iter_modules(web_api.__path__):
        importlib.import_module(f"{web_api.__name__}.{module.name}")


def routes() -> list[Route]:
    """Every declared operation as a Starlette route."""
    return [Route(r.path, _endpoint(r), methods=[r.method], include_in_schema=False) for r in RESOURCES]


def body_hash(raw: bytes) -> bytes:
    """What an idempotency key stands for: the SHA-256 of the body."""
    return hashlib.sha256(raw).digest()


def _endpoint(declared: Resource) -> Callable[[Request], Awaitable[Response]]:
    decoder = None if declared.body is None else msgspec.json.Decoder(declared.body)

    async def endpoint(request: Request) -> Response:
        try:
            call = await _call(request, declared, decoder)
            result = await declared.handler(call)
        except Refusal as refusal:
            return refusal_problem(refusal)
        except msgspec.ValidationError as error:
            return problem(422, "REQUEST_MALFORMED", str(error))
        except msgspec.DecodeError as error:
            return problem(400, "JSON_MALFORMED", str(error))
        if isinstance(result, Response):
            return result
        if isinstance(result, Answered):
            return _json(result.body, result.status, result.headers)
        return _json(result, 200, None)

    return endpoint


def _json(body: Any, status: int, headers: dict[str, str] | None) -> Response:
    return Response(b"" if body is None else _ENCODER.encode(body), status, headers, "application/json")


async def _call(request: Request, declared: Resource, decoder: msgspec.json.Decoder[Any] | None) -> Call:
    context: Context = request.app.state.context
    actor = await authenticate(context, request, declared.who)
    raw, body = b"", None
    if decoder is not None:
        raw = await _read(request, declared.max_body_bytes)
        body = decoder.decode(raw or b"{}")
    key = request.headers.get("idempotency-key")
    if declared.keyed:
        key = _checked_key(key)
    address = request.client.host if request.client is not None else ""
    locale = negotiate(request.headers.get("accept-language", ""))
    return Call(context, actor, body, request.path_params, dict(request.query_params), key, raw, address, locale)


def _checked_key(key: str | None) -> str:
    if key is None:
        raise _bad_request("IDEMPOTENCY_KEY_MISSING", "this call needs an Idempotency-Key header")
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise _bad_request("IDEMPOTENCY_KEY_INVALID", "an idempotency key has 1 to 255 printable ASCII characters")
    return key


def _bad_request(code: str, detail: str) -> Refusal:
    refusal = Refusal(code, detail)
    refusal.status = 400
    return refusal


async def _read(request: Request, most_bytes: int) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > most_bytes:
        raise _too_large(most_bytes)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most_bytes: int) -> Refusal:
    refusal = Refusal("BODY_TOO_LARGE", f"at most {most_bytes} bytes")
    refusal.status = 413
    return refusal
