"""API operations: a typed body in, a typed answer out, described in the OpenAPI by the very types that are decoded.

One idiom for hot and cold routes alike: msgspec decodes the body into the struct that the flow takes, and encodes the
struct that it returns, so that a field lives in one place (docs/decisions/0030-msgspec-routes.md).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device
from fenqi.kernel.ids import id_for, parse_id
from fenqi.kernel.refusal import NotFound
from fenqi.texts import Locale
from fenqi.web import api as web_api
from fenqi.web.api.actor import Actor

MAX_BODY_BYTES = 256 * 1024


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty body."""


@dataclass(slots=True)
class Call:
    """One request as a handler sees it: who asks, the decoded body, the path's values and the key."""

    context: Context
    actor: Actor
    body: Any
    path: Mapping[str, str]
    query: Mapping[str, str]
    key: str = ""
    address: str = ""
    locale: Locale = Locale.ZH_CN
    device: Device = USUAL
    """What the client's `Fenqi-Device` header declares."""

    def id(self, name: str) -> UUID:
        """The path's id of this name; what is no id is not found."""
        found = parse_id(self.path[name])
        if found is None:
            raise NotFound("NOT_FOUND", f"no {name} {self.path[name][:80]!r}")
        return found

    def id_of_key(self, verb: str) -> UUID:
        """The id of what this keyed call makes: the same at each repeat, and never that of somebody else's."""
        assert self.key, "a keyed call has its key"
        return id_for(self.actor.owner_id, verb, self.key)


class Answered(msgspec.Struct, frozen=True):
    """An answer with a status of its own, which the resource names in `also`."""

    body: Any
    status: int = 200


class Download(msgspec.Struct, frozen=True):
    """An answer that is a file, for whoever asks to keep: its name and its bytes."""

    name: str
    body: bytes


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class Resource:
    """One operation of the API: its route, its types and its words for the OpenAPI."""

    method: str
    path: str
    handler: Handler
    body: Any
    answer: Any
    who: tuple[str, ...]
    keyed: bool
    keeps_answers: bool
    max_body_bytes: int
    problems: tuple[int, ...] = field(default=())
    query: tuple[str, ...] = ()
    also: Mapping[int, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()


RESOURCES: list[Resource] = []


def resource(
    method: str,
    path: str,
    *,
    body: Any = None,
    answer: Any = None,
    who: tuple[str, ...] = ("consumer",),
    keyed: bool = False,
    keeps_answers: bool = False,
    max_body_bytes: int = MAX_BODY_BYTES,
    problems: tuple[int, ...] = (),
    query: tuple[str, ...] = (),
    also: Mapping[int, str] | None = None,
    scopes: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare an operation. `who` names the kinds of actor that may call it; empty: anyone.

    `keyed` requires an `Idempotency-Key` header, and the edge answers a repeat; with `keeps_answers` the handler does
    so itself. `also` are statuses beside 200 that carry the answer, with their meaning. `scopes` are what a merchant's
    key must carry, every one of them.
    """
    assert scopes or "merchant" not in who, f"{method} {path} is for merchants: say which scopes it takes"

    def declare(handler: Handler) -> Handler:
        RESOURCES.append(
            Resource(
                method,
                path,
                handler,
                body,
                answer,
                who,
                keyed,
                keeps_answers,
                max_body_bytes,
                problems,
                query,
                also or {},
                tuple(map(str, scopes)),
            )
        )
        return handler

    return declare


def load() -> list[Resource]:
    """Every operation, after importing every file of the API."""
    for module in pkgutil.iter_modules(web_api.__path__):
        importlib.import_module(f"{web_api.__name__}.{module.name}")
    return RESOURCES
