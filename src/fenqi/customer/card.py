"""Bank cards: bound with the number and an SMS code; shown by the last four digits, found by a fingerprint.

The number itself is kept sealed and leaves this room only for the channel that charges the card.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.customer import check
from fenqi.customer.model import Card, CardState, Purpose, RealName
from fenqi.customer.read import locked
from fenqi.customer.secret import Keys
from fenqi.customer.sms import check_code, send_code
from fenqi.customer.store import belongings, record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal

CARDS_MAX = 10


async def ask_to_bind(tx: Tx, keys: Keys, consumer_id: UUID, number: str, by: By) -> Card:
    """Send a code for binding the card with this number; the card as it awaits it. An earlier one lapses.

    Refuses CARD_INVALID, CARD_BANK_UNKNOWN, REALNAME_REQUIRED, CARD_BOUND, CARDS_FULL (10), SMS_LIMIT.
    """
    card = await _new_card(tx, keys, consumer_id, number, by)
    code_id = await send_code(tx, keys, consumer_id, Purpose.BIND_CARD, by)
    card = msgspec.structs.replace(card, code_id=code_id)
    await belongings.insert_card(tx, consumer_id, card, keys.seal(_digits(number), consumer_id))
    return card


def _digits(number: str) -> str:
    return check.card_number(number)[0]


async def _new_card(tx: Tx, keys: Keys, consumer_id: UUID, number: str, by: By) -> Card:
    digits, issuer = check.card_number(number)
    consumer, _ = await locked(tx, consumer_id)
    if consumer.real_name is not RealName.VERIFIED:
        raise Conflict("REALNAME_REQUIRED", "a card is bound under one's own proved name")
    fingerprint = keys.look_up("card", digits)
    bound = await belongings.cards(tx, consumer_id)
    if any(card.fingerprint == fingerprint for card in bound):
        raise Conflict("CARD_BOUND", "this card is bound already")
    if len(bound) >= CARDS_MAX:
        raise Conflict("CARDS_FULL", f"at most {CARDS_MAX} cards")
    masked = f"**** {digits[-4:]}"
    return Card(new_id(), CardState.AWAITING_CODE, fingerprint, issuer.bank_en, issuer.kind, masked, None, by.at, None)


async def bind(tx: Tx, keys: Keys, consumer_id: UUID, card_id: UUID, code: str, by: By) -> Card | Refusal:
    """The bound card when the code is right; a repeat returns it again. CODE_WRONG and CODE_EXPIRED come as values:
    commit, then raise. Raises CARD_UNKNOWN for no such card, and for one that lapsed or was unbound."""
    await locked(tx, consumer_id)
    card = await belongings.card(tx, consumer_id, card_id)
    if card is None or card.state in (CardState.LAPSED, CardState.UNBOUND):
        raise NotFound("CARD_UNKNOWN", "no such card awaits a code")
    if card.state is CardState.BOUND:
        return card
    refusal = await check_code(tx, keys, consumer_id, Purpose.BIND_CARD, code, by)
    if refusal is not None:
        return refusal
    await belongings.set_card(tx, consumer_id, card_id, CardState.BOUND, by.at)
    await record.touch(tx, consumer_id)
    await record.insert_history(tx, consumer_id, "bind_card", by, {"card_id": str(card_id)})
    return msgspec.structs.replace(card, state=CardState.BOUND, bound_at=by.at)


async def add_bound_card(tx: Tx, keys: Keys, consumer_id: UUID, number: str, by: By) -> Card:
    """Bind a card whose owner was proved elsewhere (the demo's people), without a code. Refuses as `ask_to_bind`."""
    new = await _new_card(tx, keys, consumer_id, number, by)
    card = msgspec.structs.replace(new, state=CardState.BOUND, bound_at=by.at)
    await belongings.insert_card(tx, consumer_id, card, keys.seal(_digits(number), consumer_id))
    await record.touch(tx, consumer_id)
    await record.insert_history(tx, consumer_id, "bind_card", by, {"card_id": str(card.card_id)})
    return card


async def unbind(tx: Tx, consumer_id: UUID, card_id: UUID, by: By) -> None:
    """Let a bound card go; a repeat changes nothing. Refuses CARD_UNKNOWN."""
    await locked(tx, consumer_id)
    card = await belongings.card(tx, consumer_id, card_id)
    if card is None or card.state in (CardState.AWAITING_CODE, CardState.LAPSED):
        raise NotFound("CARD_UNKNOWN", "no such card is bound")
    if card.state is CardState.BOUND:
        await belongings.set_card(tx, consumer_id, card_id, CardState.UNBOUND, card.bound_at)
        await record.touch(tx, consumer_id)
        await record.insert_history(tx, consumer_id, "unbind_card", by, {"card_id": str(card_id)})


async def cards(tx: Tx, consumer_id: UUID) -> list[Card]:
    """The consumer's bound cards, the one bound first at the head."""
    return await belongings.cards(tx, consumer_id)


async def card_number(tx: Tx, keys: Keys, consumer_id: UUID, card_id: UUID) -> str:
    """A bound card's number, for the channel that charges it and nobody else. Refuses CARD_UNKNOWN."""
    sealed = await belongings.sealed_number(tx, consumer_id, card_id)
    if sealed is None:
        raise NotFound("CARD_UNKNOWN", "no such card is bound")
    return keys.unseal(sealed, consumer_id)
