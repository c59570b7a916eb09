"""Counting at the cashier through the flows: refused, cured, paid, left, and counted again with the same sums."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from tests import world

from fenqi import insight
from fenqi.flows import at_stake, expire, pay, quote, remedy
from fenqi.flows.request import PayRequest
from fenqi.insight import Outcome
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import new_id


@pytest.fixture
def ctx(fresh_database):
    return world.context(fresh_database)


async def rows(ctx):
    await at_stake.count(ctx)
    async with ctx.database.snapshot() as tx:
        return await insight.at_stake(tx, business_date(ctx.now()) - timedelta(days=9), business_date(ctx.now()))


def press(buyer, placed, method, plan):
    return PayRequest(buyer, new_id(), placed.intent_id, method, plan, hashlib.sha256(b"x").digest())


def test_a_refusal_is_lost_once_the_order_has_lapsed_and_recovered_when_it_was_cured(ctx, run):
    async def story():
        ref = await world.furnish(ctx)
        [one, two] = await world.people(ctx, 2, money_minor=1_000)
        goods = world.wish(ref, "phone", most_minor=500_000)
        first, second = await world.buy(ctx, one, [goods], "mall"), await world.buy(ctx, two, [goods], "mall")
        payable = first.order.payable_minor
        assert (await pay.pay(ctx, press(one, first, "money_account", "full"))).outcome == "refused"
        shown = await quote.quote(ctx, two, second.intent_id)
        wanted = next(each for each in shown.offers if each.method == "money_account")
        ctx.clock.advance(timedelta(seconds=5))
        found = {(each.consumer_id, each.method): each for each in await rows(ctx)}
        assert found[one, "money_account"].outcome is Outcome.OPEN
        assert found[one, "money_account"].is_wanted and not found[two, "money_account"].is_wanted
        assert found[two, "credit"].codes[0] == "CREDIT_NOT_OPENED"

        place = next(i for i, each in enumerate(wanted.remedies) if each.actions[0].__class__.__name__ == "TopUp")
        done = await remedy.apply(ctx, two, remedy.remedy_id(shown.decision_id, wanted, place), {})
        assert done.done
        assert (await pay.pay(ctx, press(two, second, "money_account", "full"))).outcome == "succeeded"
        ctx.clock.advance(timedelta(hours=2))
        await expire.tick(ctx)
        counted = await rows(ctx)
        found = {(each.consumer_id, each.method): each for each in counted}
        mine, theirs = found[one, "money_account"], found[two, "money_account"]
        assert (mine.outcome, mine.amount_minor, mine.codes) == (Outcome.LOST, payable, ("BALANCE_INSUFFICIENT",))
        assert (theirs.outcome, theirs.taken, theirs.is_wanted) == (Outcome.RECOVERED, ("top_up",), True)
        assert found[two, "credit"].outcome is Outcome.DIVERTED
        assert await rows(ctx) == counted, "counting again changes nothing"
        by_reason = {line.name: line for line in insight.cut(counted, "reason").lines}
        assert by_reason["BALANCE_INSUFFICIENT"].lost_minor == payable
        assert by_reason["BALANCE_INSUFFICIENT"].recovered_minor == payable

    run(story())


def test_a_step_is_kept_once(ctx, run):
    async def story():
        await world.furnish(ctx)
        [one] = await world.people(ctx, 1)
        intent_id = new_id()
        for _ in range(3):
            await at_stake.note(ctx, "wanted", one, intent_id, "credit", "instalment_6")
        async with ctx.database.snapshot() as tx:
            steps = await insight.steps_of(tx, [(one.bytes[-1], one, intent_id)])
        assert [(each.kind, each.way) for each in steps[intent_id]] == [("wanted", "instalments")]

    run(story())
