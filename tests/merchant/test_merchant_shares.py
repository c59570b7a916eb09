"""A merchant's shares of payments and refunds: kept once, moved forward only, paged, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fenqi import merchant
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.merchant import PaymentShare, RefundShare, RefundState

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)


def payment(merchant_id, minute=0, amount_minor=1_000):
    at = AT + timedelta(minutes=minute)
    return PaymentShare(merchant_id, new_id(), new_id(), new_id(), "ABCDEFGH23", amount_minor, "CNY", at)


def refund(paid, state, amount_minor=400, minute=0, refund_id=None):
    at = AT + timedelta(minutes=minute)
    return RefundShare(
        paid.merchant_id, refund_id or new_id(), paid.payment_id, paid.order_id, amount_minor, state, "", at, at
    )


def test_payments_are_kept_once_and_paged_newest_first(database, run):
    seller, other = new_id(), new_id()
    shares = [payment(seller, minute) for minute in range(5)]

    async def verb():
        async with database.transaction() as tx:
            await merchant.note_payments(tx, [*shares, payment(other)])
            await merchant.note_payments(tx, shares)
            first = await merchant.payments_of(tx, seller, None, 2)
            return first, await merchant.payments_of(tx, seller, first[-1].payment_id, 100)

    first, rest = run(verb())
    assert [*first, *rest] == shares[::-1]


def test_a_payment_is_its_merchants_alone(database, run):
    mine = payment(new_id())

    async def verb(merchant_id):
        async with database.transaction() as tx:
            await merchant.note_payments(tx, [mine])
            return await merchant.payment_of(tx, merchant_id, mine.payment_id)

    assert run(verb(mine.merchant_id)) == mine
    with pytest.raises(NotFound, match="PAYMENT_UNKNOWN"):
        run(verb(new_id()))


C, S, F = RefundState.CREATED, RefundState.SUCCEEDED, RefundState.FAILED


@pytest.mark.parametrize(
    ("told", "news", "state", "refunded_minor"),
    [
        ([C], [True], C, 400),
        ([C, C], [True, False], C, 400),
        ([C, S], [True, True], S, 400),
        ([C, S, S], [True, True, False], S, 400),
        ([C, F], [True, True], F, 0),
        ([C, F, S], [True, True, True], S, 400),
        ([C, S, F], [True, True, False], S, 400),
        ([S, C], [True, False], S, 400),
        ([C, F, C], [True, True, False], F, 0),
    ],
)
def test_a_refund_moves_forward_only_and_each_state_is_news_once(database, run, told, news, state, refunded_minor):
    paid, refund_id = payment(new_id()), new_id()

    async def verb():
        async with database.transaction() as tx:
            await merchant.note_payments(tx, [paid])
            heard = [await merchant.note_refund(tx, refund(paid, one, refund_id=refund_id)) for one in told]
            found = await merchant.refund_of(tx, paid.merchant_id, refund_id)
            return heard, found, (await merchant.payment_of(tx, paid.merchant_id, paid.payment_id)).refunded_minor

    heard, found, back = run(verb())
    assert (heard, found.state, back) == (news, state, refunded_minor)


def test_refunds_are_paged_newest_first_and_listed_by_payment(database, run):
    paid = payment(new_id())
    again = msgspec.structs.replace(paid, payment_id=new_id())
    back = [refund(paid, C, minute=0), refund(again, S, minute=1), refund(paid, F, minute=2)]

    async def verb():
        async with database.transaction() as tx:
            await merchant.note_payments(tx, [paid, again])
            for one in back:
                await merchant.note_refund(tx, one)
            first = await merchant.refunds_of(tx, paid.merchant_id, None, 1)
            rest = await merchant.refunds_of(tx, paid.merchant_id, first[0].refund_id)
            return first + rest, await merchant.refunds_of_payment(tx, paid.merchant_id, paid.payment_id)

    found, of_payment = run(verb())
    assert found == back[::-1]
    assert of_payment == [back[0], back[2]]


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_pages_have_their_bounds(database, run, limit):
    async def verb():
        async with database.transaction() as tx:
            await merchant.payments_of(tx, new_id(), None, limit)

    with pytest.raises(Refusal, match="PAGE_INVALID"):
        run(verb())
