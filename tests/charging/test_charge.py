"""Paying at channels through the whole house and a running gateway: each channel, a mix, and refunds."""

from __future__ import annotations

import pytest
from tests import world

from fenqi import attempt
from fenqi.flows import charge, money, refund
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict

SCENE = "mall"


@pytest.fixture(scope="module")
def buyers(mall, run):
    found = run(world.people(mall.ctx, 8))
    for consumer_id in found[:4]:
        run(world.give_line(mall.ctx, consumer_id))
    return found


async def bought(mall, consumer_id, category="phone", most_minor=600_000):
    wish = world.wish(mall.ctx.reference.newest, category, SCENE, most_minor)
    return await world.buy(mall.ctx, consumer_id, [wish], SCENE)


@pytest.mark.parametrize(("method", "client"), [("alipay", "web"), ("alipay", "wap"), ("wechat_pay", "web")])
def test_paid_on_the_channels_page(mall, buyers, run, method, client):
    async def story():
        consumer_id = buyers[0]
        placed = await bought(mall, consumer_id)
        pressed = await mall.press(consumer_id, placed, method, client=client)
        assert pressed.outcome == "pending", pressed
        [begun] = await mall.attempts(consumer_id, placed.order.order_id)
        assert begun.state == "pending" and begun.handover is not None
        assert await mall.state_of(consumer_id, placed.order.order_id) == "awaiting_payment"
        await mall.open_page(begun)
        mall.pay_at_wallet(method, begun.attempt_no)
        [status] = await mall.listen(begun.attempt_no)
        assert status in (200, 204)
        assert await mall.state_of(consumer_id, placed.order.order_id) == "paid"
        paid = await charge.standing(mall.ctx, consumer_id, pressed.payment_id)
        assert paid.outcome == "succeeded" and paid.tenders[0].amount_minor == placed.order.payable_minor
        assert await mall.faults() == []

    run(story())


def test_credit_and_a_wallet_share_one_order(mall, buyers, run):
    async def story():
        consumer_id = buyers[1]
        await world.step_up(mall.ctx, consumer_id)
        placed = await bought(mall, consumer_id)
        part = 100_000
        pressed = await mall.press(consumer_id, placed, "credit", "instalment_12", part_by=("wechat_pay", part))
        assert pressed.outcome == "pending"
        [begun] = await mall.attempts(consumer_id, placed.order.order_id)
        assert begun.is_held and begun.amount_minor == part
        mall.pay_at_wallet("wechat_pay", begun.attempt_no)
        await mall.listen(begun.attempt_no)
        paid = await charge.standing(mall.ctx, consumer_id, pressed.payment_id)
        assert paid.outcome == "succeeded" and paid.loan_id is not None
        assert await mall.faults() == []
        by = mall.ctx.by_consumer(consumer_id, "changed their mind")
        row = await refund.refund(mall.ctx, consumer_id, new_id(), placed.order.order_id, None, by)
        assert row.amount_minor == placed.order.payable_minor
        for seconds in (5, 1_300, 4_000):
            await mall.later(seconds)
        [back] = await mall.refunds(consumer_id, placed.order.order_id)
        assert (back.state, back.amount_minor) == ("succeeded", part)
        assert await mall.faults() == []

    run(story())


def test_a_bound_card_is_charged_at_once(mall, buyers, run):
    async def story():
        consumer_id = buyers[2]
        placed = await bought(mall, consumer_id)
        pressed = await mall.press(consumer_id, placed, "bank_card", client="app")
        assert pressed.outcome == "succeeded", pressed
        assert await mall.faults() == []

    run(story())


def test_money_comes_from_a_card_and_goes_back_to_it(mall, buyers, run):
    async def story():
        consumer_id, key = buyers[3], new_id()
        before = (await money.top_up(mall.ctx, consumer_id, new_id(), 1)).balance_minor
        first = await money.top_up(mall.ctx, consumer_id, key, 50_000)
        again = await money.top_up(mall.ctx, consumer_id, key, 50_000)
        assert (first.state, first.balance_minor) == ("succeeded", before + 50_000)
        assert (again.repeated, again.balance_minor) == (True, before + 50_000)
        with pytest.raises(Conflict, match="IDEMPOTENCY_KEY_REUSED"):
            await money.top_up(mall.ctx, consumer_id, key, 50_001)
        out = await money.withdraw(mall.ctx, consumer_id, new_id(), 20_000)
        assert out.balance_minor == before + 30_000
        for seconds in (60, 600, 3_600):
            await mall.later(seconds)
        async with mall.ctx.database.snapshot() as tx:
            sent = await attempt.get(tx, consumer_id, out.attempt_id)
        assert sent.state == "succeeded"
        assert await mall.faults() == []

    run(story())
