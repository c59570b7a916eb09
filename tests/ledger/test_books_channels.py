"""A story of two passages: what channels took and gave back, through trial balance, clearing, statements and walk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.ledger.cases import AT, GENERAL, MONEY, item, open_limits

from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import balances, chart, relay, statements, walk
from fenqi.ledger.door import post_batch
from fenqi.ledger.model import Entry, PostingItem
from fenqi.ledger.postings.channel_refund import channel_refund
from fenqi.ledger.postings.parts import Draw, Receipt, Share
from fenqi.ledger.postings.payout import payout
from fenqi.ledger.postings.payout_failed import payout_failed
from fenqi.ledger.postings.payout_paid import payout_paid
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.receipt import receipt
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.refund_diverted import refund_diverted
from fenqi.ledger.postings.top_up import top_up

HANDLERS: dict[str, outbox.Handler] = {relay.TOPIC: relay.mirror}
PHONES, ALIPAY, CARD = new_id(), new_id(), new_id()
ORDER = new_id()
COMPANY = "payment_company"


@pytest.fixture(scope="module")
def read(database: Database, run: Any) -> Callable[..., Any]:
    """Runs one reading in a snapshot: `read(query, arguments after tx)`."""

    def call(query: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def go() -> Any:
            async with database.snapshot() as tx:
                return await query(tx, *arguments)

        return run(go())

    return call


def post(database: Database, run: Any, one: PostingItem) -> None:
    async def go() -> None:
        async with database.transaction() as tx:
            (verdict,) = await post_batch(tx, [one])
            assert verdict.posted

    run(go())


@pytest.fixture(scope="module")
def story(database: Database, run: Any, urls: Any) -> tuple[UUID, list[PostingItem]]:
    """A phone for 1,000.00: 600.00 on credit, 300.00 with Alipay, 100.00 by card; and Alipay paid twice.

    All of it comes back: Alipay gives back what it took, the card's 100.00 goes to the money account. 200.00 are
    topped up by card; of two payouts of 50.00 one is sent, one fails.
    """
    (consumer,) = open_limits(urls.owner, {GENERAL: 100_000, MONEY: 0})
    alipay, card = Receipt("alipay", ALIPAY, 30_000), Receipt("bank_card", CARD, 10_000)
    share, draw = [Share(PHONES, 100_000)], [Draw(GENERAL, 60_000)]
    events: list[tuple[tuple[Entry, ...], UUID | None]] = [
        (purchase(share, draw, channels=[alipay, card]), ORDER),
        (receipt(alipay), ORDER),
        (channel_refund(alipay), ORDER),
        (refund(share, draw, channels=[alipay, card]), ORDER),
        (channel_refund(alipay), ORDER),
        (refund_diverted(card), ORDER),
        (top_up(Receipt("bank_card", CARD, 20_000)), None),
        (payout(5_000), None),
        (payout_paid(Receipt("bank_card", CARD, 5_000)), None),
        (payout(5_000), None),
        (payout_failed(5_000), None),
    ]
    items = [
        item(
            consumer,
            entries,
            reference=order,
            business_on=date(2026, 1, 20) + timedelta(days=n),
            posted_at=AT + timedelta(days=n - 11),
        )
        for n, (entries, order) in enumerate(events)
    ]
    for one in items:
        post(database, run, one)
    return consumer, items


def test_before_the_relay_everything_is_in_flight(story: Any, read: Callable[..., Any]) -> None:
    flights = {
        (r.book, r.path): (r.consumers_minor, r.parties_minor, r.in_flight_minor) for r in read(balances.clearing)
    }
    assert flights == {
        ("lender", "clearing:mall"): (0, 0, 0),
        ("mall", "clearing:lender"): (0, 0, 0),
        ("mall", "clearing:merchant"): (0, 0, 0),
        ("mall", "clearing:payment_company"): (0, 0, 0),
        (COMPANY, "clearing:channel:alipay"): (0, 0, 0),
        (COMPANY, "clearing:channel:bank_card"): (25_000, 0, 25_000),
        (COMPANY, "clearing:mall"): (0, 0, 0),
    }
    assert read(balances.faults) == []


def test_the_relay_carries_it_to_the_passages(
    story: Any, database: Database, run: Any, read: Callable[..., Any]
) -> None:
    consumer, items = story
    events = [outbox.Event(one.journal_id, consumer, relay.TOPIC, b"null", AT) for one in items]
    without_clearing = {items[n].journal_id for n in (5, 7, 9, 10)}
    assert run(outbox.drain(database, HANDLERS, AT)) == len(items) - len(without_clearing)

    async def again() -> None:
        async with database.transaction() as tx:
            await relay.mirror(tx, events)

    run(again())
    assert all((r.consumers_minor + r.parties_minor, r.in_flight_minor) == (0, 0) for r in read(balances.clearing))
    assert read(balances.faults) == []


def test_trial_balance(story: Any, read: Callable[..., Any]) -> None:
    """Worked out by hand: the card has 100.00 of the phone and 200.00 topped up, less 50.00 sent."""
    found = read(balances.trial_balance, date(2026, 1, 31))
    assert {(r.book, r.path): r.balance_minor for r in found if r.balance_minor} == {
        (COMPANY, "asset:channel_in_transit"): 25_000,
        (COMPANY, "liability:money_account"): -25_000,
        (COMPANY, "liability:due_to:mall"): -40_000,
        (COMPANY, "asset:due_from:mall"): 40_000,
        ("mall", "asset:due_from:payment_company"): 40_000,
        ("mall", "liability:due_to:payment_company"): -40_000,
        ("mall", "asset:due_from:lender"): 60_000,
        ("mall", "liability:due_to:lender"): -60_000,
        ("lender", "asset:due_from:mall"): 60_000,
        ("lender", "liability:due_to:mall"): -60_000,
    }
    for book in chart.BOOKS:
        assert sum(r.balance_minor for r in found if r.book == book) == 0
    owed = next(r for r in found if r.path == chart.REFUND_PAYABLE)
    assert (owed.debit_minor, owed.credit_minor) == (70_000, 70_000)
    after_the_refund = read(balances.trial_balance, date(2026, 1, 23))
    assert {r.path: r.balance_minor for r in after_the_refund if r.path == chart.REFUND_PAYABLE} == {
        chart.REFUND_PAYABLE: -40_000
    }


def test_books_agree_on_what_they_owe(story: Any, read: Callable[..., Any]) -> None:
    assert [(r.debtor, r.creditor, r.due_to_minor, r.due_from_minor) for r in read(balances.dues)] == [
        ("lender", "mall", -60_000, 60_000),
        ("mall", "lender", -60_000, 60_000),
        ("mall", "payment_company", -40_000, 40_000),
        ("payment_company", "mall", -40_000, 40_000),
    ]


def test_statements_of_the_passages_and_of_what_is_owed(story: Any, read: Callable[..., Any]) -> None:
    consumer, _ = story
    days = date(2026, 1, 1), date(2026, 1, 31)
    alipay = read(statements.of_party, ALIPAY, COMPANY, chart.CHANNEL_IN_TRANSIT, *days)
    assert [(s.amount_minor, s.balance_minor, s.reference) for s in alipay.lines] == [
        (30_000, 30_000, ORDER), (30_000, 60_000, ORDER), (-30_000, 30_000, ORDER), (-30_000, 0, ORDER),
    ]  # fmt: skip
    card = read(statements.of_party, CARD, COMPANY, chart.CHANNEL_IN_TRANSIT, *days)
    assert [(s.amount_minor, s.balance_minor) for s in card.lines] == [
        (10_000, 10_000), (20_000, 30_000), (-5_000, 25_000),
    ]  # fmt: skip
    owed = read(statements.of_consumer, consumer, COMPANY, chart.REFUND_PAYABLE, *days)
    assert [s.balance_minor for s in owed.lines] == [-30_000, 0, -30_000, -40_000, -10_000, 0]


def test_walk_of_the_order_ends_at_the_passages(story: Any, read: Callable[..., Any]) -> None:
    consumer, items = story
    steps = read(walk.walk_order, consumer, ORDER)
    own = [(step.journal_id, step.entries) for step in steps if step.side == "consumer"]
    assert own == [(one.journal_id, one.entries) for one in items[:6]]
    mirrored = {(step.owner_id, step.journal_id): step.entries for step in steps if step.side == "party"}
    bought, twice, gave_back = (one.journal_id for one in items[:3])
    assert mirrored[(CARD, bought)] == (
        Entry(COMPANY, "clearing:channel:bank_card", -10_000), Entry(COMPANY, chart.CHANNEL_IN_TRANSIT, 10_000),
    )  # fmt: skip
    assert mirrored[(ALIPAY, gave_back)] == (
        Entry(COMPANY, "clearing:channel:alipay", 30_000), Entry(COMPANY, chart.CHANNEL_IN_TRANSIT, -30_000),
    )  # fmt: skip
    assert {owner for owner, journal_id in mirrored if journal_id == twice} == {ALIPAY}
    house = relay.house_id(bucket_of(consumer))
    assert {owner for owner, journal_id in mirrored if journal_id == bought} == {house, PHONES, ALIPAY, CARD}


def test_giving_back_more_than_was_owed_is_a_fault(
    story: Any, database: Database, run: Any, read: Callable[..., Any]
) -> None:
    consumer, _ = story
    entries = channel_refund(Receipt("alipay", ALIPAY, 1))
    post(database, run, msgspec.structs.replace(item(consumer, entries), kind="channel_refund"))
    assert read(balances.faults) == [
        f"liability:refund_payable of {consumer} towards {ALIPAY} has a debit of 1: more went out than was owed"
    ]
