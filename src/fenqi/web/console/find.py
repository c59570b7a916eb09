"""Finding an order or a person: the form that asks why, the record of it, and the check that it was made."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from starlette.responses import Response

from fenqi import customer, order, staff
from fenqi.database.pool import Tx
from fenqi.flows import diagnose_find
from fenqi.flows.diagnose_find import Kind, Subject
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.staff import Action, Member
from fenqi.web.console import trail
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post

_HOLDS = timedelta(hours=8)
"""How long a reason given for a subject lets its giver look at it again."""


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console?what=&next=."""
    async with visit.context.database.autocommit() as tx:
        audits = await staff.audits(tx, limit=20)
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
    ask = visit.query if no is None else visit.form.text
    return visit.render(
        "console/find.html",
        200 if no is None else no.status,
        audits=audits,
        names=names,
        typed=ask("what", 60),
        next=local_path(ask("next", 300), ""),
        needs_why=bool(ask("next", 300)) and no is None,
        error=visit.error(no),
    )


async def find(visit: Visit) -> Response:
    """POST /console/find: keep who looks for what and why, then go there."""
    form, member, now = visit.form, member_of(visit), visit.context.now()
    try:
        async with visit.context.database.transaction() as tx:
            subject, path = await _look_up(visit, tx, form.required("what", 60))
            await staff.audit(tx, member, Action.SEE_DIAGNOSIS, subject, form.text("why"), now)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(local_path(form.text("next"), path))


async def _look_up(visit: Visit, tx: Tx, what: str) -> tuple[str, str]:
    """(the subject of the record, the page) of an order's number, an attempt's or refund's at a channel, a payment's,
    refund's, application's or consumer's id, or a sign-in name."""
    at_channel = await trail.follow(tx, what)
    if at_channel is not None:
        return at_channel.subject, at_channel.path
    try:
        found = await diagnose_find.find(tx, what)
    except NotFound:
        found = Subject(Kind.LIMIT, await _consumer(visit, tx, what))
    if found.kind is Kind.ORDER and found.order_id is not None:
        bought = await order.get(tx, found.consumer_id, found.order_id)
        return f"order:{found.order_id}", f"/console/orders/{bought.number}"
    if found.id is not None:
        concerned = f"consumer:{found.consumer_id}" if found.order_id is None else f"order:{found.order_id}"
        return concerned, f"/console/why/{found.kind}/{found.id}"
    return f"consumer:{found.consumer_id}", f"/console/consumers/{found.consumer_id}"


async def _consumer(visit: Visit, tx: Tx, what: str) -> UUID:
    """Whose sign-in name it is."""
    try:
        found = await customer.find_by_sign_in_name(tx, visit.context.keys, what)
    except Refusal:
        found = None
    if found is None:
        raise NotFound("ORDER_UNKNOWN", "no order of this number and nobody of this name")
    return found


def member_of(visit: Visit) -> Member:
    """The member of staff who is signed in; only in pages for staff."""
    assert visit.staff is not None
    return visit.staff.member


async def turned_to_ask(visit: Visit, tx: Tx, subject: str, what: str) -> Response | None:
    """Where this member has not said why they look at `subject`: the way to the form that asks."""
    member, now = member_of(visit), visit.context.now()
    for audit in await staff.audits(tx, subject):
        if audit.staff_id == member.staff_id and now - audit.at <= _HOLDS:
            return None
    return visit.redirect("/console", what=what, next=visit.request.url.path)


ROUTES = [get("/console", page, Who.STAFF), post("/console/find", find, Who.STAFF)]
