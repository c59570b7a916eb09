"""What is at hand when somebody asks: the order it may be about, what its cashier says now, and the person's figures.

Reads only, and nothing is stored: a look at the cashier is recorded by the cashier itself.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from fenqi import cashier, credit, order
from fenqi.cashier import Offer
from fenqi.credit import CreditView
from fenqi.database.pool import Tx
from fenqi.flows import quote
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.order import Order, OrderState
from fenqi.texts import Audience

LOOKED_AT = 5
"""How many of the latest orders are looked through for the one that a question may be about."""
_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])


class Hand(NamedTuple):
    """An order with its offers as the audience may see them."""

    order: Order
    intent_id: UUID
    offers: tuple[Offer, ...]
    stepped_up: bool
    ref: Reference
    is_now: bool
    """Whether the offers are of this moment; else of the last look at its cashier."""


class Figures(NamedTuple):
    """The person's own numbers, as far as a line is there."""

    state: str
    free_minor: int
    ceiling_minor: int
    owed_minor: int
    overdue_minor: int
    due_on: date | None
    due_minor: int


async def at_hand(ctx: Context, consumer_id: UUID, order_id: UUID | None, audience: Audience) -> Hand | None:
    """The order asked about, or else the latest unpaid one, with its offers; None where there is none.

    Refuses ORDER_UNKNOWN for an order that isn't this consumer's.
    """
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, ctx.now())
        if order_id is not None:
            orders = [await order.get(tx, consumer_id, order_id)]
        else:
            orders = await order.of_consumer(tx, consumer_id, limit=LOOKED_AT)
        intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [one.order_id for one in orders])
        chosen = _likeliest([one for one in orders if one.order_id in intents], named=order_id is not None)
        if chosen is None:
            return None
        if chosen.state is not OrderState.AWAITING_PAYMENT:
            return await _as_it_was(ctx, tx, chosen, intents[chosen.order_id], audience, ref)
    return await _as_it_is(ctx, chosen, intents[chosen.order_id], audience, ref)


def _likeliest(orders: list[Order], named: bool) -> Order | None:
    """The latest that waits for payment, else the latest that was never paid; a named order in any state."""
    waiting = [one for one in orders if one.state is OrderState.AWAITING_PAYMENT]
    unpaid = [one for one in orders if one.state in (OrderState.CLOSED, OrderState.EXPIRED)]
    return next(iter(orders if named else waiting + unpaid), None)


async def _as_it_is(ctx: Context, bought: Order, intent_id: UUID, audience: Audience, ref: Reference) -> Hand:
    basis = await quote.gather(ctx, bought.consumer_id, intent_id)
    offers = cashier.offers(basis.facts, price=quote.pricing(ref.product, basis.facts))
    stepped_up = basis.facts.consumer.stepped_up_until_ms > basis.facts.now_ms
    seen = tuple(cashier.offer_for(one, audience, stepped_up) for one in offers)
    return Hand(bought, intent_id, seen, stepped_up, ref, True)


async def _as_it_was(
    ctx: Context, tx: Tx, bought: Order, intent_id: UUID, audience: Audience, ref: Reference
) -> Hand | None:
    """What its cashier said last, for an order that can't be paid any more."""
    stored = await cashier.select_decisions(tx, bucket_of(bought.consumer_id), bought.consumer_id, intent_id)
    looks = [one for one in stored if one.kind == "offers"]
    if not looks:
        return None
    stepped_up = cashier.decode_facts(looks[-1].facts).consumer.stepped_up_until_ms > int(ctx.now().timestamp() * 1000)
    seen = tuple(cashier.offer_for(one, audience, stepped_up) for one in _OFFERS.decode(looks[-1].verdict))
    return Hand(bought, intent_id, seen, stepped_up, ref, False)


async def line_of(ctx: Context, consumer_id: UUID) -> tuple[CreditView, Figures]:
    """The person's line and figures."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, now)
        view = await credit.credit_facts_of(tx, consumer_id, now, ref.product)
        positions = await credit.positions(tx, consumer_id, business_date(now))
    ahead = [one.state for one in positions if one.state.next_due_on is not None]
    first = min((one.next_due_on for one in ahead if one.next_due_on is not None), default=None)
    figures = Figures(
        view.state,
        sum(max(0, one.ceiling_minor - one.used_minor - one.held_minor - one.frozen_minor) for one in view.limits),
        sum(one.ceiling_minor for one in view.limits),
        sum(one.state.outstanding.total_minor for one in positions),
        view.overdue_minor,
        first,
        sum(one.next_due_minor for one in ahead if one.next_due_on == first),
    )
    return view, figures
