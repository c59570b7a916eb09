"""What a buyer proves or sets with something they type: identity, phone, pay password, step-up, a card, a lock.

Each verb answers with the inputs that it still needs, or None when it is done. A wrong try is counted, committed, and
then refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import msgspec

from fenqi import credit, customer, risk
from fenqi.customer import Purpose
from fenqi.database.pool import Tx
from fenqi.flows import risk_events
from fenqi.flows.context import Context
from fenqi.flows.device import card_id as card_subject
from fenqi.kernel.by import By
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id, parse_id
from fenqi.kernel.refusal import Refusal
from fenqi.risk import Beat, Subject

Inputs = Mapping[str, str]


class Needed(msgspec.Struct, frozen=True):
    """Something that the buyer has to type. `known` carries what the next call must send along."""

    names: tuple[str, ...]
    """name | id_number | document_until_on | card_number | sms_code | pay_password | new_pay_password"""
    sms_sent: bool = False
    known: dict[str, str] = {}


async def real_name(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Prove one's name by name, id number and the document's last day."""
    names = ("name", "id_number", "document_until_on")
    if not all(given.get(name) for name in names):
        return Needed(names)
    by = ctx.by_consumer(consumer_id, "proved their name")
    async with ctx.database.transaction() as tx:
        until_on = _date(given["document_until_on"])
        await customer.verify_real_name(tx, ctx.keys, consumer_id, given["name"], given["id_number"], until_on, by)
    return None


async def id_document(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Renew the identity document by its last day."""
    if not given.get("document_until_on"):
        return Needed(("document_until_on",))
    by = ctx.by_consumer(consumer_id, "renewed the identity document")
    async with ctx.database.transaction() as tx:
        await customer.renew_document(tx, consumer_id, _date(given["document_until_on"]), by)
    return None


async def phone(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Prove the phone by a code sent to it."""
    if not given.get("sms_code"):
        return await send_code(ctx, consumer_id, Purpose.PHONE)
    by = ctx.by_consumer(consumer_id, "proved the phone")
    async with ctx.database.transaction() as tx:
        refusal = await customer.verify_phone(tx, ctx.keys, consumer_id, given["sms_code"], by)
    _raise(refusal)
    return None


async def pay_password(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Set the pay password; with a code where there was one before."""
    async with ctx.database.snapshot() as tx:
        there = (await customer.get(tx, consumer_id)).pay_password
    if there == "none":
        if not given.get("new_pay_password"):
            return Needed(("new_pay_password",))
        by = ctx.by_consumer(consumer_id, "set the pay password")
        async with ctx.database.transaction() as tx:
            await customer.set_pay_password(tx, consumer_id, given["new_pay_password"], by)
        return None
    if not given.get("new_pay_password") or not given.get("sms_code"):
        sent = await send_code(ctx, consumer_id, Purpose.PAY_PASSWORD)
        return msgspec.structs.replace(sent, names=("new_pay_password", "sms_code"))
    by = ctx.by_consumer(consumer_id, "reset the pay password")
    async with ctx.database.transaction() as tx:
        refusal = await customer.reset_pay_password(
            tx, ctx.keys, consumer_id, given["sms_code"], given["new_pay_password"], by
        )
    _raise(refusal)
    return None


async def step_up(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Confirm with the pay password, or with a code where there is none."""
    by = ctx.by_consumer(consumer_id, "confirmed")
    if given.get("pay_password"):
        async with ctx.database.transaction() as tx:
            refusal = await customer.step_up_by_pay_password(tx, consumer_id, given["pay_password"], by)
            await _count_wrong(tx, consumer_id, refusal, by)
        _raise(refusal)
        return None
    if given.get("sms_code"):
        async with ctx.database.transaction() as tx:
            refusal = await customer.step_up_by_code(tx, ctx.keys, consumer_id, given["sms_code"], by)
        _raise(refusal)
        return None
    async with ctx.database.snapshot() as tx:
        has_password = (await customer.get(tx, consumer_id)).pay_password_at(by.at) == "set"
    if has_password:
        return Needed(("pay_password",))
    return await send_code(ctx, consumer_id, Purpose.STEP_UP)


async def person(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Prove name and id number anew, though they are known: that it is still the same person."""
    names = ("name", "id_number")
    if not all(given.get(name) for name in names):
        return Needed(names)
    by = ctx.by_consumer(consumer_id, "proved their name again")
    async with ctx.database.transaction() as tx:
        refusal = await customer.prove_again(tx, ctx.keys, consumer_id, given["name"], given["id_number"], by)
        await _count_wrong(tx, consumer_id, refusal, by)
    _raise(refusal)
    return None


_WRONG = frozenset({"PAY_PASSWORD_WRONG", "PAY_PASSWORD_LOCKED", "REALNAME_MISMATCH"})


async def _count_wrong(tx: Tx, consumer_id: UUID, refusal: Refusal | None, by: By) -> None:
    """A wrong try counts, in the transaction that keeps it."""
    if refusal is not None and refusal.code in _WRONG:
        await risk.count(tx, [Beat(consumer_id, "wrong_password", new_id(), epoch_ms(by.at))])
        await customer.touch(tx, consumer_id)


async def card(ctx: Context, consumer_id: UUID, given: Inputs) -> Needed | None:
    """Bind a bank card: its number first, then the code that was sent."""
    card_id = parse_id(given.get("card_id", ""))
    by = ctx.by_consumer(consumer_id, "bound a card")
    if card_id is not None and given.get("sms_code"):
        async with ctx.database.transaction() as tx:
            bound = await customer.bind(tx, ctx.keys, consumer_id, card_id, given["sms_code"], by)
            if not isinstance(bound, Refusal):
                await risk_events.met(tx, consumer_id, Subject("card", card_subject(bound.fingerprint)), by.at)
        _raise(bound if isinstance(bound, Refusal) else None)
        return None
    if not given.get("card_number"):
        return Needed(("card_number",))
    async with ctx.database.transaction() as tx:
        asked = await customer.ask_to_bind(tx, ctx.keys, consumer_id, given["card_number"], by)
    return Needed(("sms_code",), sms_sent=True, known={"card_id": str(asked.card_id)})


async def unlock(ctx: Context, consumer_id: UUID, lock: str, given: Inputs) -> Needed | None:
    """Take a lock of the line off: by a code, or for a dormant line by proving one's name again."""
    if lock == "dormant_locked":
        names = ("name", "id_number")
        if not all(given.get(name) for name in names):
            return Needed(names)
        async with ctx.database.transaction() as tx:
            await _check_person(ctx, tx, consumer_id, given)
            await credit.line.unlock(tx, consumer_id, lock, ctx.by_consumer(consumer_id, "proved their name again"))
        return None
    if not given.get("sms_code"):
        return await send_code(ctx, consumer_id, Purpose.UNLOCK)
    by = ctx.by_consumer(consumer_id, "unlocked the line")
    async with ctx.database.transaction() as tx:
        refusal = await customer.check_code(tx, ctx.keys, consumer_id, Purpose.UNLOCK, given["sms_code"], by)
        if refusal is None:
            await credit.line.unlock(tx, consumer_id, lock, by)
    _raise(refusal)
    return None


async def _check_person(ctx: Context, tx: Tx, consumer_id: UUID, given: Inputs) -> None:
    person = await customer.person(tx, ctx.keys, consumer_id)
    if (person.name, person.id_number) != (given["name"].strip(), given["id_number"].strip().upper()):
        raise Refusal("REALNAME_MISMATCH", "name and id number are not those of this account")


async def send_code(ctx: Context, consumer_id: UUID, purpose: Purpose) -> Needed:
    """Send a code to the consumer's phone, and ask for it. Refuses SMS_LIMIT."""
    by: By = ctx.by_consumer(consumer_id, f"asked for a code: {purpose}")
    async with ctx.database.transaction() as tx:
        await customer.send_code(tx, ctx.keys, consumer_id, purpose, by)
    return Needed(("sms_code",), sms_sent=True)


def _raise(refusal: Refusal | None) -> None:
    """The try is committed; now say no, where it was wrong."""
    if refusal is not None:
        raise refusal


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal("DATE_INVALID", f"{text!r} is not a date (YYYY-MM-DD)") from None
