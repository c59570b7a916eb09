"""Sessions: a consumer's access token for the API, for a sign-in name and password."""

from __future__ import annotations

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


@resource("POST", "/v1/sessions", body=SignIn, answer=Token, who=(), problems=(401,))
async def create(call: Call) -> Token:
    """Sign in; refused with SIGN_IN_FAILED or SIGN_IN_BLOCKED."""
    ctx = call.context
    async with ctx.database.transaction() as tx:
        signed_in = await customer.sign_in(
            tx, ctx.keys, call.body.name, call.body.password, call.address, "api", ctx.now()
        )
    if isinstance(signed_in, Refusal):
        raise signed_in
    token = customer.issue_access_token(ctx.keys, signed_in.consumer_id, ctx.now())
    return Token(token, str(signed_in.consumer_id), int(customer.ACCESS_TTL.total_seconds()))
