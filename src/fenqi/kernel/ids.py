"""Time-ordered ids (UUID version 7) and the placement bucket derived from them.

Ids are made by whoever asks first and double as idempotency keys; people see a short number instead.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import NewType
from uuid import UUID

ConsumerId = NewType("ConsumerId", UUID)
MerchantId = NewType("MerchantId", UUID)
StaffId = NewType("StaffId", UUID)
OrderId = NewType("OrderId", UUID)
PaymentId = NewType("PaymentId", UUID)
DecisionId = NewType("DecisionId", UUID)
LoanId = NewType("LoanId", UUID)
JournalId = NewType("JournalId", UUID)

BUCKETS = 256
_SHORT_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_id(at_ms: int | None = None) -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Of the wall clock's moment the fraction of the millisecond takes 12 of them (§6.2, method 3), so that ids which
    one process makes one after another sort in that order: a history kept within one millisecond stays in order.
    """
    moment, rest_ns = divmod(time.time_ns(), 1_000_000) if at_ms is None else (at_ms, None)
    raw = bytearray(moment.to_bytes(6, "big") + os.urandom(10))
    if rest_ns is not None:
        raw[6:8] = (rest_ns * 4096 // 1_000_000).to_bytes(2, "big")
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return UUID(bytes=bytes(raw))


def id_for(owner_id: UUID, verb: str, key: str) -> UUID:
    """The id that an owner's idempotency key stands for, the same at each repeat and never another owner's.

    A key is the caller's choice, and ids of journals meet those of other owners at a merchant's side: a digest keeps
    them apart. Of a key that is a UUID version 7 the time stays in front.
    """
    digest = bytearray(hashlib.sha256(owner_id.bytes + f"{verb}\0{key}".encode()).digest()[:16])
    given = parse_id(key) if len(key) in (32, 36) else None
    version = 4
    if given is not None and given.version == 7:
        digest[:6], version = given.bytes[:6], 7
    digest[6] = version << 4 | (digest[6] & 0x0F)
    digest[8] = 0x80 | (digest[8] & 0x3F)
    return UUID(bytes=bytes(digest))


def bucket_of(owner_id: UUID) -> int:
    """The placement bucket 0–255: the last byte of the owner's id, which is random, unlike its head."""
    return owner_id.int & 0xFF


def short_number(any_id: UUID) -> str:
    """Ten characters people can read aloud, from the id's random tail; not unique by law, only by odds (2^50)."""
    tail = any_id.int & ((1 << 50) - 1)
    return "".join(_SHORT_ALPHABET[(tail >> shift) & 31] for shift in range(45, -1, -5))


def parse_id(text: str) -> UUID | None:
    """The UUID in `text`, or None when it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None
