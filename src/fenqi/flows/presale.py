"""A presale's two payments: the deposit now, and from its day on the tail, which is an order of its own.

The tail's order is made from the deposit's, at the price that was agreed less what has been paid.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from fenqi import cashier, order
from fenqi.cashier import Facts
from fenqi.flows import pay, shop
from fenqi.flows.basis import Basis
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.order import NewLine, NewOrder, OrderState


def is_deposit(facts: Facts, amount_minor: int) -> bool:
    """Whether this amount is the whole deposit of a presale."""
    return facts.order.presale_stage == "deposit" and amount_minor == facts.order.payable_minor


async def pay_deposit(ctx: Context, basis: Basis, key: UUID, method: str) -> None:
    """Pay the deposit by this method; a paid one stays paid. Refuses REMEDY_OVERTAKEN when paying it is refused."""
    if basis.facts.order.state == "paid":
        return
    digest = hashlib.sha256(f"deposit {basis.order_id} {method}".encode()).digest()
    request = PayRequest(basis.consumer_id, key, basis.intent_id, method, "full", digest)
    if (await pay.pay(ctx, request)).outcome != "succeeded":
        raise Conflict("REMEDY_OVERTAKEN", "the deposit can't be paid this way any more: ask for a new quote")


async def place_tail(ctx: Context, consumer_id: UUID, deposit_order_id: UUID) -> Placed:
    """Place the order of the tail once the deposit is paid and its day has come; a repeat returns the first.

    Refuses ORDER_UNKNOWN, DEPOSIT_UNPAID, TAIL_TOO_EARLY, and OFFER_UNKNOWN when the offer is gone.
    """
    by = ctx.by_consumer(consumer_id, "placed the final payment of a presale")
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, by.at)
        deposit = await order.get(tx, consumer_id, deposit_order_id)
    if deposit.presale_stage != "deposit" or deposit.state is not OrderState.PAID:
        raise Conflict("DEPOSIT_UNPAID", "the deposit of this order is not paid")
    if deposit.tail_from_at is None or by.at < deposit.tail_from_at:
        raise Conflict("TAIL_TOO_EARLY", "the final payment opens later")
    order_id = _tail_id(deposit_order_id, epoch_ms(deposit.tail_from_at))
    lines = tuple(_tail_line(ref, line, order_id, place) for place, line in enumerate(deposit.lines, start=1))
    new = NewOrder(
        consumer_id=consumer_id, order_id=order_id, scene=deposit.scene, lines=lines,
        pay_by_at=by.at + shop.PAY_WINDOW, delivery=deposit.delivery, buyer_kind=deposit.buyer_kind,
        presale_stage="tail", tail_from_at=deposit.tail_from_at, made_from_order_id=deposit_order_id,
        address_id=deposit.address_id,
    )  # fmt: skip
    async with ctx.database.transaction() as tx:
        await order.claim_number(tx, consumer_id, order_id, by.at)
    async with ctx.database.transaction() as tx:
        placed = await order.place(tx, new, by)
        intent_id = await cashier.open_checkout(tx, bucket_of(consumer_id), consumer_id, new_id(), order_id, by.at)
    return Placed(placed, intent_id)


def _tail_line(ref: Reference, line: NewLine, order_id: UUID, place: int) -> NewLine:
    """The rest of the price; the piece itself left the stock with the deposit."""
    offer = ref.offers.get((line.sku_id, line.merchant_id))
    if offer is None:
        raise NotFound("OFFER_UNKNOWN", "the presale's offer is gone", sku_id=str(line.sku_id))
    return NewLine(
        line_id=shop.line_id_of(order_id, place), sku_id=line.sku_id, merchant_id=line.merchant_id,
        category=line.category, title_zh=line.title_zh, title_en=line.title_en, quantity=line.quantity,
        unit_price_minor=offer.price_minor - line.unit_price_minor, is_gift=line.is_gift, is_virtual=line.is_virtual,
        is_cross_border=line.is_cross_border, is_subscription=line.is_subscription,
        is_trade_in_subsidised=line.is_trade_in_subsidised,
    )  # fmt: skip


def _tail_id(deposit_order_id: UUID, at_ms: int) -> UUID:
    """The tail's order id, the same at each repeat and ordered by the day on which it opens."""
    raw = bytearray(at_ms.to_bytes(6, "big") + hashlib.sha256(b"tail" + deposit_order_id.bytes).digest()[:10])
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return UUID(bytes=bytes(raw))
