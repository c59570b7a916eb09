"""Race 1: closed here, then the channel says paid.

Jeepay tells the merchant "success" while its own row says closed, and then refuses the refund; yudao throws and rolls
back, so the money hangs; macrozheng/mall answers `success` and does nothing.
"""

from __future__ import annotations

import pytest

from fenqi.flows import charge, expire, shop
from fenqi.kernel.refusal import Conflict


def test_the_buyer_closes_the_order_while_its_payment_goes_through(mall, buyer, run):
    """yudao closes its own row first; here the channel is asked first, and its "already paid" pays the order."""

    async def race():
        placed = await mall.bought(buyer)
        pressed = await mall.press(buyer, placed, "wechat_pay")
        mall.fault("wechat_pay", "close_says_paid", "close")
        with pytest.raises(Conflict, match="STATE_CONFLICT"):
            await shop.close_order(mall.ctx, buyer, placed.order.order_id)
        assert await mall.standing(pressed) == "succeeded"
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        await mall.listen(begun.attempt_no)
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]
        assert (await mall.order_of(placed)).state == "paid"

    run(race())


def test_the_time_runs_out_on_a_payment_that_nobody_was_told_of(mall, buyer, run):
    """Jeepay closes by its own clock; here the last question before closing is the channel's to answer."""

    async def race():
        placed = await mall.bought(buyer)
        pressed = await mall.press(buyer, placed, "wechat_pay")
        mall.fault("wechat_pay", "no_notice", "notice.payment")
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        await mall.goes_and_pays(begun)
        assert await mall.standing(pressed) == "pending"
        await mall.passes(charge.WINDOW.total_seconds() + 60)
        assert await mall.standing(pressed) == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


async def lapsed(mall, buyer, how):
    """An order that is closed or has expired, and afterwards its page at the channel is paid all the same: Alipay has
    never heard of the trade when it is told to close it, and the buyer still holds the way to its page."""
    placed = await mall.bought(buyer)
    await mall.press(buyer, placed, "alipay")
    [begun] = await mall.attempts(buyer, placed.order.order_id)
    if how == "closed":
        await shop.close_order(mall.ctx, buyer, placed.order.order_id)
    else:
        assert await charge.withdraw(mall.ctx, buyer, placed.order.order_id, mall.ctx.by_system("test", "withdrawn"))
    mall.fault("alipay", "late_notice", "notice.payment", seconds="1860")
    await mall.goes_and_pays(begun)
    if how == "expired":
        mall.control.steer(at=placed.order.pay_by_at)
        assert await expire.tick(mall.ctx) > 0
    assert (await mall.order_of(placed)).state == how
    return placed, begun


@pytest.mark.parametrize("how", ["closed", "expired"])
def test_money_that_comes_for_a_lapsed_order_goes_back_by_itself(mall, buyer, run, how):
    """Jeepay reports success, keeps the row closed and refuses the refund; macrozheng/mall does nothing."""

    async def race():
        placed, begun = await lapsed(mall, buyer, how)
        mall.control.steer(at=mall.clock.now() + mall.later_by(1_900))
        await mall.listen(begun.attempt_no)
        begun = await mall.get(begun)
        assert (begun.state, begun.disposition) == ("succeeded", "returned")
        assert (await mall.order_of(placed)).state == how
        assert await mall.owed_back(buyer) == placed.order.payable_minor
        await mall.settle()
        back = await mall.refund_of(begun)
        assert (back.cause, back.state, back.amount_minor) == ("late", "succeeded", placed.order.payable_minor)
        assert await mall.journals(buyer, placed.order.order_id) == ["channel_refund", "receipt"]
        assert await mall.owed_back(buyer) == 0
        assert [each.amount_minor for each in mall.trade(begun).refunds] == [placed.order.payable_minor]

    run(race())


def test_money_of_which_no_notice_ever_comes_is_found_all_the_same(mall, buyer, run):
    """What a channel calls absent may be opened until its time is over: it is asked once more then."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, "alipay")
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        await shop.close_order(mall.ctx, buyer, placed.order.order_id)
        mall.fault("alipay", "no_notice", "notice.payment")
        await mall.goes_and_pays(begun)
        assert (await mall.get(begun)).state == "closed"
        await mall.passes(charge.WINDOW.total_seconds() + 60)
        begun = await mall.get(begun)
        assert (begun.state, begun.disposition, begun.ask_at) == ("succeeded", "returned", None)
        assert (await mall.refund_of(begun)).state == "succeeded"

    run(race())


@pytest.mark.parametrize("how", ["closed", "expired"])
@pytest.mark.parametrize("restarted", [False, True])
def test_by_policy_it_revives_the_order_instead(mall, buyer, run, how, restarted):
    """yudao throws here, Jeepay stays closed; a process that has just come up follows the policy, too."""

    async def race():
        placed, begun = await lapsed(mall, buyer, how)
        await mall.policy(late_success="revive")
        mall.control.steer(at=mall.clock.now() + mall.later_by(1_900))
        if restarted:
            mall.forget()
        await mall.listen(begun.attempt_no)
        begun = await mall.get(begun)
        assert (begun.state, begun.disposition) == ("succeeded", "applied")
        assert (await mall.order_of(placed)).state == "paid"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]
        assert mall.trade(begun).refunds == ()
        await mall.settle()

    try:
        run(race())
    finally:
        run(mall.policy(late_success="return"))
