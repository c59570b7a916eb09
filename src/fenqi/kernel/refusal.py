"""Refusals: what fenqi will not do, as typed values with a stable code. Bugs crash, refusals are answered.

Drawn as a tree::

    Refusal                     the caller asked for something that can't be done (HTTP 4xx)
    ├── NotFound                no such thing, or it belongs to somebody else (404)
    ├── Forbidden               known, but not allowed for this actor (403)
    ├── Conflict                the state has moved on, or the key is in use (409)
    └── Stale                   what was read has changed; read again (409)
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A typed no. `code` is stable and documented, `detail` is for people, `extra` is machine-readable."""

    status = 422

    def __init__(self, code: str, detail: str = "", **extra: Any) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.extra = extra


class NotFound(Refusal):
    """No such thing for this caller; things of other people look the same."""

    status = 404


class Forbidden(Refusal):
    """The caller is known but may not do this."""

    status = 403


class Conflict(Refusal):
    """The thing is in a state that rules this out, or the idempotency key carries another body."""

    status = 409


class Stale(Conflict):
    """What the caller had read has changed since; reading again and deciding anew is the way on."""
