"""A partner's refunds: claimed by number, booked as every seller's refund is, and asked for at the channel at once."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import attempt, jeepay
from fenqi.attempt import RefundState as AtChannel
from fenqi.flows import give_back, refund
from fenqi.flows.context import Context
from fenqi.flows.jeepay_standing import RefundStanding, refunds
from fenqi.jeepay import App, PayOrder, RefundOrder, RefundState
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Refusal

_OPEN = (AtChannel.CREATED, AtChannel.UNKNOWN, AtChannel.PENDING)


class Asked(msgspec.Struct, frozen=True):
    """A refund as it was asked for. Empty texts were not given."""

    mch_refund_no: str
    amount_minor: int
    why: str
    asked_hash: bytes
    notify_url: str = ""
    ext_param: str = ""


async def refund_order(ctx: Context, app: App, paid: PayOrder, asked: Asked) -> tuple[RefundOrder, RefundStanding]:
    """Give this much of a pay order back, once a number; a repeat of the same gets what has become of the first.

    Refuses MCH_REFUND_NO_TAKEN, and ORDER_NOT_PAID, AMOUNT_INVALID, REFUND_TOO_LARGE before the number is claimed.
    """
    if paid.consumer_id is None:
        raise Conflict("ORDER_NOT_PAID", "only a paid order can be refunded")
    by = By(f"merchant:{paid.merchant_id}", asked.why, ctx.now())
    refund_id = jeepay.refund_id_of(paid.merchant_id, asked.mch_refund_no)
    async with ctx.database.snapshot() as tx:
        is_repeat = await jeepay.find_refund(tx, paid.merchant_id, refund_id) is not None
    if not is_repeat:
        await refund.preview(ctx, paid.consumer_id, paid.order_id, asked.amount_minor, by)
    new = RefundOrder(
        paid.merchant_id, refund_id, paid.pay_order_id, app.app_id, asked.mch_refund_no, asked.amount_minor,
        asked.notify_url, asked.ext_param, asked.asked_hash, by.at,
    )  # fmt: skip
    async with ctx.database.transaction() as tx:
        found = await jeepay.claim_refund(tx, new)
    parts = {paid.merchant_id: asked.amount_minor}
    await refund.refund(ctx, paid.consumer_id, refund_id, paid.order_id, asked.amount_minor, by, parts)
    await _carry_out(ctx, paid.consumer_id, paid.order_id, refund_id)
    return found, await find(ctx, paid, refund_id)


async def _carry_out(ctx: Context, consumer_id: UUID, order_id: UUID, refund_id: UUID) -> None:
    """Ask the channel now instead of at the janitor's next turn: the partner reads the answer's state."""
    async with ctx.database.snapshot() as tx:
        tries = await attempt.of_order(tx, consumer_id, order_id)
        parts = await attempt.refunds_of(tx, consumer_id, [each.attempt_id for each in tries])
    for part in parts:
        if part.order_refund_id == refund_id and part.state in _OPEN:
            await give_back.carry_out(ctx, consumer_id, part.refund_id)


async def find(ctx: Context, paid: PayOrder, refund_id: UUID) -> RefundStanding:
    """What has become of a refund; one that was claimed and never booked (its process was killed) is under way until
    its partner asks for it again."""
    if paid.consumer_id is None:
        raise Refusal("ORDER_NOT_PAID", "only a paid order can be refunded")
    async with ctx.database.snapshot() as tx:
        claimed = await jeepay.get_refund(tx, paid.merchant_id, refund_id)
        found = (await refunds(tx, paid.consumer_id, paid.order_id)).get(refund_id)
    return found or RefundStanding(claimed.amount_minor, RefundState.REFUNDING)
