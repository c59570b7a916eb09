"""Proving who one is: real name with id number and document, phone by code; and what operators note."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import msgspec

from fenqi.customer import check
from fenqi.customer.model import Consumer, Marks, Purpose, RealName
from fenqi.customer.read import get, locked, person
from fenqi.customer.secret import Keys
from fenqi.customer.sms import check_code
from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Conflict, Refusal

ID_CHECK_TTL = timedelta(minutes=15)


async def verify_real_name(
    tx: Tx, keys: Keys, consumer_id: UUID, name: str, id_number: str, document_until_on: date, by: By
) -> Consumer:
    """Take name, id number and the document's last day; the consumer is verified. Repeating cures a mismatch.

    Refuses NAME_INVALID, ID_NUMBER_INVALID, ID_DOCUMENT_EXPIRED, and REAL_NAME_FIXED: an account never changes
    from one person to another.
    """
    today_on = business_date(by.at)
    name, parsed = check.person_name(name), check.id_number(id_number, today_on)
    _check_document(document_until_on, today_on)
    consumer, _ = await locked(tx, consumer_id)
    person_hash = keys.person(parsed.number)
    if consumer.person_hash not in (None, person_hash):
        raise Conflict("REAL_NAME_FIXED", "the account belongs to another person")
    await record.claim(tx, "person", person_hash, consumer_id, by.at)
    changes = {
        "real_name": RealName.VERIFIED,
        "person_hash": person_hash,
        "birth_on": parsed.birth_on,
        "sex": parsed.sex,
        "id_document_until_on": document_until_on,
    }
    await record.update(tx, consumer_id, changes)
    sealed = {
        "name_sealed": keys.seal(name, consumer_id),
        "id_number_sealed": keys.seal(parsed.number, consumer_id),
    }
    await record.update_person(tx, consumer_id, sealed)
    await record.insert_history(tx, consumer_id, "verify_real_name", by)
    return await get(tx, consumer_id)


async def prove_again(tx: Tx, keys: Keys, consumer_id: UUID, name: str, id_number: str, by: By) -> Refusal | None:
    """Prove name and id number anew; good for 15 minutes. Answers with REALNAME_MISMATCH as a value: commit (the try
    counts), then raise. Refuses REALNAME_REQUIRED."""
    consumer, _ = await locked(tx, consumer_id)
    if consumer.real_name is RealName.NONE:
        raise Conflict("REALNAME_REQUIRED", "prove your name first")
    known = await person(tx, keys, consumer_id)
    if (known.name, known.id_number) != (name.strip(), id_number.strip().upper()):
        return Refusal("REALNAME_MISMATCH", "name and id number are not those of this account")
    await record.update(tx, consumer_id, {"id_checked_until_at": by.at + ID_CHECK_TTL})
    await record.insert_history(tx, consumer_id, "prove_again", by)
    return None


async def renew_document(tx: Tx, consumer_id: UUID, document_until_on: date, by: By) -> None:
    """Take the last day of a new identity document. Refuses ID_DOCUMENT_EXPIRED and REALNAME_REQUIRED."""
    _check_document(document_until_on, business_date(by.at))
    consumer, _ = await locked(tx, consumer_id)
    if consumer.real_name is RealName.NONE:
        raise Conflict("REALNAME_REQUIRED", "prove your name first")
    await record.update(tx, consumer_id, {"id_document_until_on": document_until_on})
    await record.insert_history(tx, consumer_id, "renew_document", by, {"until_on": str(document_until_on)})


def _check_document(until_on: date, today_on: date) -> None:
    if until_on < today_on:
        raise Refusal("ID_DOCUMENT_EXPIRED", "the document is past its last day")
    if until_on.year > 9000:
        raise Refusal("ID_DOCUMENT_INVALID", "a document without an end is entered as valid for 100 years")


async def verify_phone(tx: Tx, keys: Keys, consumer_id: UUID, code: str, by: By) -> Refusal | None:
    """The phone is reachable: the code (purpose `phone`) was read on it. Answers as `sms.check_code` does."""
    await locked(tx, consumer_id)
    refusal = await check_code(tx, keys, consumer_id, Purpose.PHONE, code, by)
    if refusal is None:
        await record.update(tx, consumer_id, {"phone_reachable": True})
        await record.insert_history(tx, consumer_id, "verify_phone", by)
    return refusal


async def change_phone(tx: Tx, keys: Keys, consumer_id: UUID, phone: str, by: By) -> None:
    """Another phone, not proved yet. Refuses PHONE_INVALID and PHONE_TAKEN; the same phone changes nothing."""
    number = check.phone(phone)
    sealed = await record.person(tx, consumer_id)
    old = keys.unseal(sealed[1], consumer_id) if sealed else ""
    if old == number:
        return
    if await record.claim(tx, "phone", keys.look_up("phone", number), consumer_id, by.at) != consumer_id:
        raise Conflict("PHONE_TAKEN", "somebody else has it")
    await locked(tx, consumer_id)
    await record.give_up(tx, keys.look_up("phone", old), consumer_id)
    await record.update_person(tx, consumer_id, {"phone_sealed": keys.seal(number, consumer_id)})
    await record.update(tx, consumer_id, {"phone_reachable": False})
    await record.insert_history(tx, consumer_id, "change_phone", by)


async def mark(tx: Tx, consumer_id: UUID, marks: Marks, by: By) -> Consumer:
    """Note what operators learnt: region, student, child mode, phone, a mismatch of the name.

    Refuses WHY_REQUIRED, and REALNAME_REQUIRED for a mark on a name that was never proved.
    """
    check_why(by.why)
    changes = {name: value for name, value in msgspec.structs.asdict(marks).items() if value is not None}
    consumer, _ = await locked(tx, consumer_id)
    if marks.real_name is not None and RealName.NONE in (consumer.real_name, marks.real_name):
        raise Conflict("REALNAME_REQUIRED", "only a name that was proved can be marked")
    if changes:
        await record.update(tx, consumer_id, changes)
        await record.insert_history(tx, consumer_id, "mark", by, {k: str(v) for k, v in changes.items()})
    return await get(tx, consumer_id)
