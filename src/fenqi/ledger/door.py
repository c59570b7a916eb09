"""The only way into the ledger: `post_batch` takes journals of any consumers and gives a verdict for each.

One call is one SQL function in the caller's transaction; see `migrations/versions/0002_ledger/post_batch.sql`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import TypeVar
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.ledger import packing
from fenqi.ledger.model import Bound, Outcome, PostingItem, Verdict

K = TypeVar("K")

_NO_CEILING = (1 << 63) - 1
_POSTED = Verdict(Outcome.POSTED)
_LINES = range(1, 1 << 15)
_CALL = f"SELECT * FROM ledger_post_batch({', '.join(['%b'] * 22)})"


class MalformedJournal(ValueError):
    """An item that no caller may send: it does not balance, or its lines can't be stored."""


async def post_batch(tx: Tx, items: Sequence[PostingItem]) -> list[Verdict]:
    """Post the items in order of arrival, each as a whole or not at all; one verdict per item, in order.

    A refused item never aborts the others. Nothing is committed here. An item that is not a journal (it does not
    balance within each book) is a bug: MalformedJournal is raised before anything is written.
    """
    if not items:
        return []
    cursor = await tx.execute(_CALL, pack(items))
    verdicts = [_POSTED] * len(items)
    for item, repeated, outcome, path, bound, room_minor in await cursor.fetchall():
        verdicts[item - 1] = Verdict(Outcome(outcome), repeated, path, bound and Bound(bound), room_minor)
    return verdicts


async def post(tx: Tx, item: PostingItem) -> Verdict:
    """A batch of one."""
    (verdict,) = await post_batch(tx, [item])
    return verdict


def pack(items: Sequence[PostingItem]) -> list[packing.PackedArray]:
    """The batch as the function's parameters: columns of items, legs and entries; texts and parties by number."""
    names = _Numbers[str]()
    parties = _Numbers[UUID]()
    columns = [
        packing.pack_int2([item.bucket for item in items]),
        packing.pack_uuid([item.consumer_id for item in items]),
        packing.pack_uuid([item.journal_id for item in items]),
        packing.pack_int2([names[item.kind] for item in items]),
        packing.pack_bytea([item.input_hash for item in items]),
        packing.pack_date([item.business_on for item in items]),
        packing.pack_timestamp([item.posted_at for item in items]),
        packing.pack_uuid([item.reference for item in items]),
        *_pack_legs(items, names),
        *_pack_entries(items, names, parties),
    ]
    return [*columns, packing.pack_text(list(names)), packing.pack_uuid(list(parties))]


class _Numbers(dict[K, int]):
    """Numbers from 1 for what is asked for, in order of first asking."""

    def __missing__(self, key: K) -> int:
        number = self[key] = len(self) + 1
        return number


def _pack_legs(items: Sequence[PostingItem], names: _Numbers[str]) -> list[packing.PackedArray]:
    numbers = [number for number, item in enumerate(items, 1) for _ in item.legs]
    legs = list(chain.from_iterable([item.legs for item in items]))
    return [
        packing.pack_int4(numbers),
        packing.pack_int2([names[leg.path] for leg in legs]),
        packing.pack_int8([leg.amount_minor for leg in legs]),
        packing.pack_int8([_NO_CEILING if leg.day_ceiling_minor is None else leg.day_ceiling_minor for leg in legs]),
        packing.pack_int8(
            [_NO_CEILING if leg.month_ceiling_minor is None else leg.month_ceiling_minor for leg in legs]
        ),
        packing.pack_int8([leg.version or 0 for leg in legs]),
    ]


def _pack_entries(
    items: Sequence[PostingItem], names: _Numbers[str], parties: _Numbers[UUID]
) -> list[packing.PackedArray]:
    numbers = [number for number, item in enumerate(items, 1) for _ in item.entries]
    entries = list(chain.from_iterable([item.entries for item in items]))
    books = [names[entry.book] for entry in entries]
    amounts = [entry.amount_minor for entry in entries]
    _check_balanced(items, numbers, books, amounts)
    return [
        packing.pack_int4(numbers),
        packing.pack_int2([line for item in items for line in _LINES[: len(item.entries)]]),
        packing.pack_int2(books),
        packing.pack_int2([names[entry.path] for entry in entries]),
        packing.pack_int8(amounts),
        packing.pack_int4([0 if entry.party_id is None else parties[entry.party_id] for entry in entries]),
    ]


def _check_balanced(
    items: Sequence[PostingItem], numbers: Sequence[int], books: Sequence[int], amounts: Sequence[int]
) -> None:
    """Each item sums to zero within each book, has no empty line, and uses each limit once."""
    sums: dict[int, int] = defaultdict(int)
    for number, book, amount in zip(numbers, books, amounts, strict=True):
        sums[number << 16 | book] += amount
    for key, total in sums.items():
        if total:
            raise MalformedJournal(f"{items[(key >> 16) - 1]} is out of balance by {total}")
    if 0 in amounts:
        raise MalformedJournal(f"{items[numbers[amounts.index(0)] - 1]} has a line of zero")
    for item in items:
        if len(item.legs) > 1 and len({leg.path for leg in item.legs}) < len(item.legs):
            raise MalformedJournal(f"{item} uses a limit twice")
