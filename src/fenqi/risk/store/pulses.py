"""SQL of the sliding counters: one row a subject and kind, changed by one statement under its own lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.risk.model import KEPT, Beat, Pulse, event_key

Pulses = dict[tuple[UUID, str], Pulse]

_COUNT = f"""
    INSERT INTO risk_pulse AS p (bucket, subject_id, kind, event_keys, at_ms, amounts_minor)
    SELECT bucket, subject_id, kind, array_agg(event_key ORDER BY n), array_agg(at_ms ORDER BY n),
           array_agg(amount_minor ORDER BY n)
    FROM unnest(%b::smallint[], %b::uuid[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[]) WITH ORDINALITY
         AS new(bucket, subject_id, kind, event_key, at_ms, amount_minor, n)
    GROUP BY bucket, subject_id, kind ORDER BY bucket, subject_id, kind
    ON CONFLICT (bucket, subject_id, kind) DO UPDATE SET (event_keys, at_ms, amounts_minor) = (
        SELECT array_agg(k ORDER BY n), array_agg(t ORDER BY n), array_agg(m ORDER BY n) FROM (
            SELECT k, t, m, n FROM unnest(p.event_keys, p.at_ms, p.amounts_minor) WITH ORDINALITY AS old(k, t, m, n)
            UNION ALL
            SELECT k, t, m, n + {KEPT} FROM unnest(excluded.event_keys, excluded.at_ms, excluded.amounts_minor)
                   WITH ORDINALITY AS more(k, t, m, n) WHERE k <> ALL (p.event_keys)
            ORDER BY n DESC LIMIT {KEPT}) AS kept)
    RETURNING p.subject_id, p.kind, p.event_keys, p.at_ms, p.amounts_minor
"""


async def count(tx: Tx, beats: Iterable[Beat]) -> Pulses:
    """Count events, each once, and answer with the pulses as they are then. Rows are locked in their order."""
    once = list({(beat.subject_id, beat.kind, beat.event_id): beat for beat in beats}.values())
    if not once:
        return {}
    cursor = await tx.execute(
        _COUNT,
        [
            packing.pack_int2([bucket_of(beat.subject_id) for beat in once]),
            packing.pack_uuid([beat.subject_id for beat in once]),
            packing.pack_text([beat.kind for beat in once]),
            packing.pack_int8([event_key(beat.event_id) for beat in once]),
            packing.pack_int8([beat.at_ms for beat in once]),
            packing.pack_int8([beat.amount_minor for beat in once]),
        ],
    )
    return _pulses(await cursor.fetchall())


async def pulses(tx: Tx, subject_ids: Sequence[UUID]) -> Pulses:
    """All pulses of these subjects."""
    cursor = await tx.execute(
        "SELECT subject_id, kind, event_keys, at_ms, amounts_minor"
        " FROM unnest(%b::smallint[], %b::uuid[]) AS k (bucket, subject_id) JOIN risk_pulse"
        " USING (bucket, subject_id)",
        [[bucket_of(one) for one in subject_ids], list(subject_ids)],
    )
    return _pulses(await cursor.fetchall())


def _pulses(rows: Iterable[tuple[UUID, str, list[int], list[int], list[int]]]) -> Pulses:
    return {(row[0], row[1]): Pulse(tuple(row[2]), tuple(row[3]), tuple(row[4])) for row in rows}
