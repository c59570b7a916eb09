"""Bank cards: asked for with the number, bound with the code that was sent, let go; shown by their last digits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import customer
from fenqi.customer import Card
from fenqi.flows import prove
from fenqi.kernel.ids import parse_id
from fenqi.web.api.identity import Proof, SmsCode, proof
from fenqi.web.api.resource import Call, Nothing, resource


class CardView(msgspec.Struct, frozen=True):
    """A bound card."""

    card_id: UUID
    bank: str
    kind: str
    """debit | credit"""
    masked: str
    bound_at: datetime | None


class CardNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number embossed on the card."""

    card_number: str


class CardAsked(msgspec.Struct, frozen=True):
    """The card that awaits its code."""

    card_id: UUID
    sms_sent: bool


def _view(card: Card) -> CardView:
    return CardView(card.card_id, card.bank, card.kind, card.masked, card.bound_at)


@resource("GET", "/v1/cards", answer=tuple[CardView, ...])
async def listing(call: Call) -> tuple[CardView, ...]:
    """The consumer's bound cards."""
    async with call.context.database.autocommit() as tx:
        return tuple(_view(card) for card in await customer.cards(tx, call.actor.consumer_id))


@resource("POST", "/v1/cards", body=CardNumber, answer=CardAsked, keyed=True)
async def ask(call: Call) -> CardAsked:
    """Ask to bind a card: a code goes to the consumer's phone. Refuses CARD_INVALID, CARD_BOUND, SMS_LIMIT …"""
    given = {"card_number": call.body.card_number or " "}
    needed = await prove.card(call.context, call.actor.consumer_id, given)
    card_id = None if needed is None else parse_id(needed.known.get("card_id", ""))
    assert needed is not None and card_id is not None, "a number is answered with a card that awaits its code"
    return CardAsked(card_id, needed.sms_sent)


@resource("POST", "/v1/cards/{card}:bind", body=SmsCode, answer=Proof, problems=(409,))
async def bind(call: Call) -> Proof:
    """Bind the card with the code; a bound one stays bound."""
    given = {"card_id": str(call.id("card")), "sms_code": call.body.sms_code or " "}
    return proof(await prove.card(call.context, call.actor.consumer_id, given))


@resource("POST", "/v1/cards/{card}:unbind", body=Nothing, answer=tuple[CardView, ...])
async def unbind(call: Call) -> tuple[CardView, ...]:
    """Let a card go; the cards that are left."""
    context, consumer_id = call.context, call.actor.consumer_id
    async with context.database.transaction() as tx:
        await customer.unbind(tx, consumer_id, call.id("card"), context.by_consumer(consumer_id, "let the card go"))
        return tuple(_view(card) for card in await customer.cards(tx, consumer_id))
