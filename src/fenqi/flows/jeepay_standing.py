"""How a partner's pay orders and refunds stand, in Jeepay's words: read from the order, its tries and its refunds.

Reads only, and keeps nothing of its own: what the protocol calls a state is derived whenever somebody asks.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, credit, jeepay, order, texts
from fenqi.attempt import Attempt, AttemptState, ChannelRefund
from fenqi.cashier import Payment
from fenqi.channels.contract import Handover
from fenqi.database.pool import Tx
from fenqi.flows.jeepay_way import CASHIER, interface_of
from fenqi.jeepay import PayOrder, PayState, RefundOrder, RefundState, Value
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.reason import Reason
from fenqi.order import Order, OrderState
from fenqi.texts import Audience, Locale

_HANDOVER = msgspec.json.Decoder(Handover)


class Standing(msgspec.Struct, frozen=True):
    """A pay order as it stands."""

    order: PayOrder
    state: PayState
    method: str = ""
    channel_no: str = ""
    code: str = ""
    """Of a failed one: the first reason's code in our dictionary."""
    why: str = ""
    """Of a failed one: every reason in words, for the merchant."""
    paid_at: datetime | None = None
    handover: Handover | None = None
    """Of one under way: how the buyer is led to the channel."""


class RefundStanding(msgspec.Struct, frozen=True):
    """A refund as it stands."""

    amount_minor: int
    state: RefundState
    channel_no: str = ""
    code: str = ""
    why: str = ""
    finished_at: datetime | None = None


async def standing(tx: Tx, found: PayOrder, now: datetime) -> Standing:
    """A pay order as it stands."""
    if found.consumer_id is None:
        return Standing(found, _untaken(found, now))
    key = (found.consumer_id, found.order_id)
    placed = (await order.get_many(tx, [key])).get(key)
    if placed is None:
        return Standing(found, _untaken(found, now))
    presses = await cashier.select_payments_of_order(tx, bucket_of(key[0]), *key)
    tries = await attempt.of_order(tx, *key)
    if placed.state is OrderState.PAID:
        return await _paid(tx, found, placed, presses, tries)
    last = next((each for each in tries if each.is_open), tries[-1] if tries else None)
    method = "" if last is None else last.method
    if last is not None and last.is_open:
        led = None if last.handover is None else _HANDOVER.decode(last.handover)
        return Standing(found, PayState.PAYING, method, last.channel_no, handover=led)
    refused = presses[-1] if presses and found.way_code not in CASHIER else None
    if refused is not None and refused.outcome == "refused":
        code, why = told(refused.reasons)
        return Standing(found, PayState.FAILED, refused.method, code=code, why=why)
    if placed.state is not OrderState.AWAITING_PAYMENT or placed.pay_by_at <= now or _is_over(found, last):
        return Standing(found, PayState.CLOSED, method)
    is_at_rest = last is None or found.way_code in CASHIER
    return Standing(found, PayState.INIT if is_at_rest else PayState.PAYING, method)


def _untaken(found: PayOrder, now: datetime) -> PayState:
    is_over = found.closed_at is not None or found.pay_by_at <= now
    return PayState.CLOSED if is_over else PayState.INIT


def _is_over(found: PayOrder, last: Attempt | None) -> bool:
    """Whether a walk-in's try has ended: nothing else pays the order. One that was declined for its passage's sake and
    has no answer yet is about to be followed by a spare's."""
    ended = (AttemptState.CLOSED, AttemptState.SUCCEEDED)
    return found.way_code not in CASHIER and last is not None and last.state in ended


async def _paid(tx: Tx, found: PayOrder, placed: Order, presses: list[Payment], tries: list[Attempt]) -> Standing:
    source = next((each for each in tries if each.disposition == "applied"), None)
    paid = next((each for each in presses if each.payment_id == placed.payment_id), None)
    backs = await refunds(tx, placed.consumer_id, placed.order_id)
    given_minor = sum(each.amount_minor for each in backs.values() if each.state is RefundState.SUCCESS)
    state = PayState.REFUNDED if given_minor >= placed.payable_minor else PayState.SUCCESS
    method = source.method if source is not None else "" if paid is None else paid.method
    channel_no = "" if source is None else source.channel_no
    return Standing(found, state, method, channel_no, paid_at=placed.paid_at)


def told(reasons: tuple[Reason, ...]) -> tuple[str, str]:
    """The first reason's code, and all of them in a merchant's words."""
    said = [texts.tell(reason, Audience.MERCHANT, Locale.ZH_CN) for reason in reasons]
    return (said[0].code, " ".join(dict.fromkeys(one.sentence for one in said))) if said else ("", "")


async def refunds(tx: Tx, consumer_id: UUID, order_id: UUID) -> dict[UUID, RefundStanding]:
    """Every refund of an order by its id, oldest first."""
    rows = await credit.refunds_of(tx, consumer_id, order_id)
    if not rows:
        return {}
    tries = await attempt.of_order(tx, consumer_id, order_id)
    parts = await attempt.refunds_of(tx, consumer_id, [each.attempt_id for each in tries])
    return {
        row.refund_id: _refund(
            row.amount_minor, row.refunded_at, [part for part in parts if part.order_refund_id == row.refund_id]
        )
        for row in rows
    }


def _refund(amount_minor: int, at: datetime, parts: list[ChannelRefund]) -> RefundStanding:
    """What the house gave back itself is back at once; a part through a channel decides for the whole."""
    if not parts:
        return RefundStanding(amount_minor, RefundState.SUCCESS, finished_at=at)
    failed = next((part for part in parts if part.state is attempt.RefundState.FAILED), None)
    if failed is not None:
        return RefundStanding(
            amount_minor, RefundState.FAILED, failed.channel_no, str(failed.reason), failed.message
        )  # fmt: skip
    done = (attempt.RefundState.SUCCEEDED, attempt.RefundState.DIVERTED)
    is_done = all(part.state in done for part in parts)
    state = RefundState.SUCCESS if is_done else RefundState.REFUNDING
    return RefundStanding(amount_minor, state, parts[-1].channel_no, finished_at=parts[-1].finished_at)


def pay_fields(stands: Standing, mch_no: str) -> dict[str, Value]:
    """A pay order as the protocol's query and notice say it; what is not known is None."""
    found = stands.order
    return {
        "payOrderId": found.number,
        "mchNo": mch_no,
        "appId": found.app_id.hex,
        "mchOrderNo": found.mch_order_no,
        "ifCode": interface_of(stands.method) or None,
        "wayCode": found.way_code,
        "amount": found.amount_minor,
        "currency": found.currency,
        "state": int(stands.state),
        "clientIp": found.client_ip or None,
        "subject": found.subject,
        "body": found.body,
        "channelOrderNo": stands.channel_no or None,
        "errCode": stands.code or None,
        "errMsg": stands.why or None,
        "extParam": found.ext_param or None,
        "successTime": None if stands.paid_at is None else epoch_ms(stands.paid_at),
        "createdAt": epoch_ms(found.made_at),
    }


def refund_fields(found: RefundOrder, paid: PayOrder, stands: RefundStanding, mch_no: str) -> dict[str, Value]:
    """A refund as the protocol's query and notice say it; what is not known is None."""
    done_at = stands.finished_at if stands.state is RefundState.SUCCESS else None
    return {
        "refundOrderId": found.number,
        "payOrderId": paid.number,
        "mchNo": mch_no,
        "appId": found.app_id.hex,
        "mchRefundNo": found.mch_refund_no,
        "payAmount": paid.amount_minor,
        "refundAmount": found.amount_minor,
        "currency": paid.currency,
        "state": int(stands.state),
        "channelOrderNo": stands.channel_no or None,
        "errCode": stands.code or None,
        "errMsg": stands.why or None,
        "extParam": found.ext_param or None,
        "successTime": None if done_at is None else epoch_ms(done_at),
        "createdAt": epoch_ms(found.made_at),
    }


async def of_number(tx: Tx, merchant_id: UUID, pay_order_no: str, mch_order_no: str) -> PayOrder:
    """The partner's pay order by our number or, without one, by its own. NotFound (PAY_ORDER_UNKNOWN)."""
    own_id = jeepay.pay_order_id_of(merchant_id, mch_order_no)
    wanted = jeepay.id_of("P", pay_order_no) if pay_order_no else own_id
    return await jeepay.get_order(tx, merchant_id, wanted or own_id)
