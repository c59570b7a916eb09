"""Who the consumer is: name, document and phone, each proved; shown back only masked."""

from __future__ import annotations

from datetime import date

import msgspec

from fenqi import customer
from fenqi.flows import prove
from fenqi.flows.prove import Needed
from fenqi.web.api.resource import Call, Nothing, resource


class Proof(msgspec.Struct, frozen=True):
    """Done, or what is still to be typed: `needed.names` (an SMS code is on its way when `needed.sms_sent`)."""

    done: bool
    needed: Needed | None = None


def proof(needed: Needed | None) -> Proof:
    """The outcome of a verb of `flows.prove`."""
    return Proof(needed is None, needed)


class IdentityView(msgspec.Struct, frozen=True):
    """What is proved, masked."""

    real_name: str
    """none | verified | mismatch"""
    masked_name: str | None
    masked_id_number: str | None
    id_document_until_on: date | None
    masked_phone: str
    phone_reachable: bool
    pay_password: str
    """none | set | locked"""
    cards: int
    stepped_up: bool


@resource("GET", "/v1/identity", answer=IdentityView)
async def read(call: Call) -> IdentityView:
    """What the consumer has proved."""
    context, consumer_id = call.context, call.actor.consumer_id
    async with context.database.snapshot() as tx:
        consumer = await customer.get(tx, consumer_id)
        person = await customer.person(tx, context.keys, consumer_id)
    now, until_at = context.now(), consumer.stepped_up_until_at
    return IdentityView(
        str(consumer.real_name),
        person.masked_name,
        person.masked_id_number,
        consumer.id_document_until_on,
        person.masked_phone,
        consumer.phone_reachable,
        str(consumer.pay_password_at(now)),
        consumer.cards,
        until_at is not None and until_at > now,
    )


class RealName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and number as on the identity card, and the card's last day."""

    name: str
    id_number: str
    document_until_on: date


@resource("POST", "/v1/identity/real-name", body=RealName, answer=Proof, problems=(409,))
async def real_name(call: Call) -> Proof:
    """Prove one's name; an account never changes from one person to another (REAL_NAME_FIXED)."""
    new = call.body
    given = {"name": new.name, "id_number": new.id_number, "document_until_on": new.document_until_on.isoformat()}
    return proof(await prove.real_name(call.context, call.actor.consumer_id, given))


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and number as on the identity card, once more."""

    name: str
    id_number: str


@resource("POST", "/v1/identity/person", body=Person, answer=Proof, problems=(409,))
async def person(call: Call) -> Proof:
    """Show that it is still the same person: a route of RISK_REVIEW, good for 15 minutes."""
    given = {"name": call.body.name, "id_number": call.body.id_number}
    return proof(await prove.person(call.context, call.actor.consumer_id, given))


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last day of a new identity card."""

    document_until_on: date


@resource("POST", "/v1/identity/document", body=Document, answer=Proof, problems=(409,))
async def document(call: Call) -> Proof:
    """Renew the identity document."""
    given = {"document_until_on": call.body.document_until_on.isoformat()}
    return proof(await prove.id_document(call.context, call.actor.consumer_id, given))


class SmsCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code that was sent."""

    sms_code: str


@resource("POST", "/v1/identity/phone:send-code", body=Nothing, answer=Proof)
async def send_phone_code(call: Call) -> Proof:
    """Send a code to the consumer's phone: one a minute, five an hour (SMS_LIMIT)."""
    return proof(await prove.phone(call.context, call.actor.consumer_id, {}))


@resource("POST", "/v1/identity/phone:verify", body=SmsCode, answer=Proof)
async def verify_phone(call: Call) -> Proof:
    """Prove the phone by the code sent to it."""
    return proof(await prove.phone(call.context, call.actor.consumer_id, {"sms_code": call.body.sms_code or " "}))
