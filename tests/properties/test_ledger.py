"""Laws 6 to 8 at the ledger's door: the SQL does what a plain in-order model does, whatever the batches hold.

FENQI_CASES sets the number of cases through PostgreSQL (500 by default).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.cases import GENERAL, MERCHANT, MONEY, item

from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import balances, chart, limits
from fenqi.ledger.door import post_batch
from fenqi.ledger.legs import Judged, legs_of
from fenqi.ledger.limit import LimitAccount, judge
from fenqi.ledger.model import Entry, Outcome, PostingItem, Verdict
from fenqi.ledger.postings.cancellation import cancellation
from fenqi.ledger.postings.parts import Charges, Draw, Share
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.repayment import repayment

CASES = int(os.environ.get("FENQI_CASES", "500"))
PATHS = (GENERAL, chart.loan_principal("temporary"), MONEY)
FIRST_DAY = date(2026, 1, 30)
EPOCH = date(1970, 1, 1)


class Spec(msgspec.Struct, frozen=True):
    """One item before its ids are made: consumers, paths and keys by number."""

    consumer: int
    key: int
    body: int
    day: int
    amounts: dict[int, int]
    day_ceiling: int | None
    month_ceiling: int | None
    version: int | None


amounts = st.dictionaries(st.integers(0, 2), st.integers(-40, 80).filter(bool), min_size=1, max_size=3)
ceilings = st.none() | st.integers(0, 200)
specs = st.builds(
    Spec,
    consumer=st.integers(0, 2),
    key=st.integers(0, 12),
    body=st.sampled_from([0, 0, 0, 1]),
    day=st.sampled_from([0, 0, 0, 1, 2, 33]),
    amounts=amounts,
    day_ceiling=ceilings,
    month_ceiling=ceilings,
    version=st.sampled_from([None, None, 1, 1, 2]),
)
batches = st.lists(st.lists(specs, min_size=1, max_size=12), min_size=1, max_size=3)


def entries_of(spec: Spec) -> tuple[Entry, ...]:
    """A balanced journal that uses the limits by exactly the spec's amounts."""
    draws = [Draw(PATHS[n], amount) for n, amount in sorted(spec.amounts.items()) if n < 2]
    money = spec.amounts.get(2, 0)
    drawn = sum(draw.amount_minor for draw in draws)
    shares = [Share(MERCHANT, drawn + money)] if drawn + money else []
    entries = purchase(shares, draws, money)
    return tuple(entry for entry in entries if entry.amount_minor)


def items_of(batch: Sequence[Spec], consumers: Sequence[UUID], keys: Sequence[UUID]) -> list[PostingItem]:
    found = []
    for spec in batch:
        judged = Judged(spec.version, spec.day_ceiling, spec.month_ceiling)
        one = item(
            consumers[spec.consumer],
            entries_of(spec),
            journal_id=keys[spec.key],
            judged=dict.fromkeys(PATHS, judged),
            input_hash=b"%d" % spec.body,
            business_on=FIRST_DAY + timedelta(days=spec.day),
        )
        found.append(one)
    return found


class Model:
    """The door as one would write it without a database: one item after the other."""

    def __init__(self, accounts: dict[UUID, dict[str, LimitAccount]]) -> None:
        self.accounts = accounts
        self.kept: dict[tuple[UUID, UUID], tuple[bytes, Verdict]] = {}
        self.entries = 0

    def post_batch(self, items: Sequence[PostingItem]) -> list[Verdict]:
        stale: set[tuple[UUID, UUID]] = set()
        return [self._post(one, stale) for one in items]

    def _post(self, one: PostingItem, stale: set[tuple[UUID, UUID]]) -> Verdict:
        key = (one.consumer_id, one.journal_id)
        if key in self.kept:
            body, verdict = self.kept[key]
            if body != one.input_hash:
                return Verdict(Outcome.KEY_CONFLICT, repeated=True)
            return msgspec.structs.replace(verdict, repeated=True)
        if key in stale:
            return Verdict(Outcome.STALE_VERSION)
        own = self.accounts[one.consumer_id]
        verdict = judge(one.legs, own, one.business_on) or Verdict(Outcome.POSTED)
        if verdict.outcome is Outcome.STALE_VERSION:
            stale.add(key)
            return verdict
        self.kept[key] = (one.input_hash, verdict)
        if verdict.posted:
            self.entries += len(one.entries)
            for leg in one.legs:
                own[leg.path] = own[leg.path].after(leg.amount_minor, one.business_on)
        return verdict


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=batches, opened=st.lists(st.integers(0, 250), min_size=9, max_size=9), missing=st.integers(0, 17))
def test_the_door_is_the_in_order_model(
    database: Database, run: Any, urls: Any, batches: list[list[Spec]], opened: list[int], missing: int
) -> None:
    consumers, keys = [new_id() for _ in range(3)], [new_id() for _ in range(13)]
    accounts: dict[UUID, dict[str, LimitAccount]] = defaultdict(dict)
    for n, ceiling in enumerate(opened):
        if n != missing:
            path = PATHS[n % 3]
            accounts[consumers[n // 3]][path] = LimitAccount(path, 0, 0, ceiling, EPOCH, 0, EPOCH, 0, 1)
    with psycopg.connect(urls.owner) as owner:
        for consumer in consumers:
            for path, account in accounts[consumer].items():
                owner.execute(
                    "INSERT INTO limit_account (bucket, consumer_id, path, ceiling_minor) VALUES (%s, %s, %s, %s)",
                    [bucket_of(consumer), consumer, path, account.ceiling_minor],
                )
    model = Model(accounts)

    async def go() -> None:
        for batch in batches:
            items = items_of(batch, consumers, keys)
            expected = model.post_batch(items)
            async with database.transaction() as tx:
                assert await post_batch(tx, items) == expected
        async with database.snapshot() as tx:
            for consumer in consumers:
                assert await limits.accounts_of(tx, consumer) == model.accounts[consumer]
            rows = await tx.execute("SELECT count(*) FROM entry WHERE consumer_id = ANY(%s)", [consumers])
            assert await rows.fetchone() == (model.entries,)

    run(go())


def test_and_the_books_are_right_after_all_cases(database: Database, run: Any) -> None:
    async def go() -> list[str]:
        async with database.snapshot() as tx:
            return await balances.faults(tx)

    assert run(go()) == []


minor = st.integers(1, 10_000_000_000)
charges = st.builds(Charges, st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
draws = st.lists(st.builds(Draw, st.sampled_from(PATHS[:2]), minor), max_size=2, unique_by=lambda draw: draw.path)


def assert_balanced(entries: Sequence[Entry]) -> None:
    """Within each book; and what one book clears with another is what the other clears with it."""
    books: dict[str, int] = defaultdict(int)
    between: dict[frozenset[str], int] = defaultdict(int)
    for entry in entries:
        assert entry.amount_minor != 0
        books[entry.book] += entry.amount_minor
        other = entry.path.removeprefix("clearing:")
        if other in chart.BOOKS:
            between[frozenset({entry.book, other})] += entry.amount_minor
    assert not any(books.values())
    assert not any(between.values())


@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(draws=draws, money=st.integers(0, 10_000), charges=charges, recognised=charges, subsidy=st.integers(0, 99))
def test_recipes_balance_whatever_the_amounts(
    draws: list[Draw], money: int, charges: Charges, recognised: Charges, subsidy: int
) -> None:
    total = sum(draw.amount_minor for draw in draws) + money
    shares = [Share(MERCHANT, total)] if total else []
    subsidies = [Share(MERCHANT, subsidy)] if subsidy else []
    bought = purchase(shares, draws, money, subsidies)
    returned = refund(shares, draws, money, charges, subsidies)
    assert_balanced(bought)
    assert_balanced(cancellation(bought))
    assert_balanced(returned)
    if draws or charges.total_minor:
        assert_balanced(repayment(draws, charges, recognised))
    used = {leg.path: leg.amount_minor for leg in legs_of(bought)}
    assert used == {leg.path: -leg.amount_minor for leg in legs_of(returned)}
    assert used == {d.path: d.amount_minor for d in draws} | ({MONEY: money} if money else {})
