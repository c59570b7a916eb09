"""Sessions: a consumer's access token for the API, for a sign-in name and password."""

from __future__ import annotations

from datetime import datetime
from math import ceil

import msgspec

from fenqi import customer
from fenqi.kernel.refusal import Refusal
from fenqi.web.api.resource import Call, resource


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consumer's name and password."""

    name: str
    password: str


class Token(msgspec.Struct, frozen=True):
    """Send it as `Authorization: Bearer`; good for 15 minutes."""

    access_token: str
    consumer_id: str
    expires_in_s: int


def not_signed_in(refusal: Refusal, now: datetime) -> Refusal:
    """The refusal with its status: 401 for wrong credentials, 429 with `Retry-After` after too many tries."""
    until_at = refusal.extra.get("until_at")
    refusal.status = 401 if until_at is None else 429
    if until_at is not None:
        refusal.extra["retry_after_s"] = max(1, ceil((datetime.fromisoformat(until_at) - now).total_seconds()))
    return refusal


@resource("POST", "/v1/sessions", body=SignIn, answer=Token, who=(), problems=(401, 429))
async def create(call: Call) -> Token:
    """Sign in; refused with SIGN_IN_FAILED or SIGN_IN_BLOCKED."""
    ctx = call.context
    async with ctx.database.transaction() as tx:
        signed_in = await customer.sign_in(
            tx, ctx.keys, call.body.name, call.body.password, call.address, "api", ctx.now()
        )
    if isinstance(signed_in, Refusal):
        raise not_signed_in(signed_in, ctx.now())
    token = customer.issue_access_token(ctx.keys, signed_in.consumer_id, ctx.now())
    return Token(token, str(signed_in.consumer_id), int(customer.ACCESS_TTL.total_seconds()))
