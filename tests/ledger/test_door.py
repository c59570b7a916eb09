"""The batch door: verdicts, what is kept, what is refused before anything is written, and batches of any size."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.ledger.cases import DAY, GENERAL, MONEY, bought, counts, item, open_limits, rows

from fenqi.database.pool import Database
from fenqi.kernel.ids import new_id
from fenqi.ledger import chart
from fenqi.ledger.batch import MalformedJournal
from fenqi.ledger.door import post, post_batch
from fenqi.ledger.legs import Judged
from fenqi.ledger.model import Bound, Entry, Leg, Outcome, PostingItem, Verdict
from fenqi.ledger.postings.bank_in import bank_in

POSTED = Verdict(Outcome.POSTED)


def posted(run: Any, database: Database, items: Sequence[PostingItem]) -> list[Verdict]:
    async def go() -> list[Verdict]:
        async with database.transaction() as tx:
            return await post_batch(tx, items)

    return run(go())  # type: ignore[no-any-return]


def balance(urls: Any, consumer: UUID, path: str = GENERAL) -> tuple[object, ...]:
    (row,) = rows(
        urls.owner,
        "SELECT balance_minor, day_on, day_minor, month_on, month_minor FROM limit_account"
        " WHERE consumer_id = %s AND path = %s",
        consumer,
        path,
    )
    return row


def test_a_journal_is_written_whole(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    order, merchant = new_id(), new_id()
    one = item(consumer, bought(600, merchant_id=merchant), reference=order)
    assert posted(run, database, [one]) == [POSTED]
    head = (one.bucket, consumer, one.journal_id)
    journal = "SELECT * FROM journal WHERE consumer_id = %s"
    assert [row[:12] for row in rows(urls.owner, journal, consumer)] == [
        (
            one.bucket,
            consumer,
            one.journal_id,
            DAY,
            one.posted_at,
            order,
            "purchase",
            b"body",
            "posted",
            None,
            None,
            None,
        )
    ]
    head = (one.bucket, consumer, one.journal_id)
    assert rows(urls.owner, "SELECT * FROM entry WHERE consumer_id = %s ORDER BY line", consumer) == [
        (*head, 1, DAY, 600, None, "lender", GENERAL),
        (*head, 2, DAY, -600, None, "lender", "clearing:mall"),
        (*head, 3, DAY, 600, None, "mall", "clearing:lender"),
        (*head, 4, DAY, -600, merchant, "mall", "clearing:merchant"),
    ]
    assert rows(urls.owner, "SELECT event_id, topic FROM outbox WHERE consumer_id = %s", consumer) == [
        (one.journal_id, "ledger.posted")
    ]
    assert balance(urls, consumer) == (600, DAY, 600, date(2026, 1, 1), 600)


def test_each_verdict_in_one_batch(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    first = item(consumer, bought(600))
    batch = [
        first,
        item(consumer, bought(500)),
        item(consumer, bought(400), judged={GENERAL: Judged(day_ceiling_minor=900)}),
        item(consumer, bought(400), judged={GENERAL: Judged(month_ceiling_minor=999)}),
        item(consumer, bought(400), judged={GENERAL: Judged(version=1, day_ceiling_minor=1_000)}),
        item(consumer, bought(600), journal_id=first.journal_id),
        item(consumer, bought(600), journal_id=first.journal_id, input_hash=b"another body"),
        item(new_id(), bought(5)),
        item(consumer, bought(-100), judged={GENERAL: Judged(version=2)}),
        item(consumer, bought(-100)),
        item(consumer, bought(100)),
    ]
    assert posted(run, database, batch) == [
        POSTED,
        Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.CEILING, room_minor=400),
        Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.DAY, room_minor=300),
        Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.MONTH, room_minor=399),
        POSTED,
        Verdict(Outcome.POSTED, repeated=True),
        Verdict(Outcome.KEY_CONFLICT, repeated=True),
        Verdict(Outcome.NO_ACCOUNT, path=GENERAL),
        Verdict(Outcome.STALE_VERSION, path=GENERAL),
        POSTED,
        POSTED,
    ]
    assert balance(urls, consumer) == (1_000, DAY, 1_100, date(2026, 1, 1), 1_100)


def test_a_repeat_gets_the_stored_verdict(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    taken, refused = item(consumer, bought(900)), item(consumer, bought(200))
    stale = item(consumer, bought(50), judged={GENERAL: Judged(version=7)})
    limit = Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.CEILING, room_minor=100)
    assert posted(run, database, [taken, refused, stale])[1] == limit
    rows_before = counts(urls.owner)
    back = item(consumer, bought(-900))
    repeats = [taken, refused, item(consumer, bought(1), journal_id=refused.journal_id, input_hash=b"other")]
    assert posted(run, database, [back, *repeats]) == [
        POSTED,
        Verdict(Outcome.POSTED, repeated=True),
        Verdict(Outcome.LIMIT, True, GENERAL, Bound.CEILING, 100),
        Verdict(Outcome.KEY_CONFLICT, repeated=True),
    ]
    assert counts(urls.owner) == (rows_before[0] + 1, rows_before[1] + 4, rows_before[2] + 1)
    judged_anew = item(consumer, bought(50), judged={GENERAL: Judged(version=1)}, journal_id=stale.journal_id)
    assert posted(run, database, [judged_anew]) == [POSTED]
    assert balance(urls, consumer)[0] == 50


def test_all_legs_fit_or_none(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000, MONEY: 0, "cap:scan_to_pay": 1 << 40})
    assert posted(run, database, [item(consumer, bank_in(300))]) == [POSTED]
    both = (
        Entry("lender", GENERAL, 500),
        Entry("lender", "clearing:mall", -500),
        Entry("payment_company", MONEY, 400),
        Entry("payment_company", "clearing:mall", -400),
        Entry("mall", "clearing:lender", 500),
        Entry("mall", "clearing:payment_company", 400),
        Entry("mall", "clearing:merchant", -900, new_id()),
    )
    room = Verdict(Outcome.LIMIT, path=MONEY, bound=Bound.CEILING, room_minor=300)
    assert posted(run, database, [item(consumer, both), item(consumer, bought(1_000))]) == [room, POSTED]
    assert (balance(urls, consumer)[0], balance(urls, consumer, MONEY)[0]) == (1_000, -300)
    capped = (Leg(GENERAL, -200), Leg("cap:scan_to_pay", 60, day_ceiling_minor=100))
    batch = [item(consumer, bought(-200), legs=capped), item(consumer, bought(-200), legs=capped)]
    assert posted(run, database, batch) == [
        POSTED,
        Verdict(Outcome.LIMIT, path="cap:scan_to_pay", bound=Bound.DAY, room_minor=40),
    ]
    assert balance(urls, consumer)[0] == 800


def test_counters_turn_with_the_day_and_the_month(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 10_000})

    def on(day: date, amount_minor: int) -> PostingItem:
        judged = {GENERAL: Judged(day_ceiling_minor=500, month_ceiling_minor=900)}
        return item(consumer, bought(amount_minor), judged=judged, business_on=day)

    january = [on(date(2026, 1, 30), 500), on(date(2026, 1, 31), 400), on(date(2026, 1, 31), 1)]
    assert [v.bound for v in posted(run, database, january)] == [None, None, Bound.MONTH]
    assert balance(urls, consumer) == (900, date(2026, 1, 31), 400, date(2026, 1, 1), 900)
    over_midnight = [on(date(2026, 2, 1), 500), on(date(2026, 1, 31), 1), on(date(2026, 2, 2), 400)]
    assert [v.bound for v in posted(run, database, over_midnight)] == [None, Bound.DAY, None]
    assert balance(urls, consumer) == (1_800, date(2026, 2, 2), 400, date(2026, 2, 1), 900)


def test_a_lowered_ceiling_lets_repayments_through(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    posted(run, database, [item(consumer, bought(1_000))])
    rows(urls.owner, "UPDATE limit_account SET ceiling_minor = 300 WHERE consumer_id = %s RETURNING 1", consumer)
    assert posted(run, database, [item(consumer, bought(-100)), item(consumer, bought(1))]) == [
        POSTED,
        Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.CEILING, room_minor=-600),
    ]


def test_malformed_items_write_nothing(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    before = counts(urls.owner)
    good = bought(100)
    malformed = [
        item(consumer, (*good[:3], Entry("mall", "clearing:merchant", -99, new_id()))),
        item(consumer, (good[0], Entry("mall", "clearing:lender", -100))),
        item(consumer, (*good, Entry("mall", "clearing:merchant", 0))),
        item(consumer, (*good, Entry("mall", "asset:gold", 5), Entry("mall", "asset:gold", -5))),
        item(consumer, (*good[:3], Entry("mall", "clearing:merchant", -100))),
        item(consumer, (*good[:2], Entry("mall", "clearing:lender", 100, new_id()), good[3])),
        msgspec.structs.replace(item(consumer, good), bucket=(consumer.int + 1) & 0xFF),
        item(consumer, good, legs=()),
        item(consumer, ()),
        item(consumer, good, legs=(Leg(GENERAL, 99),)),
        item(consumer, good, legs=(Leg(GENERAL, 50), Leg(GENERAL, 50))),
        item(consumer, good, legs=(Leg(GENERAL, 100), Leg("cap:scan_to_pay", 0))),
    ]
    for bad in malformed:
        with pytest.raises(MalformedJournal):
            posted(run, database, [item(consumer, good), bad])
    assert counts(urls.owner) == before
    assert balance(urls, consumer)[0] == 0


def test_the_database_refuses_what_does_not_balance(database: Database, run: Any, urls: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("fenqi.ledger.batch._check_entries", lambda *_: None)
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    with pytest.raises(Exception, match="does not balance within a book"):
        posted(run, database, [item(consumer, (*bought(100)[:3], Entry("mall", "clearing:merchant", -99)))])


def test_a_claim_under_way_is_waited_for(database: Database, run: Any, urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})

    async def go(commit: bool) -> tuple[Verdict, Verdict]:
        one = item(consumer, bought(300))

        async def second() -> Verdict:
            async with database.transaction() as tx:
                return await post(tx, one)

        try:
            async with database.transaction() as tx:
                first = await post(tx, one)
                waiting = asyncio.create_task(second())
                await asyncio.sleep(0.1)
                assert not waiting.done()
                if not commit:
                    raise ConnectionAbortedError
        except ConnectionAbortedError:
            pass
        return first, await waiting

    assert run(go(commit=False)) == (POSTED, POSTED)
    assert run(go(commit=True)) == (POSTED, Verdict(Outcome.POSTED, repeated=True))
    assert balance(urls, consumer)[0] == 600


@pytest.mark.parametrize("size", [1, 32, 256, 2_048, 8_192])
def test_a_batch_of_any_size_with_refusals_and_repeats(database: Database, run: Any, urls: Any, size: int) -> None:
    """Two of every three items fit; every seventh is sent twice in the same batch, and the whole batch once more."""
    count = max(size // 6, 1)
    consumers = open_limits(urls.owner, {GENERAL: 200}, count)
    items: list[PostingItem] = []
    expected: list[Verdict] = []
    while len(items) < size:
        n = len(items)
        items.append(item(consumers[n % count], bought(100)))
        fits = n // count < 2
        expected.append(POSTED if fits else Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.CEILING, room_minor=0))
    repeats = [n for n in range(size) if n % 7 == 3]
    again = [Verdict(v.outcome, repeated=True, path=v.path, bound=v.bound, room_minor=v.room_minor) for v in expected]
    assert posted(run, database, items + [items[n] for n in repeats]) == expected + [again[n] for n in repeats]
    assert posted(run, database, items) == again
    ((total,),) = rows(
        urls.owner, "SELECT sum(balance_minor) FROM limit_account WHERE consumer_id = ANY(%s)", consumers
    )
    assert total == 100 * sum(1 for v in expected if v == POSTED)


def test_one_consumer_takes_a_whole_batch(database: Database, run: Any, urls: Any) -> None:
    """8,192 items of one consumer near the limit: the exact path, linear in the batch."""
    (consumer,) = open_limits(urls.owner, {GENERAL: 5_000})
    verdicts = posted(run, database, [item(consumer, bought(1)) for _ in range(8_192)])
    assert [v.posted for v in verdicts] == [True] * 5_000 + [False] * 3_192
    assert balance(urls, consumer)[0] == 5_000


def test_every_account_of_the_chart_can_be_found() -> None:
    for row in chart.CHART:
        path = f"{row.family}:some:name" if row.named else row.family
        assert chart.account(row.book, path) == row
        assert row.limited == chart.is_limited(path)
        assert row.meaning.endswith(".")
    for book, path in [("mall", GENERAL), ("lender", "asset:loan_principal"), ("lender", "asset"), ("bank", "x")]:
        with pytest.raises(chart.UnknownAccount):
            chart.account(book, path)


def test_the_chart_is_documented_as_it_is() -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/ledger.md").read_text()
    for row in chart.CHART:
        name = f"{row.family}:<name>" if row.named else row.family
        limited = " (limited)" if row.limited else ""
        assert f"| `{name}`{limited} | {row.normal} | {row.place} | {row.meaning} |" in reference
