"""Races 5 to 7: refunds at once, of part of an instalment order, and after the merchant has had its money.

saleor #19645, medusa PR 8603 and fineract #5135 let refunds go above what was captured; alma-magento #222 gives the
whole of an instalment order back for a part of it (pagarme-magento PR 71, too).
"""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from fenqi.flows import refund, repay
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import chart

GENERAL = chart.loan_principal("general")
TOO_MANY = 20


async def many_at_once(mall, placed, amount_minor):
    """Twenty partial refunds at the same time: those agreed, and the refusals of the others."""
    buyer, order_id = placed.order.consumer_id, placed.order.order_id
    by = mall.ctx.by_consumer(buyer, "some came back")
    answers = await asyncio.gather(
        *(refund.refund(mall.ctx, buyer, new_id(), order_id, amount_minor, by) for _ in range(TOO_MANY)),
        return_exceptions=True,
    )
    agreed = [each for each in answers if not isinstance(each, BaseException)]
    assert {getattr(each, "code", each) for each in answers if each not in agreed} <= {"REFUND_TOO_LARGE"}
    return agreed


async def all_end(mall, placed, times=40):
    """Time passes until every refund at the channel is over."""
    for _ in range(times):
        backs = await mall.refunds(placed.order.consumer_id, placed.order.order_id)
        if all(each.ask_at is None for each in backs):
            return backs
        await mall.passes(1_300)
    raise AssertionError([(each.state, each.code, each.message) for each in backs])


@pytest.mark.parametrize("method", ["alipay", "wechat_pay"])
def test_twenty_at_once_never_give_back_more_than_was_captured(mall, buyer, run, method):
    """saleor #19645 compares each refund with the charge, without a lock and without those that were granted before."""

    async def race():
        placed = await mall.bought(buyer)
        begun = await mall.paid_at(buyer, placed, method)
        part = placed.order.payable_minor // 7
        agreed = await many_at_once(mall, placed, part)
        assert len(agreed) == 7
        assert await mall.owed_back(buyer) == 7 * part
        backs = await all_end(mall, placed)
        assert [(each.state, each.amount_minor) for each in backs] == [("succeeded", part)] * 7
        there = mall.trade(begun)
        assert sum(each.amount_minor for each in there.refunds) == 7 * part <= there.trade.amount_minor
        assert await mall.owed_back(buyer) == 0

    run(race())


def test_twenty_at_once_of_a_mix_keep_each_tenders_own_cap(mall, buyer, run):
    """medusa PR 8603, fineract #5135: not above what was captured, and of a mix not above any of its parts."""

    async def race():
        placed = await mall.bought(buyer)
        by_wallet = 123_457
        begun = await mall.paid_at(buyer, placed, "credit", plan="instalment_12", part_by=("wechat_pay", by_wallet))
        drawn = placed.order.payable_minor - by_wallet
        part = placed.order.payable_minor // 9 - 1
        agreed = await many_at_once(mall, placed, part)
        assert len(agreed) == 9
        rest = await refund.refund(
            mall.ctx, buyer, new_id(), placed.order.order_id, None, mall.ctx.by_consumer(buyer, "the rest")
        )
        rows = [*agreed, rest]
        assert sum(each.amount_minor for each in rows) == placed.order.payable_minor
        assert sum(each.on_credit_minor for each in rows) == drawn
        assert sum(each.to_channel_minor for each in rows) == by_wallet
        backs = await all_end(mall, placed)
        assert sum(each.amount_minor for each in backs) == by_wallet
        assert sum(each.amount_minor for each in mall.trade(begun).refunds) == by_wallet
        assert (await mall.limits(buyer))[GENERAL] == 0
        with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
            await mall.gives_back(placed, 1)

    run(race())


def test_over_http_the_sum_stays_below_what_was_captured(mall, buyer, run):
    async def race():
        placed = await mall.bought(buyer)
        await mall.paid_at(buyer, placed, "alipay")
        part = placed.order.payable_minor // 3
        where = f"/v1/orders/{placed.order.order_id}/refunds"
        answers = await asyncio.gather(
            *(mall.api("POST", where, buyer, {"amount_minor": part}, f"refund {n}") for n in range(8))
        )
        assert sorted(each.status_code for each in answers) == [200] * 3 + [422] * 5
        assert {each.json()["code"] for each in answers if each.status_code == 422} == {"REFUND_TOO_LARGE"}
        await all_end(mall, placed)
        assert await mall.owed_back(buyer) == 0

    run(race())


def test_part_of_an_instalment_order_comes_back_to_each_tender_in_proportion(mall, buyer, run):
    """alma-magento #222 gives all of it back. Hand calculation: the wallet paid 1,000.00; of a refund of half, rounded
    down, credit gets floor(drawn × half / whole) and the wallet the rest; fees of what is taken back are let off."""

    async def race():
        placed = await mall.bought(buyer)
        whole, by_wallet = placed.order.payable_minor, 100_000
        drawn = whole - by_wallet
        before = await mall.limits(buyer)
        begun = await mall.paid_at(buyer, placed, "credit", plan="instalment_12", part_by=("wechat_pay", by_wallet))
        assert (await mall.limits(buyer))[GENERAL] == before[GENERAL] + drawn
        first = await mall.position(placed)
        half = whole // 2
        on_credit = drawn * half // whole
        back = await mall.gives_back(placed, half)
        assert (back.amount_minor, back.cause) == (half - on_credit, "refund")
        assert (await mall.limits(buyer))[GENERAL] == before[GENERAL] + drawn - on_credit
        now = await mall.position(placed)
        assert now.outstanding_minor == drawn - on_credit
        assert sum(row.outstanding.principal_minor for row in now.state.rows) == drawn - on_credit
        assert first.state.outstanding.fee_minor > now.state.outstanding.fee_minor > 0
        assert not now.state.closed
        assert await mall.ends(back) == "succeeded"
        assert [each.amount_minor for each in mall.trade(begun).refunds] == [half - on_credit]
        rest = await mall.gives_back(placed, None)
        assert rest.amount_minor == by_wallet - (half - on_credit)
        assert (await mall.limits(buyer))[GENERAL] == before[GENERAL]
        assert (await mall.position(placed)).state.closed
        assert await mall.ends(rest) == "succeeded"
        assert sum(each.amount_minor for each in mall.trade(begun).refunds) == by_wallet

    run(race())


def test_what_was_repaid_of_it_comes_back_in_money(mall, buyer, run):
    async def race():
        placed = await mall.bought(buyer)
        by_wallet = 100_000
        begun = await mall.paid_at(buyer, placed, "credit", plan="pay_later", part_by=("wechat_pay", by_wallet))
        await repay.settle(mall.ctx, buyer, new_id())
        had = await mall.money_of(buyer)
        drawn = placed.order.payable_minor - by_wallet
        assert (await mall.limits(buyer))[GENERAL] == 0
        back = await mall.gives_back(placed, None)
        assert back.amount_minor == by_wallet
        assert await mall.money_of(buyer) == had + drawn
        assert await mall.ends(back) == "succeeded"
        assert [each.amount_minor for each in mall.trade(begun).refunds] == [by_wallet]

    run(race())


def test_a_refund_after_the_merchant_was_paid_out_makes_it_owe_the_mall(mall, buyer, run):
    """What exists so far: the payable goes below zero and the books hold. Netting it against the next payout is the
    settlement's matter; the payout here is booked by the test."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.paid_at(buyer, placed, "alipay")
        await mall.settle()
        [merchant_id] = {line.merchant_id for line in placed.order.lines}
        owed = -await mall.party_sum(merchant_id, chart.MERCHANT_PAYABLE)
        assert owed >= placed.order.payable_minor
        await pay_out(mall, merchant_id, owed)
        assert await mall.party_sum(merchant_id, chart.MERCHANT_PAYABLE) == 0
        back = await mall.gives_back(placed, None)
        assert await mall.ends(back) == "succeeded"
        assert await mall.party_sum(merchant_id, chart.MERCHANT_PAYABLE) == placed.order.payable_minor, "owed by it"
        assert await mall.balanced()
        next_one = await mall.bought(buyer)
        await mall.paid_at(buyer, next_one, "alipay")
        await mall.settle()
        left = placed.order.payable_minor - next_one.order.payable_minor
        assert await mall.party_sum(merchant_id, chart.MERCHANT_PAYABLE) == left, "the next sale is netted against it"

    run(race())


async def pay_out(mall, merchant_id, amount_minor):
    """A merchant's payout as the mall will book it: it is owed so much less, and so much less is at the bank."""
    now, journal_id = mall.clock.now(), new_id()
    key = [bucket_of(merchant_id), merchant_id, journal_id]
    async with await psycopg.AsyncConnection.connect(mall.owner_url) as tx:
        await tx.execute(
            "INSERT INTO party_journal (bucket, party_id, journal_id, business_on, posted_at, source_id, kind)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'payout')",
            [*key, business_date(now), now, journal_id],
        )
        for line, (path, amount) in enumerate([(chart.MERCHANT_PAYABLE, amount_minor), (chart.BANK, -amount_minor)]):
            await tx.execute(
                "INSERT INTO party_entry (bucket, party_id, journal_id, line, business_on, amount_minor, book, path)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [*key, line, business_date(now), amount, chart.MALL, path],
            )


@pytest.mark.parametrize("method", ["alipay", "wechat_pay", "bank_card"])
def test_a_refund_that_fails_later_is_to_be_seen_until_somebody_decides(mall, buyer, run, method):
    """The debt stays in the books; tried again, it goes back the way it came."""

    async def race():
        placed = await mall.bought(buyer)
        begun = await mall.paid_at(buyer, placed, method, **({"client": "app"} if method == "bank_card" else {}))
        mall.fault(method, "refund_fails_later", "refund", seconds="5")
        back = await mall.gives_back(placed, None)
        state = await mall.ends(back)
        assert state in ("failed", "diverted")
        owed = placed.order.payable_minor if state == "failed" else 0
        assert await mall.owed_back(buyer) == owed
        assert mall.trade_money(begun) == placed.order.payable_minor

    run(race())
