"""A story through all four books: trial balance, clearing and what is in flight, dues, statements and the walk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.ledger.cases import AT, GENERAL, MONEY, item, open_limits, rows

from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import balances, chart, relay, statements, walk
from fenqi.ledger.door import post_batch
from fenqi.ledger.model import Entry, PostingItem
from fenqi.ledger.postings.bank_in import bank_in
from fenqi.ledger.postings.parts import Charges, Draw, Share
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.repayment import repayment

HANDLERS: dict[str, outbox.Handler] = {relay.TOPIC: relay.mirror}
PHONES, SOFAS = new_id(), new_id()
ORDER = new_id()


@pytest.fixture(scope="module")
def read(database: Database, run: Any) -> Callable[..., Any]:
    """Runs one reading in a snapshot: `read(query, arguments after tx)`."""

    def call(query: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def go() -> Any:
            async with database.snapshot() as tx:
                return await query(tx, *arguments)

        return run(go())

    return call


@pytest.fixture(scope="module")
def story(database: Database, run: Any, urls: Any) -> tuple[UUID, list[PostingItem]]:
    """1,000.00 in; a phone and a sofa for 900.00, 300.00 of it in money; an instalment repaid; the sofa sent back."""
    (consumer,) = open_limits(urls.owner, {GENERAL: 100_000, MONEY: 0})
    draw = [Draw(GENERAL, 60_000)]
    fee = Charges(fee_minor=300)
    events: list[tuple[str, tuple[Entry, ...], UUID | None]] = [
        ("bank_in", bank_in(100_000), None),
        ("purchase", purchase([Share(PHONES, 70_000), Share(SOFAS, 20_000)], draw, 30_000), ORDER),
        ("repayment", repayment([Draw(GENERAL, 50_000)], fee, recognised=fee), ORDER),
        ("refund", refund([Share(SOFAS, 20_000)], [Draw(GENERAL, 10_000)], 10_000), ORDER),
    ]
    items = [
        item(
            consumer,
            entries,
            reference=order,
            business_on=date(2026, 1, 28) + timedelta(days=n),
            posted_at=AT + timedelta(days=n - 3),
        )
        for n, (_, entries, order) in enumerate(events)
    ]

    async def go() -> None:
        for one in items:
            async with database.transaction() as tx:
                (verdict,) = await post_batch(tx, [one])
                assert verdict.posted

    run(go())
    return consumer, items


def test_before_the_relay_everything_is_in_flight(story: Any, read: Callable[..., Any]) -> None:
    flights = {
        (r.book, r.path): (r.consumers_minor, r.parties_minor, r.in_flight_minor) for r in read(balances.clearing)
    }
    assert flights == {
        ("lender", "clearing:mall"): (-50_000, 0, -50_000),
        ("lender", "clearing:payment_company"): (50_300, 0, 50_300),
        ("mall", "clearing:lender"): (50_000, 0, 50_000),
        ("mall", "clearing:merchant"): (-70_000, 0, -70_000),
        ("mall", "clearing:payment_company"): (20_000, 0, 20_000),
        ("partner_bank", "clearing:payment_company"): (-100_000, 0, -100_000),
        ("payment_company", "clearing:lender"): (-50_300, 0, -50_300),
        ("payment_company", "clearing:mall"): (-20_000, 0, -20_000),
        ("payment_company", "clearing:partner_bank"): (100_000, 0, 100_000),
    }
    assert read(balances.faults) == []


def test_the_relay_carries_it_over_once(story: Any, database: Database, run: Any, read: Callable[..., Any]) -> None:
    consumer, items = story
    events = [outbox.Event(one.journal_id, consumer, relay.TOPIC, b"null", AT) for one in items]

    async def carry(some: Sequence[outbox.Event]) -> None:
        async with database.transaction() as tx:
            await relay.mirror(tx, some)

    run(carry(events[:2]))
    flights = {(r.book, r.path): r.in_flight_minor for r in read(balances.clearing) if r.in_flight_minor}
    assert flights[("mall", "clearing:merchant")] == 20_000
    assert ("partner_bank", "clearing:payment_company") not in flights
    assert read(balances.faults) == []
    assert run(outbox.drain(database, HANDLERS, AT)) == 4
    run(carry(events))
    assert all((r.consumers_minor + r.parties_minor, r.in_flight_minor) == (0, 0) for r in read(balances.clearing))
    assert read(balances.faults) == []


def test_trial_balance(story: Any, read: Callable[..., Any]) -> None:
    """Worked out by hand from the story; clearing accounts have come to zero."""
    found = read(balances.trial_balance, date(2026, 1, 31))
    assert {(r.book, r.path): r.balance_minor for r in found if r.balance_minor} == {
        ("partner_bank", "asset:interbank"): 100_000,
        ("partner_bank", "liability:due_to:payment_company"): -100_000,
        ("payment_company", "asset:due_from:partner_bank"): 100_000,
        ("payment_company", "liability:money_account"): -29_700,
        ("payment_company", "liability:due_to:lender"): -50_300,
        ("payment_company", "liability:due_to:mall"): -30_000,
        ("payment_company", "asset:due_from:mall"): 10_000,
        ("lender", "income:instalment_fee"): -300,
        ("lender", "asset:due_from:payment_company"): 50_300,
        ("lender", "liability:due_to:mall"): -60_000,
        ("lender", "asset:due_from:mall"): 10_000,
        ("mall", "asset:due_from:lender"): 60_000,
        ("mall", "liability:due_to:lender"): -10_000,
        ("mall", "asset:due_from:payment_company"): 30_000,
        ("mall", "liability:due_to:payment_company"): -10_000,
        ("mall", "liability:merchant_payable"): -70_000,
    }
    for book in chart.BOOKS:
        assert sum(r.balance_minor for r in found if r.book == book) == 0
    first_day = read(balances.trial_balance, date(2026, 1, 28))
    assert {r.path for r in first_day if r.book == "payment_company"} == {
        "asset:due_from:partner_bank",
        "clearing:partner_bank",
        "liability:money_account",
    }
    fee = next(r for r in found if r.path == "asset:fee_receivable")
    assert (fee.debit_minor, fee.credit_minor) == (300, 300)


def test_books_agree_on_what_they_owe(story: Any, read: Callable[..., Any]) -> None:
    assert [(r.debtor, r.creditor, r.due_to_minor, r.due_from_minor) for r in read(balances.dues)] == [
        ("lender", "mall", -60_000, 60_000),
        ("mall", "lender", -10_000, 10_000),
        ("mall", "payment_company", -10_000, 10_000),
        ("partner_bank", "payment_company", -100_000, 100_000),
        ("payment_company", "lender", -50_300, 50_300),
        ("payment_company", "mall", -30_000, 30_000),
    ]


def test_statements(story: Any, read: Callable[..., Any]) -> None:
    consumer, items = story
    money = read(statements.of_consumer, consumer, "payment_company", MONEY, date(2026, 1, 29), date(2026, 1, 30))
    assert (money.opening_minor, money.closing_minor) == (-100_000, -19_700)
    assert [(s.business_on, s.amount_minor, s.balance_minor, s.journal_id) for s in money.lines] == [
        (date(2026, 1, 29), 30_000, -70_000, items[1].journal_id),
        (date(2026, 1, 30), 50_300, -19_700, items[2].journal_id),
    ]
    sofas = read(statements.of_party, SOFAS, "mall", chart.MERCHANT_PAYABLE, date(2026, 1, 1), date(2026, 1, 31))
    assert [(s.amount_minor, s.balance_minor, s.reference) for s in sofas.lines] == [
        (-20_000, -20_000, ORDER),
        (20_000, 0, ORDER),
    ]
    empty = read(statements.of_party, PHONES, "mall", chart.MERCHANT_PAYABLE, date(2026, 2, 1), date(2026, 2, 2))
    assert (empty.opening_minor, empty.lines, empty.closing_minor) == (-70_000, (), -70_000)


def test_walk_of_an_order(story: Any, read: Callable[..., Any]) -> None:
    consumer, items = story
    steps = read(walk.walk_order, consumer, ORDER)
    house = relay.house_id(bucket_of(consumer))
    own = [step for step in steps if step.side == "consumer"]
    assert [(step.journal_id, step.entries) for step in own] == [(one.journal_id, one.entries) for one in items[1:]]
    mirrored = {(step.owner_id, step.journal_id): step.entries for step in steps if step.side == "party"}
    bought, repaid, returned = (one.journal_id for one in items[1:])
    assert mirrored.keys() == {
        (house, bought), (PHONES, bought), (SOFAS, bought), (house, repaid), (house, returned), (SOFAS, returned),
    }  # fmt: skip
    assert mirrored[(SOFAS, returned)] == (
        Entry("mall", "clearing:merchant", -20_000),
        Entry("mall", "liability:merchant_payable", 20_000),
    )
    assert mirrored[(house, repaid)] == (
        Entry("payment_company", "clearing:lender", 50_300),
        Entry("payment_company", "liability:due_to:lender", -50_300),
        Entry("lender", "clearing:payment_company", -50_300),
        Entry("lender", "asset:due_from:payment_company", 50_300),
    )
    assert read(walk.walk_order, new_id(), ORDER) == []


def test_mirrors_follow_the_chart(story: Any, urls: Any) -> None:
    """The SQL carries each clearing account where `chart.mirror` says, and the chart knows that account."""
    pairs = rows(
        urls.owner,
        "SELECT DISTINCT m.book, c.path, m.path, sign(m.amount_minor)::int FROM party_entry m JOIN party_entry c"
        " USING (bucket, party_id, journal_id) WHERE m.line = c.line + 1 AND m.line %% 2 = 0",
    )
    assert len(pairs) == 14
    for book, clearing, target, sign in pairs:
        assert chart.mirror(str(clearing), int(str(sign))) == target
        assert chart.account(str(book), str(target)).place == "party"
    assert chart.mirror("clearing:channel:alipay", 1) == chart.CHANNEL_IN_TRANSIT
    assert relay.house_id(7) == UUID("00000000-0000-8000-8000-000000000007")
    assert bucket_of(relay.house_id(200)) == 200


def test_the_checks_find_what_is_wrong(story: Any, urls: Any, read: Callable[..., Any]) -> None:
    _, items = story
    spoil = {
        "UPDATE journal SET amounts_minor[1] = amounts_minor[1] + 1 WHERE journal_id = %s": "out of balance",
        "UPDATE journal SET amounts_minor[1] = amounts_minor[1] - 1 WHERE journal_id = %s": None,
        "UPDATE limit_account SET balance_minor = balance_minor + 5 WHERE path LIKE 'asset%%' AND %s IS NOT NULL": (
            "its entries sum to 0"
        ),
        "UPDATE limit_account SET balance_minor = balance_minor - 5 WHERE path LIKE 'asset%%' AND %s IS NOT NULL": None,
        "UPDATE limit_account SET reserved_minor = 5 WHERE path LIKE 'asset%%' AND %s IS NOT NULL": "5 reserved",
        "UPDATE limit_account SET reserved_minor = 0 WHERE path LIKE 'asset%%' AND %s IS NOT NULL": None,
        "DELETE FROM party_entry WHERE path LIKE '%%due_to%%' AND journal_id = %s": "the books differ by",
    }
    for query, sentence in spoil.items():
        with psycopg.connect(urls.owner) as owner:
            owner.execute(query, [items[1].journal_id])
        found = read(balances.faults)
        assert any(sentence in fault for fault in found) if sentence else found == []
