"""SQL of what hangs on a consumer: SMS codes, messages on the phone, bank cards and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fenqi.customer.model import Card, CardState, Code, PhoneMessage, Purpose
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

_CARD = "card_id, state, fingerprint, bank, kind, masked, code_id, asked_at, bound_at"


def _card(row: Sequence[Any]) -> Card:
    values: list[Any] = [row[0], CardState(row[1]), *row[2:]]
    return Card(*values)


async def insert_code(tx: Tx, consumer_id: UUID, purpose: Purpose, code: Code, sent_at: datetime) -> None:
    """Keep a code's hash; earlier ones for the purpose become void."""
    bucket = bucket_of(consumer_id)
    await tx.execute(
        "UPDATE sms_code SET state = 'void' WHERE bucket = %s AND consumer_id = %s AND purpose = %s AND state = 'sent'",
        [bucket, consumer_id, purpose],
    )
    await tx.execute(
        "INSERT INTO sms_code (bucket, consumer_id, code_id, purpose, code_hash, state, sent_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, 'sent', %s, %s)",
        [bucket, consumer_id, code.code_id, purpose, code.code_hash, sent_at, code.expires_at],
    )


async def open_code(tx: Tx, consumer_id: UUID, purpose: Purpose) -> Code | None:
    """The code sent last for the purpose, if it wasn't used or made void; locked."""
    cursor = await tx.execute(
        "SELECT code_id, code_hash, failures, expires_at FROM sms_code"
        " WHERE bucket = %s AND consumer_id = %s AND purpose = %s AND state = 'sent' FOR UPDATE",
        [bucket_of(consumer_id), consumer_id, purpose],
    )
    row = await cursor.fetchone()
    return Code(*row) if row else None


async def set_code(tx: Tx, consumer_id: UUID, code_id: UUID, state: str, failures: int) -> None:
    """Write what became of a locked code."""
    await tx.execute(
        "UPDATE sms_code SET state = %s, failures = %s WHERE bucket = %s AND consumer_id = %s AND code_id = %s",
        [state, failures, bucket_of(consumer_id), consumer_id, code_id],
    )


async def insert_message(tx: Tx, message: PhoneMessage) -> None:
    """Put a message on the phone."""
    await tx.execute(
        "INSERT INTO phone_message (bucket, consumer_id, message_id, text_zh, text_en, sent_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [
            bucket_of(message.consumer_id),
            message.consumer_id,
            message.message_id,
            message.text_zh,
            message.text_en,
            message.sent_at,
        ],
    )


async def messages(tx: Tx, consumer_id: UUID | None, limit: int) -> list[PhoneMessage]:
    """Messages on one phone, or the latest on all (a report over all shards), newest first."""
    where = "" if consumer_id is None else " WHERE bucket = %s AND consumer_id = %s"
    values = [] if consumer_id is None else [bucket_of(consumer_id), consumer_id]
    cursor = await tx.execute(
        f"SELECT message_id, consumer_id, text_zh, text_en, sent_at FROM phone_message{where}"
        " ORDER BY sent_at DESC, message_id DESC LIMIT %s",
        [*values, limit],
    )
    return [PhoneMessage(*row) for row in await cursor.fetchall()]


async def insert_card(tx: Tx, consumer_id: UUID, card: Card, sealed_number: bytes) -> None:
    """Keep a card with its sealed number; earlier ones that still await their code lapse."""
    bucket = bucket_of(consumer_id)
    await tx.execute(
        "UPDATE bound_card SET state = 'lapsed' WHERE bucket = %s AND consumer_id = %s AND state = 'awaiting_code'",
        [bucket, consumer_id],
    )
    await tx.execute(
        f"INSERT INTO bound_card (bucket, consumer_id, {_CARD}, sealed_number)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket,
            consumer_id,
            card.card_id,
            card.state,
            card.fingerprint,
            card.bank,
            card.kind,
            card.masked,
            card.code_id,
            card.asked_at,
            card.bound_at,
            sealed_number,
        ],
    )


async def sealed_number(tx: Tx, consumer_id: UUID, card_id: UUID) -> bytes | None:
    """A bound card's sealed number."""
    cursor = await tx.execute(
        "SELECT sealed_number FROM bound_card WHERE bucket = %s AND consumer_id = %s AND card_id = %s"
        " AND state = 'bound'",
        [bucket_of(consumer_id), consumer_id, card_id],
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def card(tx: Tx, consumer_id: UUID, card_id: UUID) -> Card | None:
    """One card, locked."""
    cursor = await tx.execute(
        f"SELECT {_CARD} FROM bound_card WHERE bucket = %s AND consumer_id = %s AND card_id = %s FOR UPDATE",
        [bucket_of(consumer_id), consumer_id, card_id],
    )
    row = await cursor.fetchone()
    return _card(row) if row else None


async def cards(tx: Tx, consumer_id: UUID) -> list[Card]:
    """The consumer's bound cards, the one bound first at the head."""
    cursor = await tx.execute(
        f"SELECT {_CARD} FROM bound_card WHERE bucket = %s AND consumer_id = %s AND state = 'bound'"
        " ORDER BY bound_at, card_id",
        [bucket_of(consumer_id), consumer_id],
    )
    return [_card(row) for row in await cursor.fetchall()]


async def set_card(tx: Tx, consumer_id: UUID, card_id: UUID, state: CardState, bound_at: datetime | None) -> None:
    """Move a locked card."""
    await tx.execute(
        "UPDATE bound_card SET state = %s, bound_at = %s WHERE bucket = %s AND consumer_id = %s AND card_id = %s",
        [state, bound_at, bucket_of(consumer_id), consumer_id, card_id],
    )


async def insert_session(
    tx: Tx, consumer_id: UUID, token_hash: bytes, device: str, at: datetime, expires_at: datetime
) -> None:
    """Keep a session by its token's hash."""
    await tx.execute(
        "INSERT INTO consumer_session (bucket, consumer_id, token_hash, device, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [bucket_of(consumer_id), consumer_id, token_hash, device, at, expires_at],
    )


async def session_holds(tx: Tx, consumer_id: UUID, token_hash: bytes, at: datetime) -> bool:
    """Whether the session is known, not ended and not past its end."""
    cursor = await tx.execute(
        "SELECT 1 FROM consumer_session WHERE bucket = %s AND consumer_id = %s AND token_hash = %s"
        " AND revoked_at IS NULL AND expires_at > %s",
        [bucket_of(consumer_id), consumer_id, token_hash, at],
    )
    return await cursor.fetchone() is not None


async def revoke_sessions(tx: Tx, consumer_id: UUID, token_hash: bytes | None, at: datetime) -> int:
    """End one session, or all of the consumer's (None); how many there were."""
    cursor = await tx.execute(
        "UPDATE consumer_session SET revoked_at = %s WHERE bucket = %s AND consumer_id = %s"
        " AND revoked_at IS NULL AND (%s::bytea IS NULL OR token_hash = %s)",
        [at, bucket_of(consumer_id), consumer_id, token_hash, token_hash],
    )
    return cursor.rowcount
