"""A consumer of the simulated market at a channel: pays there, is refused, goes away, or pays when nobody expects it.

Everything that begins at a channel has come to its end when these functions return; what became of it is in the press.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from fenqi import attempt
from fenqi.attempt import Attempt
from fenqi.cashier import Payment
from fenqi.demo import assumptions as a
from fenqi.flows import charge, refund, shop
from fenqi.flows.request import PayRequest
from fenqi.flows.terms import INTERNAL
from fenqi.kernel.refusal import Refusal

if TYPE_CHECKING:
    from fenqi.demo.shopper import Shopper

_CARD_CODES: Mapping[str, str] = {"64": "short of money", "60": "declined", "68": "not enabled for online payments"}
"""What the card's bank says no with, in UnionPay's own codes."""
_ONLY_AT_ALIPAY = "alipay"
"""Its page needs no word of ours with Alipay: it stands until its time is over, whatever becomes of the order."""


def is_outside(method: str, part_by: tuple[str, int] | None = None) -> bool:
    """Whether a channel outside takes a part of it."""
    return not {method, part_by[0] if part_by else method} <= INTERNAL


async def press(one: Shopper, request: PayRequest) -> Payment | None:
    """Press the button, and do at the channel what follows."""
    assert one.till is not None, "a channel has its gateway"
    async with one.till.turn():
        if request.method == "bank_card" and one.rng.random() < a.CARD_SAYS_NO:
            code = one.rng.choice(sorted(_CARD_CODES))
            await one.till.control.set_fault("bank_card", "error", "pay", code=code)
        payment = await one.pay(request)
        if payment is None or payment.outcome not in ("pending", "unknown"):
            return payment
        one.tally.add("at a wallet")
        begun = await one.till.begun(one.consumer_id, payment.payment_id)
        if payment.outcome == "pending":
            await _at_the_page(one, request, begun)
        await _ended(one, begun)
        paid = await charge.standing(one.ctx, one.consumer_id, payment.payment_id)
        one.note(paid)
        return paid


async def _at_the_page(one: Shopper, request: PayRequest, begun: Attempt) -> None:
    assert one.till is not None
    rng = one.rng
    await one.till.pass_by(rng.randint(3, 20))
    if begun.channel == _ONLY_AT_ALIPAY and request.part_by is None:
        drawn = rng.random()
        if drawn < a.PAYS_TWICE:
            return await _twice(one, request, begun)
        if drawn < a.PAYS_TWICE + a.PAYS_LATE:
            return await _late(one, begun)
    drawn = rng.random()
    if drawn < a.WALLET_SAYS_NO:
        one.tally.add("refused in the wallet")
        await one.till.decline(begun, rng.randrange(9))
        await one.till.pass_by(rng.randint(5, 40))
        if rng.random() < a.PAYS_FROM_BALANCE:
            await one.pay(_by_balance(one, request))
    elif drawn < a.WALLET_SAYS_NO + a.LEAVES_WALLET:
        one.tally.add("left at the wallet")
        await one.till.open_page(begun)
    else:
        await one.till.pay(begun, rng.randint(6, 70))


async def _twice(one: Shopper, request: PayRequest, begun: Attempt) -> None:
    """Paid from the balance while the page stood in another tab, then on the page as well."""
    assert one.till is not None
    await one.pay(_by_balance(one, request))
    after = await one.till.pay(begun, one.rng.randint(20, 200))
    if after.disposition == "returned":
        one.tally.add("paid twice")
        await one.till.give_back([after])


async def _late(one: Shopper, begun: Attempt) -> None:
    """Closed the order, and paid on the page that still stood."""
    assert one.till is not None and begun.order_id is not None
    try:
        await shop.close_order(one.ctx, one.consumer_id, begun.order_id)
    except Refusal as no:
        one.tally.add(f"close refused: {no.code}")
    after = await one.till.pay(begun, one.rng.randint(20, 200))
    if after.disposition == "returned":
        one.tally.add("paid late")
        await one.till.give_back([after])


def _by_balance(one: Shopper, request: PayRequest) -> PayRequest:
    """The same checkout, by the money account."""
    return msgspec.structs.replace(
        request, payment_id=one.id(), method="money_account", plan="full", part_by=None,
        input_hash=hashlib.sha256(request.intent_id.bytes).digest(), decision_id=None,
    )  # fmt: skip


async def _ended(one: Shopper, begun: Attempt) -> None:
    """Let the time of an attempt run out that is still open."""
    assert one.till is not None
    async with one.ctx.database.snapshot() as tx:
        found = await attempt.get(tx, begun.consumer_id, begun.attempt_id)
    if found.is_open:
        await one.till.leave(found)


async def send_back(one: Shopper, order_id: UUID, amount_minor: int | None) -> None:
    """Send goods back that were paid outside: the channel gives back its part, or says later that it can't."""
    assert one.till is not None
    async with one.till.turn():
        async with one.ctx.database.snapshot() as tx:
            paid = [x for x in await attempt.of_order(tx, one.consumer_id, order_id) if x.disposition == "applied"]
        if paid and one.rng.random() < a.REFUND_FAILS:
            await one.till.control.set_fault(paid[0].channel, "refund_fails_later", "refund", seconds="2")
        by = one.ctx.by_system("demo", "the goods came back")
        await refund.refund(one.ctx, one.consumer_id, one.id(), order_id, amount_minor, by)
        one.tally.add("refunded")
        if paid:
            one.tally.add("refunded outside")
            states = [str(back.state) for back in await one.till.give_back(paid)]
            one.tally.add(f"refund outside {states[-1]}")
