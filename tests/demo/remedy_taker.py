"""Carries a remedy out as its buyer would: types what is asked, reads codes off the phone, waits where told, pays."""

from __future__ import annotations

import hashlib
import random
import re
from datetime import UTC, datetime, timedelta

from fenqi import attempt, customer
from fenqi.cashier import Offer, Payment
from fenqi.flows import charge, expire, pay, quote, remedy
from fenqi.flows.quote import Quote
from fenqi.kernel.ids import new_id
from fenqi.seed.lives_outside import till_of
from fenqi.seed.people import card_number
from fenqi.seed.stage import Stage

NEW_PAY_PASSWORD = "139752"
_STEPS_AT_MOST = 12


async def look(stage: Stage) -> Quote:
    """The quote of the ready order."""
    return await quote.quote(stage.ctx, stage.consumer_id, stage.orders[-1].intent_id)


async def take(stage: Stage, shown: Quote, offer: Offer, place: int) -> Payment:
    """Carry out the offer's remedy at this place, then pay by what it has made usable."""
    remedy_id = remedy.remedy_id(shown.decision_id, offer, place)
    given: dict[str, str] = {}
    for _ in range(_STEPS_AT_MOST):
        stage.wait(61)
        if any(reason.code == "PAYMENT_IN_PROGRESS" for reason in offer.reasons):
            await _banks_answer(stage)
        async with till_of(stage).turn():
            reached = await remedy.apply(stage.ctx, stage.consumer_id, remedy_id, given)
        given = {}
        if reached.done:
            return await _pay(stage, reached)
        if reached.wait_until_ms is not None:
            until_at = datetime.fromtimestamp(reached.wait_until_ms / 1000, UTC)
            stage.clock.go_to(until_at + timedelta(milliseconds=1))
            await expire.tick(stage.ctx)
        if reached.needed is not None:
            given = reached.needed.known | {name: await _typed(stage, name) for name in reached.needed.names}
    raise AssertionError(f"{remedy_id} is not done after {_STEPS_AT_MOST} calls")


async def _pay(stage: Stage, reached: remedy.Outcome) -> Payment:
    """Press, and pay at the channel where that is the way."""
    request = pay.PayRequest(
        stage.consumer_id, new_id(), reached.intent_id, reached.method, reached.plan or "full",
        hashlib.sha256(b"the remedy's payment").digest(), None, reached.part_by,
    )  # fmt: skip
    till = till_of(stage)
    async with till.turn():
        payment = await pay.pay(stage.ctx, request)
        if payment.outcome == "pending":
            await till.pay(await till.begun(stage.consumer_id, payment.payment_id), 20)
            payment = await charge.standing(stage.ctx, stage.consumer_id, payment.payment_id)
    return payment


async def _banks_answer(stage: Stage) -> None:
    """Meanwhile a bank that owed its answer has said no, and the janitor asks."""
    till = till_of(stage)
    async with stage.ctx.database.snapshot() as tx:
        tries = await attempt.of_order(tx, stage.consumer_id, stage.orders[-1].order.order_id)
    async with till.turn():
        for each in tries:
            if each.is_open and each.channel == "bank_card":
                seen = await till.control.find(each.channel, each.attempt_no)
                assert seen is not None
                await till.control.decline(seen.trade.trade_no, "05")
        await till.tidy()


async def _typed(stage: Stage, name: str) -> str:
    """What the buyer types into a field of this name."""
    if name == "sms_code":
        async with stage.ctx.database.snapshot() as tx:
            newest = (await customer.messages(tx, stage.consumer_id, 1))[0]
        found = re.search(r"\d{6}", newest.text_zh)
        assert found is not None
        return found[0]
    if name == "new_pay_password":
        stage.pay_password = NEW_PAY_PASSWORD
    person = stage.person
    return {
        "pay_password": stage.pay_password,
        "new_pay_password": NEW_PAY_PASSWORD,
        "card_number": card_number("91560102", random.Random(person.sign_in_name)),
        "name": person.name,
        "id_number": person.id_number,
        "document_until_on": "2041-12-31",
    }[name]
