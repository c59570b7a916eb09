"""Who calls the API: a consumer by access token, a merchant by API key, staff by session token. Each sees their own."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import customer, merchant, staff
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Forbidden, Refusal


class Actor(msgspec.Struct, frozen=True):
    """The caller: `kind` is consumer | merchant | staff | anyone."""

    kind: str
    id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    token: str = ""

    @property
    def staff_id(self) -> UUID:
        """The id of the member of staff; only for staff."""
        assert self.kind == "staff" and self.id is not None
        return self.id

    @property
    def merchant_id(self) -> UUID:
        """The merchant's id; only for merchants."""
        assert self.kind == "merchant" and self.id is not None
        return self.id

    @property
    def consumer_id(self) -> UUID:
        """The consumer's id; only for consumers."""
        assert self.kind == "consumer" and self.id is not None
        return self.id

    @property
    def owner_id(self) -> UUID:
        """Whose keys and things a call is about: the consumer's, the merchant's or the member of staff's id."""
        assert self.kind in ("consumer", "merchant", "staff") and self.id is not None
        return self.id

    def require(self, role: str) -> None:
        """Refuse with FORBIDDEN a member of staff without this role."""
        if role not in self.scopes:
            raise Forbidden("FORBIDDEN", f"this call needs {role!r}")

    def require_scopes(self, scopes: tuple[str, ...]) -> None:
        """Refuse with SCOPE_MISSING a merchant's key that lacks one of these, and name it."""
        if self.kind != "merchant":
            return
        for scope in scopes:
            if scope not in self.scopes:
                raise Forbidden("SCOPE_MISSING", f"this call needs a key with the scope {scope!r}", scope=scope)

    @property
    def name(self) -> str:
        """As histories keep it: "consumer:<id>"."""
        return f"{self.kind}:{self.id}"


ANYONE = Actor("anyone")


class Unauthenticated(Refusal):
    """No credentials, or none that hold."""

    status = 401


async def authenticate(ctx: Context, authorization: str, who: tuple[str, ...]) -> Actor:
    """The actor behind an `Authorization: Bearer` header; refuses kinds that the operation is not for.

    A consumer's token says by itself who they are; keys of merchants and sessions of staff are looked up.
    """
    if not who:
        return ANYONE
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("UNAUTHENTICATED", "this call needs an Authorization: Bearer header")
    actor = await _identify(ctx, token)
    if actor.kind not in who:
        raise Forbidden("FORBIDDEN", f"this call is for {' or '.join(who)}")
    return actor


async def _identify(ctx: Context, token: str) -> Actor:
    """By the token's form: a consumer's signed token, a merchant's key, or the session of one of the staff."""
    consumer_id = customer.read_access_token(ctx.keys, token, ctx.now())
    if consumer_id is not None:
        return Actor("consumer", consumer_id)
    async with ctx.database.autocommit() as tx:
        key = await merchant.check_api_key(tx, token, ctx.now())
        if key is not None:
            return Actor("merchant", key.merchant_id, frozenset(str(scope) for scope in key.scopes))
        member = await staff.check_session(tx, token, ctx.now())
    if member is not None:
        return Actor("staff", member.staff_id, frozenset(str(role) for role in member.roles), token)
    raise Unauthenticated("UNAUTHENTICATED", "the token is not valid, or has expired")
