"""Profiles: what the risk database knows, of one subject for people, of those around a press for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.risk.model import Known, Link, Listed, Profile, Pulse, Review, Subject
from fenqi.risk.store import links, lists, pulses

AROUND = 20
"""How many links of each subject a decision looks at."""


class Own(NamedTuple):
    """What is kept with the consumer: what they used, and what people said of them."""

    links: Sequence[Link] = ()
    reviews: Sequence[Review] = ()


class Around(NamedTuple):
    """What is kept with the subjects of a press."""

    known: dict[UUID, Known]
    listed: Sequence[Listed]
    pulses: dict[tuple[UUID, str], Pulse]
    links: Sequence[Link]


async def own(tx: Tx, consumer_id: UUID) -> Own:
    """What is kept with a consumer, in two statements."""
    mine = await links.links(tx, [consumer_id], AROUND)
    return Own(mine, await lists.reviews(tx, consumer_id))


async def around(tx: Tx, subject_ids: Sequence[UUID], shared: Sequence[UUID]) -> Around:
    """What is kept with the subjects of a press, in four statements on one round trip; the links of `shared` ones."""
    found = await together(
        tx, links.known(tx, subject_ids), lists.listed(tx, subject_ids), pulses.pulses(tx, subject_ids),
        links.links(tx, shared, AROUND),
    )  # fmt: skip
    return Around(*found)


async def profile(tx: Tx, subject: Subject) -> Profile:
    """All that is known of a subject."""
    one = [subject.subject_id]
    found = await links.known(tx, one)
    beats = await pulses.pulses(tx, one)
    is_consumer = subject.kind == "consumer"
    return Profile(
        subject,
        found.get(subject.subject_id),
        tuple(await lists.listed(tx, one)),
        tuple(await lists.changes(tx, subject.subject_id)),
        {kind: pulse for (_, kind), pulse in sorted(beats.items(), key=lambda item: item[0][1])},
        tuple(await links.links(tx, one, AROUND)),
        tuple(await lists.outcomes(tx, subject.subject_id)),
        tuple(await lists.reviews(tx, subject.subject_id)) if is_consumer else (),
    )
