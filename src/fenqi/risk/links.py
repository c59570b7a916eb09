"""Links between profiles: that a consumer used a device, a card, an address; and bounded walks along them.

Both ends keep the link in their own bucket. The relay writes it, so that no buyer waits for another one's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.risk.model import Link, Subject, Web
from fenqi.risk.store import links as store
from fenqi.risk.store import pulses

HOPS_MAX, FAN_OUT_MAX, NODES_MAX = 4, 20, 200
_OWN_MAX = 200
"""How many of a consumer's own links are looked at when one is written."""


class Met(NamedTuple):
    """That a consumer used something. `proved`: having just shown who they are."""

    consumer_id: UUID
    other: Subject
    at: datetime
    proved: bool = False
    person_hash: bytes | None = None


async def meet(tx: Tx, met: Iterable[Met]) -> None:
    """Keep what consumers used, at both ends, and count anew at the other end. Repeats change nothing but `last_at`.

    A consumer's first device counts as proved: nothing tells it from the one that the account was made on.
    """
    newest = {(one.consumer_id, one.other.subject_id): one for one in sorted(met, key=lambda one: one.at)}
    if not newest:
        return
    consumers = sorted({one.consumer_id for one in newest.values()})
    known = await store.links(tx, consumers, _OWN_MAX)
    with_device = {link.subject_id for link in known if link.other_kind == "device"}
    beats = await pulses.pulses(tx, consumers)
    frauds = {one for one in consumers if is_fraud(beats, one)}
    others = {one.other for one in newest.values()}
    when = max(one.at for one in newest.values())
    await store.lock_subjects(tx, others, when)
    rows: list[Link] = []
    for one in newest.values():
        first = one.other.kind == "device" and one.consumer_id not in with_device
        with_device |= {one.consumer_id} if one.other.kind == "device" else set()
        proved_at = one.at if one.proved or first else None
        by_fraud = one.consumer_id in frauds
        consumer, other = Subject("consumer", one.consumer_id), one.other
        rows += [
            _link(consumer, other, one.at, proved_at, None, by_fraud),
            _link(other, consumer, one.at, proved_at, one.person_hash, by_fraud),
        ]
    await store.upsert_links(tx, rows)
    await store.recount(tx, sorted(one.subject_id for one in others))


def _link(
    at_end: Subject, other: Subject, at: datetime, proved_at: datetime | None, person: bytes | None, by_fraud: bool
) -> Link:
    return Link(at_end.subject_id, other.subject_id, at_end.kind, other.kind, at, at, proved_at, person, by_fraud)


def is_fraud(beats: pulses.Pulses, consumer_id: UUID) -> bool:
    """Whether a consumer is a confirmed fraud: said so, and not cleared since."""
    said = beats.get((consumer_id, "fraud"))
    if said is None:
        return False
    cleared = beats.get((consumer_id, "cleared"))
    return cleared is None or max(cleared.at_ms) < max(said.at_ms)


async def carry_fraud(tx: Tx, consumer_id: UUID, at: datetime) -> int:
    """Carry it to the other ends of a consumer's links whether the consumer is a confirmed fraud now; how many ends
    there are."""
    mine = await store.links(tx, [consumer_id], _OWN_MAX)
    others = [Subject(link.other_kind, link.other_id) for link in mine]
    if not others:
        return 0
    ids = sorted(one.subject_id for one in others)
    await store.lock_subjects(tx, others, at)
    by_fraud = is_fraud(await pulses.pulses(tx, [consumer_id]), consumer_id)
    await store.mark_fraud(tx, ids, consumer_id, by_fraud)
    await store.recount(tx, ids)
    return len(ids)


async def walk(tx: Tx, start: Subject, hops: int = 2, fan_out: int = FAN_OUT_MAX) -> Web:
    """What lies around a subject: at most so many hops, and so many links of each subject, the latest first.

    Bounded at 4 hops, 20 links a subject and 200 subjects; `cut` names the subjects that had more links.
    """
    hops, fan_out = min(hops, HOPS_MAX), min(fan_out, FAN_OUT_MAX)
    nodes = {start.subject_id: (start.kind, 0)}
    edges: dict[frozenset[UUID], Link] = {}
    cut: list[UUID] = []
    frontier: Sequence[UUID] = [start.subject_id]
    for hop in range(1, hops + 1):
        found = await store.links(tx, frontier, fan_out + 1) if frontier else []
        reached: list[UUID] = []
        taken: dict[UUID, int] = {}
        for link in found:
            taken[link.subject_id] = taken.get(link.subject_id, 0) + 1
            if taken[link.subject_id] > fan_out:
                cut.append(link.subject_id)
                continue
            if link.other_id not in nodes:
                if len(nodes) >= NODES_MAX:
                    cut.append(link.subject_id)
                    continue
                nodes[link.other_id] = (link.other_kind, hop)
                reached.append(link.other_id)
            edges.setdefault(frozenset((link.subject_id, link.other_id)), link)
        frontier = reached
    return Web(nodes, tuple(edges.values()), tuple(dict.fromkeys(cut)))
