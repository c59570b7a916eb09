"""A merchant's own side of payments and refunds: its share of each, as far as the relay has carried it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.merchant import store
from fenqi.merchant.model import PaymentShare, RefundShare, RefundState

PAGE_MOST = 100


async def note_payments(tx: Tx, shares: Sequence[PaymentShare]) -> None:
    """Keep merchants' shares of payments; what is there already is left as it is."""
    if shares:
        await store.share.insert_payments(tx, shares)


async def note_refund(tx: Tx, share: RefundShare) -> bool:
    """Keep a merchant's share of a refund, or what has become of it; False when that was known already.

    A refund begins once, and one that succeeded stays so.
    """
    if share.state is RefundState.CREATED:
        return await store.share.insert_refund(tx, share)
    return await store.share.insert_refund(tx, share) or await store.share.change_refund(tx, share)


async def payment_of(tx: Tx, merchant_id: UUID, payment_id: UUID) -> PaymentShare:
    """One payment as its merchant sees it; NotFound (PAYMENT_UNKNOWN) for those of others alone."""
    found = await store.share.payments(tx, merchant_id, [payment_id])
    if not found:
        raise NotFound("PAYMENT_UNKNOWN", "no such payment")
    return found[0]


async def payments_of(tx: Tx, merchant_id: UUID, before_id: UUID | None = None, limit: int = 20) -> list[PaymentShare]:
    """The merchant's payments, newest first, older than the payment `before_id`; at most 100 (PAGE_INVALID)."""
    check_page(limit)
    return await store.share.payments_before(tx, merchant_id, before_id, limit)


async def refunds_of_payment(tx: Tx, merchant_id: UUID, payment_id: UUID) -> list[RefundShare]:
    """The merchant's parts of the refunds of a payment, oldest first."""
    return await store.share.refunds_of_payment(tx, merchant_id, payment_id)


async def refunds_of(tx: Tx, merchant_id: UUID, before_id: UUID | None = None, limit: int = 20) -> list[RefundShare]:
    """The merchant's parts of refunds, newest first, older than the refund `before_id`; at most 100 (PAGE_INVALID)."""
    check_page(limit)
    return await store.share.refunds_before(tx, merchant_id, before_id, limit)


async def refund_of(tx: Tx, merchant_id: UUID, refund_id: UUID) -> RefundShare:
    """The merchant's part of one refund; NotFound (REFUND_UNKNOWN) until the relay has carried it here."""
    found = await store.share.refund(tx, merchant_id, refund_id)
    if found is None:
        raise NotFound("REFUND_UNKNOWN", "no such refund")
    return found


def check_page(limit: int) -> None:
    """Refuse pages of other than 1 to 100 (PAGE_INVALID)."""
    if not 1 <= limit <= PAGE_MOST:
        raise Refusal("PAGE_INVALID", f"1 to {PAGE_MOST} a page")
