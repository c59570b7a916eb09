"""Refunds of purchases that channels helped to pay, on a real database: what is owed back, kept and never too much."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.credit.conftest import LATER, MERCHANT, THREE, TWELVE, Story
from tests.credit.test_store_refund import MONEY, assert_summary_is_the_fold, purchase_of_order

from fenqi.credit import PayAmount, PayInstalment, RefundPlan, RefundRow, preview_refund, refunds_of, to_channels_of
from fenqi.credit import refund as refund_verb
from fenqi.credit.default_policy import PRODUCT, PRODUCTS
from fenqi.credit.model import GENERAL_PATH, LoanState
from fenqi.credit.product import CreditProduct, RefundRules
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import balances
from fenqi.ledger.chart import REFUND_PAYABLE
from fenqi.ledger.postings.channel_refund import channel_refund
from fenqi.ledger.postings.parts import Receipt, Share
from fenqi.ledger.postings.purchase import purchase

ALIPAY, CARD = UUID(int=9 << 64 | 9), UUID(int=10 << 64 | 10)
OWED = ("payment_company", REFUND_PAYABLE)
AT_ALIPAY = ("payment_company", "clearing:channel:alipay")
CREDIT_FIRST = CreditProduct(version="credit-first", refunds=RefundRules("credit_first"))
CHANNEL_FIRST = CreditProduct(version="channel-first", refunds=RefundRules("channel_first"))


def refund(
    story: Story,
    who: UUID,
    order_id: UUID,
    amount_minor: int | None = None,
    product: CreditProduct = PRODUCT,
) -> tuple[RefundRow, RefundPlan]:
    bought = purchase_of_order(story, who, order_id)
    by = story.by("came back", "staff:test")
    return story.tx(lambda tx: refund_verb(tx, who, new_id(), bought, amount_minor, by, None, product))


def give_back(story: Story, who: UUID, row: RefundRow) -> None:
    """Every passage carries its part out."""
    for one in to_channels_of(row):
        story.post(who, "channel_refund", channel_refund(one), row.order_id)


def test_what_a_channel_took_is_owed_back_until_it_has_left(story: Story) -> None:
    """¥300 on credit and ¥100 by Alipay: of ¥40 back ¥30 is credit's and ¥10 Alipay's."""
    who = story.open_line(money_minor=5_000)
    loan = story.buy(who, 30_000, THREE, channels=[Receipt("alipay", ALIPAY, 10_000)])
    row, planned = refund(story, who, loan.order_id, 4_000)
    assert (row.kind, row.on_credit_minor, row.to_limit_minor, row.to_money_account_minor, row.to_channel_minor) == (
        "refund", 3_000, 3_000, 0, 1_000,
    )  # fmt: skip
    assert to_channels_of(row) == planned.to_channels == (Receipt("alipay", ALIPAY, 1_000),)
    assert story.tx(lambda tx: refunds_of(tx, who, loan.order_id)) == [row]
    assert (story.balances(who)[OWED], story.balances(who)[AT_ALIPAY]) == (-1_000, 10_000)
    give_back(story, who, row)
    assert OWED not in story.balances(who)
    assert (story.balances(who)[AT_ALIPAY], story.balances(who)[MONEY]) == (9_000, -5_000)
    assert story.facts(who).limits[0].used_minor == 27_000
    story.assert_books_balance()


def test_undoing_an_untouched_purchase_gives_the_limit_back_and_owes_the_channels_part(story: Story) -> None:
    who = story.open_line()
    loan = story.buy(who, 30_000, TWELVE, channels=[Receipt("alipay", ALIPAY, 10_000)])
    row, _ = refund(story, who, loan.order_id)
    assert (row.kind, row.to_limit_minor, row.to_channel_minor) == ("cancellation", 30_000, 10_000)
    assert story.loans(who)[0].state is LoanState.CANCELLED
    assert story.balances(who) == {OWED: -10_000, AT_ALIPAY: 10_000}
    give_back(story, who, row)
    assert story.balances(who) == {}
    with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
        refund(story, who, loan.order_id)


def test_a_purchase_by_a_channel_alone_needs_no_money_account_for_its_refunds(story: Story) -> None:
    who, order_id, taken = new_id(), new_id(), Receipt("alipay", ALIPAY, 9_000)
    story.post(who, "purchase", purchase([Share(MERCHANT, 9_000)], channels=[taken]), order_id)
    first, _ = refund(story, who, order_id, 2_500)
    rest, _ = refund(story, who, order_id)
    assert [(row.kind, row.to_channel_minor) for row in (first, rest)] == [("refund", 2_500), ("refund", 6_500)]
    assert story.balances(who)[OWED] == -9_000
    with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
        refund(story, who, order_id, 1)


@pytest.mark.parametrize(
    ("product", "expected"),
    [(CREDIT_FIRST, (20_000, 0)), (CHANNEL_FIRST, (10_000, 10_000)), (PRODUCT, (15_000, 5_000))],
)
def test_the_loans_product_says_what_comes_back_first(
    story: Story, monkeypatch: pytest.MonkeyPatch, product: CreditProduct, expected: tuple[int, int]
) -> None:
    """¥300 on credit, ¥100 by Alipay, ¥200 back. A loan keeps its version's rule whatever the product is today."""
    who = story.open_line()
    loan = story.buy(who, 30_000, THREE, channels=[Receipt("alipay", ALIPAY, 10_000)])
    monkeypatch.setitem(PRODUCTS, loan.product_version, product)
    bought = purchase_of_order(story, who, loan.order_id)
    planned = story.tx(lambda tx: preview_refund(tx, who, bought, 20_000, story.by("look"), CHANNEL_FIRST))
    row, _ = refund(story, who, loan.order_id, 20_000, CHANNEL_FIRST)
    assert (row.to_limit_minor, row.to_channel_minor) == expected
    assert planned.to_channels == to_channels_of(row)
    assert row.to_money_account_minor == 0


def test_without_a_loan_todays_product_says_it(story: Story) -> None:
    who = story.open_line(money_minor=50_000)
    order_id = new_id()
    entries = purchase([Share(MERCHANT, 20_000)], (), 10_000, channels=[Receipt("alipay", ALIPAY, 10_000)])
    story.post(who, "purchase", entries, order_id)
    first, _ = refund(story, who, order_id, 5_000)
    assert (first.to_channel_minor, first.to_money_account_minor) == (2_500, 2_500)
    second, _ = refund(story, who, order_id, 9_000, CHANNEL_FIRST)
    assert (second.to_channel_minor, second.to_money_account_minor) == (7_500, 1_500)


def test_part_paid_the_rest_of_the_credits_part_is_money(story: Story) -> None:
    """¥1,200 in 12 and ¥300 by card; one instalment paid; all comes back: ¥1,100 off, ¥300 by card, ¥100 in money."""
    who = story.open_line(money_minor=50_000)
    loan = story.buy(who, 120_000, TWELVE, channels=[Receipt("bank_card", CARD, 30_000)])
    story.on(date(2026, 4, 10))
    story.repay(who, PayInstalment(loan.loan_id))
    row, _ = refund(story, who, loan.order_id)
    assert (row.kind, row.to_limit_minor, row.to_channel_minor, row.to_money_account_minor) == (
        "refund", 110_000, 30_000, 10_000,
    )  # fmt: skip
    assert story.balances(who)[MONEY] == -(50_000 - 720)
    assert story.loans(who)[0].state is LoanState.REFUNDED


def test_a_refunds_parts_have_to_come_to_its_amount(story: Story, urls: Any) -> None:
    who = story.open_line()
    loan = story.buy(who, 30_000, THREE, channels=[Receipt("alipay", ALIPAY, 10_000)])
    row, _ = refund(story, who, loan.order_id, 4_000)
    with psycopg.connect(urls.owner) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(
            "UPDATE refund SET to_channel_minor = 1_001 WHERE bucket = %s AND consumer_id = %s AND refund_id = %s",
            (bucket_of(who), who, row.refund_id),
        )


@pytest.mark.parametrize("seed", range(6))
def test_random_lives_of_mixed_purchases_give_back_what_was_paid(
    story: Story, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Up to three tenders, repayments and refunds in any order: each tender its own, limits once, books in balance."""
    chance = random.Random(seed)
    story.on(date(2026, 3, 10))
    monkeypatch.setitem(PRODUCTS, PRODUCT.version, chance.choice([PRODUCT, CREDIT_FIRST, CHANNEL_FIRST]))
    who = story.open_line(money_minor=1_000_000)
    money, receipts = chance.randint(0, 20_000), [Receipt("alipay", ALIPAY, chance.randint(1, 50_000))]
    loan = story.buy(
        who, chance.randint(1, 200_000), chance.choice([LATER, THREE, TWELVE]), money_minor=money, channels=receipts
    )
    left, to_channel = loan.principal_minor + money + receipts[0].amount_minor, 0
    while left:
        story.at += timedelta(days=chance.randint(0, 40))
        owed = sum(row.settle_minor for row in story.facts(who).loans)
        if owed and chance.random() < 0.4:
            story.repay(who, PayAmount(chance.randint(1, owed)))
        else:
            row, _ = refund(story, who, loan.order_id, left if chance.random() < 0.3 else chance.randint(1, left))
            left, to_channel = left - row.amount_minor, to_channel + row.to_channel_minor
            assert to_channel <= receipts[0].amount_minor
            give_back(story, who, row)
        assert_summary_is_the_fold(story, who)
    assert to_channel == receipts[0].amount_minor
    assert story.facts(who).limits[0].used_minor == 0
    left_over = story.balances(who)
    assert ("lender", GENERAL_PATH) not in left_over and OWED not in left_over and AT_ALIPAY not in left_over
    assert -left_over[MONEY] == 1_000_000 + left_over.get(("lender", "income:instalment_fee"), 0)
    assert story.tx(balances.faults) == []
