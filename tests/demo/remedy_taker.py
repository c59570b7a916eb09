"""Carries a remedy out as its buyer would: types what is asked, reads codes off the phone, waits where told, pays."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

from fenqi import customer
from fenqi.cashier import Offer, Payment
from fenqi.flows import expire, pay, quote, remedy
from fenqi.flows.quote import Quote
from fenqi.kernel.ids import new_id
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
    request = pay.PayRequest(
        stage.consumer_id, new_id(), reached.intent_id, reached.method, reached.plan or "full",
        hashlib.sha256(b"the remedy's payment").digest(), None, reached.part_by,
    )  # fmt: skip
    return await pay.pay(stage.ctx, request)


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
        "card_number": person.card_number,
        "name": person.name,
        "id_number": person.id_number,
        "document_until_on": "2041-12-31",
    }[name]
