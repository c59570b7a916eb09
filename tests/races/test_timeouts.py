"""Race 4: no answer comes. The channel may have taken the money, or not; nobody may guess.

pretix records the payment as FAILED when the answer does not come; the money it took is then nobody's.
"""

from __future__ import annotations

import pytest

from fenqi import credit
from fenqi.flows import shop
from fenqi.kernel.refusal import Conflict

SILENT = ("timeout_after", "garbled")


async def unknown(mall, buyer, fault, method="bank_card", **how):
    placed = await mall.bought(buyer)
    mall.fault(method, fault, "pay")
    how = how or {"client": "app"}
    pressed = await mall.press(buyer, placed, method, **how)
    assert pressed.outcome == "unknown"
    [begun] = await mall.attempts(buyer, placed.order.order_id)
    assert begun.state == "unknown"
    return placed, pressed, begun


def paid_trades(mall, tries):
    found = [mall.control.find(each.channel, each.attempt_no) for each in tries]
    return [seen for seen in found if seen is not None and seen.trade.state == "paid"]


@pytest.mark.parametrize("fault", SILENT)
def test_the_money_was_taken_and_the_janitor_finds_it(mall, buyer, run, fault):
    """pretix says FAILED here; fenqi says unknown, asks, and the order is paid exactly once."""

    async def race():
        mall.fault("bank_card", "no_notice", "notice.payment")
        placed, pressed, begun = await unknown(mall, buyer, fault)
        assert mall.trade(begun).trade.state == "paid"
        assert await mall.standing(pressed) == "unknown"
        assert await mall.journals(buyer, placed.order.order_id) == []
        await mall.passes(3)
        assert await mall.standing(pressed) == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]
        again = await mall.press(buyer, placed, "bank_card", key=pressed.payment_id, client="app")
        assert again.outcome == "succeeded"
        assert len(paid_trades(mall, await mall.attempts(buyer, placed.order.order_id))) == 1

    run(race())


def test_its_notice_comes_before_the_janitor(mall, buyer, run):
    async def race():
        placed, pressed, begun = await unknown(mall, buyer, "timeout_after")
        await mall.listen(begun.attempt_no)
        assert await mall.standing(pressed) == "succeeded"
        await mall.passes(60)
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_while_it_is_unknown_nothing_else_may_pay(mall, buyer, run):
    """Two charges would be the sure way to lose: other methods wait, and the order can neither be closed nor lapse."""

    async def race():
        mall.fault("bank_card", "no_notice", "notice.payment")
        placed, pressed, _ = await unknown(mall, buyer, "timeout_after")
        mall.fault("bank_card", "timeout_before", "close", times=-1)
        mall.fault("bank_card", "timeout_before", "query", times=-1)
        for method, plan in (("credit", "pay_later"), ("wechat_pay", "full"), ("bank_card", "full")):
            other = await mall.press(buyer, placed, method, plan, client="app")
            assert other.outcome == "refused"
            assert "PAYMENT_IN_PROGRESS" in [reason.code for reason in other.reasons]
        with pytest.raises(Conflict, match="PAYMENT_IN_PROGRESS"):
            await shop.close_order(mall.ctx, buyer, placed.order.order_id)
        await mall.passes(3_600)
        assert await mall.state_of(buyer, placed.order.order_id) == "awaiting_payment"
        mall.control.clear_faults()
        await mall.passes(3_600)
        assert await mall.standing(pressed) == "succeeded"
        tries = await mall.attempts(buyer, placed.order.order_id)
        assert len(tries) == len(paid_trades(mall, tries)) == 1
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


@pytest.mark.parametrize("fault", ["timeout_before", "down"])
@pytest.mark.parametrize("method", ["bank_card", "wechat_pay"])
def test_the_money_was_not_taken_and_pressing_again_works(mall, buyer, run, method, fault):
    async def race():
        placed, pressed, begun = await unknown(mall, buyer, fault, method)
        await mall.passes(10)
        assert await mall.standing(pressed) == "unknown", "the request may still be on its way"
        await mall.passes(60)
        assert (await mall.get(begun)).state == "declined"
        assert await mall.standing(pressed) == "refused"
        assert await mall.journals(buyer, placed.order.order_id) == []
        assert await mall.reserved(buyer) == 0
        await mall.passes(120)
        again = await mall.press(buyer, placed, "bank_card", client="app")
        assert again.outcome == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_a_limit_stays_reserved_while_nobody_knows(mall, buyer, run):
    """A part on credit is neither used nor free until the channel has said what became of its part."""

    async def race():
        placed = await mall.bought(buyer)
        part = 100_000
        mall.fault("wechat_pay", "timeout_before", "pay")
        await mall.press(buyer, placed, "credit", "instalment_12", part_by=("wechat_pay", part))
        assert await mall.reserved(buyer) >= placed.order.payable_minor - part
        await mall.passes(70)
        assert await mall.reserved(buyer) == 0
        assert await mall.journals(buyer, placed.order.order_id) == []

    run(race())


def test_a_channel_is_silent_for_longer_than_a_limit_is_held(mall, buyer, run):
    """The credit's part can't be drawn any more, so the channel's part goes back as soon as it is known of."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, "credit", "instalment_12", part_by=("wechat_pay", 100_000))
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        mall.fault("wechat_pay", "no_notice", "notice.payment")
        await mall.goes_and_pays(begun)
        for operation in ("query", "close"):
            mall.fault("wechat_pay", "timeout_before", operation, times=-1)
        await mall.passes(1_000)
        assert await mall.reserved(buyer) > 0
        await mall.passes(credit.HOLD.total_seconds() + 60)
        assert await mall.reserved(buyer) == 0, "the buyer was told that it is held no longer than this"
        mall.control.clear_faults()
        await mall.passes(7_200)
        begun = await mall.get(begun)
        assert (begun.disposition, (await mall.refund_of(begun)).cause) == ("returned", "late")
        assert await mall.ends(await mall.refund_of(begun)) == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["channel_refund", "receipt"]

    run(race())


def test_a_refund_that_was_not_answered_is_carried_out_once(mall, buyer, run):
    """The same number is asked for again only once the channel has said that it has none."""

    async def race():
        placed = await mall.bought(buyer)
        begun = await mall.paid_at(buyer, placed, "alipay")
        for fault in ("timeout_after", "timeout_before"):
            mall.fault("alipay", fault, "refund")
            assert await mall.ends(await mall.gives_back(placed, 1_000)) == "succeeded"
        assert sorted(each.amount_minor for each in mall.trade(begun).refunds) == [1_000, 1_000]
        assert await mall.owed_back(buyer) == 0

    run(race())


def test_the_api_says_that_nobody_knows(mall, buyer, run):
    """What a browser polls: unknown, later paid; the first answer's key keeps its answer."""

    async def race():
        mall.fault("bank_card", "no_notice", "notice.payment")
        placed = await mall.bought(buyer)
        mall.fault("bank_card", "timeout_after", "pay")
        body = {"checkout_id": str(placed.intent_id), "method": "bank_card", "plan": "full"}
        pressed = await mall.api("POST", "/v1/payments", buyer, body, "a key")
        assert pressed.json()["outcome"] == "unknown", pressed.text
        where = f"/v1/payments/{pressed.json()['payment_id']}"
        assert (await mall.api("GET", where, buyer)).json()["outcome"] == "unknown"
        await mall.passes(3)
        assert (await mall.api("GET", where, buyer)).json()["outcome"] == "succeeded"

    run(race())
