"""A little trade to look back at: random orders of ten people, most of whom have a line; most are pressed once."""

from __future__ import annotations

import random
from datetime import timedelta

from tests import world

from fenqi.flows import pay, quote
from fenqi.flows.context import Context
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal


async def trade(ctx: Context, cases: int = 60, seed: int = 7, skip: int = 0) -> list[tuple]:
    """(consumer id, intent id, order id) of each order that was placed; the clock moves on by seven minutes each.

    The first `skip` people are left to others."""
    ref = ctx.reference.newest
    assert ref is not None
    people = await world.people(ctx, 10, skip=skip)
    for consumer_id in people[:8]:
        await world.give_line(ctx, consumer_id)
    rng, found = random.Random(seed), []
    for _ in range(cases):
        consumer_id = rng.choice(people)
        scene, wishes = world.any_wishes(ref, rng)
        try:
            placed = await world.buy(ctx, consumer_id, wishes, scene)
        except Refusal:
            continue
        found.append((consumer_id, placed.intent_id, placed.order.order_id))
        shown = await quote.quote(ctx, consumer_id, placed.intent_id)
        offer = rng.choice(shown.offers)
        if offer.plan is not None and rng.random() < 0.8:
            asked = PayRequest(consumer_id, new_id(), placed.intent_id, offer.method, offer.plan, b"body")
            await pay.pay(ctx, asked)
        ctx.clock.advance(timedelta(minutes=7))
    return found
