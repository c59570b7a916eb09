"""A batch as the door's SQL function takes it: columns of items, legs and entries, with texts and parties by number.

Packing is also where an item that no caller may send is found out, before anything is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import TypeVar
from uuid import UUID

from fenqi.database import packing
from fenqi.ledger import chart
from fenqi.ledger.model import Entry, Leg, PostingItem

K = TypeVar("K")

_NO_CEILING = (1 << 63) - 1
_AMOUNT_MAX_MINOR = 1 << 53


class MalformedJournal(ValueError):
    """An item that is not a journal: out of balance, on an account that isn't in the chart, or with the wrong legs."""


class _Numbers(dict[K, int]):
    """Numbers from 1 for what is asked for, in order of first asking."""

    def __missing__(self, key: K) -> int:
        number = self[key] = len(self) + 1
        return number


def pack(items: Sequence[PostingItem], *, limits_elsewhere: bool = False) -> list[packing.PackedArray]:
    """The function's 22 parameters, in order. Raises MalformedJournal.

    `limits_elsewhere` is for the commit of a hold, which moves the limits itself: entries then have no legs.
    """
    for item in items:
        if item.bucket != item.consumer_id.int & 0xFF:
            raise MalformedJournal(f"{item} lies in another bucket than its consumer")
        if not item.entries:
            raise MalformedJournal(f"{item} has no entries")
    names, parties = _Numbers[str](), _Numbers[UUID]()
    of_leg = [number for number, item in enumerate(items, 1) for _ in item.legs]
    legs = list(chain.from_iterable([item.legs for item in items]))
    of_entry = [number for number, item in enumerate(items, 1) for _ in item.entries]
    entries = list(chain.from_iterable([item.entries for item in items]))
    leg_paths = [names[leg.path] for leg in legs]
    books = [names[entry.book] for entry in entries]
    paths = [names[entry.path] for entry in entries]
    _check_entries(items, of_entry, entries, books, paths, names)
    if not limits_elsewhere:
        _check_legs(items, of_leg, legs, leg_paths, of_entry, entries, paths, names)
    columns = _items(items, names) + _legs(of_leg, legs, leg_paths) + _entries(of_entry, entries, books, paths)
    columns.append(packing.pack_int4([(entry.party_id and parties[entry.party_id]) or 0 for entry in entries]))
    columns.append(packing.pack_int4(_mirrored(of_entry, paths, names)))
    columns.append(packing.pack_text(list(names)))
    columns.append(packing.pack_uuid(list(parties)))
    return columns


def _items(items: Sequence[PostingItem], names: _Numbers[str]) -> list[packing.PackedArray]:
    return [
        packing.pack_int2([item.bucket for item in items]),
        packing.pack_uuid([item.consumer_id for item in items]),
        packing.pack_uuid([item.journal_id for item in items]),
        packing.pack_int2([names[item.kind] for item in items]),
        packing.pack_bytea([item.input_hash for item in items]),
        packing.pack_date([item.business_on for item in items]),
        packing.pack_timestamp([item.posted_at for item in items]),
        packing.pack_uuid([item.reference for item in items]),
    ]


def _legs(of_leg: Sequence[int], legs: Sequence[Leg], paths: Sequence[int]) -> list[packing.PackedArray]:
    days = [_NO_CEILING if leg.day_ceiling_minor is None else leg.day_ceiling_minor for leg in legs]
    months = [_NO_CEILING if leg.month_ceiling_minor is None else leg.month_ceiling_minor for leg in legs]
    return [
        packing.pack_int4(of_leg),
        packing.pack_int2(paths),
        packing.pack_int8([leg.amount_minor for leg in legs]),
        packing.pack_int8(days),
        packing.pack_int8(months),
        packing.pack_int8([leg.version or 0 for leg in legs]),
    ]


def _entries(
    of_entry: Sequence[int],
    entries: Sequence[Entry],
    books: Sequence[int],
    paths: Sequence[int],
) -> list[packing.PackedArray]:
    return [
        packing.pack_int4(of_entry),
        packing.pack_int2(books),
        packing.pack_int2(paths),
        packing.pack_int8([entry.amount_minor for entry in entries]),
    ]


def _mirrored(of_entry: Sequence[int], paths: Sequence[int], names: _Numbers[str]) -> list[int]:
    """The items that the relay has to carry over: those with an entry on a clearing account."""
    clearing = {number for name, number in names.items() if chart.is_clearing(name)}
    return list(dict.fromkeys([number for number, path in zip(of_entry, paths, strict=True) if path in clearing]))


def _check_entries(
    items: Sequence[PostingItem],
    of_entry: Sequence[int],
    entries: Sequence[Entry],
    books: Sequence[int],
    paths: Sequence[int],
    names: _Numbers[str],
) -> None:
    """Each item sums to zero within each book, has no line of zero, and only accounts of the chart, rightly owned."""
    texts = list(names)
    for book, path in set(zip(books, paths, strict=True)):
        try:
            chart.account(texts[book - 1], texts[path - 1])
        except chart.UnknownAccount as unknown:
            raise MalformedJournal(str(unknown)) from unknown
    sums: dict[int, int] = defaultdict(int)
    for number, entry, book in zip(of_entry, entries, books, strict=True):
        sums[number << 16 | book] += entry.amount_minor
        if not 0 < abs(entry.amount_minor) < _AMOUNT_MAX_MINOR:
            raise MalformedJournal(f"{items[number - 1]} has an entry of {entry.amount_minor}")
    for key, left in sums.items():
        if left:
            raise MalformedJournal(f"{items[(key >> 16) - 1]} is out of balance by {left}")
    owners = {number: chart.is_owned(name) for name, number in names.items() if chart.is_clearing(name)}
    for number, entry, path in zip(of_entry, entries, paths, strict=True):
        if path in owners and (entry.party_id is not None) != owners[path]:
            raise MalformedJournal(f"{items[number - 1]}: whose is {entry}?")


def _check_legs(
    items: Sequence[PostingItem],
    of_leg: Sequence[int],
    legs: Sequence[Leg],
    leg_paths: Sequence[int],
    of_entry: Sequence[int],
    entries: Sequence[Entry],
    paths: Sequence[int],
    names: _Numbers[str],
) -> None:
    """Each item's legs say for each limit account what its entries say, so that a balance is the sum of its entries."""
    limited = {number for name, number in names.items() if chart.is_limited(name)}
    sums: dict[int, int] = {}
    for number, leg, path in zip(of_leg, legs, leg_paths, strict=True):
        key = number << 16 | path
        if key in sums:
            raise MalformedJournal(f"{items[number - 1]} uses a limit twice")
        if not 0 < abs(leg.amount_minor) < _AMOUNT_MAX_MINOR:
            raise MalformedJournal(f"{items[number - 1]} has a leg of {leg.amount_minor}")
        sums[key] = leg.amount_minor if path in limited else 0
    for number, entry, path in zip(of_entry, entries, paths, strict=True):
        if path in limited:
            key = number << 16 | path
            sums[key] = sums.get(key, 0) - entry.amount_minor
    for key, left in sums.items():
        if left:
            raise MalformedJournal(f"{items[(key >> 16) - 1]}: legs and entries of a limit differ by {left}")
