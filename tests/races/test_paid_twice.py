"""Race 2: paid on two channels. One payment is kept, the other goes back by itself.

ruoyi-vue-pro #1152: the second success conflicts with the first and rolls its own notice back, so the channel tells it
again and again, and the buyer has paid twice.
"""

from __future__ import annotations

import asyncio

import pytest

from fenqi import attempt


async def both(mall, buyer):
    """Two attempts that can be paid at the same time: Alipay had not heard of the first when it was withdrawn."""
    placed = await mall.bought(buyer)
    await mall.press(buyer, placed, "alipay")
    await mall.press(buyer, placed, "wechat_pay")
    first, second = await mall.attempts(buyer, placed.order.order_id)
    assert (first.channel, first.state, second.channel, second.state) == ("alipay", "closed", "wechat_pay", "pending")
    return placed, first, second


async def one_is_kept(mall, placed, first, second):
    first, second = await mall.get(first), await mall.get(second)
    assert {first.disposition, second.disposition} == {"applied", "returned"}
    kept, extra = (first, second) if first.disposition == "applied" else (second, first)
    await mall.settle()
    paid = await mall.order_of(placed)
    assert (paid.state, paid.payment_id, paid.attempts_open) == ("paid", kept.payment_id, 0)
    back = await mall.refund_of(extra)
    assert (back.cause, back.amount_minor, await mall.ends(back)) == ("double", extra.amount_minor, "succeeded")
    kinds = await mall.journals(placed.order.consumer_id, placed.order.order_id)
    assert kinds == ["channel_refund", "purchase", "receipt"]
    assert mall.trade(kept).refunds == ()
    assert [each.amount_minor for each in mall.trade(extra).refunds] == [extra.amount_minor]
    assert await mall.owed_back(placed.order.consumer_id) == 0
    return kept


@pytest.mark.parametrize("faster", ["alipay", "wechat_pay"])
def test_whichever_is_heard_of_first_is_kept(mall, buyer, run, faster):
    async def race():
        placed, first, second = await both(mall, buyer)
        order = [first, second] if faster == "alipay" else [second, first]
        for each in order:
            await mall.goes_and_pays(each)
            await mall.listen(each.attempt_no)
        kept = await one_is_kept(mall, placed, first, second)
        assert kept.channel == faster

    run(race())


def test_both_are_heard_of_at_the_same_instant(mall, buyer, run):
    async def race():
        placed, first, second = await both(mall, buyer)
        mall.fault("*", "no_notice", "notice.payment", times=2)
        for each in (first, second):
            await mall.goes_and_pays(each)
        await asyncio.gather(*(mall.asked(each) for each in (first, second, first, second)))
        await one_is_kept(mall, placed, first, second)

    run(race())


def test_paid_by_credit_meanwhile(mall, buyer, run):
    """The order needs no channel any more: what Alipay took goes back, the credit stays."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, "alipay")
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        pressed = await mall.press(buyer, placed, "credit", "pay_later")
        assert pressed.outcome == "succeeded"
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        await mall.settle()
        back = await mall.refund_of(begun)
        assert (back.cause, back.state) == ("double", "succeeded")
        assert (await mall.get(begun)).disposition == "returned"
        kinds = await mall.journals(buyer, placed.order.order_id)
        assert kinds == ["channel_refund", "purchase", "receipt"]

    run(race())


def test_a_press_by_another_method_closes_the_first_at_its_channel(mall, buyer, run):
    """Before anything else is asked for: a channel that can close leaves no second payment to be given back."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, "wechat_pay")
        await mall.press(buyer, placed, "bank_card", client="app")
        first, second = await mall.attempts(buyer, placed.order.order_id)
        assert (mall.trade(first).trade.state, first.state) == ("closed", "closed")
        assert (mall.trade(second).trade.state, second.disposition) == ("paid", "applied")
        async with mall.ctx.database.snapshot() as tx:
            moves = await attempt.moves(tx, buyer, first.attempt_id)
        assert moves[-1].why == "chose another way to pay"

    run(race())
