"""Registration of consumers, and the demo's phone, on which their codes arrive."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import customer
from fenqi.customer import NewConsumer
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound
from fenqi.texts import Locale
from fenqi.web.api.resource import Call, resource


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A free sign-in name, a free mobile number, and a password."""

    sign_in_name: str
    phone: str
    password: str


class Registered(msgspec.Struct, frozen=True):
    """The new consumer; sign in with `POST /v1/sessions`."""

    consumer_id: UUID
    sign_in_name: str


@resource("POST", "/v1/consumers", body=Registration, answer=Registered, who=(), problems=(409,))
async def register(call: Call) -> Registered:
    """Register. A repeat is refused with SIGN_IN_NAME_TAKEN: the name itself is the key."""
    context, new = call.context, call.body
    consumer_id = new_id()
    by = By(f"consumer:{consumer_id}", "registered", context.now())
    asked = NewConsumer(consumer_id, new.sign_in_name, new.phone)
    async with context.database.transaction() as tx:
        await customer.sign_up(tx, context.keys, asked, new.password, by)
    return Registered(consumer_id, new.sign_in_name.strip().lower())


class MessageView(msgspec.Struct, frozen=True):
    """A message on the consumer's phone."""

    message_id: UUID
    text: str
    sent_at: datetime


@resource("GET", "/v1/phone/messages", answer=tuple[MessageView, ...], problems=(404,))
async def messages(call: Call) -> tuple[MessageView, ...]:
    """The demo's phone, newest message first. Outside the demo codes go to a real one, and this is not found."""
    if not call.context.settings.demo:
        raise NotFound("NOT_FOUND", "only in the demo")
    async with call.context.database.autocommit() as tx:
        found = await customer.messages(tx, call.actor.consumer_id)
    english = call.locale is Locale.EN
    return tuple(MessageView(m.message_id, m.text_en if english else m.text_zh, m.sent_at) for m in found)
