"""Who is signed in, by cookie: one for consumers on the whole site, one for staff under /console only.

The cookies hold random tokens of the rooms' sessions (HttpOnly, SameSite=Lax); signing out ends the session itself.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request

from fenqi import customer, staff
from fenqi.flows.context import Context

CONSUMER_COOKIE = "fenqi_session"
STAFF_COOKIE = "fenqi_staff"
_CONSUMER_S = 14 * 86_400
_STAFF_S = 8 * 3_600


class Cookie(NamedTuple):
    """A cookie to set; an empty value with no age takes it away."""

    name: str
    value: str
    max_age_s: int
    path: str = "/"


class Consumer(NamedTuple):
    """The consumer of this browser's session."""

    consumer_id: UUID
    token: str


class Staff(NamedTuple):
    """The member of staff of this browser's session."""

    member: staff.Member
    token: str


async def consumer_of(context: Context, request: Request) -> Consumer | None:
    """The consumer whose session the cookie holds."""
    token = request.cookies.get(CONSUMER_COOKIE, "")
    if not token:
        return None
    async with context.database.autocommit() as tx:
        consumer_id = await customer.check_session(tx, token, context.now())
    return None if consumer_id is None else Consumer(consumer_id, token)


async def staff_of(context: Context, request: Request) -> Staff | None:
    """The member of staff whose session the cookie holds."""
    token = request.cookies.get(STAFF_COOKIE, "")
    if not token:
        return None
    async with context.database.autocommit() as tx:
        member = await staff.check_session(tx, token, context.now())
    return None if member is None else Staff(member, token)


def consumer_cookie(token: str) -> Cookie:
    """The cookie that keeps a consumer signed in; "" signs them out of this browser."""
    return Cookie(CONSUMER_COOKIE, token, _CONSUMER_S if token else 0)


def staff_cookie(token: str) -> Cookie:
    """The same for staff, seen by the console's pages only."""
    return Cookie(STAFF_COOKIE, token, _STAFF_S if token else 0, "/console")
