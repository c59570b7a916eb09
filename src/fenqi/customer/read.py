"""Reading consumers: one or many for decisions, versions for a paying batch, the person for their own pages."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fenqi.customer.model import Consumer, Credentials, HistoryRow, Person, PhoneMessage
from fenqi.customer.secret import Keys
from fenqi.customer.store import belongings, record
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import Conflict, NotFound, Refusal


async def get(tx: Tx, consumer_id: UUID) -> Consumer:
    """The consumer; NotFound (CONSUMER_UNKNOWN) otherwise."""
    found = await record.consumers(tx, [consumer_id])
    if consumer_id not in found:
        raise NotFound("CONSUMER_UNKNOWN", "no such consumer")
    return found[consumer_id]


async def get_many(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, Consumer]:
    """Consumers by id in one statement; unknown ids are left out."""
    return await record.consumers(tx, consumer_ids)


async def versions(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What a paying batch compares with the facts it was given, in one statement."""
    return await record.versions(tx, consumer_ids)


async def person(tx: Tx, keys: Keys, consumer_id: UUID) -> Person:
    """Who the consumer is, unsealed; NotFound (CONSUMER_UNKNOWN) otherwise. Staff who ask must say why."""
    sealed = await record.person(tx, consumer_id)
    if sealed is None:
        raise NotFound("CONSUMER_UNKNOWN", "no such consumer")
    name, phone, *rest = (None if value is None else keys.unseal(value, consumer_id) for value in sealed)
    assert name is not None
    assert phone is not None
    return Person(name, phone, *rest)


async def get_history(tx: Tx, consumer_id: UUID) -> list[HistoryRow]:
    """Every change of the consumer with who, when and why, oldest first."""
    return await record.history(tx, consumer_id)


async def messages(tx: Tx, consumer_id: UUID | None = None, limit: int = 50) -> list[PhoneMessage]:
    """Messages on the consumer's phone, newest first; for None the latest on all phones (the demo's phone page)."""
    if not 1 <= limit <= 200:
        raise Refusal("PAGE_INVALID", "1 to 200 messages a page")
    return await belongings.messages(tx, consumer_id, limit)


async def locked(tx: Tx, consumer_id: UUID) -> tuple[Consumer, Credentials]:
    """The consumer's row locked for change; CONSUMER_UNKNOWN, or CONSUMER_CLOSED for a closed account."""
    found = await record.lock(tx, consumer_id)
    if found is None:
        raise NotFound("CONSUMER_UNKNOWN", "no such consumer")
    if found[0].state != "active":
        raise Conflict("CONSUMER_CLOSED", "the account is closed")
    return found


async def touch(tx: Tx, consumer_id: UUID) -> None:
    """Let the version grow: something that is kept elsewhere changed what decisions see."""
    await record.touch(tx, consumer_id)
