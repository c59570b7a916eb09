"""What accountants read off the whole ledger: trial balances, and the standing checks that must always come out empty.

These are reports over all shards. Run them in a `snapshot()`, with a watermark: a business date that is over.
"""

from __future__ import annotations

from datetime import date

import msgspec

from fenqi.database.pool import Tx
from fenqi.ledger.chart import Book


class TrialRow(msgspec.Struct, frozen=True):
    """One account of a book: the sums of its debits and of its credits, both positive."""

    book: Book
    path: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits."""
        return self.debit_minor - self.credit_minor


class ClearingRow(msgspec.Struct, frozen=True):
    """One clearing account: consumers' entries, the mirrors of parties, and what is on its way."""

    book: Book
    path: str
    consumers_minor: int
    parties_minor: int
    in_flight_minor: int

    @property
    def difference_minor(self) -> int:
        """Zero, always: what consumers posted is mirrored or in flight."""
        return self.consumers_minor + self.parties_minor - self.in_flight_minor


class DueRow(msgspec.Struct, frozen=True):
    """What one book owes another, as the debtor has it (a credit) and as the creditor has it (a debit)."""

    debtor: Book
    creditor: Book
    due_to_minor: int
    due_from_minor: int

    @property
    def difference_minor(self) -> int:
        """Zero, always: both books say the same."""
        return self.due_to_minor + self.due_from_minor


_ENTRIES = (
    "(SELECT book, path, amount_minor, business_on FROM entry"
    " UNION ALL SELECT book, path, amount_minor, business_on FROM party_entry)"
)


async def trial_balance(tx: Tx, through_on: date) -> list[TrialRow]:
    """Every account with entries up to and including the business date, by book and path.

    The balances of each book sum to zero.
    """
    rows = await tx.execute(
        "SELECT book, path, coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0)::bigint,"
        " coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0)::bigint"
        f" FROM {_ENTRIES} e WHERE business_on <= %s GROUP BY book, path ORDER BY book, path",
        [through_on],
    )
    return [TrialRow(*row) for row in await rows.fetchall()]


async def clearing(tx: Tx) -> list[ClearingRow]:
    """The standing check `clearing + in flight = 0`, account by account.

    In flight is what has an event and no mirror yet: the relay writes the mirror first and drops the event after.
    """
    rows = await tx.execute("""
        SELECT book, path, sum(consumers)::bigint, sum(parties)::bigint, sum(in_flight)::bigint
        FROM (
            SELECT e.book, e.path, e.amount_minor AS consumers, 0 AS parties, 0 AS in_flight
            FROM entry e WHERE e.path LIKE 'clearing:%'
            UNION ALL
            SELECT p.book, p.path, 0, p.amount_minor, 0 FROM party_entry p WHERE p.path LIKE 'clearing:%'
            UNION ALL
            SELECT e.book, e.path, 0, 0, e.amount_minor
            FROM outbox o
            JOIN entry e ON e.bucket = o.bucket AND e.consumer_id = o.consumer_id AND e.journal_id = o.event_id
            WHERE o.topic = 'ledger.posted' AND e.path LIKE 'clearing:%' AND NOT EXISTS (
                SELECT FROM party_journal m WHERE m.journal_id = e.journal_id AND m.party_id = coalesce(
                    e.party_id, ('00000000-0000-8000-8000-0000000000' || lpad(to_hex(e.bucket::int), 2, '0'))::uuid)
                AND m.bucket = get_byte(uuid_send(m.party_id), 15))
        ) c GROUP BY book, path ORDER BY book, path""")
    return [ClearingRow(*row) for row in await rows.fetchall()]


async def dues(tx: Tx) -> list[DueRow]:
    """What each book owes each other, as both have it."""
    rows = await tx.execute("""
        SELECT debtor, creditor, sum(due_to)::bigint, sum(due_from)::bigint
        FROM (
            SELECT p.book AS debtor, substr(p.path, length('liability:due_to:') + 1) AS creditor,
                p.amount_minor AS due_to, 0 AS due_from
            FROM party_entry p WHERE p.path LIKE 'liability:due\\_to:%'
            UNION ALL
            SELECT substr(p.path, length('asset:due_from:') + 1), p.book, 0, p.amount_minor
            FROM party_entry p WHERE p.path LIKE 'asset:due\\_from:%'
        ) d GROUP BY debtor, creditor ORDER BY debtor, creditor""")
    return [DueRow(*row) for row in await rows.fetchall()]


async def faults(tx: Tx) -> list[str]:
    """Every standing check at once: one sentence for each thing that is wrong, none when the books are right."""
    found = [f"{r.book} {r.path}: clearing differs by {r.difference_minor}" for r in await clearing(tx)
             if r.difference_minor]  # fmt: skip
    found += [f"{r.debtor} owes {r.creditor}: the books differ by {r.difference_minor}" for r in await dues(tx)
              if r.difference_minor]  # fmt: skip
    for sentence, query in _FAULTS.items():
        rows = await tx.execute(query)
        found += [sentence.format(*row) for row in await rows.fetchall()]
    return found


_FAULTS = {
    "journal {0} is out of balance in {1} by {2}": """
        SELECT journal_id, book, sum(amount_minor)::bigint FROM entry
        GROUP BY bucket, consumer_id, journal_id, book HAVING sum(amount_minor) <> 0""",
    "mirror journal {0} of party {1} is out of balance in {2} by {3}": """
        SELECT journal_id, party_id, book, sum(amount_minor)::bigint FROM party_entry
        GROUP BY bucket, party_id, journal_id, book HAVING sum(amount_minor) <> 0""",
    "{0} of {1} towards {2} has a debit of {3}: more went out than was owed": """
        SELECT path, consumer_id, party_id, sum(amount_minor)::bigint FROM entry
        WHERE path IN ('liability:refund_payable', 'liability:payout_payable')
        GROUP BY bucket, consumer_id, path, party_id HAVING sum(amount_minor) > 0""",
    "limit {0} of {1} has balance {2}, its entries sum to {3}": """
        SELECT a.path, a.consumer_id, a.balance_minor, coalesce(e.total, 0)::bigint
        FROM limit_account a
        LEFT JOIN (
            SELECT bucket, consumer_id, path, sum(amount_minor) AS total FROM entry GROUP BY bucket, consumer_id, path
        ) e ON e.bucket = a.bucket AND e.consumer_id = a.consumer_id AND e.path = a.path
        WHERE a.path NOT LIKE 'cap:%' AND a.balance_minor <> coalesce(e.total, 0)""",
    "limit {0} of {1} has {2} reserved, its holds sum to {3}": """
        SELECT a.path, a.consumer_id, a.reserved_minor, coalesce(h.total, 0)::bigint
        FROM limit_account a
        LEFT JOIN (
            SELECT bucket, consumer_id, path, sum(amount_minor) AS total FROM limit_hold WHERE state = 'held'
            GROUP BY bucket, consumer_id, path
        ) h ON h.bucket = a.bucket AND h.consumer_id = a.consumer_id AND h.path = a.path
        WHERE a.reserved_minor <> coalesce(h.total, 0)""",
}
