"""Lives of the demo's cast at payment channels: cards that are refused or not answered, money that comes twice.

They take a turn at the till; the world they live in has gateways.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from fenqi import passage
from fenqi.attempt import RefundState
from fenqi.cashier import Payment
from fenqi.channels.bank_card.gateway.issuer import answer_of
from fenqi.flows import pay, refund
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.seed.ident import seed_id
from fenqi.seed.lives import Life, with_line
from fenqi.seed.stage import NARROW, Basket, Pick, Stage
from fenqi.seed.till import Till

STORES = "alipay-stores"
"""The passage of partner stores; it rests while the cast is looked at."""
_RESTS = timedelta(days=2)
_SOCKS = Basket((Pick("shoes", 200),))
_MINUTES_AGO = 4


def till_of(stage: Stage) -> Till:
    """The way to the channels, in a world that has them."""
    assert stage.channels is not None, f"{stage.person.sign_in_name} needs payment channels"
    return stage.channels


async def _press(stage: Stage, placed: Placed, method: str) -> Payment:
    digest = hashlib.sha256(placed.intent_id.bytes + method.encode()).digest()
    payment_id = new_id(epoch_ms(stage.ctx.now()))
    return await pay.pay(stage.ctx, PayRequest(stage.consumer_id, payment_id, placed.intent_id, method, "full", digest))


def card_refused(iso: str = "") -> Life:
    """Minutes ago the card's bank refused another order: this once with an ISO 8583 code, or as it always does."""

    async def life(stage: Stage) -> None:
        stage.days_ago(30)
        await stage.top_up(60)
        stage.days_ago(0)
        stage.wait(-60 * _MINUTES_AGO)
        till, placed = till_of(stage), await stage.place(_SOCKS)
        async with till.turn():
            if iso:
                code, message = answer_of(iso)
                await till.control.set_fault("bank_card", "error", "pay", code=code, message=message)
            payment = await _press(stage, placed, "bank_card")
        assert payment.outcome == "refused", f"{stage.person.sign_in_name}: {payment.outcome}"

    return life


async def resting(stage: Stage) -> None:
    """Alipay's passage of partner stores is being maintained since half an hour ago, and for two days."""
    stage.days_ago(0)
    stage.wait(-1_800)
    from_at = stage.ctx.now()
    async with stage.transaction() as tx:
        found = await passage.by_code(tx, STORES)
        await passage.plan_maintenance(
            tx, found.passage_id, seed_id("maintenance", STORES), from_at, from_at + _RESTS, stage.by_demo
        )


async def narrow(stage: Stage) -> None:
    """A small limit and nothing in the money account: a card can pay the part that is missing."""
    await with_line(NARROW)(stage)


async def press_card(stage: Stage) -> None:
    """After the order is placed: pay by a card whose bank does not answer."""
    async with till_of(stage).turn():
        payment = await _press(stage, stage.orders[-1], "bank_card")
    assert payment.outcome in ("pending", "unknown"), payment.outcome


async def pay_twice(stage: Stage) -> None:
    """After the order is placed: paid from the balance, then in Alipay's window too; that money goes back."""
    till, placed = till_of(stage), stage.orders[-1]
    stage.days_ago(0)
    stage.wait(-60 * _MINUTES_AGO)
    async with till.turn():
        pressed = await _press(stage, placed, "alipay")
        begun = await till.begun(stage.consumer_id, pressed.payment_id)
        assert (await _press(stage, placed, "money_account")).outcome == "succeeded"
        twice = await till.pay(begun, 30)
        assert twice.disposition == "returned", twice.state
        await till.give_back([twice])


async def refund_stuck(stage: Stage) -> None:
    """After the order is placed: paid by WeChat, sent back, and the channel can't return the money."""
    till, placed = till_of(stage), stage.orders[-1]
    stage.days_ago(0)
    stage.wait(-60 * _MINUTES_AGO)
    async with till.turn():
        pressed = await _press(stage, placed, "wechat_pay")
        paid = await till.pay(await till.begun(stage.consumer_id, pressed.payment_id), 12)
        await till.control.set_fault("wechat_pay", "refund_fails_later", "refund", seconds="2")
        by = stage.by_demo
        await refund.refund(stage.ctx, stage.consumer_id, new_id(), placed.order.order_id, None, by)
        [back] = await till.give_back([paid])
    assert back.state is RefundState.FAILED, back.state
