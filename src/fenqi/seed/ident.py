"""Ids for seeds: the same for the same name in every installation, in the shape of a time-ordered id."""

from __future__ import annotations

import hashlib
from uuid import UUID

_MOMENT_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: before anything else that an installation makes."""


def seed_id(kind: str, name: str) -> UUID:
    """A UUID version 7 whose random part is a digest of kind and name."""
    raw = bytearray(_MOMENT_MS.to_bytes(6, "big") + hashlib.sha256(f"{kind}/{name}".encode()).digest()[:10])
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return UUID(bytes=bytes(raw))
