"""What the ledger's tests share: consumers with limits, and journals to post."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import psycopg

from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import chart
from fenqi.ledger.legs import Judged, legs_of
from fenqi.ledger.model import Entry, Leg, PostingItem
from fenqi.ledger.postings import parts, purchase

GENERAL = chart.loan_principal("general")
MONEY = chart.MONEY_ACCOUNT
DAY = date(2026, 1, 31)
AT = datetime(2026, 1, 31, 4, 0, tzinfo=UTC)
MERCHANT = UUID("0190a000-0000-7000-8000-000000000001")


def open_limits(owner_url: str, limits: dict[str, int], count: int = 1) -> list[UUID]:
    """New consumers with these ceilings by path."""
    consumers = [new_id() for _ in range(count)]
    with (
        psycopg.connect(owner_url) as owner,
        owner.cursor().copy("COPY limit_account (bucket, consumer_id, path, ceiling_minor) FROM STDIN") as copy,
    ):
        for consumer in consumers:
            for path, ceiling_minor in limits.items():
                copy.write_row((bucket_of(consumer), consumer, path, ceiling_minor))
    return consumers


def item(
    consumer_id: UUID,
    entries: tuple[Entry, ...],
    *,
    journal_id: UUID | None = None,
    judged: dict[str, Judged] | None = None,
    legs: tuple[Leg, ...] | None = None,
    input_hash: bytes = b"body",
    business_on: date = DAY,
    posted_at: datetime = AT,
    reference: UUID | None = None,
) -> PostingItem:
    """A journal of these entries, with the legs they imply."""
    return PostingItem(
        journal_id=journal_id or new_id(),
        bucket=bucket_of(consumer_id),
        consumer_id=consumer_id,
        kind="purchase",
        input_hash=input_hash,
        business_on=business_on,
        posted_at=posted_at,
        reference=reference,
        legs=legs_of(entries, judged) if legs is None else legs,
        entries=entries,
    )


def bought(amount_minor: int, path: str = GENERAL, merchant_id: UUID = MERCHANT) -> tuple[Entry, ...]:
    """A purchase by credit on one limit; a negative amount is its way back."""
    share, draw = parts.Share(merchant_id, amount_minor), parts.Draw(path, amount_minor)
    return purchase.purchase([share], [draw])


def rows(owner_url: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
    """What the owner reads."""
    with psycopg.connect(owner_url) as owner:
        return owner.execute(query, parameters).fetchall()


def counts(owner_url: str) -> tuple[int, int, int]:
    """How many journals, entries and events there are."""
    ((found,),) = rows(
        owner_url,
        "SELECT ARRAY[(SELECT count(*) FROM journal), (SELECT count(*) FROM entry), (SELECT count(*) FROM outbox)]",
    )
    assert isinstance(found, list)
    return found[0], found[1], found[2]
