"""The edge of the API: finds the operation, knows the caller, decodes, and answers; refusals become problems.

Raw ASGI, because paying and quoting pay for every layer here: no request object, no middleware, one look-up a route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from fenqi.database.idempotency import Answer, Attempt, repeatable
from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, parse
from fenqi.kernel.refusal import Refusal
from fenqi.texts import negotiate
from fenqi.web.api.actor import authenticate
from fenqi.web.api.problem import refusal_headers, refusal_problem_body
from fenqi.web.api.resource import Answered, Call, Download, Resource

PREFIX = "/v1/"
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_HEADERS = frozenset({b"authorization", b"idempotency-key", b"accept-language", b"content-length", b"fenqi-device"})
_locale = lru_cache(maxsize=512)(negotiate)


class Reply(NamedTuple):
    """What goes out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    is_file: bool = False


class Gone(Exception):
    """The client hung up before its body was here."""


class Operation:
    """A declared resource with its decoder."""

    def __init__(self, declared: Resource) -> None:
        self.declared = declared
        self.decoder = None if declared.body is None else msgspec.json.Decoder(declared.body)
        self.is_kept = declared.keyed and not declared.keeps_answers


class Pattern(NamedTuple):
    """A path with names in it."""

    regex: re.Pattern[str]
    operations: dict[str, Operation]


class ApiRoute(BaseRoute):
    """Every operation of the API as one route, so that none pays for those declared before it."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._fixed: dict[str, dict[str, Operation]] = {}
        self._patterns: dict[str, dict[str, Pattern]] = {}
        for declared in resources:
            self._add(declared)

    def _add(self, declared: Resource) -> None:
        if "{" not in declared.path:
            operations = self._fixed.setdefault(declared.path, {})
        else:
            regex = re.compile("".join(_piece(text) for text in re.split(r"(\{\w+\})", declared.path)))
            group = self._patterns.setdefault(_head(declared.path), {})
            operations = group.setdefault(regex.pattern, Pattern(regex, {})).operations
        assert declared.method not in operations, f"{declared.method} {declared.path} is declared twice"
        operations[declared.method] = Operation(declared)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Everything under the API's prefix, known or not."""
        ours = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            reply = await self._reply(scope, receive)
        except Gone:
            return
        kind = b"application/json" if reply.status < 400 or reply.status == 402 else b"application/problem+json"
        headers = [
            (b"content-type", b"application/octet-stream" if reply.is_file else kind),
            (b"content-length", str(len(reply.body)).encode()),
            (b"cache-control", b"no-store"),
            *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        try:
            operation, path = self._find(scope["method"], scope["path"])
            return await _answer(operation, path, scope, receive)
        except Refusal as refusal:
            return _refused(refusal)
        except msgspec.ValidationError as error:
            return _refused(Refusal("REQUEST_MALFORMED", str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _refused(_refusal(400, "JSON_MALFORMED", str(error)))

    def _find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        """The operation for a method and path; refuses NOT_FOUND and METHOD_NOT_ALLOWED."""
        operations, values = self._fixed.get(path), {}
        if operations is None:
            for pattern in self._patterns.get(_head(path), {}).values():
                if found := pattern.regex.fullmatch(path):
                    operations, values = pattern.operations, found.groupdict()
                    break
        if operations is None:
            raise _refusal(404, "NOT_FOUND", "no such resource")
        operation = operations.get("GET" if method == "HEAD" else method)
        if operation is None:
            allowed = ", ".join(sorted(operations))
            raise _refusal(405, "METHOD_NOT_ALLOWED", f"this resource takes {allowed}", allow=allowed)
        return operation, values


class ApiFirst:
    """Middleware that hands the API its requests at once, past what only pages need."""

    def __init__(self, app: ASGIApp, route: ApiRoute) -> None:
        self._app, self._route = app, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is the API's; pass on the rest."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._route.handle(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _piece(text: str) -> str:
    return rf"(?P<{text[1:-1]}>[^/:]+)" if text.startswith("{") else re.escape(text)


def _head(path: str) -> str:
    """The word after the prefix: "/v1/orders/{order}:close" → "orders"."""
    return re.split("[/:]", path[len(PREFIX) :], maxsplit=1)[0]


async def _answer(operation: Operation, path: Mapping[str, str], scope: Scope, receive: Receive) -> Reply:
    declared, context = operation.declared, scope["app"].state.context
    headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _HEADERS}
    actor = await authenticate(context, headers.get(b"authorization", ""), declared.who)
    actor.require_scopes(declared.scopes)
    key = _checked_key(headers.get(b"idempotency-key")) if declared.keyed else ""
    raw, body = b"", None
    if operation.decoder is not None:
        raw = await _read(receive, headers.get(b"content-length"), declared.max_body_bytes)
        body = operation.decoder.decode(_without_nul(raw) or b"{}")
    query = _query(scope["query_string"], declared.query) if scope["query_string"] else {}
    address = scope["client"][0] if scope.get("client") else ""
    locale = _locale(headers.get(b"accept-language", ""))
    device = parse(headers[b"fenqi-device"]) if b"fenqi-device" in headers else USUAL
    call = Call(context, actor, body, path, query, key, address, locale, device)
    if operation.is_kept:
        verb = f"{declared.method} {scope['path']}"
        return await _kept(context, Attempt.of(actor.owner_id, key, verb, raw), declared, call)
    return _said(await declared.handler(call))


async def _kept(context: Context, attempt: Attempt, declared: Resource, call: Call) -> Reply:
    """A keyed call: what was answered first, refusals included, is answered to every repeat, byte for byte."""

    async def work() -> Answer:
        try:
            reply = _said(await declared.handler(call))
        except Refusal as refusal:
            if "retry_after_s" in refusal.extra:
                raise
            reply = _refused(refusal)
        return Answer(reply.status, reply.body)

    answer = await repeatable(context.database, attempt, context.now(), work)
    return Reply(answer.status, answer.body)


def _said(result: Any) -> Reply:
    if isinstance(result, Answered):
        return Reply(result.status, _ENCODER.encode(result.body))
    if isinstance(result, Download):
        return Reply(200, result.body, {"content-disposition": f'attachment; filename="{result.name}"'}, True)
    return Reply(200, _ENCODER.encode(result))


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.status, refusal_problem_body(refusal), refusal_headers(refusal))


def _refusal(status: int, code: str, detail: str, **extra: Any) -> Refusal:
    refusal = Refusal(code, detail, **extra)
    refusal.status = status
    return refusal


def _checked_key(key: str | None) -> str:
    if key is None:
        raise _refusal(400, "IDEMPOTENCY_KEY_MISSING", "this call needs an Idempotency-Key header")
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise _refusal(400, "IDEMPOTENCY_KEY_INVALID", "an idempotency key has 1 to 255 printable ASCII characters")
    return key


def _query(raw: bytes, known: tuple[str, ...]) -> dict[str, str]:
    """The query's values; like a body it may have no other names than the operation's."""
    query = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
    unknown = [name for name in query if name not in known]
    if unknown:
        raise Refusal("REQUEST_MALFORMED", f"unknown query parameter {unknown[0][:80]!r}")
    if any("\0" in value for value in query.values()):
        raise Refusal("REQUEST_MALFORMED", "text has no NUL characters")
    return query


def _without_nul(raw: bytes) -> bytes:
    """The body itself; refuses text that no database column can hold."""
    if b"\\u0000" in raw and _NUL.search(raw):
        raise Refusal("REQUEST_MALFORMED", "text has no NUL characters")
    return raw


async def _read(receive: Receive, length: str | None, most_bytes: int) -> bytes:
    """The body, refused as soon as it is known to be too large."""
    if length is not None and length.isdecimal() and int(length) > most_bytes:
        raise _too_large(most_bytes)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(most_bytes: int) -> Refusal:
    return _refusal(413, "BODY_TOO_LARGE", f"at most {most_bytes} bytes")
