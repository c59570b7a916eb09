"""A payment at its channel, for staff: every attempt as a story, and what can be done when one is stuck.

It is found by an attempt's number, a refund's, or a press's. Asking a channel is for operators and accountants; where
money goes that a channel won't give back, accountants decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import Response

from fenqi import attempt, order, staff
from fenqi.attempt import Attempt
from fenqi.database.pool import Tx
from fenqi.flows import card_money, charge, give_back
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.staff import Action
from fenqi.web.console.act import check_may, keep_apart
from fenqi.web.console.find import member_of, turned_to_ask
from fenqi.web.console.story import actor_of, raw_of, stories
from fenqi.web.console.trail import Trail, follow
from fenqi.web.page import Visit, Who, get, post


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/payments/{number}."""
    check_may(visit, Action.SEE_DIAGNOSIS)
    async with visit.context.database.snapshot() as tx:
        trail = await _trail(visit, tx)
        away = await turned_to_ask(visit, tx, trail.subject, trail.attempt.attempt_no)
        if away is not None:
            return away
        found = await stories(tx, await _beside(tx, trail.attempt))
        names = {one.staff_id: one.name for one in await staff.get_all(tx)}
        bought = await _order(tx, trail.attempt)
    member = member_of(visit)
    return visit.render(
        "console/payment.html",
        200 if no is None else no.status,
        trail=trail,
        stories=found,
        chosen=next(one for one in found if one.attempt.attempt_id == trail.attempt.attempt_id),
        order=bought,
        presses=len({one.attempt.payment_id for one in found}),
        actor=lambda name: actor_of(name, names),
        raw=raw_of,
        may_ask=member.may(Action.ASK_CHANNEL),
        may_decide=member.may(Action.DECIDE_REFUND),
        error=visit.error(no),
    )


async def _trail(visit: Visit, tx: Tx) -> Trail:
    found = await follow(tx, visit.request.path_params["number"])
    if found is None:
        raise NotFound("ATTEMPT_UNKNOWN", "no attempt of this number")
    return found


async def _beside(tx: Tx, begun: Attempt) -> list[Attempt]:
    """All attempts at the same order, whichever press they belong to; of a top-up or withdrawal its own."""
    if begun.order_id is None:
        return await attempt.of_payment(tx, begun.consumer_id, begun.payment_id)
    return await attempt.of_order(tx, begun.consumer_id, begun.order_id)


async def _order(tx: Tx, begun: Attempt) -> order.Order | None:
    return None if begun.order_id is None else await order.get(tx, begun.consumer_id, begun.order_id)


async def ask(visit: Visit) -> Response:
    """POST /console/payments/{number}/ask: ask the channel what became of the attempt; past its time it is closed."""
    try:
        async with visit.context.database.snapshot() as tx:
            trail = await _trail(visit, tx)
        begun = trail.attempt
        by = await keep_apart(visit, Action.ASK_CHANNEL, trail.subject, attempt_no=begun.attempt_no)
        after = await _asked(visit.context, begun, by)
    except Refusal as no:
        return await page(visit, no)
    notice = "asked_moved" if after.state is not begun.state else "asked_same"
    return visit.redirect(trail.path, notice=notice)


async def _asked(ctx: Context, begun: Attempt, by: By) -> Attempt:
    if begun.purpose == card_money.WITHDRAWAL:
        return await card_money.ask(ctx, begun)
    return await charge.ask(ctx, begun, by)


async def again(visit: Visit) -> Response:
    """POST /console/payments/{number}/again: ask the channel for a failed refund once more."""

    async def once_more(consumer_id: UUID, refund_id: UUID, by: By) -> str:
        await give_back.again(visit.context, consumer_id, refund_id, by)
        after = await give_back.carry_out(visit.context, consumer_id, refund_id)
        return f"again_{after.state}"

    return await _decide(visit, "again", once_more)


async def divert(visit: Visit) -> Response:
    """POST /console/payments/{number}/divert: pay a failed refund into the buyer's money account."""

    async def elsewhere(consumer_id: UUID, refund_id: UUID, by: By) -> str:
        await give_back.divert(visit.context, consumer_id, refund_id, by)
        return "diverted"

    return await _decide(visit, "divert", elsewhere)


Decision = Callable[[UUID, UUID, By], Awaitable[str]]


async def _decide(visit: Visit, name: str, carry_out: Decision) -> Response:
    """Keep the decision on the form's refund, then carry it out."""
    try:
        refund_id = visit.form.id("refund_id")
        async with visit.context.database.snapshot() as tx:
            trail = await follow(tx, refund_id.hex)
        if trail is None or trail.refund_id is None:
            raise NotFound("REFUND_UNKNOWN", "no such refund")
        by = await keep_apart(
            visit, Action.DECIDE_REFUND, trail.subject, refund_no=refund_id.hex, decision=name
        )  # fmt: skip
        notice = await carry_out(trail.attempt.consumer_id, refund_id, by)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(trail.path, notice=notice)


ROUTES = [
    get("/console/payments/{number}", page, Who.STAFF),
    post("/console/payments/{number}/ask", ask, Who.STAFF),
    post("/console/payments/{number}/again", again, Who.STAFF),
    post("/console/payments/{number}/divert", divert, Who.STAFF),
]
